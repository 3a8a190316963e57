# shellcheck shell=bash disable=SC2034  # duet.sh reads the lists
# Installing Debian packages. Sourced by duet.sh.

# What the programs need, what the tests add, and what only `test --all` adds.
program_packages=(g++ cmake ninja-build pkg-config ccache libboost-dev nlohmann-json3-dev libsimgrid-dev
  libssl-dev libcli11-dev libzstd-dev libxxhash-dev zlib1g-dev libspdlog-dev libsqlite3-dev libhwloc-dev
  prometheus-cpp-dev)
test_packages=(libgtest-dev libgmock-dev libbenchmark-dev librapidcheck-dev graphviz curl)
all_packages=(clang llvm iproute2 libfuzzer-14-dev libclang-rt-14-dev dpkg-dev prometheus)
# For the script of reports and its tests in a browser. Node may have come from elsewhere, with npm in it.
web_packages=(chromium)
installed_something=false  # a tree configured earlier must then look again

# install_packages NAME...: installs those that are missing and says which; silent and quick when none is.
install_packages() {
  local missing=() package state sudo=() log
  if ! command -v dpkg-query > /dev/null; then
    echo "Not a Debian system, so nothing is installed; needed are (Debian's names): $*"
    return
  fi
  state=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "$@" 2> /dev/null || true)
  for package in "$@"; do
    if ! grep -qxF "ii $package" <<< "$state"; then missing+=("$package"); fi
  done
  if ((${#missing[@]} == 0)); then return; fi

  echo "Installing from Debian: ${missing[*]}"
  if ((EUID != 0)); then
    if ! command -v sudo > /dev/null; then
      echo "This needs root. As root, run: apt-get install --no-install-recommends ${missing[*]}" >&2
      exit 1
    fi
    sudo=(sudo)
  fi
  log=$(mktemp)
  if ! "${sudo[@]}" apt-get update > "$log" 2>&1 ||
    ! "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "${missing[@]}" >> "$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "apt-get failed; the whole output is in $log" >&2
    exit 1
  fi
  rm -f "$log"
  installed_something=true
  echo "Installed in $(elapsed)."
}

# What `test --all` adds for the web: a browser; node and npm from Debian only where there are none.
install_web_packages() {
  if ! command -v node > /dev/null; then web_packages+=(nodejs); fi
  if ! command -v npm > /dev/null; then web_packages+=(npm); fi
  install_packages "${web_packages[@]}"
}
