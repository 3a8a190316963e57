# The shapes a target of ours can have. Folders glob their sources, so a new file needs no edit here.

# duet_library(NAME SOURCES file... [LINKS target...] [DEFINES macro...])
# Without sources (a part not written yet) it is an empty interface: everything above it still configures.
function(duet_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINKS;DEFINES")
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${name} ${scope} ${arg_LINKS})
  target_compile_definitions(${name} ${scope} ${arg_DEFINES})
endfunction()

# duet_program(NAME FOLDER bin|libexec SOURCES file... [LINKS target...] [DEFINES macro...])
function(duet_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "FOLDER" "SOURCES;LINKS;DEFINES")
  if(NOT arg_SOURCES)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS})
  target_compile_definitions(${name} PRIVATE ${arg_DEFINES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/${arg_FOLDER})
  install(TARGETS ${name} RUNTIME DESTINATION ${arg_FOLDER})
endfunction()

# duet_tests(FOLDER [LINKS target...] [RUNS program...] [TIMEOUT seconds])
# One GoogleTest program, test_FOLDER, of all files in tests/FOLDER, each labelled with the folder's name.
# RUNS names programs the tests start. Unity builds: gtest and JSON cost once per batch, not once per file.
function(duet_tests folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "LINKS;RUNS")
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
  if(NOT sources)
    return()
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  set(name test_${folder})
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} GTest::gmock_main)
  target_compile_definitions(${name} PRIVATE
    DUET_SOURCE_DIR="${CMAKE_SOURCE_DIR}" DUET_BUILD_DIR="${CMAKE_BINARY_DIR}"
    DUET_PROGRAM="${CMAKE_BINARY_DIR}/bin/duet")
  target_compile_options(${name} PRIVATE -Wno-dangling-else)  # GoogleTest's macros contain an if
  if(arg_RUNS)  # they wait for programs; half the time to compile
    target_compile_options(${name} PRIVATE -O0)
  endif()
  target_compile_options(${name} PRIVATE ${DUET_UNHURRIED})
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 16)
  foreach(program IN LISTS arg_RUNS)
    if(TARGET ${program})
      add_dependencies(${name} ${program})
    endif()
  endforeach()
  # PRE_TEST: tests are listed when ctest runs, so a tree with only some programs built can still be tested.
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} PROPERTIES LABELS ${folder} TIMEOUT ${arg_TIMEOUT})
endfunction()
