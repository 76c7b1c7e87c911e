// Does a row depend on what came after it? Asked of the engine's own features and of those that users bring.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace everlearn {

struct LookAhead {
  std::size_t step = 0;  // the first row that knew the future
  std::size_t column = 0;
};

/// `rows_of(visible)` computes the rows, one a step, of a history of which only the first `visible` steps exist.
/// Compares each step's row with the one computed when nothing later existed, bit for bit (NaN equals NaN).
/// Tries every `stride`-th step. Empty: no look-ahead was found.
std::optional<LookAhead> find_look_ahead(
    const std::function<std::vector<std::vector<float>>(std::size_t visible)>& rows_of, std::size_t steps,
    std::size_t stride = 1);

}  // namespace everlearn
