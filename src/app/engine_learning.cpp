// Learning: why and when to train, what becomes of a verdict, which models serve.
#include <fmt/format.h>

#include <algorithm>

#include "app/engine_parts.hpp"
#include "app/learner_settings.hpp"
#include "app/occasions.hpp"
#include "core/json.hpp"

namespace everlearn {
namespace {

// A model has recovered from poor accuracy this far above the limit; on it, chance alone would cross it again and
// again.
constexpr double kRecovered = 0.05;
constexpr const char* kAutoEnabled = "auto-enable";
constexpr const char* kOffBySettings = "off by settings";
constexpr double kValidated = 0.45;  // of the newest 200 unseen rows, where the profile names no limit

}  // namespace

Result<std::optional<std::string>> Engine::training_reason(Timestamp at) {
  if (!requested_.reason.empty()) return std::optional{requested_.reason};
  EL_TRY(const bool due, options_.trains ? take_due("train", at) : Result<bool>{false});
  if (learning_ == Learning::Off) return std::optional<std::string>{};
  if (learning_ == Learning::Collecting) {
    if (!options_.trains) return std::optional<std::string>{};
    const bool enabled = profile_.train_enabled.value_or(false);
    if (!enabled && (profile_.auto_enable == 0 || progress_.effective < profile_.auto_enable))
      return std::optional<std::string>{};
    if (enabled && progress_.effective < profile_.min_effective) return std::optional<std::string>{};
    learning_ = Learning::Training;
    enabled_itself_ = !enabled;
    return std::optional{fmt::format("{}: {} effective labelled examples", enabled ? "first training" : "auto-enable",
                                     progress_.effective)};
  }
  if (due) return std::optional{fmt::format("schedule: {}", profile_.train_schedule)};
  if (auto reason = poor_accuracy(at)) {
    EL_CHECK(store_.append(accuracy_alert(
        *targets_[acting_]->profile,
        {.at = at,
         .model = poor_model_,
         .rows = signals_.recent_count(),
         .accuracy = signals_.recent_accuracy(),
         .majority = signals_.recent_majority(),
         .least = *profile_.train_min_recent_accuracy,
         .now = signals_.rules().min_recent_accuracy ? "a model is trained from scratch; no signals while it is so"
                                                     : "a model is trained from scratch"})));
    return std::optional{std::move(*reason)};
  }

  if (!options_.trains || (!profile_.train_max_age && !profile_.train_min_sharpe)) return std::optional<std::string>{};
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

Result<bool> Engine::take_due(const std::string& job, Timestamp at) {
  bool begun = false;
  for (const DueJob& due : schedule_.due(at)) {
    if (due.name != job) continue;
    begun = true;
    EL_CHECK(schedule_.mark_run(due.name, due.period_start));
  }
  return begun;
}

// What was served is right too seldom: from scratch, once for a model until it has recovered, and not too often.
std::optional<std::string> Engine::poor_accuracy(Timestamp at) {
  // A new model is not blamed for what the one before it said.
  if (!profile_.train_min_recent_accuracy || own_matured_ < signals_.rules().recent_rows) return std::nullopt;
  const auto champion = targets_[acting_]->champion.get();
  const double short_of = *profile_.train_min_recent_accuracy - signals_.recent_accuracy();
  if (short_of <= -kRecovered) poor_model_.clear();
  if (short_of <= 0) return std::nullopt;
  if (!champion || poor_model_ == champion->card().id) return std::nullopt;
  if (last_training_ && at - *last_training_ < profile_.train_recent_gap) return std::nullopt;
  poor_model_ = champion->card().id;
  return fmt::format(
      "from scratch: {:.1f} % of the last {} predictions served were right, under {:.1f} % (always saying "
      "one class: {:.1f} %)",
      100 * signals_.recent_accuracy(), signals_.recent_count(), 100 * *profile_.train_min_recent_accuracy,
      100 * signals_.recent_majority());
}

// By hand, or by the week that the profile's scaling is in.
Engine::RowsWanted Engine::rows_wanted(Timestamp at, std::int64_t asked) const {
  if (asked > 0) return {asked, "by hand: "};
  if (profile_.scaling.first == 0) return {};
  const std::int64_t period = scaling_period(profile_.scaling, progress_.scaling_start.value_or(at), at);
  return {scaling_rows(profile_.scaling, period), fmt::format("scaling, period {}: ", period)};
}

Trainings::Place Engine::place() const {
  Trainings::Place place{options_.data_directory, options_.trainer, schema_.columns(), schema_.hash(), {}};
  for (std::size_t i = 0; i < instruments_.size(); ++i)
    place.markets.push_back(instruments_[InstrumentId{static_cast<std::uint32_t>(i)}].market);
  return place;
}

// On a fast clock the child's real time means nothing: a training is done when the delay says so, as in a simulation.
bool Engine::in_step() const { return options_.virtual_clock == nullptr && options_.clock_speed != 1; }

Result<void> Engine::finish_trainings_in_step(Timestamp at) {
  if (!in_step() || !trainings_.running() || at < *last_training_ + std::max(profile_.train_delay, Duration{1}))
    return {};
  return finish_trainings(at, true);
}

Result<void> Engine::train_if_due(Timestamp at) {
  if (late(at)) return {};
  if (trainings_.running() && !in_step()) EL_CHECK(finish_trainings(at, false));
  if (trainings_.running()) return {};
  EL_TRY(const auto reason, training_reason(at));
  if (!reason) return {};
  const TimeSplit::Part part{*split_, "training"};
  EL_CHECK(name_instruments());
  training_ = std::exchange(requested_, {});
  training_.reason = *reason;
  if (!progress_.scaling_start) progress_.scaling_start = profile_.scaling_start.value_or(at);
  for (auto& target : targets_) {
    if (!target->latest_labelled) continue;
    TrainingRequest request;
    request.target = target->number;
    request.reason = *reason;
    Timestamp first = *first_example_;
    if (const RowsWanted wanted = rows_wanted(at, training_.rows); wanted.rows > 0) {
      EL_TRY(const NewestRows newest,
             newest_labelled(store_, target->number, at, first, *target->latest_labelled, wanted.rows));
      first = newest.from;
      request.rows_wanted = wanted.rows;
      request.rows_there = newest.rows;
      request.reason +=
          fmt::format("; {}{} rows wanted, {}", wanted.words, wanted.rows,
                      newest.rows < wanted.rows ? fmt::format("only {} there", newest.rows) : "all there");
    }
    if (!training_.params.empty()) {
      EL_TRY(request.params, with_settings(target->profile->learner, training_.params));
      request.reason += fmt::format("; with {}", fmt::join(training_.params, ", "));
    }
    request.plan = plan_training(profile_, at, first, *target->latest_labelled);
    request.judged_until = target->judged_until;
    if (training_.validate && target->profile->task != Task::Regression)
      request.also_require.push_back({"accuracy_recent_200", profile_.train_min_recent_accuracy.value_or(kValidated)});
    EL_CHECK(trainings_.start(request, place()));
  }
  last_training_ = at;
  if (in_step()) return {};
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
    EL_CHECK(store_.append(
        training_alert(*target.profile,
                       {.as_of = row.as_of,
                        .reason = outcome.request.reason,
                        .bundle = outcome.bundle,
                        .champion_before = outcome.champion_before,
                        .rows_used = outcome.result ? outcome.result->rows_fit + outcome.result->rows_stop : 0,
                        .rows_wanted = outcome.request.rows_wanted,
                        .rows_there = outcome.request.rows_there},
                       outcome.verdict)));
    progress_.split_seconds["training: gate"] += outcome.gate_seconds;
    if (outcome.bundle.empty()) continue;
    Card card = outcome.predictor->card();
    card.verdict = outcome.verdict;
    EL_CHECK(write_card(world_.fs, options_.data_directory + "/models", card));
    const bool promoted = outcome.verdict.outcome == Outcome::Promoted;
    EL_TRY(const std::uint64_t bytes, bundle_bytes(world_.fs, options_.data_directory + "/models", outcome.bundle));
    if (registry_.find(outcome.bundle) == nullptr)
      registry_.add({.id = outcome.bundle,
                     .target = target.profile->name,
                     .state = promoted ? ModelState::Candidate : ModelState::Refused,
                     .trained_at = card.trained_at,
                     .seen_until = card.seen_until,
                     .verdict = verdict,
                     .summary = outcome.verdict.reason,
                     .bytes = bytes});
    if (promoted) {
      ++progress_.promoted;
      const Timestamp due = row.as_of + std::max(profile_.train_delay, Duration{1});
      promotions_.push_back({target.number, outcome.bundle, in_step() ? due : std::max(due, at + Duration{1})});
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
  EL_CHECK(load_ensembles(at));
  if (number == acting_) begin_reign(at);
  if (number == acting_ && learning_ != Learning::Off) {
    if (learning_ != Learning::Active) EL_CHECK(store_.note(at, "learning", "active: the first model passed the gate"));
    learning_ = Learning::Active;
    if (std::exchange(enabled_itself_, false) && !by_hand) EL_CHECK(tell_auto_enable(at));
  }
  EL_CHECK(store_.note(at, by_hand ? "promoted by hand" : "promoted",
                       fmt::format("{}: {}", profile_.targets[number].name, bundle)));
  for (const std::string& id : registry_.prunable(profile_.models_bytes)) {
    EL_CHECK(strip_bundle(world_.fs, options_.data_directory + "/models", id));
    registry_.edit(id)->whole = false;
  }
  return save_registry();
}

// Once in the life of a directory. What is done beside the state (a settings file of an older system) may fail: the
// state is what counts.
Result<void> Engine::tell_auto_enable(Timestamp at) {
  EL_TRY(const auto fired, store_.state(kAutoEnabled));
  if (fired) return {};
  std::string words = fmt::format("{} labelled examples, the first model passed the gate", progress_.effective);
  std::string file = "none";
  if (options_.on_auto_enable) {
    const auto done = options_.on_auto_enable();
    file = done ? (done->empty() ? "none" : "written") : "failed";
    if (done && !done->empty()) words += "; " + *done;
    if (!done) words += "; " + done.error().message;
  }
  EL_CHECK(store_.put_state(kAutoEnabled, JsonOut{}.put("at", at).put("file", file).text()));
  progress_.auto_enabled = at;
  return store_.note(at, "auto-enable", words);
}

// The file said yes after learning had been switched on by itself; whoever set it back to no meant it.
Result<void> Engine::heed_settings_file() {
  EL_TRY(const auto now, store_.state("learning"));
  const bool off_by_file = now && *now == kOffBySettings;
  if (profile_.train_enabled.value_or(false)) {
    if (!off_by_file) return {};
    EL_CHECK(store_.put_state("learning", "on"));
    return store_.note(world_.clock.now(), "learning", "on by hand: the settings say so");
  }
  EL_TRY(const auto fired, store_.state(kAutoEnabled));
  if (!fired || !profile_.train_enabled || (now && *now != "on")) return {};
  EL_TRY(JsonIn in, JsonIn::parse(*fired));
  std::string file;
  in.get("file", file);
  if (file != "written") return {};
  EL_CHECK(store_.put_state("learning", kOffBySettings));
  return store_.note(world_.clock.now(), "learning", "off by hand: the settings say so again");
}

Result<void> Engine::load_champions() {
  const std::string models = options_.data_directory + "/models";
  const auto& columns = schema_.columns();
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

// Made again when a champion changes and when the first of its members expires.
Result<void> Engine::load_ensembles(Timestamp at) {
  if (!profile_.ensemble) return {};
  const std::string models = options_.data_directory + "/models";
  for (auto& target : targets_) {
    target->ensemble.reset();
    target->ensemble_until = Timestamp::max();
    const std::string& name = target->profile->name;
    std::vector<std::shared_ptr<const Predictor>> members;
    for (const std::string& id :
         ensemble_candidates(registry_, name, static_cast<std::size_t>(profile_.ensemble_size))) {
      auto bundle = load_bundle(world_.fs, models, id);
      if (!bundle) continue;  // said where champions are loaded
      auto predictor = Predictor::bind(std::move(*bundle), schema_.columns());
      if (predictor && at < (*predictor)->card().expires_at) members.push_back(*std::move(predictor));
      if (members.empty()) break;  // without the champion there is none
    }
    if (members.empty()) continue;
    EL_TRY(target->ensemble, Ensemble::make(members));
    target->ensemble_until = target->ensemble->expires_at();
    EL_CHECK(store_.note(at, "ensemble", fmt::format("{}: {}", name, target->ensemble->text())));
  }
  return {};
}

// The champion of the registry should speak. Told once for a model and what speaks instead (the alert's key).
Result<void> Engine::tell_fall_back(Timestamp at) {
  const Target& target = *targets_[acting_];
  const auto should = registry_.champion(target.profile->name);
  if (!should || learning_ == Learning::Off || late(at)) return {};
  const auto champion = target.champion.get();
  const bool expired = champion && at >= champion->card().expires_at;
  if (champion && !expired) {
    fallen_back_.clear();
    return {};
  }
  const bool previous = target.previous && at < target.previous->card().expires_at;
  FallBackOccasion occasion{
      .at = at,
      .model = *should,
      .rung = previous                           ? "previous champion"
              : profile_.signal.baseline_may_act ? "baseline"
                                                 : "none",
      .speaks = previous ? target.previous->card().id : "",
      .reason = expired ? fmt::format("it acts no longer after {}", champion->card().expires_at.iso().substr(0, 16))
                        : "it cannot be loaded (`logs --journal` says why)"};
  if (fallen_back_ == occasion.model + occasion.rung) return {};
  fallen_back_ = occasion.model + occasion.rung;
  return store_.append(fall_back_alert(*target.profile, occasion));
}

// The ladder's last word: neither the champion nor one before it can be loaded, so one is made from scratch.
Result<void> Engine::ask_for_a_model() {
  const Target& target = *targets_[acting_];
  if (learning_ == Learning::Off || !requested_.reason.empty() || target.champion.get() || target.previous) return {};
  const auto should = registry_.champion(target.profile->name);
  if (!should) return {};
  requested_.reason = "from scratch: neither the champion nor one before it can be loaded";
  return store_.append(fall_back_alert(
      *target.profile,
      {.at = world_.clock.now(), .model = *should, .rung = "from scratch", .speaks = "", .reason = requested_.reason}));
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

}  // namespace everlearn
