#!/usr/bin/env bash
# Mechanical mutations of the core: do the tests notice? A campaign, not part of any test run.
#
#   tools/mutate.sh FOLDER [COUNT] [SEED]    50 mutations of seed 1, if not said otherwise
#
# FOLDER gets a copy of the committed tree, built without SimGrid, and results.tsv, a line per mutation:
# killed by whom, or survived. One that does not compile is passed over for the next. Started again with the
# same arguments it goes on. Takes some ten seconds of CPU per mutation.
set -euo pipefail

if (($# < 1 || $# > 3)); then
  sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd) count=${2:-50} seed=${3:-1}
tree=$folder/tree build=$folder/tree/build results=$folder/results.tsv
seeds=${MUTATE_SEEDS:-600}
export CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1

if [[ ! -d $tree ]]; then
  mkdir -p "$tree"
  git -C "$source" archive HEAD | tar -x -C "$tree"
fi
# As every release build, so that ccache knows nearly all of it. But of the core each file is compiled alone:
# a mutation costs one small compilation. Checks stay on in a release, so a broken one kills, too.
if [[ ! -f $build/build.ninja ]]; then
  echo 'set_target_properties(duet_core PROPERTIES UNITY_BUILD OFF)' >>"$tree/core/CMakeLists.txt"
  (cd "$tree" && cmake --preset release -DDUET_WITH_SIMGRID=OFF) >"$folder/configure.log"
fi

# What was being tried when this was stopped is undone first.
restore() {
  [[ -f $folder/which ]] || return 0
  cp "$folder/original" "$tree/$(<"$folder/which")"
  rm "$folder/which"
}
restore
trap restore EXIT

make() { timeout 1200 ninja -C "$build" duet test_unit test_contract >"$folder/build.log" 2>&1; }
# The first that notices. What hangs or eats all memory is noticed, too; seconds are of CPU, as others may be
# at work.
judge() (
  ulimit -v 4000000 -t 20
  log=$folder/test.log
  for test in "test_unit --gtest_filter=Core*:SimFaults*" test_contract; do
    timeout 1000 "$build"/bin/$test --gtest_brief=1 >"$log" 2>&1 || { echo "${test%% *}"; exit; }
  done
  timeout 1000 "$build/bin/duet" swarm --seeds "$seeds" --out "$folder/found" >"$log" 2>&1 && exit
  echo "swarm $(sed -n 's/^seed [0-9]*: \([A-Z0-9]*\) .*/\1/p' "$log" | sort -u | head -n 3 | paste -sd ' ')"
)

make || { tail "$folder/build.log" >&2; exit 1; }
touch "$results"
if [[ ! -s $results ]]; then
  killer=$(judge 2>/dev/null)  # Which says that a test was aborted.
  [[ -z $killer ]] || { echo "without a mutation $killer fails: $folder/test.log" >&2; exit 1; }
fi

cd "$tree"
perl tools/mutations.pl "$seed" core/{agent,cluster,lifecycle,plan}.cpp core/controller*.cpp \
  core/policy/*/*.cpp >"$folder/mutations.tsv"
while IFS=$'\t' read -r where what before after <&3; do
  if (($(grep -cv $'\tdoes not compile' "$results" || true) >= count)); then break; fi
  grep -qF "$where"$'\t'"$what"$'\t' "$results" && continue
  file=${where%:*} line=${where##*:}
  cp "$file" "$folder/original"
  echo "$file" >"$folder/which"
  printf '%s\n' "$after" >"$folder/after"
  awk -v line="$line" -v text="$folder/after" 'NR == line { getline < text } { print }' \
    "$folder/original" >"$file"
  if ! make; then
    verdict="does not compile"
  else
    killer=$(judge 2>/dev/null)  # Which says that a test was aborted.
    verdict=${killer:+killed by $killer}
  fi
  restore
  printf '%s\t%s\t%s\t%s\t%s\n' "$where" "$what" "${verdict:-survived}" "$before" "$after" |
    tee -a "$results"
done 3<"$folder/mutations.tsv"

count_of() { grep -c $'\t'"$1" "$results" || true; }
echo "$(count_of 'killed by') killed, $(count_of survived) survived," \
  "$(count_of 'does not compile') did not compile: $results"
