// One cycle: step features, settle labels, let due models take effect, predict, filter, decide, write down.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "app/engine_parts.hpp"
#include "feature/stored_precision.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double relative(const LabelSpec& label, double value, double price) {
  if (label.kind != LabelKind::ForwardReturn) return value;
  switch (label.unit) {
    case ReturnUnit::Relative:
      return value;
    case ReturnUnit::Points:
      return price > 0 ? value / price : kNaN;
    case ReturnUnit::Log:
      return std::expm1(value);
  }
  return kNaN;
}

double winner(std::span<const double> probabilities) {
  if (probabilities.empty() || !std::isfinite(probabilities.front())) return kNaN;
  return static_cast<double>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
}

bool all_finite(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

}  // namespace

Result<void> Engine::cycle(Timestamp at) {
  if (options_.virtual_clock != nullptr) options_.virtual_clock->set(at);
  if (!progress_.first_cycle) progress_.first_cycle = at;
  progress_.last_cycle = at;
  ++progress_.cycles;
  {
    const TimeSplit::Part part{*split_, "features"};
    bank_.step(at, instruments_, market_);
  }
  EL_CHECK(settle_labels(at));
  EL_CHECK(take_effect(at));
  const bool sample = profile_.sample.us() == 0 || CycleGrid{profile_.sample, calendar_}.on_grid(at);
  EL_CHECK(decide(at, sample));
  EL_CHECK(mark_equity(at));
  EL_CHECK(train_if_due(at));
  market_.end_step();
  ledger_.end_cycle();
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
      if (acts) --progress_.waiting;
      if (!row.known) {
        if (acts) ++progress_.void_labels;
        continue;
      }
      if (acts) ++progress_.labelled;
      ++progress_.labelled_of[target->profile->name];
      target->baseline->observe(label);
      target->effective.add(label.instrument, label.event_time, label.end);
      target->latest_labelled = std::max(target->latest_labelled.value_or(label.event_time), label.event_time);
      if (!acts || target->profile->task == Task::Regression) continue;
      const auto served = served_.find({label.event_time, label.instrument});
      if (served == served_.end()) continue;
      signals_.matured(static_cast<int>(served->second), static_cast<int>(label.value));
      served_.erase(served);
    }
  }
  progress_.effective = targets_[acting_]->effective.value();
  return {};
}

bool Engine::fresh(InstrumentId id, Timestamp at) const {
  const InstrumentState& state = market_[id];
  return state.seen && !state.payout && grid_.open_time(state.last_event_time, at) <= profile_.max_price_age;
}

