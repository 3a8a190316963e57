#!/usr/bin/env bash
# Measures duet_bench and writes what is usual on this machine: bench/baseline.sh [-o FILE] [-r RUNS] [FILTER]
#   -o FILE   where to (default: bench/baseline.json)
#   -r RUNS   how many times the program is started (default 5): the spread within one start says too little
#   FILTER    a regular expression of names (default: all)
# The file has the form of Google Benchmark's own JSON, one entry for each name: the median of the runs, and
# `noise_floor`, half the range of the runs as a fraction of the median: what differs by less is a tie.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bin=${DUET_BIN:-build/bin}
to=bench/baseline.json runs=5

while getopts o:r:h option; do
  case $option in
    o) to=$OPTARG ;;
    r) runs=$OPTARG ;;
    *) sed -n '2,7s/^# //p' "$0" >&2 && exit 2 ;;
  esac
done
shift $((OPTIND - 1))
filter=${1:-.}
if [[ ! $runs =~ ^[1-9][0-9]*$ ]]; then
  echo "bench/baseline.sh: -r $runs: a number of runs, at least 1" >&2
  exit 2
fi
for program in duet_bench duet duet-sim; do
  if [[ ! -x $bin/$program && ! -x $bin/../libexec/$program ]]; then
    echo "bench/baseline.sh: $program is not built; run: cmake --build build --target all bench" >&2
    exit 2
  fi
done

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for ((run = 1; run <= runs; ++run)); do
  echo "run $run of $runs" >&2
  "$bin/duet_bench" --benchmark_filter="$filter" --benchmark_min_time=0.05 --benchmark_format=csv \
    2> "$dir/said" > "$dir/$run.csv" || { cat "$dir/said" >&2 && exit 2; }
done

# The names have what the library adds to them: how the time was taken.
model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
cat "$dir"/*.csv | awk -F , -v model="$model" -v cpus="$(nproc)" -v runs="$runs" '
  function sorted(list, n,   i, j, x) {
    for (i = 2; i <= n; ++i) {
      x = list[i]
      for (j = i - 1; j > 0 && list[j] > x; --j) list[j + 1] = list[j]
      list[j + 1] = x
    }
  }
  $1 ~ /^"[a-z_]+\/[a-z_]+\/[0-9]+/ && $3 != "" {
    name = $1
    gsub(/"/, "", name)
    manual = sub(/\/manual_time$/, "", name)
    sub(/\/iterations:1$/, "", name)
    if (!(name in count)) names[++many] = name
    # With manual time only "real time" is what was measured, and it is CPU time.
    value[name, ++count[name]] = (manual ? $3 : $4) + 0
    unit[name] = $5
  }
  END {
    if (many == 0) exit 1
    printf "{\n  \"context\": {\"cpu_model\": \"%s\", \"num_cpus\": %d, \"runs\": %d},\n", model, cpus, runs
    printf "  \"benchmarks\": [\n"
    for (b = 1; b <= many; ++b) {
      name = names[b]
      n = count[name]
      for (i = 1; i <= n; ++i) list[i] = value[name, i]
      sorted(list, n)
      median = n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2
      printf "    {\"name\": \"%s\", \"run_name\": \"%s\", \"run_type\": \"aggregate\", ", name, name
      printf "\"aggregate_name\": \"median\", \"repetitions\": %d, ", n
      printf "\"real_time\": %.6g, \"cpu_time\": %.6g, \"time_unit\": \"%s\", ", median, median, unit[name]
      printf "\"noise_floor\": %.4f}%s\n", (list[n] - list[1]) / 2 / median, b < many ? "," : ""
    }
    printf "  ]\n}\n"
  }' > "$dir/baseline.json" || {
  echo "bench/baseline.sh: no name matches '$filter'; $bin/duet_bench --benchmark_list_tests has them all" >&2
  exit 2
}
cp "$dir/baseline.json" "$to.part"
mv "$to.part" "$to"
echo "wrote $to: $(grep -c noise_floor "$to") benchmarks, $runs runs" >&2
