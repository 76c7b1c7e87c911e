# Every foreign library as a target el_<name>, so that a module's LINKS tell what it uses. Debian's come from the system,
# the rest from .deps/; scripts/bootstrap installs both.
set(EL_DEPS ${CMAKE_SOURCE_DIR}/.deps)

function(el_require path)
  if(NOT EXISTS ${path})
    message(FATAL_ERROR "missing ${path}: run scripts/bootstrap")
  endif()
endfunction()

# el_system(<name> HEADER <h> [LIBRARIES <lib>...]): a library of Debian's.
function(el_system name)
  cmake_parse_arguments(arg "" "HEADER" "LIBRARIES" ${ARGN})
  find_path(EL_${name}_INCLUDE ${arg_HEADER})
  if(NOT EL_${name}_INCLUDE)
    message(FATAL_ERROR "missing <${arg_HEADER}>: run scripts/bootstrap")
  endif()
  add_library(el_${name} INTERFACE)
  # /usr/include is searched anyway; naming it again would reorder the compiler's own headers.
  if(NOT EL_${name}_INCLUDE STREQUAL "/usr/include")
    target_include_directories(el_${name} SYSTEM INTERFACE ${EL_${name}_INCLUDE})
  endif()
  foreach(library ${arg_LIBRARIES})
    find_library(EL_${library}_LIBRARY ${library})
    if(NOT EL_${library}_LIBRARY)
      message(FATAL_ERROR "missing library ${library}: run scripts/bootstrap")
    endif()
    target_link_libraries(el_${name} INTERFACE ${EL_${library}_LIBRARY})
  endforeach()
endfunction()

find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)

el_system(expected HEADER tl/expected.hpp)
el_system(fmt HEADER fmt/format.h LIBRARIES fmt)
el_system(cli11 HEADER CLI/CLI.hpp)
el_system(toml HEADER toml++/toml.h LIBRARIES tomlplusplus)
el_system(date HEADER date/tz.h LIBRARIES date-tz)
el_system(json HEADER boost/json.hpp LIBRARIES boost_json)
el_system(beast HEADER boost/beast/version.hpp)
el_system(simdjson HEADER simdjson.h LIBRARIES simdjson)
el_system(zlib HEADER zlib.h LIBRARIES z)
el_system(openssl HEADER openssl/evp.h LIBRARIES ssl crypto)
el_system(secp256k1 HEADER secp256k1_recovery.h LIBRARIES secp256k1)
el_system(cryptopp HEADER cryptopp/keccak.h LIBRARIES cryptopp)
el_system(pq HEADER postgresql/libpq-fe.h LIBRARIES pq)
el_system(curl HEADER curl/curl.h LIBRARIES curl)
el_system(spdlog HEADER spdlog/spdlog.h LIBRARIES spdlog)
el_system(doctest HEADER doctest/doctest.h)
el_system(rapidcheck HEADER rapidcheck.h LIBRARIES rapidcheck)
el_system(benchmark HEADER benchmark/benchmark.h LIBRARIES benchmark)
# What Debian's binaries were built with; the headers must agree.
target_compile_definitions(el_date INTERFACE ONLY_C_LOCALE=1 HAS_STRING_VIEW=1 USE_OS_TZDB=1)
target_compile_definitions(el_spdlog INTERFACE SPDLOG_COMPILED_LIB SPDLOG_SHARED_LIB SPDLOG_FMT_EXTERNAL)
target_compile_definitions(el_toml INTERFACE TOML_HEADER_ONLY=0 TOML_SHARED_LIB=1)
target_link_libraries(el_spdlog INTERFACE el_fmt Threads::Threads)

# Arrow C++ and Parquet, out of the pyarrow wheel.
el_require(${EL_DEPS}/arrow/lib/libparquet.so)
add_library(el_arrow INTERFACE)
target_include_directories(el_arrow SYSTEM INTERFACE ${EL_DEPS}/arrow/include)
target_link_libraries(el_arrow INTERFACE ${EL_DEPS}/arrow/lib/libparquet.so ${EL_DEPS}/arrow/lib/libarrow.so)
target_link_options(el_arrow INTERFACE LINKER:-rpath,${EL_DEPS}/arrow/lib)

el_require(${EL_DEPS}/sqlite/lib/libsqlite3.a)
add_library(el_sqlite INTERFACE)
target_include_directories(el_sqlite SYSTEM INTERFACE ${EL_DEPS}/sqlite/include)
target_link_libraries(el_sqlite INTERFACE ${EL_DEPS}/sqlite/lib/libsqlite3.a Threads::Threads m)

el_require(${EL_DEPS}/lightgbm/lib/lib_lightgbm.a)
add_library(el_lightgbm INTERFACE)
target_include_directories(el_lightgbm SYSTEM INTERFACE ${EL_DEPS}/lightgbm/include)
target_link_libraries(
  el_lightgbm INTERFACE ${EL_DEPS}/lightgbm/lib/lib_lightgbm.a ${EL_DEPS}/lightgbm/lib/libnanoarrow_static.a
                        OpenMP::OpenMP_CXX Threads::Threads)
