#!/usr/bin/env bash
# Runs one fuzz program for a while: tools/fuzz.sh SECONDS build-fuzz/bin/fuzz_NAME
# Inputs found interesting stay in build-fuzz/corpus/NAME; committed seeds are in tests/fuzz/corpus/NAME.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if (($# != 2)); then
  echo "usage: tools/fuzz.sh SECONDS build-fuzz/bin/fuzz_NAME" >&2
  exit 2
fi
name=${2##*/fuzz_}
found=build-fuzz/corpus/$name
mkdir -p "$found"
corpora=("$found")
if [[ -d tests/fuzz/corpus/$name ]]; then corpora+=("tests/fuzz/corpus/$name"); fi
# A hang or a huge allocation is a finding as much as a crash is.
"$2" -max_total_time="$1" -timeout=30 -rss_limit_mb=2048 -artifact_prefix="$found-" -print_final_stats=0 \
  "${corpora[@]}"
echo "$name: no finding in $1 s, $(find "$found" -type f | wc -l) inputs kept in $found"
