// Isotonic regression of a yes-or-no outcome: the non-decreasing step function with the least squared error, by pooling
// adjacent violators (Ayer et al. 1955). Pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace everlearn {

/// Rows with x in [low, high] share a value.
struct IsotonicBlock {
  double low = 0, high = 0;
  double value = 0, weight = 0;  // mean of their y; number of rows
};

/// Finite `x` and `y` of equal size. Rows of equal x are one; blocks ascend in x and strictly in value.
std::vector<IsotonicBlock> isotonic(std::span<const double> x, std::span<const double> y);

/// As isotonic(), for shares: neighbours are merged, those first that cost the least squared error, until at most
/// `most` are left; a first block of none and a last block of all (of w rows) get 1 / (w + 2) and 1 - 1 / (w + 2), the
/// rule of succession, if that is not past their neighbour's value: none in a hundred is not never.
std::vector<IsotonicBlock> isotonic_shares(std::span<const double> x, std::span<const double> y, std::size_t most);

}  // namespace everlearn
