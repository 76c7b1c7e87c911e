// Fine-tuning in each run, and the daily choice between the two streams. docs/streams.md.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "app/engine_parts.hpp"
#include "app/occasions.hpp"
#include "registry/tune.hpp"

namespace everlearn {

bool Engine::tunes() const { return profile_.tune.way != TuneWay::None; }

Result<void> Engine::tune_if_due(Timestamp at, bool sample) {
  if (!tunes() || !sample || late(at) || learning_ == Learning::Off) return {};
  if (profile_.tune_every.us() > 0 && !CycleGrid{profile_.tune_every, calendar_}.on_grid(at)) return {};
  const auto base = targets_[acting_]->champion.get();
  if (!base || at >= base->card().expires_at) return {};
  if (tuned_ && progress_.labelled == labels_tuned_) return {};  // a market that is closed teaches nothing new
  labels_tuned_ = progress_.labelled;
  const TimeSplit::Part part{*split_, "tuning"};
  EL_TRY(const TuneOutcome outcome, tunings_.tune(base, *recent_rows_, at, place()));
  if (!outcome.predictor) {
    ++progress_.tunes_not[outcome.refused];
    return {};
  }
  tuned_ = outcome.predictor;
  progress_.tune = tuned_->id();
  ++progress_.tunes;
  return {};
}

Result<void> Engine::judge_streams_if_due(Timestamp at) {
  if (!tunes() || late(at)) return {};
  EL_TRY(const bool due, take_due("streams", at));
  if (!due || !tuned_) return {};
  const TimeSplit::Part part{*split_, "gate"};
  const Target& target = *targets_[acting_];
  const std::string base = tuned_->card().id;
  EL_TRY(const auto rows, stream_rows(store_, target.number, base, {at - profile_.streams.window, at}, at));
  EL_TRY(const Verdict verdict,
         judge_streams(gate_rules(profile_, *target.profile, {}), profile_.streams, rows, streams_.attempts()));
  const Stream before = streams_.serving();
  if (verdict.outcome == Outcome::Promoted) streams_.serve(Stream::Tuned);
  if (verdict.outcome == Outcome::Refused) streams_.serve(Stream::Base);
  ledger_.add_verdict(target.number, tuned_->id(), base, at, text(verdict.outcome), verdict.canonical());
  const StreamVerdict told{at, before, streams_.serving(), base, tuned_->id(), verdict};
  EL_CHECK(store_.note(at, std::string{kStreamVerdict}, told.note()));
  if (before == streams_.serving()) return {};
  return store_.append(stream_alert(*target.profile, told));
}

// A new base serves alone until its own tunes were judged.
void Engine::forget_tuned() {
  tuned_.reset();
  progress_.tune.clear();
  streams_.serve(Stream::Base);
}

void Engine::begin_reign(Timestamp at) {
  forget_tuned();
  serves_since_ = at;
  own_matured_ = 0;
}

// The tune of the last commit, if its base still serves.
Result<void> Engine::load_tuned() {
  const auto champion = targets_[acting_]->champion.get();
  if (tuned_id_.empty()) return {};
  if (!champion || champion->card().id != tuned_base_) {  // a hand chose another while no engine ran
    begin_reign(world_.clock.now());
    return {};
  }
  auto tune = load_tune(world_.fs, options_.data_directory + "/models", tuned_base_, tuned_id_);
  auto predictor = tune ? Predictor::tuned(champion, std::move(*tune))
                        : Result<std::shared_ptr<const Predictor>>{tl::unexpected<Error>(tune.error())};
  if (!predictor) {
    forget_tuned();
    return store_.note(world_.clock.now(), "tune refused at load", predictor.error().message);
  }
  tuned_ = std::move(*predictor);
  return {};
}

Result<void> Engine::prune_old_tunes(Timestamp now) {
  if (!tunes()) return {};
  std::set<std::string> in_use;
  if (tuned_) in_use.insert(tuned_->id());
  EL_TRY(const std::int64_t gone, prune_tunes(world_.fs, options_.data_directory + "/models", now - profile_.tune.keep,
                                              profile_.tune.keep_most, in_use));
  if (gone == 0) return {};
  return store_.note(
      now, "tunes pruned",
      fmt::format("{} older than {} or above {}", gone, profile_.tune.keep.text(), profile_.tune.keep_most));
}

}  // namespace everlearn
