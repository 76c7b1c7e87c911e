// Reads one instrument's inputs of a step from the market.
#pragma once

#include <cstdint>

#include "feature/input.hpp"
#include "market/calendar.hpp"
#include "market/instrument.hpp"
#include "market/market_state.hpp"

namespace everlearn {

/// What the bank remembers of an instrument beside the operations' state.
struct Memory {
  bool alive = false;    // seen, not stale, its market trades and is not resolved
  bool has_bar = false;  // since it is alive
  bool has_trade = false;
  std::int64_t quiet_steps = 0;
};

/// Sessions after which a price counts no longer as known.
inline constexpr std::int32_t kStaleSessions = 5;

/// More than kStaleSessions sessions have closed since the price's event time.
bool is_stale(const Calendar& calendar, Timestamp price_time, Timestamp at);

/// Follows the instrument into this step.
void update(Memory& memory, const InstrumentState& market, const Calendar& calendar, Timestamp at);

/// The value of an input that is not the clock's, of a living instrument.
double sense(Input input, int parameter, const Memory& memory, const Instrument& instrument,
             const InstrumentState& market, Timestamp at);

/// The step's place in its session and in the calendar.
class StepClock {
 public:
  StepClock(const Calendar& calendar, Duration step);
  void advance(Timestamp at);
  double value(Input input) const;
  /// The present step is the first of its session. Outside sessions the one before goes on.
  bool session_changed() const { return session_changed_; }

  std::int64_t session_index() const { return session_index_; }
  void restore(std::int64_t session_index) { session_index_ = session_index; }

 private:
  const Calendar& calendar_;
  const Duration regular_;  // length of a regular session
  const double steps_per_year_;
  Timestamp at_;
  std::optional<Session> session_;
  double days_since_session_ = 0;
  std::int64_t session_index_;
  bool session_changed_ = false;
};

}  // namespace everlearn
