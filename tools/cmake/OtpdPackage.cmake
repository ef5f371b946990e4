# The Debian packages: otpd, and otpd-sim with the simulated carriers. `make package` builds them
# with CPack from the release build.
#
# Paths are as on the target: CPack installs below an empty root.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY TRUE)  # only what is shipped has to be built
set(OTPD_MAINTAINER "The otpd packagers <otpd@example.org>" CACHE STRING
  "Who answers for the Debian packages: NAME <MAIL>")
set(package_dir ${CMAKE_SOURCE_DIR}/deploy/debian)
set(package_out ${CMAKE_BINARY_DIR}/package)

# Debian wants its changelog and its manual compressed; without a time in it, so that the same
# sources give the same file.
foreach(pair otpd/changelog:changelog otpd-sim/changelog:changelog otpd/otpd.8:otpd.8
        otpd-sim/sms-sim.1:sms-sim.1)
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 out)
  list(GET pair 1 in)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${package_dir}/${in})
  get_filename_component(folder ${package_out}/${out} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  execute_process(COMMAND gzip -9n -c ${package_dir}/${in} OUTPUT_FILE ${package_out}/${out}.gz
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# Folders: 0755; what is executed: 0755; the rest: 0644. The post-installation script narrows what
# may hold a secret.
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
  GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

install(TARGETS otpd DESTINATION usr/bin COMPONENT otpd)
install(FILES ${package_dir}/otpd.toml DESTINATION etc/otpd COMPONENT otpd)
install(FILES deploy/systemd/otpd.service deploy/systemd/otpd@.service
  DESTINATION lib/systemd/system COMPONENT otpd)
install(FILES ${package_dir}/copyright ${package_out}/otpd/changelog.gz README.md
  docs/openapi.yaml DESTINATION usr/share/doc/otpd COMPONENT otpd)
install(FILES config/otpd.toml DESTINATION usr/share/doc/otpd/examples COMPONENT otpd)
file(GLOB package_pages CONFIGURE_DEPENDS docs/*.md)
install(FILES ${package_pages} DESTINATION usr/share/doc/otpd/docs COMPONENT otpd)
install(FILES ${package_out}/otpd/otpd.8.gz DESTINATION usr/share/man/man8 COMPONENT otpd)
install(FILES ${package_dir}/lintian-overrides DESTINATION usr/share/lintian/overrides
  RENAME otpd COMPONENT otpd)

install(TARGETS sms-sim DESTINATION usr/bin COMPONENT otpd-sim)
install(FILES ${package_dir}/copyright ${package_out}/otpd-sim/changelog.gz sim/README.md
  DESTINATION usr/share/doc/otpd-sim COMPONENT otpd-sim)
install(FILES ${package_out}/otpd-sim/sms-sim.1.gz DESTINATION usr/share/man/man1
  COMPONENT otpd-sim)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME otpd)
set(CPACK_PACKAGE_CONTACT ${OTPD_MAINTAINER})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_SOURCE_DIR}/build)
set(CPACK_PACKAGING_INSTALL_PREFIX /)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL otpd otpd-sim)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_OTPD_PACKAGE_NAME otpd)
set(CPACK_DEBIAN_OTPD_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_OTPD_PACKAGE_SUGGESTS "otpd-sim, redis-server (>= 5:7.0), postgresql (>= 15)")
set(CPACK_COMPONENT_OTPD_DESCRIPTION "one-time-password service
Sends a code to a phone or a mailbox, verifies what the user types, and opens
a session. One program and one data file on a single machine, or any number of
processes over Redis and PostgreSQL. Carriers that fail are routed around.")
set(CPACK_DEBIAN_OTPD_PACKAGE_CONTROL_EXTRA ${package_dir}/otpd/preinst
  ${package_dir}/otpd/postinst ${package_dir}/otpd/prerm ${package_dir}/otpd/postrm
  ${package_dir}/otpd/conffiles)

set(CPACK_DEBIAN_OTPD-SIM_PACKAGE_NAME otpd-sim)
set(CPACK_COMPONENT_OTPD-SIM_DESCRIPTION "simulated carriers for otpd
sms-sim speaks the interfaces of several carriers for text messages, calls and
mail, shows on a page what arrives, and fails on request. For tests and
demonstrations: nothing leaves the machine.")

include(CPack)
