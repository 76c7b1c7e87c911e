#include "app/explain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "app/report/words.hpp"
#include "signal/signal.hpp"

namespace everlearn {
namespace {

constexpr Duration kLookBack = Duration::days(40);

std::string minute(Timestamp t) { return t.iso().substr(0, 16) + "Z"; }

std::string value_words(const TargetProfile& target, double value) {
  if (target.task != Task::Regression) return std::isfinite(value) ? fmt::format("class {:.0f}", value) : "n/a";
  const bool points = target.label.kind == LabelKind::ForwardReturn && target.label.unit == ReturnUnit::Points;
  if (target.label.kind == LabelKind::Column) return figure(value, 4);
  if (target.label.unit == ReturnUnit::Log) return figure(value, 4) + " (log)";
  return points ? figure(value, 4) + " points" : percent(value, 2);
}

std::optional<Timestamp> first_example(const Store& store) {
  const auto stats = store.stats();
  if (!stats) return std::nullopt;
  for (const DatasetStats& dataset : *stats)
    if (dataset.dataset == Dataset::Examples) return dataset.first_event;
  return std::nullopt;
}

const std::map<std::string, std::string>& filter_words() {
  static const std::map<std::string, std::string> words{
      {"passed", "it passed every filter: it is a signal"},
      {"no model", "no model and no baseline had anything to say"},
      {"learning off",
       "learning is off, or no model has passed the gate yet: the engine observes and makes no signals"},
      {"stale", "the last price was too old to decide on"},
      {"baseline may not act",
       "no champion spoke (none serves, it expired, or it had no answer), and the profile does not let the baseline "
       "act"},
      {"edge", "the expected gain did not beat the costs, half the spread and the edge that is asked for"},
      {"short not allowed", "it says down, and the profile allows no short positions"},
      {"flat", "no move is the likeliest class: there is nothing to act on"},
      {"conformal", "the prediction set did not have exactly one class"},
      {"recent accuracy unknown", "too few predictions have met their outcome yet"},
      {"margin", "the first class was not far enough ahead of the second"},
      {"entropy", "the probabilities were too even"},
      {"recent accuracy", "the last predictions were right too rarely"},
      {"out of distribution", "too many features were outside the range that the model was trained on"},
      {"quiet hours", "it came in the quiet hours"},
      {"max signals", "the cycle had more signals than are allowed, and others promised more"}};
  return words;
}

std::string costs_words(const SignalRules& rules) {
  return fmt::format("costs of {} bps in and out, {} bps for the spread (or what the book says), and an edge of {} bps",
                     figure(2 * rules.cost_bps, 1), figure(rules.half_spread_bps, 1), figure(rules.min_edge_bps, 1));
}

}  // namespace

std::string check_words(const Check& check) {
  const std::string note = check.note.empty() ? "" : fmt::format(" ({})", check.note);
  const auto number = [](double value) {
    return std::isfinite(value) ? fmt::format("{:.6g}", value) : std::string{"n/a"};
  };
  if (std::isnan(check.required) && check.passed)
    return fmt::format("{} {}{}: for information", check.name, number(check.measured), note);
  return fmt::format("{} {}, wanted {}{}: {}", check.name, number(check.measured), number(check.required), note,
                     check.passed ? "passed" : "FAILED");
}

Result<ModelWhy> why_model(DataDirectory& directory, const std::string& id, const std::string& target_name) {
  EL_TRY(const Registry registry, directory.registry());
  ModelWhy why;
  if (id.empty()) {
    EL_TRY(const std::uint16_t target, directory.find_target(target_name));
    const std::string& name = directory.profile().targets[target].name;
    const auto champion = registry.champion(name);
    if (champion) {
      EL_TRY(why.model, directory.find_model(registry, *champion));
    } else {
      const auto& entries = registry.entries();
      const auto newest =
          std::find_if(entries.rbegin(), entries.rend(), [&](const ModelEntry& entry) { return entry.target == name; });
      if (newest == entries.rend())
        return fail(Code::NotFound,
                    fmt::format("{} has had no candidate yet: `everlearn why quiet` says what is missing", name));
      why.model = *newest;
      why.words.push_back(fmt::format("No model serves {}. Its newest candidate:", name));
    }
  } else {
    EL_TRY(why.model, directory.find_model(registry, id));
  }
  const ModelEntry& model = why.model;
  const auto card_text =
      read_file(directory.fs(), fmt::format("{}/{}/card.json", directory.models(), model.id), 64 << 20);
  if (card_text)
    if (auto card = Card::from_json(*card_text)) why.card = std::move(*card);
  EL_TRY(const auto verdicts, directory.store().verdicts());
  for (const VerdictRow& row : verdicts) {
    if (row.bundle != model.id) continue;
    EL_TRY(why.training, training_record(row));
    break;  // the first time it was made
  }

  const bool serves = registry.champion(model.target) == model.id;
  why.words.push_back(fmt::format("Model {} of {} {}.", brief(model.id), model.target,
                                  serves ? "serves" : fmt::format("does not serve: it is {}", text(model.state))));
  if (serves && model.promoted_at) {
    const bool pinned = registry.pinned_target(model.target) == model.id;
    why.words.push_back(fmt::format("It took office on {}{}.", minute(*model.promoted_at),
                                    pinned ? ", chosen by hand: it stays until `models unpin`" : ""));
  }
  if (why.card) {
    const Card& card = *why.card;
    why.words.push_back(
        fmt::format("It was trained as of {} ({}) on {} rows, {} effective, {} trees, and has seen nothing after {}.",
                    minute(card.as_of), card.reason, grouped(card.rows_fit), grouped(card.effective), card.trees,
                    minute(card.seen_until)));
    if (serves && card.expires_at != Timestamp::max())
      why.words.push_back(fmt::format("It {} {}.",
                                      card.expires_at <= directory.now() ? "stopped acting on" : "acts until",
                                      minute(card.expires_at)));
    why.words.push_back(fmt::format("What acts is {} of the model and {} of the baseline.",
                                    percent(card.blend_weight, 0), percent(1 - card.blend_weight, 0)));
  }
  if (!why.training) {
    why.words.push_back("No verdict of it is stored.");
    return why;
  }
  const Verdict& verdict = why.training->verdict;
  why.words.push_back(fmt::format(
      "The gate: {}: {}. Measured on {} rows ({} effective) from {} to {} that {} had seen{}.",
      why.training->row.outcome, verdict.reason, grouped(verdict.rows), grouped(verdict.effective),
      verdict.holdout_first.date(), verdict.holdout_last.date(),
      why.training->row.champion_before.empty()
          ? "it had never"
          : fmt::format("neither it nor the champion before ({})", brief(why.training->row.champion_before)),
      verdict.rows_used_before > 0
          ? fmt::format("; {} of these rows had judged an earlier candidate too", grouped(verdict.rows_used_before))
          : ""));
  const auto earliest = first_example(directory.store());
  why.evidence_expired = verdict.rows > 0 && (!earliest || verdict.holdout_first < *earliest);
  if (why.evidence_expired)
    why.words.push_back("Evidence expired: retention took rows it was measured on; the verdict stands.");
  for (const Check& check : verdict.checks) why.words.push_back("  " + check_words(check));
  return why;
}

Result<SignalWhy> why_signal(DataDirectory& directory, const std::string& instrument, std::optional<Timestamp> at) {
  std::optional<InstrumentId> wanted;
  if (!instrument.empty()) {
    EL_TRY(wanted, directory.find_instrument(instrument));
  }
  const std::uint16_t acting = directory.acting_target();
  const TargetProfile& target = directory.profile().targets[acting];
  EL_TRY(const auto stats, directory.store().stats());
  std::optional<Timestamp> last, first;
  for (const DatasetStats& dataset : stats)
    if (dataset.dataset == Dataset::Predictions) {
      first = dataset.first_event;
      last = dataset.last_event;
    }
  if (!last) return fail(Code::NotFound, "no prediction has been made yet");
  const Timestamp until = std::min(at.value_or(*last), *last);

  std::optional<PredictionRow> found;
  // A stretch at a time, back from the moment asked for.
  for (Timestamp to = until + Duration{1}; !found && to > *first; to = to - kLookBack) {
    EL_CHECK(directory.store().scan_predictions({to - kLookBack, to}, [&](const PredictionRow& row) {
      if (!row.served || row.target != acting || (wanted && row.instrument != *wanted)) return true;
      const bool later = !found || row.event_time > found->event_time;
      const bool same = found && row.event_time == found->event_time;
      if (later || (same && row.verdict == "passed" && found->verdict != "passed")) found = row;
      return true;
    }));
  }
  if (!found)
    return fail(Code::NotFound, fmt::format("no prediction{} at or before {}",
                                            instrument.empty() ? "" : " of " + instrument, minute(until)));
  SignalWhy why{.row = *found, .instrument = directory.instrument(found->instrument), .target = target.name};
  const PredictionRow& row = why.row;
  why.words.push_back(
      fmt::format("{} at {}{}: {} said {}.", why.instrument, minute(row.event_time),
                  std::isfinite(row.price) ? fmt::format(", price {:.10g}", row.price) : "",
                  row.bundle.empty() ? "the baseline" : fmt::format("{} {}", row.rung, brief(row.bundle)),
                  value_words(target, row.bundle.empty() ? row.baseline : row.model)));
  if (!row.bundle.empty())
    why.words.push_back(fmt::format("With the baseline ({}) blended in: {}. This is what acts.",
                                    value_words(target, row.baseline), value_words(target, row.blended)));
  for (std::size_t c = 0; c < row.probabilities.size(); ++c)
    why.words.push_back(fmt::format("  probability of class {}: {}", c, percent(row.probabilities[c])));
  const auto words = filter_words().find(row.verdict);
  why.words.push_back(fmt::format("Verdict: {}: {}.", row.verdict.empty() ? "none" : row.verdict,
                                  words != filter_words().end() ? words->second : "nothing acts on this prediction"));
  if (std::isfinite(row.required) && row.verdict != "passed")
    why.words.push_back(fmt::format("Measured {}, required {}.", figure(row.measured, 6), figure(row.required, 6)));
  if (row.verdict == "edge" || row.verdict == "passed") {
    why.words.push_back("What a trade has to beat: " + costs_words(directory.profile().signal) + ".");
    if (std::isfinite(row.measured))
      why.words.push_back(fmt::format("Expected after costs: {} bps ({}).", figure(row.measured * 1e4, 1),
                                      row.expected > 0 ? "buy" : "sell"));
  }
  EL_CHECK(directory.store().scan_labels({row.event_time, row.event_time + Duration{1}}, [&](const LabelRow& label) {
    if (label.instrument == row.instrument && label.target == acting) why.outcome = label;
    return !why.outcome.has_value();
  }));
  if (why.outcome)
    why.words.push_back(why.outcome->known ? fmt::format("What came by {}: {}.", minute(why.outcome->known_at),
                                                         value_words(target, why.outcome->value))
                                           : fmt::format("Its outcome is void: {}.", why.outcome->reason));
  EL_TRY(const auto intents, directory.store().intents());
  for (const IntentRow& intent : intents)
    if (intent.instrument == row.instrument && intent.created == row.event_time)
      why.words.push_back(fmt::format("Intent {}: {} {:.6g} units, {}{}.", intent.id,
                                      intent.quantity > 0 ? "buy" : "sell", std::abs(intent.quantity), intent.state,
                                      intent.reason.empty() ? "" : ": " + intent.reason));
  return why;
}

std::vector<std::string> why_quiet(const Status& status, const DataDirectory& directory) {
  std::vector<std::string> words;
  const Progress& progress = status.progress;
  const Profile& profile = directory.profile();
  const auto add = [&](std::string text) { words.push_back(std::move(text)); };
  if (!status.engine.holder)
    add(status.simulated
            ? (progress.finished ? "The recording was read to its end: this simulation has nothing more to do."
                                 : "The simulation stopped before the end of its recording: start it again.")
            : "No daemon runs here: `everlearn run` starts it.");
  if (!status.simulated && status.last_event) {
    const double age = (status.at - *status.last_event).as_seconds();
    const auto open = directory.calendar().session_at(status.at);
    if (!open)
      add(fmt::format("The market is closed; it opens at {}.", minute(directory.calendar().next(status.at).open)));
    else if (profile.max_price_age.us() > 0 && age > profile.max_price_age.as_seconds())
      add(fmt::format("The newest price is {} old, more than the {} that examples.max_price_age allows.", span_of(age),
                      profile.max_price_age.text()));
  }
  if (progress.events == 0) add("Nothing has been read yet: is the input there, and does it grow?");
  if (progress.events > 0 && progress.examples == 0)
    add("Prices came, but no example yet: the first cycle has not passed, or every price was too old at it.");
  if (status.off_by_hand) add("Learning is off by hand: `everlearn resume` turns it on.");
  if (!status.off_by_hand && progress.learning == "off") add("Learning is off by the profile: train.learning = false.");
  if (progress.learning == "collecting" && status.needed > 0)
    add(fmt::format("Learning has not started: {} of {} effective labelled examples are there.",
                    grouped(status.effective), grouped(status.needed)));
  const ChampionStatus& champion = status.champions[directory.acting_target()];
  if (champion.model.empty() && status.last_training)
    add(fmt::format("No model has passed the gate for {}. The last training ({}): {}: {}", champion.target,
                    status.last_training->as_of.date(), status.last_training->outcome, status.last_training->why));
  if (!champion.model.empty() && champion.expires && *champion.expires <= status.at)
    add(fmt::format("The champion of {} expired on {}: the baseline speaks, and {}.", champion.target,
                    champion.expires->date(),
                    profile.signal.baseline_may_act ? "may act" : "may not act (signal.baseline_may_act)"));
  std::vector<std::pair<std::string, std::int64_t>> filters(progress.stopped.begin(), progress.stopped.end());
  std::stable_sort(filters.begin(), filters.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (std::size_t i = 0; i < std::min<std::size_t>(filters.size(), 3); ++i) {
    const auto found = filter_words().find(filters[i].first);
    add(fmt::format("{} signals so far were stopped by \"{}\": {}.", grouped(filters[i].second), filters[i].first,
                    found != filter_words().end() ? found->second : "a filter of the profile"));
  }
  const RiskLimits& limits = profile.paper.limits;
  for (const auto& [name, value] : {std::pair{"capital", limits.capital}, std::pair{"order", limits.order},
                                    std::pair{"instrument", limits.instrument}, std::pair{"total", limits.total},
                                    std::pair{"daily_loss", limits.daily_loss}})
    if (!(value > 0))
      add(fmt::format("trade.{} is 0: no order is allowed (a missing limit means none, not unlimited).", name));
  if (words.empty())
    add(fmt::format("Nothing is in the way: {} signals and {} intents so far; the next cycle may bring one.",
                    grouped(progress.signals), grouped(progress.intents)));
  return words;
}

}  // namespace everlearn
