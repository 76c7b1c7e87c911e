// What a move is worth as a label: pure functions of two prices.
#pragma once

#include <optional>
#include <string>

#include "core/price.hpp"
#include "label/label.hpp"

namespace everlearn {

/// Whether the label of this spec needs prices above zero (relative and log returns, volatility, barriers).
bool needs_positive_prices(const LabelSpec& spec);

/// Whether it needs the price at the end above zero too (log returns).
bool needs_positive_end(const LabelSpec& spec);

/// Whether the label cannot be told because nobody knows what is flat.
bool lacks_flat_band(const LabelSpec& spec, double flat_band);

/// Relative: (to - from) / from. Points: to - from. Log: ln(to / from). Relative and Log: `from` > 0, Log: `to` > 0.
double price_return(ReturnUnit unit, Price from, Price to);

/// The label of a move: the return, or the class. Direction2 and OutcomeAfterBars: 1 if `to` is above `from`, else 0.
/// Direction3: 1 if |relative return| <= flat_band. Not for RealisedVolatility and TripleBarrier, which need the path,
/// and not for Column, which needs no price.
double move_label(const LabelSpec& spec, Price from, Price to, double flat_band);

/// Realised volatility, one price at a time.
struct PathVariance {
  Price last;                 // latest price of the path, at first the entry price
  double squares = 0;         // sum of squared log returns
  std::int32_t steps = 0;     // steps that should have had a price
  std::int32_t observed = 0;  // steps that had one

  /// A step's price; empty or not positive: missing.
  void add(std::optional<Price> price);
  /// Root mean square of the returns, or with `unit` Log its natural logarithm; empty with fewer than half of the
  /// steps, and where a logarithm is wanted of a price that did not move.
  std::optional<double> volatility(ReturnUnit unit) const;
  /// Why volatility() is empty.
  std::string why_unknown() const;
};

}  // namespace everlearn
