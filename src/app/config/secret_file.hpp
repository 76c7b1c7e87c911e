#pragma once

#include <string>

#include "core/result.hpp"

namespace everlearn {

/// The text of a file that holds a secret, without the line end after it: what "file:PATH" stands for. Errors: Config
/// if others than its owner may read it, if it is empty or above 16 KB; NotFound.
Result<std::string> read_secret_file(const std::string& path);

}  // namespace everlearn
