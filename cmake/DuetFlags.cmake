# How every file of ours is compiled.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

include_directories(${CMAKE_SOURCE_DIR})  # so that an #include reads like a path in the tree

# No fused multiply-add: a score must be the same double on every machine and compiler.
add_compile_options(-ffp-contract=off -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
# __FILE__ relative to the tree: messages, and binaries, do not depend on where the tree lies.
add_compile_options(-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # gcc 12 warns so of moved variants and optionals, wrongly; the sanitizers look for the real thing.
  # The other one takes the sources of a unity build for headers.
  add_compile_options(-Wno-maybe-uninitialized -Wno-subobject-linkage)
endif()
if(DUET_WERROR)
  add_compile_options(-Werror)
endif()

if(DUET_SANITIZE)
  add_compile_options(-fsanitize=${DUET_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${DUET_SANITIZE})
  add_compile_definitions(DUET_SANITIZED=1)
  if(DUET_SANITIZE MATCHES "address")
    add_compile_definitions(DUET_ASAN=1)  # gcc and clang have different words for it
  endif()
  # What waits, or is run once, more than it computes is compiled twice as fast so:
  # add_compile_options(${DUET_UNHURRIED}).
  set(DUET_UNHURRIED -O0)
  if(DUET_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # fences in Boost's headers, which it says it cannot follow
  endif()
endif()
if(DUET_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
if(DUET_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "DUET_FUZZ needs clang: use cmake --preset fuzz")
  endif()
  # What reads from outside, and fuzzers therefore look into.
  set(DUET_FUZZED -fsanitize=fuzzer-no-link)
endif()

find_program(DUET_CCACHE ccache)
mark_as_advanced(DUET_CCACHE)
if(DUET_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${DUET_CCACHE})
endif()
