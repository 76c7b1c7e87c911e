#include "feature/causality.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

#include "core/assert.hpp"

namespace everlearn {
namespace {

bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

}  // namespace

std::optional<LookAhead> find_look_ahead(
    const std::function<std::vector<std::vector<float>>(std::size_t visible)>& rows_of, std::size_t steps,
    std::size_t stride) {
  EL_ASSERT(stride > 0, "a stride of 0 never ends");
  const auto whole = rows_of(steps);
  EL_ASSERT(whole.size() == steps, "one row for each step");
  for (std::size_t step = 0; step < steps; step += stride) {
    const auto cut = rows_of(step + 1);
    EL_ASSERT(cut.size() == step + 1 && cut.back().size() == whole[step].size(),
              "one row of all columns for each step");
    for (std::size_t column = 0; column < cut.back().size(); ++column) {
      if (!same(cut.back()[column], whole[step][column])) return LookAhead{step, column};
    }
  }
  return std::nullopt;
}

}  // namespace everlearn
