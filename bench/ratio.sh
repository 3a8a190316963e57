#!/usr/bin/env bash
# What Duet costs over a raw limit, as a ratio measured side by side: bench/ratio.sh NAME [ROUNDS]
#   sim-10 sim-100 sim-1000   CPU of a run over the same executions replayed on bare SimGrid, no trace
#   trace                     the same run with its trace over that without
#   loop                      the loop engine over a binary heap with the same executions
#   work                      counted work per task, 1,000,000 tasks over 100,000
#   heartbeat                 1,000 machines with a heartbeat each second over the same without heartbeats
#   memory                    bytes of peak memory per finished job, from 100,000 to 1,000,000 jobs
#   decision                  a task's whole life in the core with its trace, 10,000 nodes at 80 %, over one
#                             pick in the bucket index of raw/node_selection.cpp: the worst of six schedulers
#   easy                      such a life with EASY on a full cluster, over one with FCFS at 80 %
#   e_pvm                     one pick of naive E-PVM over a whole life with ours, 10,000 nodes
#   growth                    exponent of the time of a life in the number of nodes, 100 to 100,000: the worst
#                             of the schedulers that docs/policies.md calls indexed or sampled
#   store                     durable submissions in groups of 1, 8 and 64, over the same bytes appended to a
#                             file and fdatasync'ed: wall time
#   flight                    CPU of a live controller's thread with its flight recorder over that without
#   spawn                     2,000 runs of `true` by a runner for its agent, 64 at once, over vfork + exec of
#                             the same; wall time, as in what follows: it is the waiting that is compared
#   pinned                    2,000 starts of `true` by the spawner alone, each on its processor, over vfork +
#                             exec anywhere: the worst of 1 to 8 at once, while all processors are busy
#   run                       the same through a whole cluster with its store, from submission to end recorded
#   ballast                   the same with an agent that holds 1 GiB, over one that does not
#   peers                     xargs -P4, and GNU parallel if there, over a whole cluster
#   status                    GET /status over 32 connections over a canned answer as long by Asio alone
#   submit                    POST /api/v1/jobs over 64 connections over a server that only appends and syncs
#   beats                     CPU of a controller with 2,000 agents that beat 10 times a second, over that of
#                             one that receives the same frames
#   sample                    time in which a runner measures 1,000 attempts, ms
#   resident                  private memory of an idle controller and agent, MB
# The last line says `NAME: ratio R (min A, max B), gate G`; the exit code is 1 beyond the gate. Times are CPU
# times of processes run in turn, so that whatever else the machine does hits both.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
name=${1:-} rounds=${2:-7}
bin=${DUET_BIN:-build/bin}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

usage() {
  sed -n '2,33s/^# //p' "$0" >&2
  exit 2
}

need() {
  local program
  for program in "$@"; do
    if [[ ! -x $bin/$program ]]; then
      echo "bench/ratio.sh: $bin/$program is not built; run: cmake --build build --target all bench" >&2
      exit 2
    fi
  done
}

# scenario MACHINES JOBS WORK [HEARTBEAT_S]: machines of three cores with two threads, 70 % loaded.
# WORK: operations, minute (operations that take about one) or duration.
# With heartbeats, a node that misses three is suspect, five: dead.
scenario() {
  local machines=$1 jobs=$2 heartbeat=${4:-0} work='"mean_duration_s": 60' type='"smt_yield": 2'
  # With operations, what a task takes depends on its sibling; thread_s is about the mean.
  local thread_s=60
  if [[ $3 == operations ]]; then
    work='"mean_operations": 120000000000'
    type='"turbo_hz": [4.2e9, 4.0e9, 3.8e9], "smt_yield": 1.25'
    thread_s=45
  elif [[ $3 == minute ]]; then
    work='"mean_operations": 160000000000'
    type='"turbo_hz": [4.2e9, 4.0e9, 3.8e9], "smt_yield": 1.25'
    thread_s=60
  fi
  local gap
  gap=$(awk -v t="$thread_s" -v m="$machines" 'BEGIN { printf "%.9f", t / (m * 6 * 0.7) }')
  cat <<JSON
{"name": "bench", "seed": 1,
 "cluster": {
  "heartbeat_s": $heartbeat,
  "node_types": {"m": {"cores": 3, "threads_per_core": 2, $type}},
  "nodes": [{"type": "m", "count": $machines}]},
 "policies": {"detector": {"name": "timeout", "suspect_after_s": $((3 * heartbeat)),
  "dead_after_s": $((5 * heartbeat))}},
 "workload": {"generate": {"model": "poisson", "jobs": $jobs, "mean_gap_s": $gap, $work}}}
JSON
}

# duet_cpu SCENARIO OPTION...: CPU seconds of the run, as the run itself counted them.
duet_cpu() {
  local scenario=$1
  shift
  "$bin/duet" sim "$scenario" --out "$dir/out" "$@" > /dev/null 2>&1
  sed -n 's/.*"run_cpu_s": *\([0-9.e-]*\).*/\1/p' "$dir/out/run_info.json"
}

raw_cpu() { "$bin/raw_simgrid_replay" "$1" "$2" "$dir/raw" | sed -n 's/.*: \([0-9.]*\) cpu-s.*/\1/p'; }

# interleave COMMAND_A COMMAND_B: rounds of both in turn; each round's numbers and ratio into $dir/ratios.
interleave() {
  local i a b
  : > "$dir/ratios"
  for ((i = 1; i <= rounds; ++i)); do
    a=$($1) b=$($2)
    awk -v a="$a" -v b="$b" 'BEGIN { printf "%.4f %.4f %.4f\n", a / b, a, b }' | tee -a "$dir/ratios" |
      sed "s/^\([0-9.]*\) \([0-9.]*\) \([0-9.]*\)/  round $i: \2 s over \3 s = \1/"
  done
}

