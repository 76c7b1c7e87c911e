// What is said and done at a decision: the examples, what models and baseline say of them, signals, intents.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "app/engine_parts.hpp"
#include "app/occasions.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr Duration kOnTime = Duration::minutes(1);  // a live cycle shorter than this may lag by so much

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

// Where there is no price no move can be expected. In its place stands the lead of the likeliest class over the second,
// above zero in the upper half of the classes and below it in the lower; the middle one says neither.
double lead(std::span<const double> probabilities) {
  if (!all_finite(probabilities)) return kNaN;
  const auto top = std::ranges::max_element(probabilities);
  double second = 0;
  for (auto p = probabilities.begin(); p != probabilities.end(); ++p)
    if (p != top) second = std::max(second, *p);
  const auto below = top - probabilities.begin(), above = probabilities.end() - top - 1;
  return below > above ? *top - second : below < above ? second - *top : 0;
}

}  // namespace

// What one decision gathers, instrument by instrument; signals and intents look at all of it together.
struct Engine::Decision {
  std::vector<PredictionRow> rows;
  std::vector<float> scratch;
  // Of the target that acts, side by side:
  std::vector<std::size_t> served;  // index into rows
  std::vector<SignalInput> inputs, baseline_inputs;
  std::vector<PaperAccount::Decision> decisions, baseline_decisions;
};

// What a model says of an example, before and after blending with the baseline.
struct Engine::Said {
  std::vector<double> model, acts;
};

bool Engine::late(Timestamp at) const {
  if (options_.virtual_clock != nullptr) return false;
  const Duration on_time{static_cast<std::int64_t>(static_cast<double>(kOnTime.us()) * options_.clock_speed)};
  return world_.clock.now() - at > std::max(profile_.cycle, on_time);
}

Result<void> Engine::decide(Timestamp at, bool sample) {
  const TimeSplit::Part part{*split_, "predict"};
  // After a pause the cycles that were missed are made up for: their examples count, but nobody was told anything then.
  const bool speaks = !late(at);
  Decision decision;
  decision.scratch.resize(schema_.size());

  for (std::size_t i = 0; i < market_.size(); ++i) {
    const InstrumentId id{static_cast<std::uint32_t>(i)};
    if (instruments_[id].context || instruments_[id].mirrors || !fresh(id, at)) continue;
    const InstrumentState& now = market_[id];
    if (!now.priced && needs_prices_) continue;  // its fields came first
    ExampleRow example{
        .instrument = id, .event_time = at, .known_at = at, .price = now.priced ? now.last.value() : kNaN};
    example.features.resize(schema_.size());
    schema_.fill(bank_, dense_ ? &dense_->bank() : nullptr, id, now, example.features);
    example.baseline.resize(layout_.total);
    const bool priced_sample = sample && now.priced;
    if (priced_sample) variance_->observe(id, at, now.last);

    for (auto& target : targets_) {
      if (priced_sample) target->baseline->observe(id, at, now.last);
      const std::span<double> baseline{example.baseline.data() + layout_.start[target->number],
                                       layout_.width[target->number]};
      target->baseline->predict(id, baseline);
      example.no_change.push_back(target->baseline->no_change(id));
      // A target that only looks on is scored at samples; in between nobody needs its word.
      if (speaks && (sample || target->number == acting_)) speak(*target, example, baseline, sample, decision);
    }
    if (!sample) continue;
    for (auto& target : targets_) EL_CHECK(target->labeller->open(id, at, now.last, flat_band(*target, id)));
    ++progress_.waiting;
    if (!first_example_) first_example_ = at;
    ++progress_.examples;
    if (recent_rows_) recent_rows_->add(example);
    ledger_.add(example);
    const TimeSplit::Part writing{*split_, "store"};
    EL_CHECK(store_.append(example));
  }
  return speaks ? act(at, decision) : Result<void>{};
}

// NaN, unknown, until the volatility is known.
double Engine::flat_band(const Target& target, InstrumentId id) const {
  const LabelSpec& label = target.profile->label;
  if (label.flat_volatility == 0) return label.flat;
  return label.flat_volatility * variance_->no_change(id) * std::sqrt(target.samples_per_horizon);
}

