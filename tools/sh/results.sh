# shellcheck shell=bash disable=SC2154  # root is duet.sh's
# Running checks and counting what they said. Sourced by duet.sh.
# Results gather in a file of lines: passed|failed|skipped TAB name TAB reason.

results=build/test-results.tsv
logs=build/test-logs

results_begin() {
  rm -rf "$results" "$logs"
  mkdir -p "$logs"
  : > "$results"
}

record() { printf '%s\t%s\t%s\n' "$1" "$2" "${3:-}" >> "$results"; }

# check NAME COMMAND...: one result. A line "skipped: REASON" in the command's output is a skip of its own.
check() {
  local name=$1 log status=passed start=$SECONDS reason
  shift
  log=$logs/$name.log
  if [[ -t 1 ]]; then printf '       %s ...\r' "$name"; fi
  if ! "$@" > "$log" 2>&1; then status=failed; fi
  record "$status" "$name" "$log"
  while read -r reason; do record skipped "$name" "$reason"; done < <(sed -n 's/^skipped: //p' "$log")
  printf '%-6s %s (%d s)' "$status" "$name" $((SECONDS - start))
  if [[ $status == passed ]]; then
    printf ': %s\n' "$(tail -n 1 "$log" | sed 's/^ *//')"
  else
    printf '\n'
    tail -n 40 "$log" | sed 's/^/    /'
  fi
}

# run_tests PRESET LABEL|LABEL...: the CTest tests of that tree which carry one of the labels.
run_tests() {
  local preset=$1 labels=$2 tree junit log prefix='' status=passed start=$SECONDS rc=0 rows world=() jobs
  tree=$(tree_of "$preset")
  if [[ $preset != release ]]; then prefix="$preset:"; fi
  if [[ ! -f $tree/CTestTestfile.cmake ]]; then
    record failed "${prefix}tests" "$tree was not built"
    return
  fi
  junit=$root/$logs/$preset-${labels%%|*}.xml
  log=$logs/$preset-${labels%%|*}.log
  jobs=$(nproc)
  if [[ $labels == live ]]; then jobs=$((jobs * 2)); fi  # They wait more than they compute.
  # The thread sanitizer of these compilers cannot start where newer kernels randomise addresses widely.
  if [[ $preset == tsan ]] && setarch -R true 2> /dev/null; then world=(setarch -R); fi
  "${world[@]}" ctest --test-dir "$tree" -j "$jobs" -L "^($labels)$" --no-tests=ignore \
    --output-junit "$junit" --test-output-size-passed 65536 --test-output-size-failed 65536 \
    > "$log" 2>&1 || rc=$?
  rows=$(if [[ -f $junit ]]; then awk -v prefix="$prefix" -f tools/sh/junit.awk "$junit"; fi)
  # CTest's exit code is the authority: if it is unhappy, no reading of its report may hide that.
  if ((rc != 0)) && ! grep -q '^failed' <<< "$rows"; then
    rows+=$'\n'"failed"$'\t'"${prefix}ctest"$'\t'"exit $rc, see $log"
  fi
  sed '/^$/d' <<< "$rows" >> "$results"
  if grep -q '^failed' <<< "$rows"; then status=failed; fi
  printf '%-6s %s%s: %d tests (%d s)\n' "$status" "$prefix" "${labels//|/ }" "$(grep -c . <<< "$rows")" \
    $((SECONDS - start))
  if [[ $status == failed && -f $junit ]]; then
    awk -v failures=1 -v prefix="$prefix" -f tools/sh/junit.awk "$junit"
  elif [[ $status == failed ]]; then
    tail -n 20 "$log"
  fi
}

count() { grep -c "^$1" "$results" || true; }

# allowed_skip NAME: whether tests/allowed_skips lists it (a glob and a reason on each line).
allowed_skip() {
  local glob reason
  while read -r glob reason; do
    # shellcheck disable=SC2053  # the right side is a pattern on purpose
    if [[ -n $glob && $glob != '#'* && $1 == $glob ]]; then return 0; fi
  done < tests/allowed_skips
  return 1
}

# summary STRICT: failures, counts, each skip's reason, what to do next. Strict: an unlisted skip fails.
summary() {
  local strict=$1 status name reason verdict=0 failed
  failed=$(count failed)
  echo
  while IFS=$'\t' read -r status name reason; do
    if [[ $status == failed ]]; then echo "  failed: $name${reason:+ ($reason)}"; fi
  done < "$results"
  echo "$(count passed) passed, $failed failed, $(count skipped) skipped"
  while IFS=$'\t' read -r status name reason; do
    if [[ $status != skipped ]]; then continue; fi
    echo "  skipped: $name: $reason"
    if $strict && ! allowed_skip "$name"; then
      echo "    not listed in tests/allowed_skips, so this run fails"
      verdict=1
    fi
  done < "$results"
  if ((failed > 0 || $(count passed) == 0)); then verdict=1; fi
  if ((verdict == 0)); then
    echo "All good in $(elapsed). Next: ./duet.sh demo"
  else
    echo "Not good, after $(elapsed). Next: read the failures above; whole outputs are in $logs"
  fi
  return "$verdict"
}
