// The accounts on paper: what becomes of signals, what is kept of their trades, and what a person decides about them.
#include <fmt/format.h>

#include "app/engine_parts.hpp"
#include "app/outlet_queue.hpp"
#include "trade/taker_fee.hpp"

namespace everlearn {

Result<void> Engine::ask_accounts(Timestamp at, const std::vector<PaperAccount::Decision>& act,
                                  const std::vector<PaperAccount::Decision>& baseline_act) {
  account_.expire(at);
  baseline_account_.expire(at);
  EL_CHECK(keep_trades({}));
  for (const IntentRow& intent : account_.decide(at, act, next_intent_, view())) {
    EL_CHECK(store_.append(intent));
    ledger_.add(intent);
    next_intent_ = intent.id + 1;
    ++progress_.intents;
    if (intent.state == "open") EL_CHECK(hand_out(intent));
  }
  baseline_account_.decide(at, baseline_act, 1, view());
  return {};
}

Result<void> Engine::keep_trades(const std::vector<FillRow>& fills) {
  for (const FillRow& fill : fills) {
    EL_CHECK(store_.append(fill));
    ledger_.add(fill);
    ++progress_.fills;
    decided_ = true;
  }
  for (const IntentChange& change : account_.take_changes()) {
    EL_CHECK(store_.update_intent(change.id, change.state, change.reason));
    decided_ = true;
  }
  (void)baseline_account_.take_changes();  // its intents have no rows
  return {};
}

// In the transaction of the intent itself: what is open is handed out, whatever happens to this process.
Result<void> Engine::hand_out(const IntentRow& intent) {
  if (!options_.hands_out || !profile_.outlet.any()) return {};
  return queue_intent(store_, profile_, instruments_[intent.instrument], intent, account_.exit_of(intent.id));
}

void Engine::tell_account() {
  progress_.costs = account_.costs();
  progress_.round_trips = account_.trades();
  const PaperAccount::Exposure exposure = account_.exposure(view());
  progress_.committed = exposure.committed;
  progress_.locked = exposure.locked;
  progress_.positions = exposure.positions;
  progress_.locked_positions = exposure.locked_positions;
  progress_.waiting_intents = exposure.waiting;
  progress_.wins = account_.months();
  progress_.baseline_wins = baseline_account_.months();
}

std::optional<double> Engine::round_trip_cost(InstrumentId id, double price) const {
  const Instrument& instrument = instruments_[id];
  const InstrumentState& state = market_[id];
  if (!state.booked && instrument.fee_rate == 0) {
    if (!profile_.probability || (state.bid && state.ask)) return std::nullopt;
    // What the account pays where there are no quotes: half a tick at least.
    const double tick = instrument.tick_size ? instrument.tick_size->value() : profile_.tick_size;
    const double half_tick = tick / 2 / price;
    return half_tick > profile_.paper.half_spread_bps * 1e-4 ? std::optional{half_tick} : std::nullopt;
  }
  const double spread = state.bid && state.ask ? state.ask->value() - state.bid->value()
                                               : 2 * profile_.paper.half_spread_bps * 1e-4 * price;
  return (spread + 2 * fee_per_unit(price, instrument.fee_rate, instrument.fee_exponent)) / price;
}

Result<std::string> Engine::approve_intent(std::int64_t id) {
  const Timestamp now = world_.clock.now();
  EL_TRY(const IntentRow intent, account_.approve(id, now));
  EL_CHECK(keep_trades({}));
  EL_CHECK(hand_out(intent));
  tell_account();
  EL_CHECK(store_.note(now, "intent approved by hand", std::to_string(id)));
  return fmt::format("intent {} is open until {}", id, intent.expires.iso());
}

Result<std::string> Engine::reject_intent(std::int64_t id) {
  EL_CHECK(account_.reject(id));
  EL_CHECK(keep_trades({}));
  tell_account();
  EL_CHECK(store_.note(world_.clock.now(), "intent rejected by hand", std::to_string(id)));
  return fmt::format("intent {} is rejected", id);
}

}  // namespace everlearn
