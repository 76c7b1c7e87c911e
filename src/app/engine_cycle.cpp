// One cycle: step features, settle labels, let due models take effect, fine-tune, decide (engine_decide.cpp), write
// down.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "app/engine_parts.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

Result<void> Engine::cycle(Timestamp at) {
  if (options_.virtual_clock != nullptr) options_.virtual_clock->set(at);
  if (!progress_.first_cycle) progress_.first_cycle = at;
  progress_.last_cycle = at;
  ++progress_.cycles;
  decided_ = true;
  if (dense_ && dense_grid_->on_grid(at)) EL_CHECK(snapshot(at));
  step_features(at);
  EL_CHECK(settle_labels(at));
  EL_CHECK(finish_trainings_in_step(at));
  EL_CHECK(take_effect(at));
  for (const auto& target : targets_)
    if (at >= target->ensemble_until) {
      EL_CHECK(load_ensembles(at));
      break;
    }
  const bool sample = profile_.sample.us() == 0 || CycleGrid{profile_.sample, calendar_}.on_grid(at);
  EL_CHECK(tell_fall_back(at));
  EL_CHECK(judge_streams_if_due(at));
  EL_CHECK(tune_if_due(at, sample));
  EL_CHECK(decide(at, sample));
  EL_CHECK(mark_equity(at));
  EL_CHECK(train_if_due(at));
  market_.end_step();
  ledger_.end_cycle();
  for (const Stream stream : {Stream::Base, Stream::Tuned}) streams_[stream].end_cycle();
  next_cycle_ = grid_.after(at);
  if (options_.virtual_clock != nullptr && progress_.cycles % profile_.commit_every == 0) return commit();
  return {};
}

Result<void> Engine::settle_labels(Timestamp at) {
  const TimeSplit::Part part{*split_, "labels"};
  for (auto& target : targets_) {
    for (const Label& label : target->labeller->settle(at)) {
      LabelRow row{.instrument = label.instrument,
                   .event_time = label.event_time,
                   .target = target->number,
                   .known = label.state == LabelState::Known,
                   .value = label.state == LabelState::Known ? label.value : kNaN,
                   .end = label.end,
                   .known_at = label.known_at,
                   .reason = label.reason};
      EL_CHECK(store_.append(row));
      ledger_.add(row);
      const bool acts = target->number == acting_;  // whose labels are counted: one an example
      if (acts) {
        --progress_.waiting;
        if (recent_rows_) recent_rows_->settle(row);
      }
      if (!row.known) {
        if (acts) {
          ++progress_.void_labels;
          served_.erase({label.event_time, label.instrument});
          streams_.forget(label.event_time, label.instrument);
        }
        continue;
      }
      if (acts) ++progress_.labelled;
      ++progress_.labelled_of[target->profile->name];
      target->baseline->observe(label);
      target->effective.add(label.instrument, label.event_time, label.end);
      target->latest_labelled = std::max(target->latest_labelled.value_or(label.event_time), label.event_time);
      if (!acts || target->profile->task == Task::Regression) continue;
      streams_.settle(label.event_time, label.instrument, label.value);
      const auto served = served_.find({label.event_time, label.instrument});
      if (served == served_.end()) continue;
      if (label.event_time >= serves_since_) ++own_matured_;
      signals_.matured(static_cast<int>(served->second), static_cast<int>(label.value));
      served_.erase(served);
    }
  }
  progress_.effective = targets_[acting_]->effective.value();
  return {};
}

bool Engine::fresh(InstrumentId id, Timestamp at) const {
  const InstrumentState& state = market_[id];
  return state.phase == Phase::Trading && current(id, at);
}

// Its price is one of now. What left the followed markets is still priced for a while: its examples wait for that.
bool Engine::current(InstrumentId id, Timestamp at) const {
  const InstrumentState& state = market_[id];
  if (!state.seen || state.payout || (state.phase != Phase::Trading && state.phase != Phase::Left)) return false;
  if (profile_.watched_books && state.book.trusted) return true;  // nothing changed, or its feed would have said so
  return grid_.open_time(state.last_event_time, at) <= profile_.max_price_age;
}

Result<void> Engine::mark_equity(Timestamp at) {
  progress_.equity = account_.mark(at, view());
  progress_.baseline_equity = baseline_account_.mark(at, view());
  tell_account();
  if (utc_day(at) == last_equity_day_) return {};
  last_equity_day_ = utc_day(at);
  recent_returns_.add(progress_.equity, profile_.paper.limits.capital);
  return store_.append(EquityRow{at, progress_.equity, progress_.baseline_equity, progress_.costs});
}

}  // namespace everlearn
