#!/usr/bin/env bash
# Runs one fuzz program for a while:
#
#   tools/fuzz.sh SECONDS NAME           NAME as in tests/fuzz/NAME.cpp
#   tools/fuzz.sh --grow SECONDS NAME    and then takes what it found into tests/fuzz/corpus/NAME
#
# It needs the tree of `cmake --preset fuzz`, or another that DUET_TREE names (that of the preset asan has the
# fuzz programs, too), and starts from the committed corpus. What else it finds interesting stays in
# build-fuzz/corpus/NAME.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

grow=false
if [[ ${1:-} == --grow ]]; then grow=true && shift; fi
tree=${DUET_TREE:-build-fuzz}
if (($# != 2)) || [[ ! -x $tree/bin/fuzz_$2 ]]; then
  echo "usage: tools/fuzz.sh [--grow] SECONDS NAME" >&2
  echo "before: cmake --preset fuzz && cmake --build --preset fuzz" >&2
  exit 2
fi
seconds=$1 name=$2
program=$tree/bin/fuzz_$name found=$tree/corpus/$name kept=tests/fuzz/corpus/$name
mkdir -p "$found" "$kept"

# A hang or a huge allocation is a finding as much as a crash is. Longer inputs only make it slower.
limits=(-max_len=4096 -timeout=30 -rss_limit_mb=2048 "-artifact_prefix=$found-")
if ((seconds > 0)); then
  "$program" -max_total_time="$seconds" "${limits[@]}" -print_final_stats=1 "$found" "$kept"
fi

# Only edges count here, not how often each is passed: a tenth of the files, which the rest grows from again.
if $grow; then
  merged=$(mktemp -d)
  "$program" -set_cover_merge=1 -use_counters=0 "${limits[@]}" "$merged" "$kept" "$found"
  trap 'rm -rf "$merged"' EXIT
  rm -r "$kept" && mkdir "$kept"
  find "$merged" -type f -exec cp -t "$kept" {} +
fi
echo "$name: no finding in $seconds s, $(find "$kept" -type f | wc -l) inputs committed," \
  "$(find "$found" -type f | wc -l) in $found"
