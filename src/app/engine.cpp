#include "app/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/system_clock.hpp"
#include "feature/stored_precision.hpp"

namespace everlearn {
namespace {

constexpr std::uint32_t kCheckpointVersion = 1;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kLiveEvents = 1'000;  // of one commit
constexpr double kLiveSeconds = 0.2;

// Sample steps within a label's horizon: how far a baseline scales its step figures.
int samples_per_horizon(const Profile& profile, const LabelSpec& label) {
  if (label.bars > 0) return label.bars;
  const Duration step = profile.sample.us() > 0 ? profile.sample : profile.cycle;
  if (label.sessions > 0) {
    const std::int64_t per_session = step.us() == 0 ? 1 : std::max<std::int64_t>(1, Duration::minutes(390) / step);
    return static_cast<int>(label.sessions * per_session);
  }
  return static_cast<int>(std::max<std::int64_t>(1, step.us() == 0 ? 1 : label.horizon / step));
}

LabelSpec volatility_over(const LabelSpec& label) {
  LabelSpec spec = label;
  spec.kind = LabelKind::RealisedVolatility;
  spec.unit = ReturnUnit::Relative;  // the volatility itself, not its logarithm
  return spec;
}

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

std::int64_t utc_day(Timestamp t) { return t.us() / Duration::days(1).us(); }

}  // namespace

std::string_view text(Learning learning) {
  switch (learning) {
    case Learning::Off:
      return "off";
    case Learning::Collecting:
      return "collecting";
    case Learning::Training:
      return "training";
    case Learning::Active:
      return "active";
  }
  return "?";
}

struct Engine::Target {
  Target(const TargetProfile& target, std::uint16_t index, std::unique_ptr<Baseline> base, TargetBlend mix)
      : profile{&target}, number{index}, baseline{std::move(base)}, blend{mix} {}

  const TargetProfile* profile;
  std::uint16_t number;
  std::unique_ptr<Labeller> labeller;
  std::unique_ptr<Baseline> baseline;
  TargetBlend blend;
  EffectiveCount effective;
  std::optional<Timestamp> latest_labelled;   // event_time
  Timestamp judged_until = Timestamp::min();  // latest hold-out row a verdict used
  HotSlot champion;
  std::shared_ptr<const Predictor> previous;  // next rung
};

struct Engine::TimeSplit {
  std::map<std::string, double>& seconds;
  Stopwatch run;
  double before = 0;  // of earlier processes that worked on this directory

  class Part {
   public:
    Part(TimeSplit& split, const char* name) : into_{split.seconds[name]} {}
    ~Part() { into_ += stopwatch_.seconds(); }
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;

