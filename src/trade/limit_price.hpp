// How far an order may go. Prices of a market lie on its tick; a limit does too.
#pragma once

#include "core/price.hpp"

namespace everlearn {

struct LimitTerms {
  double tick = 0;           // 0: unknown, the limit is not rounded
  int tolerance = 0;         // ticks beyond the executable price
  bool probability = false;  // never above 1 - tick
};

/// `side` +1: the most that is paid, rounded up to the tick; -1: the least that is taken, rounded down. Never under one
/// tick. `executable`: what the best order on the other side asks.
Price limit_price(Price executable, int side, const LimitTerms& terms);

/// The largest number of whole steps in `size`; a step of 0 leaves it as it is.
double whole_steps(double size, double step);

}  // namespace everlearn
