#include "app/cycle_grid.hpp"

#include <algorithm>

namespace everlearn {

Timestamp CycleGrid::after(Timestamp t) const {
  if (every_.us() == 0) return calendar_->next(t).close;
  if (calendar_->always_open()) {
    const std::int64_t step = every_.us();
    std::int64_t k = t.us() / step;
    if (k * step > t.us()) --k;  // division rounds toward zero; before 1970 that is up
    return Timestamp{(k + 1) * step};
  }
  Session session = calendar_->next(t);  // its close is later than t
  if (t < session.open) return std::min(session.open + every_, session.close);
  const std::int64_t k = (t - session.open) / every_;
  return std::min(session.open + every_ * (k + 1), session.close);
}

Duration CycleGrid::open_time(Timestamp from, Timestamp to) const {
  if (to <= from) return Duration{};
  if (calendar_->always_open()) return to - from;
  Duration open{};
  Session session = calendar_->next(from);
  while (session.open < to) {
    open = open + (std::min(to, session.close) - std::max(from, session.open));
    session = calendar_->next(session.close);
  }
  return open;
}

}  // namespace everlearn
