// How many rows a base training takes: a window that grows with the weeks until it is as large as it is meant to be
// ("progressive" training). Pure values: any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "core/time.hpp"

namespace everlearn {

struct ScalingRules {
  std::int64_t first = 0;              // rows in period 0; 0: no scaling, all rows of the window
  std::int64_t step = 0;               // more rows each period
  std::int64_t most = 0;               // never more; 0: no limit
  Duration every = Duration::days(7);  // length of a period
};

/// The period that holds `at`, counted from 0 at `start`; before `start` it is 0.
std::int64_t scaling_period(const ScalingRules& rules, Timestamp start, Timestamp at);

/// Rows wanted in a period: min(first + period * step, most). 0 without scaling.
std::int64_t scaling_rows(const ScalingRules& rules, std::int64_t period);

struct ScalingStep {
  std::int64_t period = 0;
  Timestamp from;         // begins
  std::int64_t rows = 0;  // wanted from then on
  bool is_last = false;   // the rows grow no more
};

/// Every period from 0 to the first that has all rows; `periods_most` where the rows grow without a limit.
std::vector<ScalingStep> scaling_timeline(const ScalingRules& rules, Timestamp start, std::int64_t periods_most = 52);

}  // namespace everlearn
