#pragma once

#include <string>

#include "core/result.hpp"
#include "forest/forest.hpp"
#include "learn/golden.hpp"

namespace everlearn {

/// Our evaluator must give the library's own scores, bit for bit. Errors: Model, naming `where` and the row.
Result<void> check_golden(const Forest& forest, const Golden& golden, const std::string& where);

}  // namespace everlearn
