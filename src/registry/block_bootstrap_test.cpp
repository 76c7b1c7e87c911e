#include "registry/block_bootstrap.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace everlearn;

TEST_CASE("the mean weighs blocks by their rows") {
  CHECK(mean_of({{3, 1}, {1, 3}}) == 1);
  CHECK(std::isnan(mean_of({})));
}

TEST_CASE("equal blocks leave nothing to luck") {
  const Interval interval = block_bootstrap({{2, 4}, {2, 4}, {2, 4}}, 100, Rng{1});
  CHECK(interval.low == 0.5);
  CHECK(interval.high == 0.5);
}

TEST_CASE("one draw is the interval; no blocks have none") {
  const Interval one = block_bootstrap({{1, 1}, {5, 1}}, 1, Rng{1});
  CHECK(one.low == one.high);
  CHECK(std::isnan(block_bootstrap({}, 10, Rng{1}).low));
}

TEST_CASE("the 5 % and 95 % quantiles of a mean of normal-like blocks are 1.645 standard errors away") {
  std::vector<Block> blocks;
  Rng rng{3};
  double sum = 0, squares = 0;
  for (int i = 0; i < 200; ++i) {
    double x = -6;
    for (int k = 0; k < 12; ++k) x += rng.uniform();
    blocks.push_back({x, 1});
    sum += x;
    squares += x * x;
  }
  const double mean = sum / 200;
  const double error = std::sqrt((squares / 200 - mean * mean) / 200);
  const Interval interval = block_bootstrap(blocks, 20'000, Rng{7});
  CHECK(interval.low == doctest::Approx(mean - 1.645 * error).epsilon(0.02));
  CHECK(interval.high == doctest::Approx(mean + 1.645 * error).epsilon(0.02));
}

TEST_CASE("the quantiles are the sorted means number draws / 20 from either end") {
  // A block drawn from two is 0 or 1: with two blocks the means are 0, 1/2 and 1.
  std::vector<Block> blocks{{0, 1}, {1, 1}};
  Rng rng{11};
  std::vector<double> means;
  for (int i = 0; i < 40; ++i) {
    const double first = static_cast<double>(rng.below(2));
    const double second = static_cast<double>(rng.below(2));
    means.push_back((first + second) / 2);
  }
  std::ranges::sort(means);
  const Interval interval = block_bootstrap(blocks, 40, Rng{11});
  CHECK(interval.low == means[2]);
  CHECK(interval.high == means[37]);
}
