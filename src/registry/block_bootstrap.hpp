// How far a mean difference may be luck: blocks of time are drawn with replacement, whole, so that what hangs together
// within a block stays together. Non-overlapping blocks: Carlstein (1986).
#pragma once

#include <vector>

#include "core/rng.hpp"

namespace everlearn {

struct Block {
  double sum = 0;   // of the row differences
  double rows = 0;  // > 0
};

struct Interval {
  double low = 0, high = 0;  // 5 % and 95 % quantiles
};

/// The mean over all blocks: sum of sums / sum of rows. NaN without blocks.
double mean_of(const std::vector<Block>& blocks);

/// Each of `draws` >= 1 draws takes blocks.size() times the block rng.below(blocks.size()) and forms the mean; of the
/// sorted means, low is number draws / 20 and high number draws - 1 - draws / 20, from 0. NaN without blocks.
Interval block_bootstrap(const std::vector<Block>& blocks, int draws, Rng rng);

}  // namespace everlearn
