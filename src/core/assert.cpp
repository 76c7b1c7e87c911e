#include "core/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace everlearn {

void assertion_failed(const char* file, int line, const char* condition, const char* message) noexcept {
  std::fprintf(stderr, "%s:%d: %s (%s)\n", file, line, message, condition);
  std::abort();
}

}  // namespace everlearn
