#include "learn/reliability.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace everlearn;

namespace {

Reliability of(const std::vector<std::pair<double, int>>& rows) {  // p(1) and outcome
  ReliabilityScore score{2};
  for (const auto& [p, outcome] : rows) score.add(outcome, std::vector{1 - p, p});
  return score.reliability();
}

}  // namespace

TEST_CASE("reliability: a worked example") {
  // Confidence 0.75 (bin 11): right, right, wrong; confidence 0.9 (bin 13) of class 0: wrong.
  const Reliability reliability = of({{0.75, 1}, {0.75, 1}, {0.75, 0}, {0.1, 1}});
  REQUIRE(reliability.bins.size() == 15);
  CHECK(reliability.bins[11] == ReliabilityBin{3, 0.75, 2.0 / 3});
  CHECK(reliability.bins[13].n == 1);
  CHECK(reliability.bins[13].share == 0);
  CHECK(reliability.n() == 4);
  // (3 |2/3 - 0.75| + 1 |0 - 0.9|) / 4
  CHECK(reliability.ece() == doctest::Approx((0.25 + 0.9) / 4));
}

TEST_CASE("reliability: an edge belongs to the bin below it") {
  CHECK(of({{0.8, 1}}).bins[11].n == 1);  // (11 / 15, 12 / 15]
  CHECK(of({{0.81, 1}}).bins[12].n == 1);
  CHECK(of({{1.0, 1}}).bins[14].n == 1);
  ReliabilityScore many{20};
  std::vector<double> p(20, 0.05);
  many.add(0, p);  // 0.05: the first bin
  CHECK(many.reliability().bins[0].n == 1);
}

TEST_CASE("reliability: every class's probability by itself") {
  ReliabilityScore score{3};
  const std::vector<double> p{0.5, 0.3, 0.2};
  for (int i = 0; i < 10; ++i) score.add(i < 5 ? 0 : 2, p);
  CHECK(score.reliability().ece() == doctest::Approx(0));
  CHECK(score.class_ece() == doctest::Approx((0 + 0.3 + 0.3) / 3));
}

TEST_CASE("reliability: rows that say nothing are left out; without rows nothing is known") {
  ReliabilityScore score{2};
  score.add(1, std::vector{std::nan(""), 0.5});
  score.add(std::nan(""), std::vector{0.5, 0.5});
  score.add(2, std::vector{0.5, 0.5});
  CHECK(score.reliability().n() == 0);
  CHECK(std::isnan(score.reliability().ece()));
  CHECK(std::isnan(score.class_ece()));
}

TEST_CASE("reliability reads back to the same bits; what makes no sense is refused") {
  const Reliability reliability = of({{0.7, 1}, {0.71, 0}, {1.0 / 3, 1}});
  CHECK(Reliability::from_json(reliability.to_json()).value() == reliability);
  CHECK(Reliability::from_json("[]").value() == Reliability{});
  CHECK(Reliability::from_json("[[1,0.5,1]]").error().message == "reliability: 1 bins, 15 wanted");
  CHECK(Reliability::from_json("[[1,0.5]]").error().message == "reliability: a bin of 2 figures, 3 wanted");
  CHECK(!Reliability::from_json("{}"));
}