template <class Speaker>
Engine::Said Engine::said_by(const Speaker* speaker, const Target& target, const ExampleRow& example,
                             std::span<const double> baseline, std::span<float> scratch) const {
  Said said{std::vector<double>(baseline.size(), kNaN), std::vector<double>(baseline.size(), kNaN)};
  if (speaker != nullptr) {
    speaker->predict(example.features, scratch, said.model);
    if (!all_finite(said.model)) std::ranges::fill(said.model, kNaN);
  }
  target.blend.apply(said.model, baseline, example.price, said.acts);
  return said;
}

void Engine::speak(const Target& target, const ExampleRow& example, std::span<const double> baseline, bool sample,
                   Decision& decision) {
  const InstrumentId id = example.instrument;
  const Timestamp at = example.event_time;
  const auto usable = [&](const std::shared_ptr<const Predictor>& model) {
    return learning_ != Learning::Off && model && at < model->card().expires_at;
  };
  const auto champion = target.champion.get();
  std::shared_ptr<const Predictor> spoke;  // of an ensemble: none of its own, its members' words count
  Said said;
  std::string rung, bundle;
  const Ensemble* ensemble = learning_ != Learning::Off && at < target.ensemble_until ? target.ensemble.get() : nullptr;
  if (ensemble != nullptr) {
    said = said_by(ensemble, target, example, baseline, decision.scratch);
    if (all_finite(said.model)) {
      rung = "ensemble";
      bundle = ensemble->id();
    } else {
      ensemble = nullptr;
    }
  }
  if (ensemble == nullptr)
    for (const auto& [candidate, name] :
         {std::pair{champion, "champion"}, std::pair{target.previous, "previous champion"}}) {
      if (!usable(candidate)) continue;
      said = said_by(candidate.get(), target, example, baseline, decision.scratch);
      if (!all_finite(said.model)) continue;
      spoke = candidate;
      rung = name;
      bundle = candidate->id();
      break;
    }
  if (bundle.empty()) {
    said = said_by(static_cast<const Predictor*>(nullptr), target, example, baseline, decision.scratch);
    rung = all_finite(baseline) ? "baseline" : "none";
  }

  const bool classes = target.profile->task != Task::Regression;
  const auto row_of = [&](const Said& from) {
    PredictionRow row{.instrument = id,
                      .event_time = at,
                      .target = target.number,
                      .no_change = example.no_change.back(),
                      .price = example.price,
                      .rung = rung};
    row.model = classes ? winner(from.model) : from.model.front();
    row.baseline = classes ? winner(baseline) : baseline.front();
    row.blended = classes ? winner(from.acts) : from.acts.front();
    if (classes) row.probabilities = from.acts;
    return row;
  };
  PredictionRow row = row_of(said);
  if (!bundle.empty()) {
    row.bundle = bundle;
    ++progress_.predictions;
  }
  if (target.number != acting_) {
    decision.rows.push_back(std::move(row));
    return;
  }

  // The other stream: the fine-tune of the very model that spoke.
  std::optional<PredictionRow> tuned_row;
  Said tuned_said;
  if (spoke && tuned_ && tuned_->card().id == spoke->card().id) {
    tuned_said = said_by(tuned_.get(), target, example, baseline, decision.scratch);
    if (all_finite(tuned_said.model)) {
      tuned_row = row_of(tuned_said);
      tuned_row->bundle = tuned_->id();
      tuned_row->stream = Stream::Tuned;
    }
  }
  const bool tuned_serves = tuned_row && streams_.serving() == Stream::Tuned;
  row.served = !tuned_serves;
  if (tuned_row) tuned_row->served = tuned_serves;
  const std::vector<double>& acts = tuned_serves ? tuned_said.acts : said.acts;

  const InstrumentState& now = market_[id];
  const double steps = target.samples_per_horizon;
  const double deviation = variance_->no_change(id) * std::sqrt(steps);
  const auto expected = [&](std::span<const double> p) {
    if (!classes) return relative(target.profile->label, p.front(), example.price);
    if (!now.priced) return lead(p);
    return (p.back() - p.front()) * deviation * std::sqrt(2 / std::numbers::pi);
  };
  SignalInput input{.instrument = id, .price = example.price, .predicted = expected(acts)};
  if (now.bid) input.bid = now.bid->value();
  if (now.ask) input.ask = now.ask->value();
  input.traded = now.priced;
  input.half_spread = round_trip_cost(id, example.price);
  if (now.booked && !now.book.trusted) input.held = "untrusted book";
  if (now.booked && now.book.trusted && !(now.bid && now.ask)) input.held = "one-sided book";
  if (classes) input.probabilities = acts;
  if (spoke) input.outside_share = spoke->outside_share(example.features);
  if (ensemble != nullptr) input.outside_share = ensemble->outside_share(example.features);
  if (spoke && classes) input.set = spoke->prediction_set(acts);
  input.champion = rung == "champion" || rung == "ensemble";
  input.learning_active = learning_ != Learning::Off;
  PaperAccount::Decision paper{.price = example.price, .variance = deviation * deviation};
  paper.exit_at = target.labeller->window_end(at);
  if (paper.exit_at == Timestamp::max()) paper.exit_at = at + profile_.cycle * std::max(1, target.profile->label.bars);
  decision.inputs.push_back(input);
  decision.decisions.push_back(paper);
  input.predicted = expected(baseline);
  if (classes) input.probabilities.assign(baseline.begin(), baseline.end());
  input.learning_active = learning_ == Learning::Active;
  input.champion = true;  // its account trades the baseline as if it were one, over the same time
  input.outside_share = 0;
  if (classes && all_finite(baseline)) input.set = 1u << static_cast<std::uint32_t>(winner(baseline));
  decision.baseline_inputs.push_back(std::move(input));
  decision.baseline_decisions.push_back(paper);

  if (classes && !bundle.empty() && sample) {
    served_[{at, id}] = tuned_serves ? tuned_row->blended : row.blended;
    if (tunes()) streams_.remember(at, id, Stream::Base, row.blended);
    if (tuned_row) streams_.remember(at, id, Stream::Tuned, tuned_row->blended);
  }
  decision.served.push_back(decision.rows.size() + (tuned_serves ? 1 : 0));
  decision.rows.push_back(std::move(row));
  if (tuned_row) decision.rows.push_back(std::move(*tuned_row));
}

