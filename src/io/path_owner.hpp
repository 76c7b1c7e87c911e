#pragma once

#include <string>

#include "core/result.hpp"

namespace everlearn {

/// Who owns a path, and what others may do with it.
struct PathOwner {
  bool ours = false;      // of the user we run as
  bool writable = false;  // by us
  unsigned mode = 0;      // permission bits
};

/// Errors: NotFound, Storage.
Result<PathOwner> owner_of(const std::string& path);

}  // namespace everlearn
