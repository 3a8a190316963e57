# shellcheck shell=bash disable=SC2154  # installed_something is setup.sh's
# Configuring and building one preset's tree. Sourced by duet.sh.

tree_of() { if [[ $1 == release ]]; then echo build; else echo "build-$1"; fi; }

# build PRESET [TARGET...]: all targets, or those named that exist (a part may not have been written yet).
build() {
  local preset=$1 tree log known target wanted=()
  shift
  tree=$(tree_of "$preset")
  mkdir -p "$tree"
  log=$tree/build.log
  # Ninja notices changed CMake files by itself; presets and newly installed packages it does not.
  if $installed_something || [[ ! -f $tree/build.ninja || CMakePresets.json -nt $tree/build.ninja ]]; then
    echo "Configuring $tree"
    if ! cmake --preset "$preset" > "$log" 2>&1; then
      cat "$log" >&2
      return 1
    fi
  fi
  if (($# > 0)); then
    known=$(ninja -C "$tree" -t targets all) || return 1
    for target in "$@"; do
      if grep -q "^$target: phony" <<< "$known"; then wanted+=(--target "$target"); fi
    done
    if ((${#wanted[@]} == 0)); then return; fi
  fi
  compile "$tree" "$log" "${wanted[@]}"
}

# compile TREE LOG ARGUMENT...: on a terminal Ninja's own counter; elsewhere a line every ten seconds.
compile() {
  local tree=$1 log=$2 last=$SECONDS line
  shift 2
  if [[ -t 1 ]]; then
    NINJA_STATUS="$tree [%f/%t] " cmake --build "$tree" -j "$(nproc)" "$@"
    return
  fi
  echo "Building $tree"
  if ! cmake --build "$tree" -j "$(nproc)" "$@" 2>&1 | tee "$log" | while read -r line; do
    if [[ $line =~ ^\[([0-9]+)/([0-9]+)\] ]] && ((SECONDS - last >= 10)); then
      echo "  ${BASH_REMATCH[1]} of ${BASH_REMATCH[2]}"
      last=$SECONDS
    fi
  done; then
    # The messages only, without command lines and chains of "inlined from".
    grep -A 3 -E 'error:|undefined reference|ld returned' "$log" | cut -c 1-300 | head -n 60 >&2 || true
    echo "$tree does not build; the whole output is in $log" >&2
    return 1
  fi
  echo "  built"
}
