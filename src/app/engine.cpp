#include "app/engine.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/engine_parts.hpp"
#include "app/learner_settings.hpp"
#include "app/occasions.hpp"
#include "app/stored_input.hpp"
#include "label/price_window.hpp"

namespace everlearn {
namespace {

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

Engine::Engine(World world, const Profile& profile, const Calendar& calendar, Store& store, Source& source,
               Instruments& instruments, Options options, RowSchema schema, SignalChain signals, PaperAccount account,
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
      schema_{std::move(schema)},
      bank_{schema_.features(), calendar},
      signals_{signals},
      baseline_signals_{std::move(signals)},
      account_{account},
      baseline_account_{std::move(account)},
      schedule_{std::move(schedule)},
      trainings_{world, profile, store},
      keeper_{store, profile.store_events, profile.dense_every.us() == 0},
      tunings_{world, profile},
      split_{std::make_unique<TimeSplit>(TimeSplit{progress_.split_seconds, {}, 0})} {
  if (profile.dense_every.us() == 0) return;
  dense_ = std::make_unique<DenseHistory>(schema_.dense(), calendar, profile.gap_after);
  dense_grid_.emplace(profile.dense_every, calendar);
}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::make(World world, const Profile& profile, const Calendar& calendar,
                                             Store& store, Source& source, Instruments& instruments, Options options) {
  EL_TRY(auto schema, RowSchema::make(profile));
  EL_TRY(auto signals, SignalChain::make(profile.signal));
  EL_TRY(auto account, PaperAccount::make(profile.paper));
  EL_TRY(const auto rule, Rule::parse(profile.train_schedule, profile.train_zone));
  std::vector<Job> jobs{{.name = "train", .rule = rule}};
  if (profile.tune.way != TuneWay::None) {
    EL_TRY(const auto judge, Rule::parse(profile.streams.judge, profile.streams.zone));
    jobs.push_back({.name = "streams", .rule = judge});
  }
  EL_TRY(auto schedule, JobSchedule::make(std::move(jobs), Timestamp{}));
  std::unique_ptr<Engine> engine{new Engine{world, profile, calendar, store, source, instruments, std::move(options),
                                            std::move(schema), std::move(signals), std::move(account),
                                            std::move(schedule)}};
  for (std::size_t i = 0; i < profile.targets.size(); ++i) {
    const TargetProfile& target = profile.targets[i];
    const int steps = samples_per_horizon(profile, target.label);
    auto made = std::make_unique<Target>(
        target, static_cast<std::uint16_t>(i), make_baseline(target.label, steps, profile.probability),
        TargetBlend{target.blend_weight, target.label, profile.probability, profile.tick_size}, steps);
    EL_TRY(made->labeller, make_labeller(target.label, calendar));
    if (target.acts) engine->acting_ = i;
    if (target.label.kind != LabelKind::Column) engine->needs_prices_ = true;
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
  EL_CHECK(engine->heed_settings_file());
  // A hand may have changed these while no engine ran.
  EL_TRY(const auto by_hand, store.state("learning"));
  if (by_hand && by_hand->starts_with("off")) engine->learning_ = Learning::Off;
  EL_CHECK(engine->load_champions());
  EL_CHECK(engine->load_ensembles(world.clock.now()));
  EL_CHECK(engine->load_tuned());
  if (engine->tunes()) {
    engine->recent_rows_ = std::make_unique<RecentRows>(static_cast<std::uint16_t>(engine->acting_),
                                                        engine->schema_.size(), profile.tune, profile.embargo);
    EL_CHECK(engine->recent_rows_->rebuild(store));
  }
  const bool champion = engine->targets_[engine->acting_]->champion.get() != nullptr;
  if (by_hand && *by_hand == "on" && engine->learning_ == Learning::Off)
    engine->learning_ = champion ? Learning::Active : Learning::Collecting;
  if (champion && engine->learning_ != Learning::Off) engine->learning_ = Learning::Active;  // promoted by hand
  EL_CHECK(engine->ask_for_a_model());
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
  // The position of a source that forgets is behind all that it has read: a commit between two events of one message
  // would lose the second one to a kill.
  const auto may_commit = [&] { return source_.remembers() || (!in_hand_ && source_.given_whole()); };
  const auto run_cycles_before = [&](Timestamp time) -> Result<void> {
    while (next_cycle_ && time > *next_cycle_ && !step.more) {
      EL_CHECK(cycle(*next_cycle_));
      step.more = enough() && may_commit();
    }
    return {};
  };
  progress_.finished = false;
  decided_ = false;
  EL_CHECK(resume(now));
  while (!step.more) {
    if (!in_hand_) {
      // Of a source that forgets the position is all it knows of its markets: that is put down with a whole commit.
      if (source_.remembers()) committed_position_ = source_.position();
      EL_TRY(in_hand_, source_.next());
      if (!in_hand_) break;
    }
    EL_CHECK(run_cycles_before(in_hand_->known_at));
    if (step.more) break;  // the event stays in hand, and the committed position before it
    EL_CHECK(take(*in_hand_));
    in_hand_.reset();
    ++step.events;
    step.more = enough() && may_commit();
  }
  if (!in_hand_ && source_.remembers()) committed_position_ = source_.position();
  if (!step.more) EL_CHECK(run_cycles_before(std::min(now, source_.told_until(now))));
  // Between cycles that may be a day apart: trainings that ended, and what a hand asked for.
  if (trainings_.running() && !in_step()) EL_CHECK(finish_trainings(now, false));
  EL_CHECK(tell_source_trouble(now));
  const bool by_hand = !requested_.reason.empty() && !trainings_.running();
  if (by_hand) EL_CHECK(train_if_due(now));
  step.cycles = progress_.cycles - cycles_before;
  if (!holes_.empty()) source_.ask_past(std::exchange(holes_, {}));
  // The inputs alone name no instruments, and the source's position that knows them goes with a whole commit.
  const bool met = step.events > 0 && instruments_.size() != named_instruments_;
  const bool whole = step.cycles > 0 || by_hand || trainings_done_ != trainings_before || decided_ || met;
  if (whole || (step.events > 0 && !keeps_base()))
    EL_CHECK(commit());
  else if (step.events > 0)
    EL_CHECK(store_.commit_state());  // the inputs alone
  return step;
}

Result<void> Engine::tell_source_trouble(Timestamp now) {
  const std::string& trouble = source_.report().trouble;
  if (trouble.empty() == !trouble_since_.has_value()) return {};
  const std::string source = source_.report().inputs.empty() ? "the source" : source_.report().inputs.front();
  const Timestamp since = trouble_since_.value_or(now);
  EL_CHECK(store_.append(trouble.empty() ? source_recovered_alert(since, now, source)
                                         : source_trouble_alert(since, source, trouble)));
  trouble_since_ = trouble.empty() ? std::nullopt : std::optional{now};
  return commit();
}

Result<void> Engine::finish_work() {
  if (trainings_.running()) EL_CHECK(finish_trainings(world_.clock.now(), true));
  return commit();
}

Result<void> Engine::take(Event& event) {
  EL_TRY(event.revision, keeper_.revision_of(event));
  ++progress_.events;
  if (!next_cycle_) next_cycle_ = grid_.at_or_after(event.known_at);
  if (keeps_base()) EL_CHECK(store_.append_input(encode_input(event)));
  if (const auto* past = std::get_if<PastPrices>(&event.what)) return take_past(event, *past);
  if (const auto applied = market_.apply(event); !applied) {
    if (applied.error().code != Code::BadData) return applied;
    ++progress_.contradictions;  // the book is trusted no longer: nothing acts on it
  }
  const bool market_data = price_of(event) || std::holds_alternative<BookUpdate>(event.what) ||
                           std::holds_alternative<BookDoubt>(event.what) || std::holds_alternative<Fields>(event.what);
  if (!market_data) decided_ = true;
  // With a dense history labels are made of its prices alone, so that both ends of a move are of one kind.
  if (!dense_ || !price_of(event))
    for (auto& target : targets_) target->labeller->observe(event);
  EL_CHECK(keep_trades(account_.observe(event, view())));
  if (!baseline_account_.observe(event, view()).empty()) decided_ = true;
  return keep(event);
}

Result<void> Engine::keep(const Event& event) {
  const TimeSplit::Part part{*split_, "store"};
  if (!dense_) note_coverage(store_.coverage(), profile_, calendar_, grid_, event);
  return keeper_.keep(event);
}

// --- by hand ---------------------------------------------------------------------------------------------------------

Result<void> Engine::request_training(TrainingWish wish) {
  for (const TargetProfile& target : profile_.targets)
    if (auto params = with_settings(target.learner, wish.params); !params) return tl::unexpected<Error>(params.error());
  requested_ = std::move(wish);
  return store_.note(world_.clock.now(), "training requested", requested_.reason);
}

Result<void> Engine::train_now(TrainingWish wish) {
  const Timestamp at = progress_.last_cycle.value_or(world_.clock.now());
  EL_CHECK(request_training(std::move(wish)));
  EL_CHECK(train_if_due(at));
  EL_CHECK(finish_trainings(at, true));
  EL_CHECK(take_effect(at + std::max(profile_.train_delay, Duration{1})));
  return commit();
}

Result<void> Engine::set_learning(bool on) {
  learning_ = !on ? Learning::Off : targets_[acting_]->champion.get() ? Learning::Active : Learning::Collecting;
  enabled_itself_ = false;
  EL_CHECK(store_.put_state("learning", on ? "on" : "off"));
  return store_.note(world_.clock.now(), "learning", on ? "on by hand" : "off by hand");
}

Result<std::string> Engine::rollback_model(const std::string& target, const std::string& id) {
  EL_TRY(const std::string now_serving, registry_.rollback(target, id, world_.clock.now()));
  if (target == targets_[acting_]->profile->name) begin_reign(world_.clock.now());
  EL_CHECK(load_champions());
  EL_CHECK(load_ensembles(world_.clock.now()));
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

}  // namespace everlearn
