# The script of reports: TypeScript in tools/web, built by npm and Vite, and compiled into duet_sim as two
# strings. Without npm, or without the network on the first build, reports are static, and one line says so.

set(DUET_WEB AUTO CACHE STRING
  "Build the script of reports: AUTO (in release builds, if npm is there), ON or OFF")
set_property(CACHE DUET_WEB PROPERTY STRINGS AUTO ON OFF)

find_program(DUET_NPM npm)
mark_as_advanced(DUET_NPM)

set(wanted ${DUET_WEB})
if(wanted STREQUAL "AUTO")
  # Test trees need no script of their own: what it does is tested once.
  if(DUET_NPM AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT DUET_SANITIZE)
    set(wanted ON)
  else()
    set(wanted OFF)
  endif()
endif()
if(wanted AND NOT DUET_NPM)
  message(FATAL_ERROR "DUET_WEB=ON, but there is no npm (Debian: npm)")
endif()
if(NOT DUET_NPM)
  message(STATUS "No npm (Debian: npm): reports are static")
endif()

set(DUET_WEB_SOURCE ${CMAKE_BINARY_DIR}/web/report_web.cpp)
file(GLOB web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/web/src/*)
add_custom_command(OUTPUT ${DUET_WEB_SOURCE}
  COMMAND ${CMAKE_COMMAND} -D WANTED=${wanted} -D NPM=${DUET_NPM} -D SOURCE=${CMAKE_SOURCE_DIR}/tools/web
    -D FOLDER=${CMAKE_BINARY_DIR}/web -P ${CMAKE_SOURCE_DIR}/cmake/WebBundle.cmake
  DEPENDS ${web_sources} ${CMAKE_SOURCE_DIR}/tools/web/package.json
    ${CMAKE_SOURCE_DIR}/tools/web/package-lock.json ${CMAKE_SOURCE_DIR}/tools/web/vite.config.ts
    ${CMAKE_SOURCE_DIR}/cmake/WebBundle.cmake
  COMMENT "The script of reports" VERBATIM)
set_source_files_properties(${DUET_WEB_SOURCE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
# One place makes it, the libraries only wait for it.
add_custom_target(duet_web DEPENDS ${DUET_WEB_SOURCE})
