// What can go wrong in a healthy program is a value: Result<T> holds either a T or an Error that names the thing, the
// value and the limit. Assertions are for our own mistakes; exceptions stop at four edges (docs/glossary.md, "edge").
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace everlearn {

enum class Code {
  Usage,        // the caller asked for something that does not exist          exit 2
  Config,       // a setting is unknown, of the wrong type or out of range     exit 10
  InUse,        // another process owns the data directory                     exit 11
  Damaged,      // stored state contradicts itself or its checksum             exit 12
  Storage,      // the disk refuses: full, I/O error, failed sync              exit 13
  NotFound,     // a file, model, instrument or feature that is not there
  BadData,      // input that breaks its format
  OutOfRange,   // a value outside its limits
  Model,        // a model that cannot be read, verified or evaluated
  Training,     // a training that failed or was refused
  Unsupported,  // well formed, but not something we do
  Unavailable,  // another machine does not answer now; the same may work later
  Internal,     // our own mistake, reported instead of hidden
};

struct Error {
  Code code = Code::Internal;
  std::string message;
};

/// A value or an Error. Discarding one is a compile error.
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

/// Passes an Error on with `context: ` put before its message.
[[nodiscard]] inline tl::unexpected<Error> fail(const Error& inner, const std::string& context) {
  return tl::unexpected<Error>(Error{inner.code, context + ": " + inner.message});
}

}  // namespace everlearn

#define EL_CONCAT_INNER(a, b) a##b
#define EL_CONCAT(a, b) EL_CONCAT_INNER(a, b)

/// `EL_TRY(auto x, f());` declares x as the value of f(), or returns its Error from the enclosing function.
#define EL_TRY(declaration, expression) EL_TRY_INNER(EL_CONCAT(el_result_, __LINE__), declaration, expression)
#define EL_TRY_INNER(result, declaration, expression)                                \
  auto result = (expression);                                                        \
  if (!result) return tl::unexpected<::everlearn::Error>(std::move(result).error()); \
  declaration = std::move(*result)

/// `EL_CHECK(f());` returns f()'s Error from the enclosing function, if it has one.
#define EL_CHECK(expression)                                                    \
  do {                                                                          \
    if (auto el_checked = (expression); !el_checked)                            \
      return tl::unexpected<::everlearn::Error>(std::move(el_checked).error()); \
  } while (false)