   private:
    double& into_;
    Stopwatch stopwatch_;
  };
};

Engine::Engine(World world, const Profile& profile, const Calendar& calendar, Store& store, Source& source,
               Instruments& instruments, Options options, FeatureBank bank, SignalChain signals, PaperAccount account,
               JobSchedule schedule)
    : world_{world},
      profile_{profile},
      calendar_{calendar},
      store_{store},
      source_{source},
      instruments_{instruments},
      options_{std::move(options)},
      grid_{profile.cycle, calendar},
      layout_{profile},
      bank_{std::move(bank)},
      signals_{signals},
      baseline_signals_{std::move(signals)},
      account_{account},
      baseline_account_{std::move(account)},
      schedule_{std::move(schedule)},
      trainings_{world, profile, store},
      keeper_{store, profile.store_events},
      split_{std::make_unique<TimeSplit>(TimeSplit{progress_.split_seconds, {}, 0})} {}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::make(World world, const Profile& profile, const Calendar& calendar,
                                             Store& store, Source& source, Instruments& instruments, Options options) {
  const Duration step = profile.cycle.us() > 0 ? profile.cycle : Duration::days(1);
  EL_TRY(auto features, FeatureSet::choose(step, profile.features));
  EL_TRY(auto signals, SignalChain::make(profile.signal));
  EL_TRY(auto account, PaperAccount::make(profile.paper));
  EL_TRY(const auto rule, Rule::parse(profile.train_schedule, profile.train_zone));
  EL_TRY(auto schedule, JobSchedule::make({{.name = "train", .rule = rule}}, Timestamp{}));
  std::unique_ptr<Engine> engine{new Engine{world, profile, calendar, store, source, instruments, std::move(options),
                                            FeatureBank{std::move(features), calendar}, std::move(signals),
                                            std::move(account), std::move(schedule)}};
  for (std::size_t i = 0; i < profile.targets.size(); ++i) {
    const TargetProfile& target = profile.targets[i];
    const int steps = samples_per_horizon(profile, target.label);
    auto made = std::make_unique<Target>(
        target, static_cast<std::uint16_t>(i), make_baseline(target.label, steps, profile.probability),
        TargetBlend{target.blend_weight, target.label, profile.probability, profile.tick_size});
    EL_TRY(made->labeller, make_labeller(target.label, calendar));
    if (target.acts) engine->acting_ = i;
    engine->targets_.push_back(std::move(made));
  }
  const LabelSpec& acting = profile.targets[engine->acting_].label;
  engine->variance_ = make_baseline(volatility_over(acting), samples_per_horizon(profile, acting), profile.probability);
  if (!profile.learning) engine->learning_ = Learning::Off;

  EL_TRY(const auto saved, store.checkpoint());
  if (saved) EL_CHECK(engine->restore(*saved));
  EL_TRY(const auto registry, store.state("registry"));
  if (registry) {
    EL_TRY(engine->registry_, Registry::from_json(*registry));
  }
  // A hand may have changed these while no engine ran.
  EL_TRY(const auto by_hand, store.state("learning"));
  if (by_hand && *by_hand == "off") engine->learning_ = Learning::Off;
  EL_CHECK(engine->load_champions());
  const bool champion = engine->targets_[engine->acting_]->champion.get() != nullptr;
  if (by_hand && *by_hand == "on" && engine->learning_ == Learning::Off)
    engine->learning_ = champion ? Learning::Active : Learning::Collecting;
  if (champion && engine->learning_ != Learning::Off) engine->learning_ = Learning::Active;  // promoted by hand
  EL_CHECK(engine->meet_imported_instruments());
  engine->committed_position_ = source.position();
  return engine;
}

// --- running ---------------------------------------------------------------------------------------------------------

Result<void> Engine::run_to_end() {
  progress_.finished = false;
  while (true) {
    committed_position_ = source_.position();
    std::optional<Event> event;
    {
      const TimeSplit::Part part{*split_, "read"};
      EL_TRY(event, source_.next());
    }
    if (!event) break;
    while (next_cycle_ && event->known_at > *next_cycle_) EL_CHECK(cycle(*next_cycle_));
    EL_CHECK(take(*event));
  }
  committed_position_ = source_.position();
  progress_.finished = true;
  return commit();
}

Result<Engine::LiveStep> Engine::run_until_now() {
  const Stopwatch stopwatch;
  const Timestamp now = world_.clock.now();
  const std::int64_t cycles_before = progress_.cycles, trainings_before = trainings_done_;
  LiveStep step;
  const auto enough = [&] { return step.events >= kLiveEvents || stopwatch.seconds() >= kLiveSeconds; };
  const auto run_cycles_before = [&](Timestamp time) -> Result<void> {
    while (next_cycle_ && time > *next_cycle_ && !step.more) {
      EL_CHECK(cycle(*next_cycle_));
      step.more = enough();
    }
    return {};
  };
  progress_.finished = false;
  while (!step.more) {
    if (!in_hand_) {
      committed_position_ = source_.position();
      EL_TRY(in_hand_, source_.next());
      if (!in_hand_) break;
    }
    EL_CHECK(run_cycles_before(in_hand_->known_at));
    if (step.more) break;  // the event stays in hand, and the committed position before it
    EL_CHECK(take(*in_hand_));
    in_hand_.reset();
    ++step.events;
    step.more = enough();
  }
  if (!in_hand_) committed_position_ = source_.position();
  if (!step.more) EL_CHECK(run_cycles_before(now));
  // Between cycles that may be a day apart: trainings that ended, and what a hand asked for.
  if (trainings_.running()) EL_CHECK(finish_trainings(now, false));
  const bool by_hand = !requested_training_.empty() && !trainings_.running();
  if (by_hand) EL_CHECK(train_if_due(now));
  step.cycles = progress_.cycles - cycles_before;
  if (step.events > 0 || step.cycles > 0 || by_hand || trainings_done_ != trainings_before) EL_CHECK(commit());
  return step;
}

Result<void> Engine::take(const Event& event) {
  ++progress_.events;
  if (!next_cycle_) next_cycle_ = grid_.at_or_after(event.known_at);
  EL_CHECK(market_.apply(event));
  for (auto& target : targets_) target->labeller->observe(event);
  for (const FillRow& fill : account_.observe(event, market_)) {
    EL_CHECK(store_.append(fill));
    ledger_.add(fill);
    ++progress_.fills;
    if (fill.reason == "entry") EL_CHECK(store_.update_intent(fill.intent, "filled", fill.reason));
  }
  baseline_account_.observe(event, market_);
  return keep(event);
}

Result<void> Engine::keep(const Event& event) {
  const TimeSplit::Part part{*split_, "store"};
  note_coverage(store_.coverage(), profile_, calendar_, grid_, event);
  return keeper_.keep(event);
}

// --- one cycle -------------------------------------------------------------------------------------------------------

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
      signals_.matured(served->second == label.value);
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
        const double steps = samples_per_horizon(profile_, target->profile->label);
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

