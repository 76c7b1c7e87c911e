// What a prediction was worth: our own figures, one row at a time, in the order the rows come. A row whose prediction
// or outcome is missing (not finite) is not scored but counted in missing(). A figure that the rows do not determine is
// NaN. Values: any thread may own one.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "learn/compensated_sum.hpp"

namespace everlearn {

class RegressionScore {
 public:
  /// `reference`: what is predicted without skill (no change, a baseline) in the same unit; may be NaN.
  void add(double outcome, double prediction, double reference = std::numeric_limits<double>::quiet_NaN());

  std::int64_t n() const { return n_; }
  std::int64_t missing() const { return missing_; }
  /// 1 - sum (y - p)^2 / sum (y - mean y)^2, the mean of these very rows. NaN where y is constant.
  double r2() const;
  /// 1 - sum (y - p)^2 / sum (y - reference)^2 over the rows that have a reference. NaN without any, or where it is
  /// never wrong.
  double r2_against() const;
  double rmse() const;
  double mae() const;

 private:
  std::int64_t n_ = 0, missing_ = 0;
  double shift_ = 0;  // the first outcome: sums about it keep their digits far from zero
  CompensatedSum y_, y2_, error2_, error_;
  CompensatedSum paired_error2_, reference_error2_;
};

/// Up or down. A move under half a tick is no direction and is left out; a prediction of 0 is wrong.
class DirectionScore {
 public:
  /// `half_tick` >= 0 in the unit of the moves; a move of it counts in spite of rounding (to one part in 1e9).
  explicit DirectionScore(double half_tick) : least_{half_tick * (1 - 1e-9)} {}
  void add(double move, double prediction);

  std::int64_t n() const { return ups_ + downs_; }  // counted moves
  std::int64_t missing() const { return missing_; }
  double accuracy() const;
  /// What the better of "always up" and "always down" gets.
  double majority_share() const;
  /// Share of the scored rows that were left out.
  double zero_share() const;

 private:
  double least_;
  std::int64_t ups_ = 0, downs_ = 0, right_ = 0, zeros_ = 0, missing_ = 0;
};

class ClassScore {
 public:
  explicit ClassScore(int classes) : counts_(static_cast<std::size_t>(classes)) {}
  /// `outcome`: the class, 0 .. classes - 1; one probability a class.
  void add(double outcome, std::span<const double> probabilities);

  std::int64_t n() const { return n_; }
  std::int64_t missing() const { return missing_; }
  /// Mean of -ln max(p of the outcome, 1e-15).
  double log_loss() const;
  /// Two classes: mean of (p of class 1 - y)^2; more: mean of the sum over the classes of (p - [y = class])^2.
  double brier() const;
  /// Share of rows whose most probable class (the first of equals) came true.
  double accuracy() const;
  double majority_share() const;

 private:
  std::int64_t n_ = 0, missing_ = 0, right_ = 0;
  CompensatedSum loss_, brier_;
  std::vector<std::int64_t> counts_;  // by class
};

/// -ln max(p, 1e-15)
double log_loss_of(double probability_of_outcome);
/// The first of the most probable classes.
std::size_t likeliest(std::span<const double> probabilities);

struct Sharpe {
  static constexpr std::int64_t kMinDays = 20, kMinTrades = 30;
  double value = std::numeric_limits<double>::quiet_NaN();  // annualised
  double standard_error = std::numeric_limits<double>::quiet_NaN();
  std::int64_t days = 0, trades = 0;
  bool insufficient() const { return days < kMinDays || trades < kMinTrades; }
};

/// Of daily P&L after costs (any one unit, days without trades included as 0): mean / sample standard deviation *
/// sqrt(days_per_year). Standard error, daily: sqrt((1 + S^2 / 2) / n) for independent returns. Lo (2002).
/// NaN under two days or where the P&L does not vary.
Sharpe sharpe(std::span<const double> daily_pnl, double days_per_year, std::int64_t trades);

/// The deepest fall from a peak so far.
class Drawdown {
 public:
  void add(double equity);
  /// In the unit of the equity; >= 0.
  double amount() const { return amount_; }
  /// Largest fall as a share of its peak, over peaks above 0.
  double share() const { return share_; }

 private:
  double peak_ = -std::numeric_limits<double>::infinity();
  double amount_ = 0, share_ = 0;
};

}  // namespace everlearn
