#include "model/isotonic.hpp"

#include <algorithm>
#include <numeric>

#include "core/assert.hpp"

namespace everlearn {
namespace {

void take(IsotonicBlock& into, const IsotonicBlock& next) {
  const double weight = into.weight + next.weight;
  into.value = (into.value * into.weight + next.value * next.weight) / weight;
  into.weight = weight;
  into.high = next.high;
}

double cost_of_merging(const IsotonicBlock& a, const IsotonicBlock& b) {
  return a.weight * b.weight / (a.weight + b.weight) * (a.value - b.value) * (a.value - b.value);
}

void thin(std::vector<IsotonicBlock>& blocks, std::size_t most) {
  while (blocks.size() > most) {
    std::size_t cheapest = 0;
    for (std::size_t i = 1; i + 1 < blocks.size(); ++i)
      if (cost_of_merging(blocks[i], blocks[i + 1]) < cost_of_merging(blocks[cheapest], blocks[cheapest + 1]))
        cheapest = i;
    take(blocks[cheapest], blocks[cheapest + 1]);
    blocks.erase(blocks.begin() + static_cast<std::ptrdiff_t>(cheapest) + 1);
  }
}

}  // namespace

std::vector<IsotonicBlock> isotonic(std::span<const double> x, std::span<const double> y) {
  EL_ASSERT(x.size() == y.size(), "an outcome a row");
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return x[i]; });
  std::vector<IsotonicBlock> rows;
  for (const std::size_t i : order) {
    const IsotonicBlock row{x[i], x[i], y[i], 1};
    if (!rows.empty() && rows.back().high == x[i])
      take(rows.back(), row);
    else
      rows.push_back(row);
  }
  std::vector<IsotonicBlock> blocks;
  for (const IsotonicBlock& row : rows) {
    blocks.push_back(row);
    while (blocks.size() > 1 && blocks[blocks.size() - 2].value >= blocks.back().value) {
      take(blocks[blocks.size() - 2], blocks.back());
      blocks.pop_back();
    }
  }
  return blocks;
}

std::vector<IsotonicBlock> isotonic_shares(std::span<const double> x, std::span<const double> y, std::size_t most) {
  std::vector<IsotonicBlock> blocks = isotonic(x, y);
  thin(blocks, most);
  if (blocks.empty()) return blocks;
  IsotonicBlock& first = blocks.front();
  if (first.value <= 0) {
    const double some = 1 / (first.weight + 2);
    first.value = blocks.size() > 1 ? std::min(some, blocks[1].value) : some;
  }
  IsotonicBlock& last = blocks.back();
  if (last.value >= 1) {
    const double some = 1 - 1 / (last.weight + 2);
    last.value = blocks.size() > 1 ? std::max(some, blocks[blocks.size() - 2].value) : some;
  }
  return blocks;
}

}  // namespace everlearn
