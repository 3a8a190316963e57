# The live half of bench/ratio.sh, which sources this.
# shellcheck shell=bash disable=SC2154  # bin, dir and rounds are ratio.sh's

servers=()
end_servers() {
  if ((${#servers[@]} > 0)); then kill "${servers[@]}" 2> /dev/null || true; fi
  "$bin/duet" down --data "$dir/up" > /dev/null 2>&1 || true
  rm -rf "$dir"
}

# seconds COMMAND...: for 2,000, from the rate that it prints
seconds() { "$@" | sed -n 's/.*: \([0-9]*\)\/s.*/\1/p' | awk '{ printf "%.4f\n", 2000 / $1 }'; }

true_program() { type -P true; }

spawn() {
  local program
  program=$(true_program)
  need spawn spawn_rate ../libexec/duet-runner
  run_duet() { seconds "$bin/spawn_rate" "$bin/../libexec/duet-runner" "$program" 2000 64; }
  run_raw() { seconds "$bin/spawn" vfork "$program" 2000 64; }
  interleave run_duet run_raw
  verdict 'none yet'
}

# The spawner alone, without what a runner adds, at every width from 1 to 8; idle, then beside one process for
# each processor that computes all the time. The worst width counts.
pinned() {
  local program state width gate bad=0
  program=$(true_program)
  need spawn pinned_rate
  run_duet() { seconds "$bin/pinned_rate" "$program" 2000 "$width"; }
  run_raw() { seconds "$bin/spawn" vfork "$program" 2000 "$width"; }
  for state in idle busy; do
    if [[ $state == busy ]]; then
      for ((width = 0; width < $(nproc); ++width)); do
        setsid sh -c 'while :; do :; done' &
        servers+=($!)
      done
      trap end_servers EXIT
    fi
    : > "$dir/worst"
    for width in 1 2 3 4 5 6 7 8; do
      interleave run_duet run_raw > /dev/null
      gate=1.18
      if [[ $state == idle && $width == 1 ]]; then gate=1.33; fi
      echo "  $state, width $width: $(name=median verdict "$gate" | cut -d' ' -f2-)"
      sort -g "$dir/ratios" | awk '{ r[NR] = $1 } END { print r[int((NR + 1) / 2)] }' >> "$dir/worst"
      if [[ $state == idle && $width == 1 ]]; then : > "$dir/worst"; fi  # It has a gate of its own.
    done
    if [[ $state == idle ]]; then
      sort -g "$dir/worst" | tail -n 1 > "$dir/ratios"
      name='  idle, worst of 2 to 8' verdict 1.18 || bad=1
    fi
  done
  sort -g "$dir/worst" | tail -n 1 > "$dir/ratios"
  verdict 1.18 || bad=1
  return "$bad"
}

ballast() {
  local program
  program=$(true_program)
  need spawn_rate ../libexec/duet-runner
  run_heavy() { seconds "$bin/spawn_rate" "$bin/../libexec/duet-runner" "$program" 2000 64 auto 1024; }
  run_light() { seconds "$bin/spawn_rate" "$bin/../libexec/duet-runner" "$program" 2000 64; }
  interleave run_heavy run_light
  verdict 1.11
}

# A cluster of one node that has every processor, as what it is compared with.
begin_cluster() {
  need duet run_rate ../libexec/duet-up ../libexec/duet-controller ../libexec/duet-agent
  trap end_servers EXIT
  "$bin/duet" up --nodes 1 --topology all --listen 127.0.0.1:0 --data "$dir/up" --detach > /dev/null
}

run() {
  local program
  program=$(true_program)
  need spawn
  begin_cluster
  run_duet() { seconds "$bin/run_rate" "$dir/up" "$program" 2000 64; }
  run_raw() { seconds "$bin/spawn" vfork "$program" 2000 64; }
  interleave run_duet run_raw
  "$bin/run_rate" "$dir/up" "$program" 10 1 200 | sed -n 's/^one by one/  one by one, sqlite/p'
  verdict 2.0
}

peers() {
  local program
  program=$(true_program)
  begin_cluster
  timed() {
    local begin
    begin=$(date +%s.%N)
    "$@"
    awk -v b="$begin" -v e="$(date +%s.%N)" 'BEGIN { printf "%.4f\n", e - b }'
  }
  with_xargs() { seq 2000 | xargs -P4 -n1 "$program"; }
  with_parallel() { seq 2000 | parallel -j4 "$program"; }
  run_duet() { seconds "$bin/run_rate" "$dir/up" "$program" 2000 64; }
  run_xargs() { timed with_xargs; }
  run_parallel() { timed with_parallel; }
  if command -v parallel > /dev/null; then
    echo "  GNU parallel -j4 in the second place (aim: at most 0.25):"
    rounds=1 interleave run_duet run_parallel
  fi
  echo "  xargs -P4 in the second place:"
  interleave run_duet run_xargs
  verdict 1.67
}

# begin_server FILE COMMAND...: its first line, what it says of where it listens, is in FILE.
begin_server() {
  local file=$1
  shift
  "$@" > "$file" 2> "$file.log" &
  servers+=($!)
  until [[ -s $file ]]; do sleep 0.05; done
}

# One that nobody is connected to.
begin_controller() {
  need http_rate ../libexec/duet-controller
  trap end_servers EXIT
  "$bin/../libexec/duet-controller" --data="$dir/c" --listen=127.0.0.1:0 --agents=127.0.0.1:0 \
    2> "$dir/c.log" &
  servers+=($!)
  controller=$!
  until [[ -s $dir/c/controller.json ]]; do sleep 0.05; done
  url=$(sed 's/.*http:..\([0-9.:]*\)".*/\1/' "$dir/c/controller.json")
}

# requests ARGUMENT...: seconds for 10,000
requests() { "$bin/http_rate" load "$@" | awk '{ printf "%.4f\n", 10000 / $1 }'; }

status() {
  local bytes
  begin_controller
  bytes=$(curl -s "http://$url/status" | wc -c)
  begin_server "$dir/port" "$bin/http_rate" canned "$bytes"
  run_duet() { requests "$url" GET /status '' '' 32 2; }
  run_raw() { requests "127.0.0.1:$(cat "$dir/port")" GET /status '' '' 32 2; }
  interleave run_duet run_raw
  verdict 1.67
}

submit() {
  local job='{"name":"true","cpu":30,"command":["true"]}'
  begin_controller
  begin_server "$dir/port" "$bin/http_rate" append "$dir/appended"
  run_duet() { requests "$url" POST /api/v1/jobs "$job" "$(cat "$dir/c/token")" 64 2; }
  run_raw() { requests "127.0.0.1:$(cat "$dir/port")" POST / "$job" '' 64 2; }
  interleave run_duet run_raw
  verdict 3.33
}

beats() {
  local agents
  begin_controller
  need beats
  agents=$(sed 's/.*agents":"\([0-9.:]*\)".*/\1/' "$dir/c/controller.json")
  begin_server "$dir/port" "$bin/beats" bare
  cpu() { sed -n 's/.* \([0-9.]*\) CPU-s.*/\1/p'; }
  run_duet() { "$bin/beats" load "$agents" "$(cat "$dir/c/agent.token")" 2000 10 5 "$controller" | cpu; }
  run_raw() { "$bin/beats" load "127.0.0.1:$(cat "$dir/port")" x 2000 10 5 "${servers[1]}" | cpu; }
  interleave run_duet run_raw
  verdict 1.5
}

sample() {
  need sample_time ../libexec/duet-runner
  "$bin/sample_time" "$bin/../libexec/duet-runner" 1000 | tee "$dir/sample"
  awk -v name="$name" '{ median = $7 } END {
    printf "%s: median %s ms, gate 1.0\n", name, median
    exit median > 1.0 }' "$dir/sample"
}

resident() {
  local pid
  begin_cluster
  for what in controller agent runner; do
    pid=$(pgrep -f "duet-$what .*$dir/up" | head -n 1)
    awk -v what="$what" '/^RssAnon/ { printf "  %s: %.1f MB\n", what, $2 / 1000 }' "/proc/$pid/status"
  done | tee "$dir/resident"
  awk -v name="$name" '/controller/ { c = $2 } /agent/ { a = $2 } END {
    printf "%s: controller %.1f (gate 12), agent %.1f (gate 6)\n", name, c, a
    exit c > 12 || a > 6 }' "$dir/resident"
}
