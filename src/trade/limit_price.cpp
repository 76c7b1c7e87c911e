#include "trade/limit_price.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace everlearn {

Price limit_price(Price executable, int side, const LimitTerms& terms) {
  const auto tick = static_cast<std::int64_t>(std::llround(terms.tick * Price::kScale));
  if (tick <= 0) return executable;
  const std::int64_t down = executable.nanos() / tick * tick;
  std::int64_t nanos = side < 0 || down == executable.nanos() ? down : down + tick;
  nanos += side * tick * terms.tolerance;
  if (terms.probability) nanos = std::min(nanos, Price::kScale - tick);
  return Price::from_nanos(std::max(nanos, tick));
}

double whole_steps(double size, double step) {
  if (step <= 0) return size;
  // 0.29 / 0.01 is a little under 29; and 2083 / 100 is nearer to 20.83 than 2083 * 0.01 is.
  constexpr double kSlack = 1e-9;
  const double steps = std::floor(size / step + kSlack), in_one = std::round(1 / step);
  return std::fabs(in_one * step - 1) < kSlack ? steps / in_one : steps * step;
}

}  // namespace everlearn
