#include "model/isotonic.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace everlearn;

namespace {

struct Rows {
  std::vector<double> x, y;
};

Rows some_rows(int most) {
  const int n = *rc::gen::inRange(1, most);
  Rows rows;
  for (int i = 0; i < n; ++i) {
    rows.x.push_back(*rc::gen::inRange(0, 12) / 12.0);  // few places: many ties
    rows.y.push_back(*rc::gen::inRange(0, 2));
  }
  return rows;
}

double value_at(const std::vector<IsotonicBlock>& blocks, double x) {
  for (const IsotonicBlock& block : blocks)
    if (x >= block.low && x <= block.high) return block.value;
  return std::numeric_limits<double>::quiet_NaN();
}

double squared_error(const std::vector<IsotonicBlock>& blocks, const Rows& rows) {
  double sum = 0;
  for (std::size_t i = 0; i < rows.x.size(); ++i) {
    const double error = rows.y[i] - value_at(blocks, rows.x[i]);
    sum += error * error;
  }
  return sum;
}

/// By the min-max formula: max over starts <= x of the min over ends >= x of the mean of y in [start, end].
double min_max(const Rows& rows, double x) {
  double best = -std::numeric_limits<double>::infinity();
  for (const double start : rows.x) {
    if (start > x) continue;
    double least = std::numeric_limits<double>::infinity();
    for (const double end : rows.x) {
      if (end < x) continue;
      double sum = 0, n = 0;
      for (std::size_t i = 0; i < rows.x.size(); ++i)
        if (rows.x[i] >= start && rows.x[i] <= end) {
          sum += rows.y[i];
          ++n;
        }
      least = std::min(least, sum / n);
    }
    best = std::max(best, least);
  }
  return best;
}

}  // namespace

TEST_CASE("isotonic: a worked example") {
  const std::vector<double> x{5, 1, 2, 3, 4}, y{1, 0, 1, 0, 1};
  const auto blocks = isotonic(x, y);
  REQUIRE(blocks.size() == 3);
  CHECK(blocks[0].value == 0);
  CHECK(blocks[1].value == 0.5);
  CHECK(blocks[1].low == 2);
  CHECK(blocks[1].high == 3);
  CHECK(blocks[2].value == 1);
  CHECK(blocks[2].weight == 2);
  CHECK(isotonic({}, {}).empty());
}

TEST_CASE("isotonic agrees with the min-max formula, row by row") {
  CHECK(rc::check([] {
    const Rows rows = some_rows(25);
    const auto blocks = isotonic(rows.x, rows.y);
    for (const double x : rows.x) RC_ASSERT(std::abs(value_at(blocks, x) - min_max(rows, x)) < 1e-12);
    for (std::size_t i = 1; i < blocks.size(); ++i) {
      RC_ASSERT(blocks[i].low > blocks[i - 1].high);
      RC_ASSERT(blocks[i].value > blocks[i - 1].value);
    }
  }));
}

TEST_CASE("isotonic: no other non-decreasing steps have less squared error") {
  CHECK(rc::check([] {
    const Rows rows = some_rows(40);
    const double least = squared_error(isotonic(rows.x, rows.y), rows);
    std::vector<double> steps;
    for (int i = 0; i <= 12; ++i) steps.push_back(*rc::gen::inRange(0, 21) / 20.0);
    std::ranges::sort(steps);
    double other = 0;
    for (std::size_t i = 0; i < rows.x.size(); ++i) {
      const double error = rows.y[i] - steps[static_cast<std::size_t>(std::lround(rows.x[i] * 12))];
      other += error * error;
    }
    RC_ASSERT(least <= other + 1e-12);
  }));
}

TEST_CASE("isotonic shares: merged to the number asked for, mean and order kept, never 0 or 1") {
  CHECK(rc::check([] {
    const Rows rows = some_rows(60);
    const std::size_t most = static_cast<std::size_t>(*rc::gen::inRange(1, 8));
    const auto blocks = isotonic_shares(rows.x, rows.y, most);
    RC_ASSERT(!blocks.empty() && blocks.size() <= most);
    double weight = 0;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      weight += blocks[i].weight;
      RC_ASSERT(blocks[i].value > 0 && blocks[i].value < 1);
      if (i > 0) RC_ASSERT(blocks[i].value >= blocks[i - 1].value && blocks[i].low > blocks[i - 1].high);
    }
    RC_ASSERT(weight == static_cast<double>(rows.x.size()));
  }));
  // None of 3 is 1 / 5, all of 2 is 1 - 1 / 4; but not past a neighbour.
  const std::vector<double> x{1, 2, 3, 4, 5}, y{0, 0, 0, 1, 1};
  const auto blocks = isotonic_shares(x, y, 10);
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].value == doctest::Approx(0.2));
  CHECK(blocks[1].value == doctest::Approx(0.75));
  std::vector<double> rare_x{0}, rare_y{0};
  for (int i = 0; i < 20; ++i) {
    rare_x.push_back(1);
    rare_y.push_back(i == 0 ? 1 : 0);
  }
  CHECK(isotonic_shares(rare_x, rare_y, 10).front().value == doctest::Approx(0.05));
}
