# One CMake target per module of src/; its link list is its line in src/LAYERS.

# The cache serves every checkout: paths below this folder count as relative ones.
find_program(CCACHE ccache)
if(CCACHE)
  set(OTPD_LAUNCHER env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${OTPD_LAUNCHER})
  set(CMAKE_C_COMPILER_LAUNCHER ${OTPD_LAUNCHER})
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(CURL REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(Protobuf REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(prometheus-cpp REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(PNG REQUIRED IMPORTED_TARGET libpng)
pkg_check_modules(QRCODEGEN REQUIRED IMPORTED_TARGET qrcodegencpp)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
pkg_check_modules(JEMALLOC REQUIRED IMPORTED_TARGET jemalloc)
pkg_check_modules(TOMLPLUSPLUS REQUIRED IMPORTED_TARGET tomlplusplus)
find_library(PHONENUMBER_LIBRARY phonenumber REQUIRED)

# What every one of our own targets is compiled with.
add_library(otpd_flags INTERFACE)
target_compile_options(otpd_flags INTERFACE -Wall -Wextra -Wpedantic -Werror
  # __FILE__ says the same in every checkout.
  -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=
  # {.limit = 2} means what it says: the other members keep their defaults.
  -Wno-missing-designated-field-initializers)
target_compile_definitions(otpd_flags INTERFACE
  BOOST_ASIO_HAS_CO_AWAIT=1 BOOST_ASIO_HAS_STD_COROUTINE=1 BOOST_ASIO_NO_DEPRECATED
  SPDLOG_FMT_EXTERNAL OTPD_VERSION="${PROJECT_VERSION}")
target_include_directories(otpd_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(otpd_flags INTERFACE Threads::Threads)

# Read LAYERS: OTPD_MODULES in order, OTPD_LAYERS_<module> = its permitted modules.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/LAYERS)
file(STRINGS ${CMAKE_SOURCE_DIR}/src/LAYERS layer_lines REGEX "^[a-z]")
set(OTPD_MODULES "")
foreach(line IN LISTS layer_lines)
  string(REGEX MATCH "^([a-z]+):(.*)$" _ "${line}")
  set(module ${CMAKE_MATCH_1})
  string(STRIP "${CMAKE_MATCH_2}" deps)
  separate_arguments(deps)
  list(APPEND OTPD_MODULES ${module})
  set(OTPD_LAYERS_${module} ${deps})
endforeach()

# otpd_test(name SOURCES... [LIBS...]): a GoogleTest program that ctest and `make test` run.
function(otpd_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBS} GTest::gmock GTest::gtest_main otpd_flags)
  # Optimising the tests themselves under sanitizers takes longer than it saves.
  target_compile_options(${name} PRIVATE $<$<CONFIG:Debug>:-O0>)
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name})
  set_property(GLOBAL APPEND PROPERTY OTPD_TESTS ${name})
endfunction()

# otpd_module(LIBS...): the library otpd_<folder> from every .cc below the folder, and the
# program <folder>_test from every _test.cc. LIBS are third-party targets.
function(otpd_module)
  get_filename_component(module ${CMAKE_CURRENT_SOURCE_DIR} NAME)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(TRANSFORM OTPD_LAYERS_${module} PREPEND otpd_ OUTPUT_VARIABLE links)
  if(sources)
    add_library(otpd_${module} STATIC ${sources})
    target_link_libraries(otpd_${module} PUBLIC ${links} otpd_flags ${ARGN})
    set_target_properties(otpd_${module} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
  else()
    add_library(otpd_${module} INTERFACE)
    target_link_libraries(otpd_${module} INTERFACE ${links} otpd_flags ${ARGN})
  endif()
  if(tests)
    otpd_test(${module}_test SOURCES ${tests} LIBS otpd_${module})
  endif()
endfunction()
