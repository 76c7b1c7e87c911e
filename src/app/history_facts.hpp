// How dense the stored history of prices is: what `status` and the log say of it.
#pragma once

#include <cstdint>
#include <optional>

#include "core/time.hpp"
#include "store/coverage.hpp"

namespace everlearn {

struct HistoryFacts {
  std::int64_t points = 0;  // stored, those that came from a history included
  std::int64_t tokens = 0;  // instruments that have one
  double days = 0;          // from the first point of any to the last
  // Mean time between two points of an instrument, over the holes too; none: no instrument has two.
  std::optional<double> interval_minutes;
  std::int64_t open_holes = 0;
};

/// `backfilled`: points that came from a history; they fill holes, or lie before what was seen. `step`: of the grid.
HistoryFacts history_facts(const Coverage& coverage, std::int64_t backfilled, Duration step);

}  // namespace everlearn