# verdict GATE: the median of the rounds' ratios against the gate; "none yet" gates nothing.
verdict() {
  local gate=$1
  sort -g "$dir/ratios" | awk -v name="$name" -v gate="$gate" '
    { r[NR] = $1 }
    END {
      m = NR % 2 ? r[(NR + 1) / 2] : (r[NR / 2] + r[NR / 2 + 1]) / 2
      printf "%s: ratio %.3f (min %.3f, max %.3f), gate %s\n", name, m, r[1], r[NR], gate
      exit gate != "none yet" && m > gate }'
}

sim() {
  local machines=$1 gate=$2 jobs=100000
  need duet raw_simgrid_replay
  scenario "$machines" "$jobs" operations > "$dir/s.json"
  "$bin/duet" sim "$dir/s.json" --no-trace --export-raw "$dir/raw" > /dev/null 2>&1
  "$bin/raw_simgrid_replay" shell "$machines" "$dir/raw"
  run_duet() { duet_cpu "$dir/s.json" --no-trace; }
  run_raw() { raw_cpu shell "$machines"; }
  interleave run_duet run_raw
  verdict "$gate"
}

trace() {
  need duet
  scenario 100 100000 operations > "$dir/s.json"
  run_with() { duet_cpu "$dir/s.json"; }
  run_without() { duet_cpu "$dir/s.json" --no-trace; }
  interleave run_with run_without
  verdict 1.30
}

loop() {
  need duet raw_simgrid_replay
  scenario 100 100000 operations > "$dir/s.json"
  "$bin/duet" sim "$dir/s.json" --no-trace --export-raw "$dir/raw" > /dev/null 2>&1
  scenario 100 100000 duration > "$dir/l.json"
  run_duet() { duet_cpu "$dir/l.json" --no-trace --engine loop; }
  run_heap() { raw_cpu heap 100; }
  interleave run_duet run_heap
  verdict 'none yet'
}

work() {
  local queue scheduler small large
  need work_counts
  : > "$dir/ratios"
  for queue in fcfs easy; do
    for scheduler in first_fit round_robin bin_pack spread; do
      small=$("$bin/work_counts" 100000 "$queue" "$scheduler")
      large=$("$bin/work_counts" 1000000 "$queue" "$scheduler")
      echo "  $queue $scheduler: $large  (100,000: $small)"
      awk -v a="$large" -v b="$small" 'BEGIN { split(a, x); split(b, y)
        for (i = 2; i <= 6; i += 2) print x[i] / y[i] }' >> "$dir/ratios"
    done
  done
  # Every count must hold, so it is the worst that is judged.
  sort -g "$dir/ratios" | awk -v name="$name" '{ r[NR] = $1 } END {
    printf "%s: ratio %.4f (min %.4f, max %.4f), gate 1.02\n", name, r[NR], r[1], r[NR]; exit r[NR] > 1.02 }'
}

heartbeat() {
  need duet
  scenario 1000 100000 minute 1 > "$dir/with.json"
  scenario 1000 100000 minute > "$dir/without.json"
  run_with() { duet_cpu "$dir/with.json" --no-trace; }
  run_without() { duet_cpu "$dir/without.json" --no-trace; }
  interleave run_with run_without
  verdict 1.50
}

memory() {
  local i small large
  need duet
  scenario 100 100000 duration > "$dir/small.json"
  scenario 100 1000000 duration > "$dir/large.json"
  rss() {
    "$bin/duet" sim "$1" --engine loop --out "$dir/out" > /dev/null 2>&1
    sed -n 's/.*"peak_rss_bytes": *\([0-9]*\).*/\1/p' "$dir/out/run_info.json"
  }
  : > "$dir/ratios"
  for ((i = 1; i <= 3; ++i)); do
    small=$(rss "$dir/small.json") large=$(rss "$dir/large.json")
    awk -v a="$large" -v b="$small" 'BEGIN { printf "%.1f\n", (a - b) / 900000 }' >> "$dir/ratios"
    echo "  round $i: $small bytes at 100,000 jobs, $large at 1,000,000: $(tail -n 1 "$dir/ratios") per job"
  done
  verdict 512
}

# shellcheck source-path=SCRIPTDIR
. bench/ratio_live.sh  # spawn, pinned, run, peers, status, submit, beats, sample, resident

# In one process, which takes its turns itself.
decide() {
  need decision_ratio
  "$bin/decision_ratio" "$name" "$rounds" "$@"
}

# Likewise; the files lie where files of the system's temporary folder do.
live() {
  need live_ratio
  "$bin/live_ratio" "$name" "$rounds" "${TMPDIR:-/tmp}"
}

# The schedulers of docs/policies.md whose column "looks" says indexed or sampled.
mapfile -t indexed < <(awk -F ' *[|] *' '/^## Schedulers/ { on = 1 } /^## Failure/ { on = 0 }
  on && $5 ~ /indexed|sampled/ { gsub(/`/, "", $2); print $2 }' docs/policies.md)

model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
echo "$(nproc) CPUs, $model, load $(cut -d' ' -f1-3 /proc/loadavg)"
case $name in
  sim-10) sim 10 2.5 ;;
  sim-100) sim 100 1.8 ;;
  sim-1000) sim 1000 1.5 ;;
  trace | loop | work | heartbeat | memory) "$name" ;;
  spawn | pinned | run | ballast | peers | status | submit | beats | sample | resident) "$name" ;;
  decision | easy | e_pvm) decide ;;
  store | flight) live ;;
  growth) decide "${indexed[@]}" ;;
  *) usage ;;
esac
