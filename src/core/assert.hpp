// For our own mistakes, in release builds too: a broken invariant stops the process rather than the truth. What can
// happen in a healthy program is a Result instead.
#pragma once

namespace everlearn {

/// Writes "file:line: message (condition)" to stderr and aborts.
[[noreturn]] void assertion_failed(const char* file, int line, const char* condition, const char* message) noexcept;

}  // namespace everlearn

#define EL_ASSERT(condition, message)                                                         \
  do {                                                                                        \
    if (!(condition)) ::everlearn::assertion_failed(__FILE__, __LINE__, #condition, message); \
  } while (false)