// Between samples a signal that goes on is the same one: it is told when it begins, turns round, or comes back.
bool Engine::tell_signal(InstrumentId id, int side, Timestamp at) {
  const bool each = profile_.sample.us() == 0 || profile_.sample <= profile_.cycle;
  if (each) return side != 0;
  if (side == 0) {
    signalled_.erase(id);
    return false;
  }
  const auto [known, began] = signalled_.try_emplace(id, side, at);
  auto& [last_side, last_at] = known->second;
  const bool goes_on = !began && last_side == side && at - last_at <= profile_.sample;
  known->second = {side, at};
  return !goes_on;
}

Result<void> Engine::act(Timestamp at, Decision& decision) {
  const double recent_accuracy = signals_.recent_accuracy();
  const auto signals = signals_.judge(at, decision.inputs);
  const auto baseline_signals = baseline_signals_.judge(at, decision.baseline_inputs);
  std::vector<PaperAccount::Decision> act, baseline_act;
  for (std::size_t i = 0; i < signals.size(); ++i) {
    PredictionRow& row = decision.rows[decision.served[i]];
    row.verdict = signals[i].filter;
    row.expected = decision.inputs[i].predicted;
    row.half_spread = signals[i].half_spread;
    row.outside_share = decision.inputs[i].outside_share;
    row.set = decision.inputs[i].set;
    row.recent_accuracy = recent_accuracy;
    row.measured = signals[i].measured;
    row.required = signals[i].required;
    decision.decisions[i].signal = signals[i];
    decision.baseline_decisions[i].signal = baseline_signals[i];
    const bool traded = decision.inputs[i].traded;  // without a price there is nothing to buy, but something to tell
    const int side = signals[i].passed ? signals[i].side : 0;
    const bool told = !tell_signal(row.instrument, side, at);
    if (signals[i].passed) {
      if (traded) act.push_back(decision.decisions[i]);
      if (!told)
        EL_CHECK(
            store_.append(signal_alert(*targets_[acting_]->profile, {.row = row,
                                                                     .instrument = instruments_[row.instrument].name,
                                                                     .side = signals[i].side,
                                                                     .until = decision.decisions[i].exit_at,
                                                                     .recent_rows = signals_.recent_count()})));
    }
    if (traded && baseline_signals[i].passed) baseline_act.push_back(decision.baseline_decisions[i]);
  }
  for (const PredictionRow& row : decision.rows) {
    ledger_.add(row);
    if (tunes() && row.target == acting_) streams_[row.stream].said(row);
    const TimeSplit::Part writing{*split_, "store"};
    EL_CHECK(store_.append(row));
  }
  progress_.signals = signals_.passed();
  return ask_accounts(at, act, baseline_act);
}

}  // namespace everlearn
