#pragma once

#include <string>

#include "core/result.hpp"

namespace everlearn {

/// Everything committed is in DIR/everlearn.db alone afterwards, its log is gone or empty: the file may be copied while
/// the caller holds the directory's lock and opens nothing. No database there is no error. Errors: InUse: a reader
/// holds on to an older moment; Storage, Damaged.
Result<void> fold_log(const std::string& directory);

}  // namespace everlearn
