#!/usr/bin/env bash
# Every scheduler against a scan of all targets, a million random decisions each: tools/oracle.sh [DECISIONS]
# Part of `duet.sh test --all`. Needs test_property (cmake --build build --target test_property).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
decisions=${1:-1000000}
program=${DUET_BIN:-build/bin}/test_property
if [[ ! $decisions =~ ^[1-9][0-9]*$ ]]; then
  echo "tools/oracle.sh: how many decisions? a number, not '$decisions'" >&2
  exit 2
fi
if [[ ! -x $program ]]; then
  echo "tools/oracle.sh: $program is not built; run: cmake --build build --target test_property" >&2
  exit 2
fi
DUET_ORACLE_DECISIONS=$decisions "$program" --gtest_filter='*SchedulerOracle*' --gtest_brief=1
