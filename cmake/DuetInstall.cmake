# What `cmake --install` puts where: the programs, and what a program with policies of its own is built from
# (docs/write-a-policy.md): find_package(duet) then gives duet::core, duet::codec, duet::sim, duet::front, and
# duet::simgrid where there is SimGrid.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(duet_exported duet_core duet_codec duet_sim duet_http duet_front)
if(DUET_HAVE_SIMGRID)
  list(APPEND duet_exported duet_simgrid)
endif()
set(duet_headers_to ${CMAKE_INSTALL_INCLUDEDIR}/duet)
set(duet_package_to ${CMAKE_INSTALL_LIBDIR}/cmake/duet)

foreach(target IN LISTS duet_exported)
  string(REPLACE "duet_" "" part ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${part})
  target_compile_features(${target} PUBLIC cxx_std_20)
endforeach()
target_include_directories(duet_core INTERFACE $<INSTALL_INTERFACE:${duet_headers_to}>)
# A score must be the same double in a policy of one's own, too.
target_compile_options(duet_core INTERFACE $<INSTALL_INTERFACE:-ffp-contract=off>)

install(TARGETS ${duet_exported} EXPORT duet
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(EXPORT duet NAMESPACE duet:: FILE duet-targets.cmake
  DESTINATION ${duet_package_to} COMPONENT development)
install(DIRECTORY core sim DESTINATION ${duet_headers_to} COMPONENT development
  FILES_MATCHING PATTERN "*.h")
install(FILES tools/duet/front.h DESTINATION ${duet_headers_to}/tools/duet COMPONENT development)

configure_package_config_file(cmake/duet-config.cmake.in ${CMAKE_BINARY_DIR}/duet-config.cmake
  INSTALL_DESTINATION ${duet_package_to} NO_SET_AND_CHECK_MACRO)
# 0.x: anything may change with the second number.
write_basic_package_version_file(${CMAKE_BINARY_DIR}/duet-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/duet-config.cmake ${CMAKE_BINARY_DIR}/duet-config-version.cmake
  DESTINATION ${duet_package_to} COMPONENT development)

install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} RENAME copyright)

# cpack --config build/CPackConfig.cmake: an archive and a Debian package of all that, as far as it was built;
# tests and benchmarks need not be.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(CPACK_PACKAGE_CONTACT "The Duet project")
set(CPACK_GENERATOR TGZ DEB)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS graphviz)  # draws the pictures of reports
set(CPACK_MONOLITHIC_INSTALL ON)
set(CPACK_STRIP_FILES ON)
include(CPack)
