#include "trade/recent_returns.hpp"

#include <cmath>
#include <vector>

namespace everlearn {

void RecentReturns::add(double equity, double capital) {
  if (last_equity_ && capital > 0) {
    const double change = (equity - *last_equity_) / capital;
    if (change != 0 || !returns_.empty()) returns_.push_back(change);  // days before the first trade say nothing
    if (returns_.size() > most_) returns_.pop_front();
  }
  last_equity_ = equity;
}

std::optional<double> RecentReturns::sharpe(double days_per_year) const {
  if (returns_.size() < 2) return std::nullopt;
  const double n = static_cast<double>(returns_.size());
  double mean = 0, squares = 0;
  for (const double r : returns_) mean += r / n;
  for (const double r : returns_) squares += (r - mean) * (r - mean);
  if (squares == 0) return std::nullopt;
  return mean / std::sqrt(squares / (n - 1)) * std::sqrt(days_per_year);
}

void RecentReturns::encode(ByteWriter& out) const {
  out.boolean(last_equity_.has_value());
  out.f64(last_equity_.value_or(0));
  out.f64s(std::vector<double>(returns_.begin(), returns_.end()));
}

Result<void> RecentReturns::decode(ByteReader& in) {
  const bool known = in.boolean();
  const double equity = in.f64();
  last_equity_ = known ? std::optional{equity} : std::nullopt;
  const std::vector<double> returns = in.f64s();
  returns_.assign(returns.begin(), returns.end());
  if (!in.ok() || returns_.size() > most_) return fail(Code::Damaged, "the checkpoint's daily returns are damaged");
  return {};
}

}  // namespace everlearn
