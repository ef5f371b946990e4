# The packages of web/: `npm ci`, unless it was done for this very lock file.

set(OTPD_WEB_PACKAGES ${CMAKE_SOURCE_DIR}/web/node_modules)
set(lock ${CMAKE_SOURCE_DIR}/web/package-lock.json)
set(stamp ${OTPD_WEB_PACKAGES}/.installed)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${lock})
set(installed "")
if(EXISTS ${stamp})
  file(READ ${stamp} installed)
endif()
file(SHA256 ${lock} wanted)
if(NOT installed STREQUAL wanted)
  find_program(NPM npm REQUIRED)
  execute_process(
    COMMAND ${NPM} ci --prefix ${CMAKE_SOURCE_DIR}/web --no-audit --no-fund --prefer-offline
            --loglevel=error
    OUTPUT_QUIET RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "npm could not install the packages of web/; its words are above")
  endif()
  file(WRITE ${stamp} ${wanted})
endif()
