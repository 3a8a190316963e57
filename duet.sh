#!/usr/bin/env bash
# Sets up, builds, shows and tests Duet on a Debian 12 machine. `./duet.sh help` says how.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
readonly root=$PWD

# The same object for the same source, wherever the tree lies: a fresh clone hits the cache of an older one.
# (That one option names the tree in order that nothing else does.)
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_IGNOREOPTIONS='-fmacro-prefix-map=*'

# shellcheck source-path=SCRIPTDIR
. tools/sh/setup.sh    # install_packages
. tools/sh/build.sh    # build PRESET [TARGET...]
. tools/sh/results.sh  # check, run_tests, summary

help() {
  cat <<'EOF'
Duet: a cluster orchestrator, simulated and live.

  ./duet.sh demo          install what is missing, build, and run one scenario twice
  ./duet.sh demo live     run one scenario simulated and with real processes, side by side
  ./duet.sh test          everything a change must pass: tests, golden traces, 500 random clusters
  ./duet.sh test --all    also: clang, -O0, sanitizers, fuzzers, 10,000 random clusters (25 minutes)
  ./duet.sh test --real   also: tests against real container engines and servers
  ./duet.sh build         release build; programs in build/bin, `ctest --test-dir build` works
  ./duet.sh help          this page

Packages come from Debian (apt-get --no-install-recommends, as root or through sudo) and nowhere else.
EOF
}

# Time since the script started, in words.
elapsed() {
  if ((SECONDS < 60)); then echo "$SECONDS s"; else echo "$((SECONDS / 60)) min $((SECONDS % 60)) s"; fi
}

run_build() {
  install_packages "${program_packages[@]}" "${test_packages[@]}"
  build release
  echo "Built in $(elapsed): build/bin. Next: ./duet.sh test"
}

run_demo() {
  local scenario=scenarios/demo.json out=build/demo digests
  install_packages "${program_packages[@]}"
  build release duet duet-sim
  rm -rf "$out"
  mkdir -p "$out"
  echo "build/bin/duet sim $scenario --out $out/first"
  build/bin/duet sim "$scenario" --out "$out/first" | tee "$out/first.txt"
  build/bin/duet sim "$scenario" --out "$out/again" > "$out/again.txt"
  echo
  digests=$(sed -n 's/.*\(digest.*\)/\1/p' "$out/first.txt" "$out/again.txt")
  if [[ $(wc -l <<< "$digests") -ne 2 || $(sort -u <<< "$digests" | wc -l) -ne 1 ]] ||
    ! cmp -s "$out/first/trace.duet" "$out/again/trace.duet"; then
    printf 'The two runs differ, which must never happen:\n%s\n' "$digests" >&2
    return 1
  fi
  echo "first run:  $(head -n 1 <<< "$digests")"
  echo "second run: $(tail -n 1 <<< "$digests")  same again"
  echo
  echo "Files written to $out/first:"
  for file in "$out"/first/*; do printf '  %8s  %s\n' "$(stat -c %s "$file")" "${file##*/}"; done
  echo
  echo "Done in $(elapsed). Next: build/bin/duet sim $scenario --queue sjf"
}

# One file in both worlds: simulated, then with real processes, whose run is replayed at its end.
run_demo_live() {
  local scenario=examples/live-tour.json out=build/demo-live
  install_packages "${program_packages[@]}"
  build release duet duet-live duet-runner duet-workload
  rm -rf "$out"
  mkdir -p "$out"
  echo "build/bin/duet sim $scenario --engine loop --out $out/sim"
  build/bin/duet sim "$scenario" --engine loop --out "$out/sim"
  echo
  echo "build/bin/duet live $scenario --predict --out $out/live    (about 15 s)"
  build/bin/duet live "$scenario" --predict --out "$out/live"
  echo
  echo "build/bin/duet replay $out/live --verify"
  build/bin/duet replay "$out/live" --verify
  echo
  echo "Done in $(elapsed). Next: build/bin/duet report $out/live"
}

run_test() {
  local all=false real=false argument
  for argument in "$@"; do
    case $argument in
      --all) all=true ;;
      --real) real=true ;;
      *) echo "duet.sh test: unknown option $argument (--all, --real)" >&2 && exit 2 ;;
    esac
  done
  install_packages "${program_packages[@]}" "${test_packages[@]}"
  if $all; then
    install_packages "${all_packages[@]}"
    install_web_packages
  fi
  build release
  results_begin
  run_tests release 'unit|contract|property|golden|negative|truth|tidy|swarm|simgrid'
  run_tests release live
  if $real; then run_tests release real; fi
  if $all; then
    run_tests release web
    check swarm-10000 build/bin/duet swarm --seeds 10000
    test_everything_else
  else
    check swarm-500 build/bin/duet swarm --seeds 500
  fi
  summary "$all"
}

# What only `--all` does. Each tree builds only what is then run. A tree that does not build is a failed
# check, and the others still run.
test_everything_else() {
  local preset name seconds started=0

  check headers build release header_check
  check oracle tools/oracle.sh
  run_tests release install
  run_tests release kill

  for preset in clang gcc-debug clang-debug; do check "build-$preset" build "$preset" duet duet-sim; done
  check digests tools/digests.sh build build-clang build-gcc-debug build-clang-debug

  check build-asan build asan test_unit test_contract test_property test_golden test_live fuzz
  run_tests asan 'unit|contract|property|golden'
  run_tests asan live

  check build-tsan build tsan test_live
  run_tests tsan live

  # A minute for each format that comes from outside; two at a time: a fuzzer is one thread.
  for name in tests/fuzz/*.cpp; do
    name=$(basename "$name" .cpp)
    case $name in batsim | scenario | swf | trace) seconds=60 ;; *) seconds=20 ;; esac
    check "fuzz-$name" env DUET_TREE=build-asan tools/fuzz.sh "$seconds" "$name" &
    if ((++started >= 2)); then wait -n || true; fi
  done
  wait
}

case ${1:-help} in
  build) run_build ;;
  demo)
    case ${2:-} in
      '') run_demo ;;
      live) run_demo_live ;;
      *) echo "duet.sh demo: unknown word $2 (live, or nothing)" >&2 && exit 2 ;;
    esac
    ;;
  test) shift && run_test "$@" ;;
  help | -h | --help) help ;;
  *) echo "duet.sh: unknown command $1; try ./duet.sh help" >&2 && exit 2 ;;
esac
