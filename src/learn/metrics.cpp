#include "learn/metrics.hpp"

#include <algorithm>
#include <cmath>

#include "core/assert.hpp"

namespace everlearn {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

double ratio(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : kUnknown;
}

double mean(const CompensatedSum& sum, std::int64_t n) {
  return n > 0 ? sum.value() / static_cast<double>(n) : kUnknown;
}

}  // namespace

void RegressionScore::add(double outcome, double prediction, double reference) {
  if (!std::isfinite(outcome) || !std::isfinite(prediction)) {
    ++missing_;
    return;
  }
  if (n_ == 0) shift_ = outcome;
  ++n_;
  const double y = outcome - shift_;
  const double error = outcome - prediction;
  y_.add(y);
  y2_.add(y * y);
  error_.add(std::abs(error));
  error2_.add(error * error);
  if (!std::isfinite(reference)) return;
  paired_error2_.add(error * error);
  reference_error2_.add((outcome - reference) * (outcome - reference));
}

double RegressionScore::r2() const {
  if (n_ == 0) return kUnknown;
  const double total = y2_.value() - y_.value() * y_.value() / static_cast<double>(n_);
  return total > 0 ? 1 - error2_.value() / total : kUnknown;
}

double RegressionScore::r2_against() const {
  const double total = reference_error2_.value();
  return total > 0 ? 1 - paired_error2_.value() / total : kUnknown;
}

double RegressionScore::rmse() const { return std::sqrt(mean(error2_, n_)); }
double RegressionScore::mae() const { return mean(error_, n_); }

void DirectionScore::add(double move, double prediction) {
  if (!std::isfinite(move) || !std::isfinite(prediction)) {
    ++missing_;
    return;
  }
  if (move == 0 || std::abs(move) < least_) {
    ++zeros_;
    return;
  }
  ++(move > 0 ? ups_ : downs_);
  if (prediction != 0 && (prediction > 0) == (move > 0)) ++right_;
}

double DirectionScore::accuracy() const { return ratio(right_, n()); }
double DirectionScore::majority_share() const { return ratio(std::max(ups_, downs_), n()); }
double DirectionScore::zero_share() const { return ratio(zeros_, n() + zeros_); }

double log_loss_of(double probability_of_outcome) { return -std::log(std::max(probability_of_outcome, 1e-15)); }

std::size_t likeliest(std::span<const double> probabilities) {
  return static_cast<std::size_t>(std::ranges::max_element(probabilities) - probabilities.begin());
}

void ClassScore::add(double outcome, std::span<const double> probabilities) {
  EL_ASSERT(probabilities.size() == counts_.size(), "one probability a class");
  const bool finite = std::ranges::all_of(probabilities, [](double p) { return std::isfinite(p); });
  if (!finite || !(outcome >= 0 && outcome < static_cast<double>(counts_.size()))) {
    ++missing_;
    return;
  }
  const auto came = static_cast<std::size_t>(outcome);
  ++n_;
  ++counts_[came];
  loss_.add(log_loss_of(probabilities[came]));
  double squares = 0;
  // Two classes say the same thing twice.
  for (std::size_t c = counts_.size() == 2 ? 1 : 0; c < counts_.size(); ++c) {
    const double error = probabilities[c] - (c == came ? 1 : 0);
    squares += error * error;
  }
  brier_.add(squares);
  if (likeliest(probabilities) == came) ++right_;
}

double ClassScore::log_loss() const { return mean(loss_, n_); }
double ClassScore::brier() const { return mean(brier_, n_); }
double ClassScore::accuracy() const { return ratio(right_, n_); }
double ClassScore::majority_share() const { return ratio(*std::ranges::max_element(counts_), n_); }

Sharpe sharpe(std::span<const double> daily_pnl, double days_per_year, std::int64_t trades) {
  Sharpe result;
  result.days = std::ssize(daily_pnl);
  result.trades = trades;
  if (result.days < 2) return result;
  const auto n = static_cast<double>(result.days);
  CompensatedSum sum;
  for (const double x : daily_pnl) sum.add(x);
  const double mean_pnl = sum.value() / n;
  CompensatedSum squares;
  for (const double x : daily_pnl) squares.add((x - mean_pnl) * (x - mean_pnl));
  const double deviation = std::sqrt(squares.value() / (n - 1));
  if (!(deviation > 0)) return result;
  const double daily = mean_pnl / deviation;
  const double year = std::sqrt(days_per_year);
  result.value = daily * year;
  result.standard_error = std::sqrt((1 + daily * daily / 2) / n) * year;
  return result;
}

void Drawdown::add(double equity) {
  if (!std::isfinite(equity)) return;
  peak_ = std::max(peak_, equity);
  amount_ = std::max(amount_, peak_ - equity);
  if (peak_ > 0) share_ = std::max(share_, (peak_ - equity) / peak_);
}

}  // namespace everlearn
