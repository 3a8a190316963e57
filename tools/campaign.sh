#!/usr/bin/env bash
# Runs many seeds of the swarm, a part at a time, and goes on where it stopped:
#
#   tools/campaign.sh FOLDER SEEDS [FIRST_SEED]
#
# FOLDER keeps a line per finished part, and the scenario of each seed that failed. Start it again with the
# same arguments to go on; with a new build, in a new folder. The sums at its end depend on the seeds and on
# the build alone, not on how often it was stopped. DUET may name another program than build/bin/duet.
set -euo pipefail

if (($# < 2 || $# > 3)) || ! [[ $2 =~ ^[1-9][0-9]*$ && ${3:-1} =~ ^[0-9]+$ ]]; then
  echo "usage: tools/campaign.sh FOLDER SEEDS [FIRST_SEED]" >&2
  exit 2
fi
folder=$1 seeds=$2 first=${3:-1} part=20000
duet=${DUET:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/build/bin/duet}
mkdir -p "$folder"
done_parts=$folder/parts
[[ -x $duet ]] || { echo "there is no $duet: ./duet.sh build" >&2; exit 2; }

build=$(sha256sum "$duet" | cut -c1-16)
if [[ -f $folder/build && $(<"$folder/build") != "$build" ]]; then
  echo "$folder is of another build; take a new folder" >&2
  exit 2
fi
echo "$build" >"$folder/build"
touch "$done_parts"

for ((at = first; at < first + seeds; at += part)); do
  count=$((first + seeds - at < part ? first + seeds - at : part))
  grep -q "^$at $count " "$done_parts" && continue
  code=0
  "$duet" swarm --first-seed "$at" --seeds "$count" --out "$folder" >"$folder/log" || code=$?
  if ((code > 1)); then cat "$folder/log" >&2 && exit "$code"; fi
  if ((code == 1)); then tee -a "$folder/failures" <"$folder/log"; fi
  # "at count | 12 jobs, 34 tasks, ... digest 0123 | 20000 seeds ran, 0 failed, 2500 seeds/s"
  echo "$at $count | $(sed -n 's/^in them: //p' "$folder/log") | $(tail -n 1 "$folder/log")" >>"$done_parts"
  echo "$((at + count - first)) of $seeds seeds, $(wc -l <"$done_parts") parts"
done
rm -f "$folder/log"

# Sums; a digest has 64 bits, more than awk counts, so it is added in two halves.
awk -F' [|] ' '
  function hex(text, i, n) {
    for (i = 1; i <= length(text); ++i) n = n * 16 + index("123456789abcdef", substr(text, i, 1))
    return n
  }
  {
    n = split($2, field, ", ")
    for (i = 1; i < n; ++i) {
      value = field[i]; sub(/ .*/, "", value)
      name = field[i]; sub(/^[0-9]+ /, "", name)
      if (!(name in sum)) order[++names] = name
      sum[name] += value
    }
    digest = field[n]; sub(/^digest /, "", digest)
    low += hex(substr(digest, 9)); high += hex(substr(digest, 1, 8))
    split($3, ran, " "); seeds += ran[1]; failed += ran[4]
  }
  END {
    carry = int(low / 4294967296); low -= carry * 4294967296
    high = (high + carry) % 4294967296
    printf "%d seeds ran, %d failed\nin them: ", seeds, failed
    for (i = 1; i <= names; ++i) printf "%.0f %s, ", sum[order[i]], order[i]
    printf "digest %08x%08x\n", high, low
  }' "$done_parts" | tee "$folder/sum"
