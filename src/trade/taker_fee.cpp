#include "trade/taker_fee.hpp"

#include <cmath>

namespace everlearn {

double fee_per_unit(double price, double rate, double exponent) {
  if (!(rate > 0)) return 0;
  const double evenness = price * (1 - price);
  return rate * (exponent == 1 ? evenness : std::pow(evenness, exponent));
}

double taker_fee(double units, double price, double rate, double exponent) {
  const double exact = units * fee_per_unit(price, rate, exponent);
  // A half that binary arithmetic has left just below one is one all the same.
  constexpr double kSlack = 1e-6;
  return std::floor(exact * 1e5 + 0.5 + kSlack) / 1e5;
}

}  // namespace everlearn
