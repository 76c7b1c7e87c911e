#include "core/system_error.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace everlearn {
namespace {

Code code_of(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENOTDIR:
      return Code::NotFound;
    case EEXIST:
      return Code::InUse;
    default:
      return Code::Storage;
  }
}

}  // namespace

tl::unexpected<Error> system_error(std::string_view operation, const std::string& subject, int error_number) {
  // Unlike strerror, this is thread-safe and the same in every locale.
  const char* text = ::strerrordesc_np(error_number);
  return fail(code_of(error_number),
              fmt::format("{} {}: {}", operation, subject, text != nullptr ? text : "unknown error"));
}

}  // namespace everlearn
