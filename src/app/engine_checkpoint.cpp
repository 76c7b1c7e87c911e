// What a commit makes durable, and how a restart continues from it. docs/formats/checkpoint-v1.md.
#include <fmt/format.h>

#include "app/data_directory.hpp"
#include "app/engine_parts.hpp"
#include "app/mirror.hpp"
#include "app/retention.hpp"
#include "app/stored_input.hpp"
#include "core/hash.hpp"

namespace everlearn {
namespace {

constexpr std::uint32_t kCheckpointVersion = 3;
constexpr const char* kInstruments = "instruments table";
constexpr std::int64_t kTrainingsBetweenCleanups = 10;

}  // namespace

Result<void> Engine::commit() {
  {
    const TimeSplit::Part part{*split_, "store"};
    EL_CHECK(name_instruments());
    progress_.learning = text(learning_);
    progress_.last_training = last_training_;
    tell_recent_accuracy();
    for (const JobState& job : schedule_.states(progress_.last_cycle.value_or(Timestamp{})))
      if (job.last_period) progress_.last_periods[job.name] = job.last_period->us();
    progress_.stopped = signals_.stopped();
    progress_.ledger_sha256 = ledger_.sha256();
    progress_.wall_seconds = split_->before + split_->run.seconds();
    progress_.fraction = source_.progress();
    EL_CHECK(store_.put_state("progress", progress_.to_json()));
    if (!source_.remembers()) committed_position_ = source_.position();
    EL_CHECK(keep_base_if_due());
    EL_CHECK(store_.commit(checkpoint()));
    const Timestamp now = progress_.last_cycle.value_or(world_.clock.now());
    EL_CHECK(store_.seal_due(now));
    EL_CHECK(housekeeping(now));
  }
  if (pointers_stale_) {
    for (const auto& target : targets_)
      if (const auto champion = registry_.champion(target->profile->name))
        EL_CHECK(write_pointer(world_.fs, options_.data_directory + "/models", target->profile->name, *champion));
    const auto acting = targets_[acting_]->champion.get();
    if (const auto written = write_mirrors(world_.fs, options_.data_directory + "/models", profile_, registry_,
                                           acting ? &acting->card() : nullptr);
        !written) {  // for reading only: no reason to stop
      EL_CHECK(store_.note(world_.clock.now(), "mirror not written", written.error().message));
      EL_CHECK(store_.commit_state());
    }
    pointers_stale_ = false;
  }
  if (options_.on_progress) options_.on_progress(progress_);
  return {};
}

void Engine::tell_recent_accuracy() {
  progress_.recent_rows = signals_.recent_count();
  if (progress_.recent_rows > 0) {
    progress_.recent_accuracy = signals_.recent_accuracy();
    progress_.recent_majority = signals_.recent_majority();
  }
  if (!tunes()) return;
  progress_.stream = text(streams_.serving());
  for (const Stream stream : {Stream::Base, Stream::Tuned}) {
    const std::string name{text(stream)};
    if (const auto accuracy = streams_[stream].accuracy()) progress_.stream_accuracy[name] = *accuracy;
    progress_.stream_ledgers[name] = streams_[stream].ledger_sha256();
  }
}

// Daily, and every ten trainings.
Result<void> Engine::housekeeping(Timestamp now) {
  const bool trained = trainings_done_ >= trainings_cleaned_ + kTrainingsBetweenCleanups;
  if (utc_day(now) == last_retention_day_ && !trained) return {};
  last_retention_day_ = utc_day(now);
  trainings_cleaned_ = trainings_done_;
  EL_CHECK(prune_old_tunes(now));
  std::optional<std::uint64_t> free;
  if (options_.virtual_clock == nullptr && profile_.retention_free_share > 0) {
    EL_TRY(free, world_.fs.free_bytes(options_.data_directory));
  }
  return clean_up(store_, profile_, free, now);
}

std::string Engine::checkpoint() const {
  ByteWriter out;
  out.u32(kCheckpointVersion);
  out.text(committed_position_);
  out.boolean(keeps_base());
  if (!keeps_base()) encode_base(out);
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
  out.boolean(enabled_itself_);
  out.i64(next_intent_);
  out.i64(trainings_done_);
  out.i64(last_equity_day_);
  // A training that a restart interrupts is asked for again; in a simulation none runs here.
  const TrainingWish& wish = trainings_.running() && requested_.reason.empty() ? training_ : requested_;
  out.text(wish.reason);
  out.i64(wish.rows);
  out.boolean(wish.validate);
  out.text(fmt::format("{}", fmt::join(wish.params, "\n")));
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
  out.u32(static_cast<std::uint32_t>(signalled_.size()));
  for (const auto& [id, last] : signalled_) {
    out.u32(static_cast<std::uint32_t>(id));
    out.i64(last.first);
    out.time(last.second);
  }
  streams_.encode(out);
  out.text(tuned_ ? tuned_->card().id : "");
  out.text(tuned_ ? tuned_->id() : "");
  out.i64(labels_tuned_);
  out.time(serves_since_);
  out.i64(own_matured_);
  out.text(poor_model_);
  out.text(fallen_back_);
  out.boolean(trouble_since_.has_value());
  out.time(trouble_since_.value_or(Timestamp{}));
  keeper_.encode(out);
  out.text(progress_.to_json());
  return out.take();
}

// --- the base --------------------------------------------------------------------------------------------------------

bool Engine::keeps_base() const { return profile_.base_every.us() > 0 && options_.virtual_clock == nullptr; }

void Engine::encode_base(ByteWriter& out) const {
  instruments_.encode(out);
  market_.encode(out);
  bank_.encode(out);
  if (dense_) dense_->encode(out);
}

Result<void> Engine::decode_base(ByteReader& in) {
  EL_TRY(instruments_, Instruments::decode(in));
  EL_TRY(market_, MarketState::decode(in));
  // Of a directory that was rebuilt with other features (docs/decisions/0013): those of the cycles begin anew, the
  // dense ones are made of the dense prices.
  EL_CHECK(bank_.decode_or_begin(in));
  if (!dense_) return {};
  EL_TRY(const bool same, dense_->decode(in));
  return same ? Result<void>{} : read_dense_prices();
}

// Part of the open transaction. What names the instruments is small and needed by the inputs since the base.
Result<void> Engine::keep_base_if_due() {
  if (!keeps_base()) return {};
  ByteWriter instruments;
  instruments_.encode(instruments);
  std::string names = instruments.take();
  if (const std::string digest = sha256_hex(names); digest != kept_instruments_) {
    EL_CHECK(store_.put_state(kInstruments, names));
    kept_instruments_ = digest;
  }
  const Timestamp now = world_.clock.now();
  if (!base_due_ && base_kept_at_ != Timestamp::min() && now - base_kept_at_ < profile_.base_every) return {};
  ByteWriter out;
  for (const auto& time : {next_cycle_, progress_.last_cycle}) {
    out.boolean(time.has_value());
    out.time(time.value_or(Timestamp{}));
  }
  encode_base(out);
  EL_CHECK(store_.keep_base(out.take()));
  base_due_ = false;
  base_kept_at_ = now;
  return {};
}

// The market and the features as they were, then again what came and the cycles that ran, without deciding anything.
Result<void> Engine::restore_base_and_inputs() {
  EL_TRY(const auto saved, store_.base());
  if (!saved) return fail(Code::Damaged, "the checkpoint needs a base, and none is stored");
  ByteReader in{*saved};
  std::optional<Timestamp> next, last;
  for (std::optional<Timestamp>* time : {&next, &last}) {
    const bool there = in.boolean();
    if (const Timestamp at = in.time(); there) *time = at;
  }
  EL_CHECK(decode_base(in));
  EL_CHECK(in.finish("base"));
  EL_TRY(const auto names, store_.state(kInstruments));
  if (names) {
    ByteReader table{*names};
    EL_TRY(instruments_, Instruments::decode(table));
  }
  const auto run_cycles_before = [&](Timestamp time) {
    while (next && next_cycle_ && time > *next && *next < *next_cycle_) {
      step_features(*next);
      market_.end_step();
      last = std::exchange(next, grid_.after(*next));
    }
  };
  EL_CHECK(store_.scan_inputs([&](std::string_view bytes) -> Result<void> {
    EL_TRY(const Event event, decode_input(bytes));
    run_cycles_before(event.known_at);
    if (!next) next = grid_.at_or_after(event.known_at);
    if (const auto* past = std::get_if<PastPrices>(&event.what)) {
      for (const auto& [at, price] : on_dense_grid(*past, last.value_or(event.known_at)))
        dense_->fill(event.instrument, at, price);
      return {};
    }
    if (const auto applied = market_.apply(event); !applied && applied.error().code != Code::BadData) return applied;
    return {};
  }));
  run_cycles_before(Timestamp::max());
  return {};
}

Result<void> Engine::restore(std::string_view saved) {
  ByteReader in{saved};
  if (const auto version = in.u32(); version != kCheckpointVersion)
    return fail(Code::Config,
                fmt::format("the checkpoint has version {}, this program reads {}: go on with the program "
                            "that made it, or take another --data",
                            version, kCheckpointVersion));
  const std::string position = in.text();
  const bool base_apart = in.boolean();
  if (!base_apart) EL_CHECK(decode_base(in));
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
  enabled_itself_ = in.boolean();
  next_intent_ = in.i64();
  trainings_done_ = in.i64();
  last_equity_day_ = in.i64();
  requested_.reason = in.text();
  requested_.rows = in.i64();
  requested_.validate = in.boolean();
  requested_.params = text_lines(in.text());
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
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const InstrumentId id{in.u32()};
    const auto side = static_cast<int>(in.i64());
    signalled_[id] = {side, in.time()};
  }
  EL_CHECK(streams_.decode(in));
  tuned_base_ = in.text();
  tuned_id_ = in.text();
  labels_tuned_ = in.i64();
  serves_since_ = in.time();
  own_matured_ = in.i64();
  poor_model_ = in.text();
  fallen_back_ = in.text();
  trouble_since_ = optional_time();
  keeper_.decode(in);
  const std::string progress = in.text();
  EL_CHECK(in.finish("checkpoint"));
  EL_TRY(progress_, Progress::from_json(progress));
  if (base_apart) EL_CHECK(restore_base_and_inputs());
  split_->before = progress_.wall_seconds;
  return source_.seek(position);
}

}  // namespace everlearn
