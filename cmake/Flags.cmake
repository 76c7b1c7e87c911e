# el_flags: what every target of ours is compiled with. Third-party headers are SYSTEM and stay silent.
add_library(el_flags INTERFACE)
target_compile_options(
  el_flags
  INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
            # A designated initializer names what differs from the default; the rest is meant to be left out.
            -Wno-missing-field-initializers
            # The same input gives the same bytes: no fused or reordered arithmetic.
            -ffp-contract=off)
if(EL_WARNINGS_AS_ERRORS)
  target_compile_options(el_flags INTERFACE -Werror)
endif()
if(EL_SANITIZE)
  target_compile_options(el_flags INTERFACE -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all
                                            -fno-omit-frame-pointer
                                            # gcc 12's analyses misfire on sanitized code
                                            -Wno-maybe-uninitialized -Wno-stringop-overflow -Wno-array-bounds)
  target_link_options(el_flags INTERFACE -fsanitize=address,undefined)
endif()
