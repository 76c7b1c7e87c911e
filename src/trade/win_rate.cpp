#include "trade/win_rate.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace everlearn {

double WinTally::rate() const {
  return closed() > 0 ? static_cast<double>(won) / static_cast<double>(closed())
                      : std::numeric_limits<double>::quiet_NaN();
}

std::pair<double, double> wilson_interval(std::int64_t won, std::int64_t of) {
  if (of <= 0) return {0, 1};
  constexpr double kZ = 1.959963984540054;  // of 95 %
  const double n = static_cast<double>(of), p = static_cast<double>(won) / n;
  const double middle = p + kZ * kZ / (2 * n), whole = 1 + kZ * kZ / n;
  const double half = kZ * std::sqrt(p * (1 - p) / n + kZ * kZ / (4 * n * n));
  return {std::max(0.0, (middle - half) / whole), std::min(1.0, (middle + half) / whole)};
}

}  // namespace everlearn
