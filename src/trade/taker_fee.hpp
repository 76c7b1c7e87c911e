// What a venue takes from whoever hits a resting order: units x rate x (price (1 - price)) ^ exponent, in account
// currency, rounded to five decimals, half up. The most at a price of a half, nothing at 0 and 1.
#pragma once

namespace everlearn {

/// Before rounding.
double fee_per_unit(double price, double rate, double exponent);

/// `units` is a size, without a sign; `price` in [0, 1].
double taker_fee(double units, double price, double rate, double exponent);

}  // namespace everlearn
