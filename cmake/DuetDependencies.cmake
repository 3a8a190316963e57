# Every third-party package, in one place (why each: docs/adr/0002-dependencies.md).
# Imported targets count as SYSTEM, so our warnings stay ours.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)
find_package(ZLIB REQUIRED)
find_package(CLI11 2.1 REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(spdlog 1.10 REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash>=0.8)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.5)
pkg_check_modules(HWLOC REQUIRED IMPORTED_TARGET hwloc>=2.5)
# By pkg-config: its CMake package asks for a web server and curl, which its core does without.
pkg_check_modules(PROMETHEUS REQUIRED IMPORTED_TARGET prometheus-cpp-core>=1.0)

# The Boost SimGrid was built with (1.74 on Debian 12): its headers embed Boost types, so there is only one.
find_package(Boost 1.74 REQUIRED)

# Debian ships no CMake package for SimGrid, only pkg-config.
set(DUET_HAVE_SIMGRID OFF)
if(DUET_WITH_SIMGRID)
  pkg_check_modules(SIMGRID QUIET IMPORTED_TARGET simgrid>=3.32)
  if(SIMGRID_FOUND)
    set(DUET_HAVE_SIMGRID ON)
  elseif(NOT DUET_WITH_SIMGRID STREQUAL "AUTO")
    message(FATAL_ERROR
      "DUET_WITH_SIMGRID=ON, but pkg-config finds no simgrid >= 3.32 (Debian: libsimgrid-dev)")
  else()
    message(STATUS "No SimGrid (Debian: libsimgrid-dev): only the loop engine is built")
  endif()
endif()

# Only tests and benchmarks need these: without them the programs still build.
find_package(GTest QUIET)
find_package(benchmark QUIET)
find_package(rapidcheck QUIET)
if(NOT GTest_FOUND)
  message(STATUS "No GoogleTest (Debian: libgtest-dev libgmock-dev): no tests are built")
endif()
