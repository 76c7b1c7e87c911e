#include "registry/golden_check.hpp"

#include <fmt/format.h>

#include <cstring>
#include <vector>

namespace everlearn {

Result<void> check_golden(const Forest& forest, const Golden& golden, const std::string& where) {
  if (golden.outputs != forest.outputs() || golden.columns.size() != static_cast<std::size_t>(forest.features()))
    return fail(Code::Model, fmt::format("{}: golden rows have {} features and {} outputs, the forest {} and {}", where,
                                         golden.columns.size(), golden.outputs, forest.features(), forest.outputs()));
  std::vector<double> scores(golden.raw.size());
  forest.raw_batch(golden.rows, scores);
  for (std::size_t i = 0; i < scores.size(); ++i)
    if (std::memcmp(&scores[i], &golden.raw[i], sizeof(double)) != 0)
      return fail(Code::Model, fmt::format("{}: golden row {} gives {}, the library gave {}", where,
                                           i / static_cast<std::size_t>(golden.outputs), scores[i], golden.raw[i]));
  return {};
}

}  // namespace everlearn
