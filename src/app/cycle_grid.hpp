#pragma once

#include <optional>

#include "core/time.hpp"
#include "market/calendar.hpp"

namespace everlearn {

/// When decisions are made. On a calendar that is always open: multiples of `every` since the epoch. On a session
/// calendar: open + k * every up to the close, or the close alone if `every` is zero. Immutable; any thread.
class CycleGrid {
 public:
  /// `calendar` outlives the grid. Errors: Config for a negative step, or a zero step on an always-open calendar
  /// (then a UTC day is meant: one cycle at its end).
  CycleGrid(Duration every, const Calendar& calendar) : every_{every}, calendar_{&calendar} {}

  /// The first grid time > `t`.
  Timestamp after(Timestamp t) const;
  /// The first grid time >= `t`.
  Timestamp at_or_after(Timestamp t) const { return after(t - Duration{1}); }
  bool on_grid(Timestamp t) const { return at_or_after(t) == t; }
  /// Open time between two moments: what a silence really lasted.
  Duration open_time(Timestamp from, Timestamp to) const;

 private:
  Duration every_;
  const Calendar* calendar_;
};

}  // namespace everlearn
