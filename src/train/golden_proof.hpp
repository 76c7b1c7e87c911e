#pragma once

#include <string>
#include <vector>

#include "forest/forest.hpp"
#include "learn/golden.hpp"

namespace everlearn {

/// Our converter and evaluator against the library on `rows` (row-major, in `columns`), before anything else sees the
/// model. Errors: Model where one bit differs; Training, with the library's text.
Result<Golden> prove_conversion(const Forest& forest, const std::string& model_text,
                                const std::vector<std::string>& columns, std::vector<float> rows);

}  // namespace everlearn
