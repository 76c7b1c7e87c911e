#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "core/bytes.hpp"

namespace everlearn {

/// Daily returns on capital of the last `days` days, for the live Sharpe ratio. Decision thread only.
class RecentReturns {
 public:
  explicit RecentReturns(std::size_t days) : most_{days} {}
  /// The account's value once a day.
  void add(double equity, double capital);
  /// Days since the account first moved, at most the window.
  std::int64_t days() const { return static_cast<std::int64_t>(returns_.size()); }
  /// Annualised; empty with fewer than two days or without any variation.
  std::optional<double> sharpe(double days_per_year) const;

  void encode(ByteWriter& out) const;
  Result<void> decode(ByteReader& in);

 private:
  std::size_t most_;
  std::optional<double> last_equity_;
  std::deque<double> returns_;
};

}  // namespace everlearn
