// The simplest thing one could do with predictions, to ask what they would have earned: follow the sign where it
// promises more than it costs, one position an instrument at a time.
#pragma once

#include <functional>
#include <vector>

#include "learn/metrics.hpp"
#include "registry/gate.hpp"

namespace everlearn {

/// What a prediction promises: a relative return (regression), or the lead of "up" over "down" (classes; 0 where the
/// likeliest of three is the middle one). NaN where it is missing.
double promise(const GateRules& rules, const HoldoutRow& row, const std::vector<double>& said);

/// A row opens a position where |promise| is above the round-trip cost (classes: above 0) and the instrument's previous
/// position has ended by event_time; it ends at label_end and earns sign * move / price - cost. A day's P&L is the sum
/// of what ends on it (UTC) over the number of instruments; days are those on which any row is decided or ends. `said`
/// picks whose prediction is followed.
Sharpe holdout_sharpe(const GateRules& rules, const std::vector<HoldoutRow>& rows,
                      const std::function<const std::vector<double>&(const HoldoutRow&)>& said);

}  // namespace everlearn
