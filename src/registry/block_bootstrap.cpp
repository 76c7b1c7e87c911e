#include "registry/block_bootstrap.hpp"

#include <algorithm>
#include <limits>

#include "core/assert.hpp"

namespace everlearn {

double mean_of(const std::vector<Block>& blocks) {
  double sum = 0, rows = 0;
  for (const Block& block : blocks) {
    sum += block.sum;
    rows += block.rows;
  }
  return rows > 0 ? sum / rows : std::numeric_limits<double>::quiet_NaN();
}

Interval block_bootstrap(const std::vector<Block>& blocks, int draws, Rng rng) {
  EL_ASSERT(draws >= 1, "a bootstrap needs draws");
  if (blocks.empty()) return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  std::vector<double> means(static_cast<std::size_t>(draws));
  for (double& mean : means) {
    double sum = 0, rows = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      const Block& block = blocks[rng.below(blocks.size())];
      sum += block.sum;
      rows += block.rows;
    }
    mean = sum / rows;
  }
  std::ranges::sort(means);
  const std::size_t tail = means.size() / 20;
  return {means[tail], means[means.size() - 1 - tail]};
}

}  // namespace everlearn
