# ccache, told to treat clones in different folders as the same project.
find_program(EL_CCACHE ccache)
if(EL_CCACHE)
  foreach(language C CXX)
    set(CMAKE_${language}_COMPILER_LAUNCHER
        /usr/bin/env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${EL_CCACHE})
  endforeach()
endif()