  const auto signals = signals_.judge(at, inputs);
  const auto baseline_signals = baseline_signals_.judge(at, baseline_inputs);
  std::vector<PaperAccount::Decision> act, baseline_act;
  for (std::size_t i = 0; i < signals.size(); ++i) {
    rows[acting_row[i]].verdict = signals[i].filter;
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

// --- learning --------------------------------------------------------------------------------------------------------

Result<std::optional<std::string>> Engine::training_reason(Timestamp at) {
  if (!requested_training_.empty()) return std::optional{std::exchange(requested_training_, {})};
  const std::vector<DueJob> due = schedule_.due(at);
  for (const DueJob& job : due) EL_CHECK(schedule_.mark_run(job.name, job.period_start));
  if (learning_ == Learning::Off) return std::optional<std::string>{};
  if (learning_ == Learning::Collecting) {
    if (profile_.auto_enable == 0 || progress_.effective < profile_.auto_enable) return std::optional<std::string>{};
    learning_ = Learning::Training;
    return std::optional{fmt::format("auto-enable: {} effective labelled examples", progress_.effective)};
  }
  if (!due.empty()) return std::optional{fmt::format("schedule: {}", profile_.train_schedule)};

  if (!profile_.train_max_age && !profile_.train_min_sharpe) return std::optional<std::string>{};
  const auto champion = targets_[acting_]->champion.get();
  const TriggerLimits limits{
      .age = profile_.train_max_age, .sharpe = profile_.train_min_sharpe, .gap_min = profile_.train_min_gap};
  TriggerInputs inputs;
  if (champion) inputs.model_age = at - champion->card().trained_at;
  if (last_training_) inputs.since_last_triggered = at - *last_training_;
  inputs.sharpe = recent_returns_.sharpe(profile_.calendar == "24/7" ? 365 : 252);
  inputs.sharpe_sessions = recent_returns_.days();
  const TriggerDecision decision = decide_training(limits, inputs);
  if (decision.train) return std::optional{"trigger: " + decision.reason};
  return std::optional<std::string>{};
}

Trainings::Place Engine::place() const {
  Trainings::Place place{options_.data_directory, options_.trainer, bank_.set().columns(), bank_.set().hash(), {}};
  for (std::size_t i = 0; i < instruments_.size(); ++i)
    place.markets.push_back(instruments_[InstrumentId{static_cast<std::uint32_t>(i)}].market);
  return place;
}

Result<void> Engine::train_if_due(Timestamp at) {
  if (trainings_.running()) EL_CHECK(finish_trainings(at, false));
  if (trainings_.running()) return {};
  EL_TRY(const auto reason, training_reason(at));
  if (!reason) return {};
  const TimeSplit::Part part{*split_, "training"};
  EL_CHECK(name_instruments());
  for (auto& target : targets_) {
    if (!target->latest_labelled) continue;
    TrainingRequest request;
    request.target = target->number;
    request.plan = plan_training(profile_, at, *first_example_, *target->latest_labelled);
    request.reason = *reason;
    request.judged_until = target->judged_until;
    EL_CHECK(trainings_.start(request, place()));
  }
  last_training_ = at;
  training_for_ = *reason;
  return finish_trainings(at, options_.virtual_clock != nullptr);
}

Result<void> Engine::finish_trainings(Timestamp at, bool wait) {
  // A champion past its expiry acts no longer: what a candidate has to beat then is the baseline that speaks instead.
  std::vector<std::shared_ptr<const Predictor>> champions;
  for (const auto& target : targets_) {
    const auto champion = target->champion.get();
    champions.push_back(champion && at < champion->card().expires_at ? champion : nullptr);
  }
  EL_TRY(const auto outcomes, trainings_.collect(wait, place(), registry_, champions));
  for (const TrainingOutcome& outcome : outcomes) {
    Target& target = *targets_[outcome.request.target];
    target.judged_until = std::max(target.judged_until, outcome.verdict.holdout_last);
    ++progress_.trainings;
    VerdictRow row{.target = target.number,
                   .bundle = outcome.bundle,
                   .champion_before = outcome.champion_before,
                   .as_of = outcome.request.plan.as_of,
                   .outcome = std::string{text(outcome.verdict.outcome)},
                   .reason = outcome.request.reason,
                   .json = training_json(outcome)};
    EL_TRY(const std::int64_t verdict, store_.append(row));
    ledger_.add_verdict(target.number, outcome.bundle, outcome.champion_before, row.as_of, row.outcome,
                        outcome.verdict.canonical());
    if (outcome.result) {
      progress_.split_seconds["training: data preparation"] +=
          outcome.result->read_seconds + outcome.result->prepare_seconds;
      progress_.split_seconds["training: LightGBM"] += outcome.result->train_seconds;
    }
    progress_.split_seconds["training: gate"] += outcome.gate_seconds;
    if (outcome.bundle.empty()) continue;
    Card card = outcome.predictor->card();
    card.verdict = outcome.verdict;
    EL_CHECK(write_card(world_.fs, options_.data_directory + "/models", card));
    const bool promoted = outcome.verdict.outcome == Outcome::Promoted;
    if (registry_.find(outcome.bundle) == nullptr)
      registry_.add({.id = outcome.bundle,
                     .target = target.profile->name,
                     .state = promoted ? ModelState::Candidate : ModelState::Refused,
                     .trained_at = card.trained_at,
                     .seen_until = card.seen_until,
                     .verdict = verdict,
                     .summary = outcome.verdict.reason});
    if (promoted) {
      ++progress_.promoted;
      promotions_.push_back({target.number, outcome.bundle, at + std::max(profile_.train_delay, Duration{1})});
    }
  }
  if (!outcomes.empty()) {
    ++trainings_done_;
    EL_CHECK(save_registry());
  }
  return {};
}

Result<void> Engine::take_effect(Timestamp at) {
  for (const Promotion& promotion : std::exchange(promotions_, {})) {
    if (promotion.at > at) {
      promotions_.push_back(promotion);
      continue;
    }
    const std::string& target = profile_.targets[promotion.target].name;
    if (const auto pinned = registry_.pinned_target(target); pinned && *pinned != promotion.bundle) {
      EL_CHECK(store_.note(at, "promotion held",
                           fmt::format("{}: {} passed, but {} is pinned by hand", target,
                                       promotion.bundle.substr(0, 12), pinned->substr(0, 12))));
      continue;
    }
    EL_CHECK(promote(promotion.target, promotion.bundle, at, false));
  }
  return {};
}

Result<void> Engine::promote(std::uint16_t number, const std::string& bundle, Timestamp at, bool by_hand) {
  EL_CHECK(registry_.promote(bundle, at, by_hand));
  EL_CHECK(load_champions());
  if (number == acting_ && learning_ != Learning::Off) {
    if (learning_ != Learning::Active) EL_CHECK(store_.note(at, "learning", "active: the first model passed the gate"));
    learning_ = Learning::Active;
  }
  EL_CHECK(store_.note(at, by_hand ? "promoted by hand" : "promoted",
                       fmt::format("{}: {}", profile_.targets[number].name, bundle)));
  for (const std::string& id : registry_.prunable(profile_.models_bytes)) {
    EL_CHECK(strip_bundle(world_.fs, options_.data_directory + "/models", id));
    registry_.edit(id)->whole = false;
  }
  return save_registry();
}

Result<void> Engine::load_champions() {
  const std::string models = options_.data_directory + "/models";
  const auto columns = bank_.set().columns();
  for (auto& target : targets_) {
    const std::string& name = target->profile->name;
    std::vector<std::string> line = registry_.previous_champions(name);
    if (const auto champion = registry_.champion(name)) line.insert(line.begin(), *champion);
    if (line.empty()) continue;
    const auto current = target->champion.get();
    if (current && current->card().id == line.front()) continue;
    if (current && line.size() > 1 && current->card().id == line[1]) target->previous = current;
    target->champion.swap(nullptr);
    for (const std::string& id : line) {
      auto bundle = load_bundle(world_.fs, models, id);
      auto predictor = bundle ? Predictor::bind(std::move(*bundle), columns)
                              : Result<std::shared_ptr<const Predictor>>{tl::unexpected<Error>(bundle.error())};
      if (!predictor) {  // the next rung: nothing unverified acts
        EL_CHECK(store_.note(world_.clock.now(), "model refused at load", predictor.error().message));
        continue;
      }
      if (id == line.front()) {
        target->champion.swap(*predictor);
        progress_.champions[name] = id;
        if (target->previous) break;
        continue;
      }
      target->previous = *predictor;
      break;
    }
  }
  return {};
}

// `data import` may have named instruments that no source has shown yet: their ids are taken.
Result<void> Engine::meet_imported_instruments() {
  EL_TRY(const auto saved, store_.state("imported instruments"));
  if (!saved) return {};
  ByteReader in{*saved};
  EL_TRY(const Instruments imported, Instruments::decode(in));
  for (std::size_t i = instruments_.size(); i < imported.size(); ++i) {
    const Instrument& from = imported[InstrumentId{static_cast<std::uint32_t>(i)}];
    instruments_.edit(instruments_.intern(from.name)) = from;
  }
  return {};
}

// Names for people who read the lake; part of the open transaction.
Result<void> Engine::name_instruments() {
  if (named_instruments_ == instruments_.size()) return {};
  named_instruments_ = instruments_.size();
  std::string names;
  for (std::size_t i = 0; i < instruments_.size(); ++i)
    names += instruments_[InstrumentId{static_cast<std::uint32_t>(i)}].name + "\n";
  return store_.put_state("instruments", names);
}

Result<void> Engine::save_registry() {
  pointers_stale_ = true;
  return store_.put_state("registry", registry_.to_json());
}

// --- by hand ---------------------------------------------------------------------------------------------------------

Result<void> Engine::request_training(const std::string& reason) {
  requested_training_ = reason;
  return store_.note(world_.clock.now(), "training requested", reason);
}

Result<void> Engine::train_now(const std::string& reason) {
  const Timestamp at = progress_.last_cycle.value_or(world_.clock.now());
  EL_CHECK(request_training(reason));
  EL_CHECK(train_if_due(at));
  EL_CHECK(finish_trainings(at, true));
  EL_CHECK(take_effect(at + std::max(profile_.train_delay, Duration{1})));
  return commit();
}

Result<void> Engine::set_learning(bool on) {
  learning_ = !on ? Learning::Off : targets_[acting_]->champion.get() ? Learning::Active : Learning::Collecting;
  EL_CHECK(store_.put_state("learning", on ? "on" : "off"));
  return store_.note(world_.clock.now(), "learning", on ? "on by hand" : "off by hand");
}

Result<std::string> Engine::rollback_model(const std::string& target, const std::string& id) {
  EL_TRY(const std::string now_serving, registry_.rollback(target, id, world_.clock.now()));
  EL_CHECK(load_champions());
  EL_CHECK(save_registry());
  EL_CHECK(store_.note(world_.clock.now(), "rolled back by hand", target + ": " + now_serving));
  return now_serving;
}

Result<void> Engine::promote_model(const std::string& id) {
  const ModelEntry* entry = registry_.find(id);
  if (entry == nullptr) return fail(Code::NotFound, fmt::format("no model {}", id));
  for (std::uint16_t i = 0; i < targets_.size(); ++i)
    if (targets_[i]->profile->name == entry->target) return promote(i, entry->id, world_.clock.now(), true);
  return fail(Code::NotFound,
              fmt::format("model {} is of target {}, which the profile does not have", id, entry->target));
}

Result<void> Engine::unpin_target(const std::string& target) {
  registry_.unpin_target(target);
  EL_CHECK(store_.note(world_.clock.now(), "unpinned by hand", target));
  return save_registry();
}

Result<void> Engine::pin_model(const std::string& id, bool pinned) {
  EL_CHECK(registry_.pin(id, pinned));
  EL_CHECK(store_.note(world_.clock.now(), pinned ? "pinned by hand" : "unpinned by hand", id));
  return save_registry();
}

// --- durability ------------------------------------------------------------------------------------------------------

Result<void> Engine::commit() {
  {
    const TimeSplit::Part part{*split_, "store"};
    EL_CHECK(name_instruments());
    progress_.learning = text(learning_);
    progress_.last_training = last_training_;
    for (const JobState& job : schedule_.states(progress_.last_cycle.value_or(Timestamp{})))
      if (job.last_period) progress_.last_periods[job.name] = job.last_period->us();
    progress_.stopped = signals_.stopped();
    progress_.ledger_sha256 = ledger_.sha256();
    progress_.wall_seconds = split_->before + split_->run.seconds();
    progress_.fraction = source_.progress();
    EL_CHECK(store_.put_state("progress", progress_.to_json()));
    EL_CHECK(store_.commit(checkpoint()));
    const Timestamp now = progress_.last_cycle.value_or(world_.clock.now());
    EL_CHECK(store_.seal_due(now));
    EL_CHECK(housekeeping(now));
  }
  if (pointers_stale_) {
    for (const auto& target : targets_)
      if (const auto champion = registry_.champion(target->profile->name))
        EL_CHECK(write_pointer(world_.fs, options_.data_directory + "/models", target->profile->name, *champion));
    pointers_stale_ = false;
  }
  if (options_.on_progress) options_.on_progress(progress_);
  return {};
}

// Only retention deletes, whole segments, and it says what. A changed setting that would remove more than 1 % waits for
// a hand (`data retain --confirm`).
Result<void> Engine::housekeeping(Timestamp now) {
  if (utc_day(now) == last_retention_day_) return {};
  last_retention_day_ = utc_day(now);
  if (profile_.retention.us() == 0 && profile_.retention_bytes == 0) return {};
  const std::string setting = fmt::format("{} {}", profile_.retention.text(), profile_.retention_bytes);
  EL_TRY(const auto confirmed, store_.state("retention"));
  const Timestamp keep_from = profile_.retention.us() > 0 ? now - profile_.retention : Timestamp::min();
  EL_TRY(const auto plan, store_.plan_retention(keep_from, profile_.retention_bytes));
  if (confirmed && *confirmed != setting && plan.rows * 100 > plan.rows_total)
    return store_.note(now, "retention waits",
                       fmt::format("{} of {} rows would go: data retain --confirm", plan.rows, plan.rows_total));
  if (!confirmed || *confirmed != setting) {
    EL_CHECK(store_.put_state("retention", setting));
    EL_CHECK(store_.commit_state());
  }
  if (plan.segments.empty()) return {};
  return store_.retain(plan, now);
}

std::string Engine::checkpoint() const {
  ByteWriter out;
  out.u32(kCheckpointVersion);
  out.text(committed_position_);
  instruments_.encode(out);
  market_.encode(out);
  bank_.encode(out);
  for (const auto& target : targets_) {
    target->labeller->encode(out);
    target->baseline->encode(out);
    target->effective.encode(out);
    out.boolean(target->latest_labelled.has_value());
    out.time(target->latest_labelled.value_or(Timestamp{}));
    out.time(target->judged_until);
  }
  variance_->encode(out);
  signals_.encode(out);
  baseline_signals_.encode(out);
  account_.encode(out);
  baseline_account_.encode(out);
  ledger_.encode(out);
  out.text(schedule_.encode());
  recent_returns_.encode(out);
  for (const std::uint64_t word : world_.rng.state()) out.u64(word);
  out.u8(static_cast<std::uint8_t>(learning_));
  out.boolean(next_cycle_.has_value());
  out.time(next_cycle_.value_or(Timestamp{}));
  out.boolean(first_example_.has_value());
  out.time(first_example_.value_or(Timestamp{}));
  out.boolean(last_training_.has_value());
  out.time(last_training_.value_or(Timestamp{}));
  out.i64(next_intent_);
  out.i64(trainings_done_);
  out.i64(last_equity_day_);
  // A training that a restart interrupts is asked for again; in a simulation none runs here.
  out.text(trainings_.running() && requested_training_.empty() ? training_for_ : requested_training_);
  out.u32(static_cast<std::uint32_t>(promotions_.size()));
  for (const Promotion& promotion : promotions_) {
    out.u32(promotion.target);
    out.text(promotion.bundle);
    out.time(promotion.at);
  }
  out.u32(static_cast<std::uint32_t>(served_.size()));
  for (const auto& [key, value] : served_) {
    out.time(key.first);
    out.u32(static_cast<std::uint32_t>(key.second));
    out.f64(value);
  }
  keeper_.encode(out);
  out.text(progress_.to_json());
  return out.take();
}

Result<void> Engine::restore(std::string_view saved) {
  ByteReader in{saved};
  if (const auto version = in.u32(); version != kCheckpointVersion)
    return fail(Code::Damaged,
                fmt::format("checkpoint version {}, this program reads {}", version, kCheckpointVersion));
  const std::string position = in.text();
  EL_TRY(instruments_, Instruments::decode(in));
  EL_TRY(market_, MarketState::decode(in));
  EL_CHECK(bank_.decode(in));
  for (auto& target : targets_) {
    EL_CHECK(target->labeller->decode(in));
    EL_CHECK(target->baseline->decode(in));
    EL_CHECK(target->effective.decode(in));
    const bool labelled = in.boolean();
    const Timestamp latest = in.time();
    if (labelled) target->latest_labelled = latest;
    target->judged_until = in.time();
  }
  EL_CHECK(variance_->decode(in));
  EL_CHECK(signals_.decode(in));
  EL_CHECK(baseline_signals_.decode(in));
  EL_CHECK(account_.decode(in));
  EL_CHECK(baseline_account_.decode(in));
  EL_CHECK(ledger_.decode(in));
  EL_CHECK(schedule_.decode(in.text()));
  EL_CHECK(recent_returns_.decode(in));
  Rng::State random;
  for (std::uint64_t& word : random) word = in.u64();
  world_.rng.restore(random);
  learning_ = static_cast<Learning>(in.u8());
  const auto optional_time = [&in]() -> std::optional<Timestamp> {
    const bool there = in.boolean();
    const Timestamp t = in.time();
    return there ? std::optional{t} : std::nullopt;
  };
  next_cycle_ = optional_time();
  first_example_ = optional_time();
  last_training_ = optional_time();
  next_intent_ = in.i64();
  trainings_done_ = in.i64();
  last_equity_day_ = in.i64();
  requested_training_ = in.text();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    Promotion promotion{};
    promotion.target = static_cast<std::uint16_t>(in.u32());
    promotion.bundle = in.text();
    promotion.at = in.time();
    promotions_.push_back(std::move(promotion));
  }
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const Timestamp t = in.time();
    const InstrumentId id{in.u32()};
    served_[{t, id}] = in.f64();
  }
  keeper_.decode(in);
  const std::string progress = in.text();
  EL_CHECK(in.finish("checkpoint"));
  EL_TRY(progress_, Progress::from_json(progress));
  split_->before = progress_.wall_seconds;
  return source_.seek(position);
}

}  // namespace everlearn