Result<void> Engine::decide(Timestamp at, bool sample) {
  const TimeSplit::Part part{*split_, "predict"};
  const std::size_t columns = bank_.set().size();
  std::vector<float> scratch(columns);
  std::vector<SignalInput> inputs, baseline_inputs;
  std::vector<PaperAccount::Decision> decisions, baseline_decisions;
  std::vector<PredictionRow> rows;
  std::vector<std::size_t> acting_row;  // index into rows of each input

  std::vector<std::shared_ptr<const Predictor>> champions;
  for (const auto& target : targets_) champions.push_back(target->champion.get());
  const auto usable = [&](const std::shared_ptr<const Predictor>& model) {
    return learning_ != Learning::Off && model && at < model->card().expires_at;
  };

  for (std::size_t i = 0; i < market_.size(); ++i) {
    const InstrumentId id{static_cast<std::uint32_t>(i)};
    if (instruments_[id].context || !fresh(id, at)) continue;
    const InstrumentState& now = market_[id];
    const double price = now.last.value();
    ExampleRow example{.instrument = id, .event_time = at, .known_at = at, .price = price};
    example.features.resize(columns);
    bank_.row(id, example.features);
    for (float& feature : example.features) feature = stored_precision(feature);
    example.baseline.resize(layout_.total);
    if (sample) variance_->observe(id, at, now.last);

    for (auto& target : targets_) {
      if (sample) target->baseline->observe(id, at, now.last);
      const std::span<double> baseline{example.baseline.data() + layout_.start[target->number],
                                       layout_.width[target->number]};
      target->baseline->predict(id, baseline);
      example.no_change.push_back(target->baseline->no_change(id));

      std::vector<double> model(baseline.size(), kNaN), acts(baseline.size(), kNaN);
      const Predictor* spoke = nullptr;
      std::string rung;
      for (const auto& [candidate, name] :
           {std::pair{champions[target->number], "champion"}, std::pair{target->previous, "previous champion"}}) {
        if (!usable(candidate)) continue;
        candidate->predict(example.features, scratch, model);
        if (!all_finite(model)) {
          std::fill(model.begin(), model.end(), kNaN);
          continue;
        }
        spoke = candidate.get();
        rung = name;
        break;
      }
      if (spoke == nullptr) rung = all_finite(baseline) ? "baseline" : "none";
      target->blend.apply(model, baseline, price, acts);

      PredictionRow row{.instrument = id,
                        .event_time = at,
                        .target = target->number,
                        .bundle = spoke != nullptr ? spoke->card().id : "",
                        .no_change = example.no_change.back(),
                        .price = price,
                        .rung = rung,
                        .verdict = ""};
      const bool classes = target->profile->task != Task::Regression;
      row.model = classes ? winner(model) : model.front();
      row.baseline = classes ? winner(baseline) : baseline.front();
      row.blended = classes ? winner(acts) : acts.front();
      if (classes) row.probabilities = acts;
      if (spoke != nullptr) ++progress_.predictions;

      if (target->number == acting_) {
        const double steps = target->samples_per_horizon;
        const double deviation = variance_->no_change(id) * std::sqrt(steps);
        const auto expected = [&](std::span<const double> p) {
          if (!classes) return relative(target->profile->label, p.front(), price);
          return (p.back() - p.front()) * deviation * std::sqrt(2 / std::numbers::pi);
        };
        SignalInput input{.instrument = id, .price = price, .predicted = expected(acts)};
        if (now.bid) input.bid = now.bid->value();
        if (now.ask) input.ask = now.ask->value();
        if (classes) input.probabilities = acts;
        if (spoke != nullptr) input.outside_share = spoke->outside_share(example.features);
        input.champion = rung == "champion";
        input.learning_active = learning_ != Learning::Off;
        PaperAccount::Decision decision{.price = price, .variance = deviation * deviation};
        decision.exit_at = target->labeller->window_end(at);
        if (decision.exit_at == Timestamp::max())
          decision.exit_at = at + profile_.cycle * std::max(1, target->profile->label.bars);
        inputs.push_back(input);
        decisions.push_back(decision);
        input.predicted = expected(baseline);
        if (classes) input.probabilities.assign(baseline.begin(), baseline.end());
        input.learning_active = learning_ == Learning::Active;
        input.champion = true;  // its account trades the baseline as if it were one, over the same time
        input.outside_share = 0;
        baseline_inputs.push_back(std::move(input));
        baseline_decisions.push_back(decision);
        acting_row.push_back(rows.size());
        if (classes && spoke != nullptr && sample) served_[{at, id}] = row.blended;
      }
      rows.push_back(std::move(row));
    }
    if (!sample) continue;
    for (auto& target : targets_) EL_CHECK(target->labeller->open(id, at, now.last));
    ++progress_.waiting;
    if (!first_example_) first_example_ = at;
    ++progress_.examples;
    ledger_.add(example);
    const TimeSplit::Part writing{*split_, "store"};
    EL_CHECK(store_.append(example));
  }

  const double recent_accuracy = signals_.recent_accuracy();
  const auto signals = signals_.judge(at, inputs);
  const auto baseline_signals = baseline_signals_.judge(at, baseline_inputs);
  std::vector<PaperAccount::Decision> act, baseline_act;
  for (std::size_t i = 0; i < signals.size(); ++i) {
    PredictionRow& row = rows[acting_row[i]];
    row.verdict = signals[i].filter;
    row.expected = inputs[i].predicted;
    row.half_spread = signals[i].half_spread;
    row.outside_share = inputs[i].outside_share;
    row.set = inputs[i].set;
    row.recent_accuracy = recent_accuracy;
    row.measured = signals[i].measured;
    row.required = signals[i].required;
    decisions[i].signal = signals[i];
    baseline_decisions[i].signal = baseline_signals[i];
    if (signals[i].passed) act.push_back(decisions[i]);
    if (baseline_signals[i].passed) baseline_act.push_back(baseline_decisions[i]);
  }
  for (const PredictionRow& row : rows) {
    ledger_.add(row);
    const TimeSplit::Part writing{*split_, "store"};
    EL_CHECK(store_.append(row));
  }
  progress_.signals = signals_.passed();
  for (const std::int64_t id : account_.expire(at)) EL_CHECK(store_.update_intent(id, "expired", "no price in time"));
  baseline_account_.expire(at);
  for (const IntentRow& intent : account_.decide(at, act, next_intent_)) {
    EL_CHECK(store_.append(intent));
    ledger_.add(intent);
    next_intent_ = intent.id + 1;
    ++progress_.intents;
  }
  baseline_account_.decide(at, baseline_act, 1);
  return {};
}

Result<void> Engine::mark_equity(Timestamp at) {
  progress_.equity = account_.mark(at, market_);
  progress_.baseline_equity = baseline_account_.mark(at, market_);
  progress_.costs = account_.costs();
  progress_.round_trips = account_.trades();
  if (utc_day(at) == last_equity_day_) return {};
  last_equity_day_ = utc_day(at);
  recent_returns_.add(progress_.equity, profile_.paper.limits.capital);
  return store_.append(EquityRow{at, progress_.equity, progress_.baseline_equity, progress_.costs});
}

}  // namespace everlearn
