#!/usr/bin/env bash
# Runs every scenario on every build named, on both engines, and demands one digest: tools/digests.sh build...
# Each is run plainly, with fresh and freed memory filled with a pattern, and at fixed addresses, twice each:
# a digest that depends on an uninitialised byte or on the value of a pointer cannot survive all of that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if (($# == 0)); then
  echo "usage: tools/digests.sh build [build-clang ...]" >&2
  exit 2
fi
shopt -s nullglob
scenarios=(scenarios/*.json)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

worlds=(plain filled)
if setarch -R true 2> /dev/null; then
  worlds+=(fixed)
else
  echo "skipped: address randomisation cannot be switched off here (setarch -R is refused)"
fi

# in_world WORLD COMMAND...
in_world() {
  local world=$1
  shift
  case $world in
    plain) "$@" ;;
    filled) MALLOC_PERTURB_=165 "$@" ;;
    fixed) setarch -R "$@" ;;
  esac
}

# digest OUT TREE SCENARIO ENGINE WORLD: the digest line, or how the run ended.
digest() {
  local rc=0 said
  rm -rf "$1"
  said=$(in_world "$5" "$2/bin/duet" sim "$3" --engine "$4" --out "$1" 2>&1) || rc=$?
  if ((rc == 0)); then
    grep -o 'digest.*' <<< "$said" || echo 'no digest printed'
  else
    echo "exit $rc"
  fi
}

# compare OUT SCENARIO TREE...: says what differs; last line: runs, digests, differences.
compare() {
  local into=$1 scenario=$2 ran=false runs=0 digests=0 different=0 engine tree world turn first said
  shift 2
  for engine in simgrid loop; do
    first=''
    for tree in "$@"; do
      for world in "${worlds[@]}"; do
        for turn in 1 2; do
          said=$(digest "$into" "$tree" "$scenario" "$engine" "$world")
          runs=$((runs + 1))
          first=${first:-$said}
          if [[ $said != "$first" ]]; then
            echo "different: $scenario on $engine: $first, but on $tree ($world, turn $turn): $said"
            different=$((different + 1))
          fi
        done
      done
    done
    # An engine may refuse a scenario (the loop engine has no links), but not both, and not without a reason.
    case $first in
      'exit 2') echo "$scenario: the $engine engine refuses it" ;;
      digest*) ran=true digests=$((digests + 1)) ;;
      *) echo "$scenario on $engine: $first" && different=$((different + 1)) ;;
    esac
  done
  if ! $ran; then
    echo "$scenario ran on no engine"
    different=$((different + 1))
  fi
  echo "$runs $digests $different"
}

# As many scenarios at a time as there are processors: each is one thread.
started=0
for scenario in "${scenarios[@]}"; do
  if [[ $scenario == *.schema.json ]]; then continue; fi
  name=$(basename "$scenario" .json)
  compare "$out/run-$name" "$scenario" "$@" > "$out/$name.said" &
  if ((++started >= $(nproc))); then wait -n; fi
done
wait

runs=0 digests=0 different=0 compared=0
for said in "$out"/*.said; do
  read -r more_runs more_digests more_different < <(tail -n 1 "$said")
  head -n -1 "$said"
  runs=$((runs + more_runs)) digests=$((digests + more_digests)) different=$((different + more_different))
  compared=$((compared + 1))
done
if ((runs == 0 || compared != started)); then
  echo "$compared of $started scenarios were compared"
  exit 1
fi
echo "$runs runs of $compared scenarios on $# builds: $digests digests, $different differences"
((different == 0))
