#!/usr/bin/env bash
# Load for a long time, and whether anything grows: tools/soak.sh [SECONDS] [KILLS]
#   SECONDS   of load, 64 processes at a time, on a cluster of its own (default 600)
#   KILLS     at random points, in rounds of 300 with another seed each (default 3000)
# Prints what each program holds while it runs, and at the end the most of the first half and the least of the
# second. Exit code 1 if that grew: memory by more than a tenth and 2 MiB; descriptors, threads or zombies by
# more than 8.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-600} kills=${2:-3000}
bin=$PWD/build/bin
for program in duet run_rate test_kill; do
  if [[ ! -x $bin/$program ]]; then
    echo "tools/soak.sh: $bin/$program is not built; run: cmake --build build --target all bench" >&2
    exit 2
  fi
done
dir=$(mktemp -d)
chmod 711 "$dir"
trap '"$bin/duet" down --data "$dir/data" > /dev/null 2>&1 || true; rm -rf "$dir"' EXIT

# sample SECOND: for each program, its private memory in KiB, descriptors, threads, zombies of its children.
sample() {
  local pid name
  for pid in $(pgrep -f "$dir/data" || true); do
    name=$({ tr '\0' '\n' < "/proc/$pid/cmdline"; } 2> /dev/null | head -n 1) || continue
    case $name in */duet-*) ;; *) continue ;; esac
    awk -v second="$1" -v name="${name##*/}/$pid" -v fds="$(ls "/proc/$pid/fd" 2> /dev/null | wc -l)" \
      -v zombies="$(ps -o stat= --ppid "$pid" | grep -c '^Z' || true)" '
      /^RssAnon/ { memory = $2 } /^Threads/ { threads = $2 }
      END { if (memory != "") print second, name, memory, fds, threads, zombies }' \
      "/proc/$pid/status" 2> /dev/null || true
  done
}

"$bin/duet" up --nodes 2 --data "$dir/data" --listen 127.0.0.1:0 --detach > /dev/null
begin=$SECONDS runs=0
echo "second program/pid RssAnon_KiB descriptors threads zombies"
while ((SECONDS - begin < seconds)); do
  "$bin/run_rate" "$dir/data" /bin/true 2000 64 > "$dir/rate" || { cat "$dir/rate" && exit 1; }
  runs=$((runs + 2000))
  sample $((SECONDS - begin)) | tee -a "$dir/samples"
done
echo "$runs jobs in $((SECONDS - begin)) s; the last 2,000: $(cat "$dir/rate")"

grew=0
# The first tenth is not counted: what is kept for the next task is made then.
awk -v seconds="$seconds" '
  $1 < seconds / 10 { next }
  { half = $1 < seconds * 0.55 ? 1 : 2; if (!($2 in seen)) { seen[$2] = 1; names[++n] = $2 }
    for (k = 3; k <= 6; ++k) {
      if (half == 1 && (!(($2, k) in most) || $k > most[$2, k])) most[$2, k] = $k
      if (half == 2 && (!(($2, k) in least) || $k < least[$2, k])) least[$2, k] = $k
    } }
  END {
    for (i = 1; i <= n; ++i) {
      p = names[i]
      bad = 0
      if (least[p, 3] > most[p, 3] * 1.1 + 2048) bad = 1
      for (k = 4; k <= 6; ++k) if (least[p, k] > most[p, k] + 8) bad = 1
      printf "%s: memory %d -> %d KiB, ", p, most[p, 3], least[p, 3]
      printf "descriptors %d -> %d, ", most[p, 4], least[p, 4]
      printf "threads %d -> %d, zombies %d -> %d", most[p, 5], least[p, 5], most[p, 6], least[p, 6]
      print bad ? ": GREW" : ""
      grew += bad
    }
    exit grew > 0
  }' "$dir/samples" || grew=1

for ((seed = 1; kills > 0; ++seed, kills -= 300)); do
  export DUET_KILL_SEED=$seed DUET_KILLS=$((kills < 300 ? kills : 300))
  "$bin/test_kill" --gtest_filter='Kill.*' > "$dir/kills" || { cat "$dir/kills" && exit 1; }
  grep '^[0-9]* kills' "$dir/kills"
done
exit "$grew"
