# One target per module; its DEPENDS are the architecture, which tests/lint compares with the includes.

add_library(el_doctest_main OBJECT ${CMAKE_CURRENT_LIST_DIR}/doctest_main.cpp)
target_link_libraries(el_doctest_main PUBLIC el_flags el_doctest)

# All unit tests and nothing else: what the sanitizer build makes.
add_custom_target(unit_tests)

# Leaves out files that are not there, with a warning, so that one unfinished module does not stop the others from being
# configured. lint.modules turns the warning into a failed test.
function(engine_existing variable)
  set(existing)
  foreach(file ${ARGN})
    if(IS_ABSOLUTE ${file} OR EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${file})  # absolute: generated
      list(APPEND existing ${file})
    else()
      message(WARNING "${CMAKE_CURRENT_SOURCE_DIR}/${file} is listed but missing")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    endif()
  endforeach()
  set(${variable} ${existing} PARENT_SCOPE)
endfunction()

# The targets of modules; a module that does not exist yet fails at the link, not here.
function(engine_targets variable)
  set(targets)
  foreach(module ${ARGN})
    list(APPEND targets $<TARGET_NAME_IF_EXISTS:el_${module}>)
  endforeach()
  set(${variable} ${targets} PARENT_SCOPE)
endfunction()

# engine_module(<name> SOURCES a.cpp... TESTS a_test.cpp... DEPENDS <module>... LINKS <third-party target>...
#               [TEST_LINKS <third-party target>...])
#   el_<name>     static library (or headers only); include root is src/; DEPENDS are visible to its users, LINKS are not
#   test_<name>   its unit tests, run by ctest as unit.<name>; TEST_LINKS are what only they use, such as an oracle
function(engine_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;TESTS;DEPENDS;LINKS;TEST_LINKS" ${ARGN})
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "engine_module(${name}): what is '${arg_UNPARSED_ARGUMENTS}'?")
  endif()
  engine_targets(depends ${arg_DEPENDS})
  engine_existing(arg_SOURCES ${arg_SOURCES})
  engine_existing(arg_TESTS ${arg_TESTS})

  if(arg_SOURCES)
    add_library(el_${name} STATIC ${arg_SOURCES})
    target_include_directories(el_${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(el_${name} PUBLIC ${depends} el_expected el_fmt PRIVATE el_flags ${arg_LINKS})
  else()
    add_library(el_${name} INTERFACE)
    target_include_directories(el_${name} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(el_${name} INTERFACE ${depends} el_expected el_fmt ${arg_LINKS})
  endif()

  if(arg_TESTS)
    engine_test(test_${name} NAME unit.${name} SOURCES ${arg_TESTS} DEPENDS ${name} LINKS ${arg_LINKS} ${arg_TEST_LINKS}
                el_rapidcheck)
    set_property(TEST unit.${name} PROPERTY LABELS unit)
    add_dependencies(unit_tests test_${name})
  endif()
endfunction()

# engine_test(<target> NAME <ctest name> SOURCES x_test.cpp... DEPENDS <module>... LINKS <third-party target>...)
#   A doctest program with the shared main(). EVERLEARN_SOURCE_DIR is the repository root.
function(engine_test target)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;DEPENDS;LINKS" ${ARGN})
  engine_targets(depends ${arg_DEPENDS})
  add_executable(${target} ${arg_SOURCES} $<TARGET_OBJECTS:el_doctest_main>)
  target_compile_definitions(${target} PRIVATE EVERLEARN_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                               EVERLEARN_BINARY_DIR="${CMAKE_BINARY_DIR}")
  target_link_libraries(${target} PRIVATE el_flags ${depends} ${arg_LINKS} el_doctest)
  add_test(NAME ${arg_NAME} COMMAND ${target})
  # Properties are tried on the same values in every run; another seed is one variable away.
  # Arrow comes without instrumentation, so annotations of containers that cross into it are wrong.
  set_property(TEST ${arg_NAME} PROPERTY ENVIRONMENT "RC_PARAMS=seed=1;ASAN_OPTIONS=detect_container_overflow=0")
endfunction()

# engine_executable(<name> SOURCES main.cpp... DEPENDS <module>... LINKS <third-party target>...): bin/<name>.
function(engine_executable name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPENDS;LINKS" ${ARGN})
  engine_targets(depends ${arg_DEPENDS})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE el_flags ${depends} ${arg_LINKS} el_expected el_fmt)
endfunction()

# engine_bench(<name> SOURCES x_bench.cpp... DEPENDS <module>... LINKS <third-party target>...): bin/bench_<name>.
function(engine_bench name)
  engine_executable(bench_${name} ${ARGN})
  target_link_libraries(bench_${name} PRIVATE el_benchmark)
endfunction()
