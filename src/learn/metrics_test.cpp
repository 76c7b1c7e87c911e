// Numbers by hand; those with many digits were computed with numpy from the same formulas.
#include "learn/metrics.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <vector>

using namespace everlearn;

namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
}

TEST_CASE("a compensated sum keeps what a plain one drops") {
  CompensatedSum sum;
  for (const double x : {1.0, 1e100, 1.0, -1e100}) sum.add(x);
  CHECK(sum.value() == 2);
}

TEST_CASE("regression: R2 about the mean, R2 against a reference, RMSE and MAE") {
  RegressionScore score;
  score.add(1, 1.5, 1);
  score.add(2, 2, 1);
  score.add(4, 3, 2);
  score.add(5, 5.5, 4);
  CHECK(score.n() == 4);
  CHECK(score.r2() == doctest::Approx(0.85).epsilon(1e-15));
  CHECK(score.r2_against() == doctest::Approx(0.75).epsilon(1e-15));
  CHECK(score.rmse() == doctest::Approx(0.6123724356957945).epsilon(1e-15));
  CHECK(score.mae() == 0.5);
}

TEST_CASE("regression: the mean outcome scores 0, the reference itself scores 0 against itself") {
  RegressionScore score;
  for (const double y : {1.0, 2.0, 6.0}) score.add(y, 3, 3);
  CHECK(score.r2() == doctest::Approx(0));
  CHECK(score.r2_against() == doctest::Approx(0));
}

TEST_CASE("regression: missing rows are counted, not scored; a missing reference costs only the comparison") {
  RegressionScore score;
  score.add(1, 1.5, kNan);
  score.add(2, 2, 1);
  score.add(4, kNan, 2);
  score.add(kNan, 4, 2);
  score.add(4, std::numeric_limits<double>::infinity(), 2);
  CHECK(score.n() == 2);
  CHECK(score.missing() == 3);
  CHECK(score.r2() == doctest::Approx(0.5));
  CHECK(score.r2_against() == 1);
}

TEST_CASE("regression: what the rows do not determine is NaN") {
  RegressionScore score;
  CHECK(std::isnan(score.r2()));
  CHECK(std::isnan(score.rmse()));
  score.add(1, 2, 1);
  score.add(1, 2, 1);
  CHECK(std::isnan(score.r2()));          // outcomes do not vary
  CHECK(std::isnan(score.r2_against()));  // the reference is never wrong
  CHECK(score.rmse() == 1);
}

TEST_CASE("regression: R2 keeps its digits far from zero") {
  RegressionScore score;
  for (int i = 0; i < 1000; ++i) score.add(1e8 + i % 2, 1e8 + 0.5 + (i % 2 == 0 ? -0.25 : 0.25));
  CHECK(score.r2() == doctest::Approx(0.75).epsilon(1e-12));
}

TEST_CASE("direction: moves under half a tick are left out, a prediction of 0 is wrong") {
  DirectionScore score{0.005};
  score.add(0.01, 0.1);    // right
  score.add(0.02, -0.1);   // wrong
  score.add(-0.01, -0.1);  // right
  score.add(-0.01, 0);     // wrong: said nothing
  score.add(0.004, 0.1);   // left out
  score.add(0, 0.1);       // left out
  score.add(0.01, kNan);   // missing
  CHECK(score.n() == 4);
  CHECK(score.accuracy() == 0.5);
  CHECK(score.majority_share() == 0.5);
  CHECK(score.zero_share() == 2.0 / 6);
  CHECK(score.missing() == 1);
}

TEST_CASE("direction: a move of exactly half a tick counts, however it was rounded") {
  DirectionScore score{0.005};
  score.add(0.5 - 0.495, 1);  // 0.005000000000000004
  score.add(0.105 - 0.1, 1);  // 0.0049999999999999906
  CHECK(score.n() == 2);
}

TEST_CASE("direction: without a tick a move of 0 is still no direction") {
  DirectionScore score{0};
  CHECK(std::isnan(score.accuracy()));
  score.add(0, 1);
  score.add(1e-12, 1);
  CHECK(score.n() == 1);
  CHECK(score.accuracy() == 1);
}

TEST_CASE("classes: log loss with probabilities cut at 1e-15, Brier, accuracy, majority") {
  ClassScore score{3};
  score.add(0, std::vector{0.7, 0.2, 0.1});
  score.add(2, std::vector{0.3, 0.4, 0.3});
  score.add(2, std::vector{0.1, 0.1, 0.8});
  score.add(0, std::vector{0.0, 1.0, 0.0});
  score.add(1, std::vector{0.5, kNan, 0.5});
  CHECK(score.n() == 4);
  CHECK(score.missing() == 1);
  CHECK(score.log_loss() == doctest::Approx(9.080641923622391).epsilon(1e-15));
  CHECK(score.brier() == doctest::Approx(0.735).epsilon(1e-15));
  CHECK(score.accuracy() == 0.5);
  CHECK(score.majority_share() == 0.5);
}

TEST_CASE("classes: with two, Brier is the squared error of class 1") {
  ClassScore score{2};
  score.add(1, std::vector{0.2, 0.8});
  score.add(0, std::vector{0.5, 0.5});
  CHECK(score.brier() == doctest::Approx((0.04 + 0.25) / 2));
  CHECK(score.accuracy() == 1);  // of equals the first
}

TEST_CASE("Sharpe: annualised, with Lo's standard error") {
  const Sharpe result = sharpe(std::vector{0.01, -0.02, 0.03, 0.0, 0.01}, 252, 40);
  CHECK(result.value == doctest::Approx(5.243177385031818).epsilon(1e-14));
  CHECK(result.standard_error == doctest::Approx(7.29034230397249).epsilon(1e-14));
  CHECK(result.insufficient());  // five days
}

TEST_CASE("Sharpe: 20 days and 30 trades are enough, one less is not") {
  CHECK(!sharpe(std::vector<double>(20, 1), 365, 30).insufficient());
  CHECK(sharpe(std::vector<double>(19, 1), 365, 30).insufficient());
  CHECK(sharpe(std::vector<double>(20, 1), 365, 29).insufficient());
  CHECK(std::isnan(sharpe(std::vector<double>(20, 1), 365, 30).value));  // never varies
}

TEST_CASE("drawdown: the deepest fall from a peak, in money and as a share of the peak") {
  Drawdown drawdown;
  for (const double equity : {100.0, 50.0, 400.0, 250.0, 300.0, 401.0}) drawdown.add(equity);
  CHECK(drawdown.amount() == 150);
  CHECK(drawdown.share() == 0.5);
}

TEST_CASE("every score agrees with the plain two-pass formula") {
  CHECK(rc::check([](const std::vector<std::pair<int, int>>& rows) {
    RC_PRE(rows.size() >= 2u);
    RegressionScore score;
    double mean = 0;
    for (const auto& [y, p] : rows) {
      score.add(y, p, 0);
      mean += static_cast<double>(y) / static_cast<double>(rows.size());
    }
    double error = 0, total = 0, from_zero = 0;
    for (const auto& [y, p] : rows) {
      error += (static_cast<double>(y) - p) * (static_cast<double>(y) - p);
      total += (y - mean) * (y - mean);
      from_zero += static_cast<double>(y) * y;
    }
    RC_PRE(total > 1e-9);
    RC_ASSERT(std::abs(score.r2() - (1 - error / total)) <= 1e-9 * (1 + error / total));
    RC_ASSERT(std::abs(score.r2_against() - (1 - error / from_zero)) <= 1e-9 * (1 + error / from_zero));
  }));
}
