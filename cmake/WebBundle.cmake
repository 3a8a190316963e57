# cmake -D WANTED=ON|OFF -D NPM=... -D SOURCE=tools/web -D FOLDER=build/web -P WebBundle.cmake
# Builds the script and its styles in FOLDER and writes them into FOLDER/report_web.cpp, or two empty strings
# if that cannot be done: never an error, one line.

set(network_seconds 120)
set(build_seconds 120)

# run(WHAT SECONDS COMMAND...): sets `failure` if it fails; does nothing after a failure.
macro(run what seconds)
  if(NOT failure)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${FOLDER} TIMEOUT ${seconds}
      RESULT_VARIABLE result OUTPUT_FILE ${FOLDER}/web.log ERROR_FILE ${FOLDER}/web.log)
    if(NOT result EQUAL 0)
      set(failure "${what} failed (${result}; see ${FOLDER}/web.log)")
    endif()
  endif()
endmacro()

# as_array(FILE OUT): its bytes as a C++ initialiser.
function(as_array file out)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  string(REPEAT "." 112 line)
  string(REGEX REPLACE "(${line})" "\\1\n" bytes "${bytes}")
  set(${out} "${bytes}" PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY ${FOLDER})
set(failure "")
if(WANTED)
  foreach(name IN ITEMS package.json package-lock.json tsconfig.json vite.config.ts)
    file(COPY_FILE ${SOURCE}/${name} ${FOLDER}/${name} ONLY_IF_DIFFERENT)
  endforeach()
  file(REMOVE_RECURSE ${FOLDER}/src ${FOLDER}/dist)
  file(COPY ${SOURCE}/src DESTINATION ${FOLDER})
  # What is installed already for this very lock file is kept: no network then.
  file(SHA256 ${FOLDER}/package-lock.json lock)
  set(installed "")
  if(EXISTS ${FOLDER}/installed.txt)
    file(READ ${FOLDER}/installed.txt installed)
  endif()
  if(NOT installed STREQUAL lock)
    file(REMOVE ${FOLDER}/installed.txt)
    run("npm ci" ${network_seconds} ${NPM} ci --no-audit --no-fund --prefer-offline --fetch-retries=1
      --fetch-timeout=20000)
    if(NOT failure)
      file(WRITE ${FOLDER}/installed.txt ${lock})
    endif()
  endif()
  run("tsc" ${build_seconds} ${NPM} exec --offline -- tsc --noEmit)
  run("vite build" ${build_seconds} ${NPM} exec --offline -- vite build)
endif()

set(script "")
set(style "")
if(WANTED AND NOT failure)
  file(READ ${FOLDER}/dist/report.js text)
  # A page ends its script at the first of these, wherever it stands.
  string(FIND "${text}" "</script" at)
  if(at EQUAL -1)
    as_array(${FOLDER}/dist/report.js script)
    as_array(${FOLDER}/dist/report.css style)
  else()
    set(failure "the script holds </script")
  endif()
endif()
if(failure)
  message("Reports are static: ${failure}; remove ${FOLDER} to try again")
endif()

file(WRITE ${FOLDER}/report_web.cpp.part
"// Made by cmake/WebBundle.cmake.
#include \"sim/report/page_parts.h\"

namespace duet::sim::report {
namespace {
constexpr char kScript[] = {${script}0};
constexpr char kStyle[] = {${style}0};
}  // namespace
std::string_view web_script() { return {kScript, sizeof kScript - 1}; }
std::string_view web_style() { return {kStyle, sizeof kStyle - 1}; }
}  // namespace duet::sim::report
")
file(RENAME ${FOLDER}/report_web.cpp.part ${FOLDER}/report_web.cpp)
