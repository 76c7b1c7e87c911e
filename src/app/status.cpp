#include "app/status.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "app/by_hand.hpp"
#include "app/report/words.hpp"
#include "core/json.hpp"
#include "io/control_socket.hpp"
#include "registry/bundle.hpp"
#include "schedule/rule.hpp"
#include "schedule/trigger.hpp"
#include "trade/recent_returns.hpp"

namespace everlearn {
namespace {

constexpr Duration kDaemonAnswers = Duration::seconds(3);

EngineStatus engine_status(const DataDirectory& directory) {
  EngineStatus status;
  if (const auto holder = DirectoryLock::holder(directory.path())) status.holder = *holder;
  if (!status.holder) return status;
  const HandRequest question{.verb = "status", .args = {}};
  const auto answer = ask_daemon(control_socket_path(directory.path()), question.to_json(), kDaemonAnswers);
  if (!answer) return status;
  status.daemon = true;
  auto in = JsonIn::parse(*answer);
  if (!in || !in->has("started")) return status;
  in->get("started", status.started);
  in->get("training", status.training);
  if (in->has("source_trouble")) in->get("source_trouble", status.source_trouble);
  if (!in->has("left_out")) return status;
  in->get("followed", status.followed);
  in->get("second_tier", status.second_tier);
  in->get("left_out", status.left_out);
  in->get("health", status.health);
  return status;
}

std::optional<Timestamp> expiry(Fs& fs, const std::string& models, const std::string& id) {
  const auto text = read_file(fs, fmt::format("{}/{}/card.json", models, id), 64 << 20);
  const auto card = text ? Card::from_json(*text) : Result<Card>{tl::unexpected<Error>(text.error())};
  if (!card || card->expires_at == Timestamp::max()) return std::nullopt;
  return card->expires_at;
}

template <class T>
std::string or_none(const std::optional<T>& time) {
  return time ? time->iso().substr(0, 19) + "Z" : "never";
}

std::string row(std::string_view name, const std::string& text) { return fmt::format("{:<12} {}\n", name, text); }

std::string engine_words(const Status& status) {
  const EngineStatus& engine = status.engine;
  if (engine.daemon)
    return fmt::format("running since {} ({}){}", or_none(engine.started), *engine.holder,
                       engine.training ? ", a training runs" : "");
  if (engine.holder) return fmt::format("{} works in the directory and does not answer questions", *engine.holder);
  if (status.simulated)
    return status.progress.finished ? "not running; the recording was read to its end"
                                    : "not running; the simulation stopped before the end of its recording";
  return "not running";
}

std::vector<std::string> channels_of(const AlertState& state) {
  std::vector<std::string> jsons;
  for (const ChannelState& channel : state.channels)
    jsons.push_back(JsonOut{}
                        .put("name", channel.name)
                        .put("sent", channel.sent)
                        .put("waiting", channel.waiting)
                        .put("expired", channel.expired)
                        .put("refused", channel.refused)
                        .put("skipped", channel.skipped)
                        .put("problem", channel.problem)
                        .text());
  return jsons;
}

}  // namespace

Result<Status> make_status(DataDirectory& directory) {
  const Profile& profile = directory.profile();
  const Store& store = directory.store();
  Status status;
  status.profile = profile.name;
  status.title = profile.title;
  status.directory = directory.path();
  status.simulated = directory.simulated();
  status.at = directory.now();
  status.engine = engine_status(directory);
  EL_TRY(status.progress, directory.progress());
  const TargetProfile& acting = profile.targets[directory.acting_target()];
  if (const auto found = status.progress.labelled_of.find(acting.name); found != status.progress.labelled_of.end())
    status.labelled = found->second;
  status.effective = status.progress.effective;
  status.needed = profile.auto_enable;
  status.learning_allowed = profile.learning;
  status.enabled = profile.train_enabled.value_or(false);
  EL_TRY(const auto by_hand, store.state("learning"));
  status.off_by_hand = by_hand && by_hand->starts_with("off");

  EL_TRY(const Registry registry, directory.registry());
  EL_TRY(const auto verdicts, store.verdicts());
  for (const TargetProfile& target : profile.targets) {
    ChampionStatus champion{.target = target.name, .model = registry.champion(target.name).value_or("")};
    if (const ModelEntry* entry = champion.model.empty() ? nullptr : registry.find(champion.model)) {
      champion.since = entry->promoted_at;
      champion.why = entry->summary;
      champion.by_hand = registry.pinned_target(target.name) == champion.model;
      champion.expires = expiry(directory.fs(), directory.models(), champion.model);
    }
    if (target.acts) status.champion_expired = champion.expires && *champion.expires <= status.at;
    status.champions.push_back(std::move(champion));
  }
  for (const VerdictRow& verdict : verdicts) {
    status.promoted += verdict.outcome == "promoted";
    status.refused += verdict.outcome == "refused";
    status.insufficient += verdict.outcome == "insufficient";
    status.failed += verdict.outcome == "failed";
    if (status.last_training && verdict.target != directory.acting_target() &&
        status.last_training->as_of == verdict.as_of)
      continue;
    EL_TRY(const TrainingRecord record, training_record(verdict));
    status.last_training = TrainingStatus{.target = profile.targets[verdict.target].name,
                                          .outcome = verdict.outcome,
                                          .reason = verdict.reason,
                                          .why = record.verdict.reason,
                                          .model = verdict.bundle,
                                          .as_of = verdict.as_of};
  }
  EL_TRY(const Rule rule, Rule::parse(profile.train_schedule, profile.train_zone));
  status.next_training = rule.next(status.at);
  if (!status.simulated && status.progress.last_cycle)
    status.last_cycle_age_s = (status.at - *status.progress.last_cycle).as_seconds();
  const Coverage& coverage = store.coverage();
  status.streams = std::ssize(coverage.streams());
  status.points = coverage.points();
  status.gaps = std::ssize(coverage.gaps());
  status.longest_gap_s = coverage.longest_gap().as_seconds();
  status.history_step = profile.dense_every;
  if (profile.dense_every.us() > 0)
    status.history = history_facts(coverage, status.progress.backfilled, profile.dense_every);
  for (const StreamCoverage& stream : coverage.streams())
    if (stream.last && (!status.last_event || *status.last_event < *stream.last)) status.last_event = stream.last;
  status.data_bytes = store.bytes_on_disk();
  EL_TRY(status.free_bytes, directory.fs().free_bytes(directory.path()));
  status.capital = profile.paper.limits.capital;
  EL_TRY(status.alerts, alert_state(store, profile.alert));
  status.alert_words = status.simulated ? grouped(status.alerts.raised) + " raised; a simulation tells nobody"
                                        : alert_words(status.alerts, profile.alert);
  return status;
}

std::string learning_words(const Status& status) {
  const std::string& now = status.progress.learning;
  if (status.off_by_hand) return "off by hand: data is collected and labelled, no model acts (`everlearn resume`)";
  if (now == "off") return "off by the profile (train.learning = false): data is collected and labelled, no model acts";
  if (now == "active" && status.champion_expired)
    return "active, but the champion acts no longer: it is past train.model_expiry, and no training has passed since";
  if (now == "active") return "active: a model that passed the gate acts, on paper";
  if (now == "training")
    return fmt::format("training: enough examples are there, and {}; nothing acts",
                       status.promoted + status.refused + status.insufficient + status.failed == 0
                           ? "the first training is under way"
                           : "no model has passed the gate yet");
  if (status.enabled)
    return "collecting: enabled (train.enabled), so the first training starts as soon as there are enough examples for "
           "one";
  if (status.needed == 0)
    return "collecting: by the profile learning never starts by itself (`everlearn train --force`)";
  return fmt::format("collecting: learning starts by itself at {} effective labelled examples; {} are there",
                     grouped(status.needed), grouped(status.effective));
}

std::string ml_data_words(const Status& status) {
  const std::string& now = status.progress.learning;
  const std::string effective = grouped(status.effective) + " effective";
  std::string stands;
  if (status.off_by_hand)
    stands = "off by hand";
  else if (now == "off")
    stands = "off by the profile";
  else if (now == "active" && status.progress.auto_enabled)
    stands = "active, auto-enabled " + or_none(status.progress.auto_enabled);
  else if (now == "active")
    stands = "active";
  else if (now == "training")
    stands = status.enabled ? "enabled, no model has passed the gate yet"
                            : "auto-enable pending: no model has passed the gate yet";
  else if (status.enabled)
    stands = "enabled, before the first training";
  else if (status.needed == 0)
    stands = "auto-enable never";
  else
    stands = fmt::format("auto-enable pending: {} of {}", effective, grouped(status.needed));
  if (stands.find(effective) == std::string::npos) stands += "; " + effective;
  return fmt::format("{} examples collected, {} labeled ({})", grouped(status.progress.examples),
                     grouped(status.labelled), stands);
}

namespace {

/// Of a venue: which markets, and why not the others; the most frequent reasons first.
std::string markets_words(const EngineStatus& engine) {
  std::string words = fmt::format("{} followed with their books", grouped(engine.followed));
  if (engine.second_tier > 0) words += fmt::format(", {} by their prices", grouped(engine.second_tier));
  std::vector<std::pair<std::string, std::int64_t>> rules(engine.left_out.begin(), engine.left_out.end());
  std::ranges::stable_sort(rules, [](const auto& a, const auto& b) { return a.second > b.second; });
  for (std::size_t i = 0; i < rules.size(); ++i)
    words += fmt::format("{}{} {}", i == 0 ? "; left out: " : ", ", rules[i].first, grouped(rules[i].second));
  return words;
}

std::string history_words(const Status& status) {
  const HistoryFacts& history = *status.history;
  std::string words = fmt::format("{} points, {} tokens, {} days coverage", grouped(history.points),
                                  grouped(history.tokens), figure(history.days, 1));
  words += fmt::format("; avg interval: {} (target: {:g}min)",
                       history.interval_minutes ? figure(*history.interval_minutes, 1) + "min" : "unknown",
                       status.history_step.as_seconds() / 60);
  words += fmt::format("; {} from a history, {} open", grouped(status.progress.backfilled),
                       some(history.open_holes, "hole"));
  return words;
}

}  // namespace

std::string streams_words(const Progress& progress) {
  std::string words = progress.stream + " serves";
  for (const auto& [name, accuracy] : progress.stream_accuracy)
    words += fmt::format("; {} {:.1f} % right", name, 100 * accuracy);
  words += fmt::format("; {}", some(progress.tunes, "tune"));
  if (!progress.tune.empty()) words += ", the latest " + brief(progress.tune);
  for (const auto& [reason, count] : progress.tunes_not)
    words += fmt::format("; {} x none: {}", grouped(count), reason);
  return words;
}

std::string status_text(const Status& status) {
  const Progress& progress = status.progress;
  std::string out = fmt::format("{}: {}\n", status.profile, status.title);
  out += row("Directory", status.directory);
  out += row("Engine", engine_words(status));
  if (!status.engine.source_trouble.empty())
    out += row("Source", "cannot be read now: " + status.engine.source_trouble);
  out += row("Learning", learning_words(status));
  out += "ML Data: " + ml_data_words(status) + "\n";  // one blank, as the older system's documents have it
  for (const ChampionStatus& champion : status.champions) {
    if (champion.model.empty()) {
      out += row("Champion", fmt::format("{}: none", champion.target));
      continue;
    }
    const bool expired = champion.expires && *champion.expires <= status.at;
    out += row("Champion",
               fmt::format("{}: {} since {}{}{}{}", champion.target, brief(champion.model),
                           champion.since ? champion.since->date() : "?", champion.by_hand ? ", pinned by hand" : "",
                           expired            ? ", EXPIRED "
                           : champion.expires ? ", acts until "
                                              : "",
                           champion.expires ? champion.expires->date() : ""));
  }
  if (status.last_training) {
    const TrainingStatus& last = *status.last_training;
    out += row("Training", fmt::format("last {} for {} ({}): {}", last.as_of.iso().substr(0, 16), last.target,
                                       last.reason, last.outcome));
    out += row("", last.why);
    out += row("", fmt::format("so far {} promoted, {} refused, {} insufficient, {} failed", grouped(status.promoted),
                               grouped(status.refused), grouped(status.insufficient), grouped(status.failed)));
  } else {
    out += row("Training", "none yet");
  }
  out += row("", fmt::format("next by schedule {}", or_none(status.next_training)));
  if (progress.recent_accuracy)
    out +=
        row("Accuracy", fmt::format("{:.1f} % of the last {} served predictions were right; always saying one class: "
                                    "{:.1f} %",
                                    100 * *progress.recent_accuracy, grouped(progress.recent_rows),
                                    100 * progress.recent_majority.value_or(0)));
  if (!progress.stream.empty()) out += row("Streams", streams_words(progress));
  if (status.engine.followed + status.engine.second_tier > 0 || !status.engine.left_out.empty())
    out += row("Markets", markets_words(status.engine));
  for (std::size_t i = 0; i < status.engine.health.size(); ++i)
    out += row(i == 0 ? "Feed" : "", status.engine.health[i]);
  if (status.history) out += row("Prices", history_words(status));
  std::string stopped;
  std::vector<std::pair<std::string, std::int64_t>> filters(progress.stopped.begin(), progress.stopped.end());
  std::stable_sort(filters.begin(), filters.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (std::size_t i = 0; i < std::min<std::size_t>(filters.size(), 4); ++i)
    stopped += fmt::format("{}{} {}", i == 0 ? "; stopped: " : ", ", filters[i].first, grouped(filters[i].second));
  out += row("Signals", fmt::format("{} passed{}", grouped(progress.signals), stopped));
  out += row("Alerts", status.alert_words);
  out += row("Paper", fmt::format("equity {} of {} at the start, the baseline alone {}; {} after costs of {}",
                                  money(progress.equity), money(status.capital), money(progress.baseline_equity),
                                  some(progress.round_trips, "round trip"), money(progress.costs)));
  if (progress.committed > 0)
    out += row("", fmt::format("{} committed{}", money(progress.committed),
                               progress.locked > 0
                                   ? fmt::format(", {} of it locked: {} in markets that do not trade and are not "
                                                 "resolved",
                                                 money(progress.locked), some(progress.locked_positions, "position"))
                                   : ""));
  if (progress.waiting_intents > 0)
    out += row("Intents",
               fmt::format("{} for approval: `everlearn intents list --state waiting`",
                           progress.waiting_intents == 1 ? "1 waits" : grouped(progress.waiting_intents) + " wait"));
  out += row("Coverage", fmt::format("{}, {} points, {}{}", some(status.streams, "stream"), grouped(status.points),
                                     some(status.gaps, "gap"),
                                     status.gaps > 0 ? ", the longest " + span_of(status.longest_gap_s) : ""));
  out += row("Disk", fmt::format("{} of data, {} free", bytes_of(status.data_bytes), bytes_of(status.free_bytes)));
  out += row("Last cycle", !progress.last_cycle ? "none yet"
                           : status.last_cycle_age_s
                               ? fmt::format("{} ago ({})", span_of(std::max(0.0, *status.last_cycle_age_s)),
                                             or_none(progress.last_cycle))
                               : fmt::format("{}, in the recording's time", or_none(progress.last_cycle)));
  return out;
}

std::string status_json(const Status& status) {
  const Progress& progress = status.progress;
  std::vector<std::string> champions;
  for (const ChampionStatus& champion : status.champions) {
    JsonOut one;
    one.put("target", champion.target);
    champion.model.empty() ? one.put_null("model") : one.put("model", champion.model);
    champion.since ? one.put("since", champion.since->iso()) : one.put_null("since");
    champion.expires ? one.put("expires", champion.expires->iso()) : one.put_null("expires");
    champions.push_back(one.put("pinned_by_hand", champion.by_hand).put("why", champion.why).text());
  }
  const auto time = [](const std::optional<Timestamp>& t) { return t ? std::optional{t->iso()} : std::nullopt; };
  JsonOut out;
  out.put("profile", status.profile)
      .put("directory", status.directory)
      .put("mode", status.simulated ? "simulation" : "live")
      .put("running", status.engine.daemon)
      .put("holder", status.engine.holder)
      .put("started", time(status.engine.started))
      .put("training_runs", status.engine.training)
      .put("source_trouble", status.engine.source_trouble)
      .put("recent_accuracy", progress.recent_accuracy)
      .put("recent_majority", progress.recent_majority)
      .put("recent_rows", progress.recent_rows)
      .put("stream", progress.stream)
      .put("stream_accuracy", progress.stream_accuracy)
      .put("stream_ledgers", progress.stream_ledgers)
      .put("tunes", progress.tunes)
      .put("tunes_not", progress.tunes_not)
      .put("tune", progress.tune)
      .put("learning", progress.learning.empty() ? "collecting" : progress.learning)
      .put("learning_words", learning_words(status))
      .put("off_by_hand", status.off_by_hand)
      .put_json("examples", JsonOut{}
                                .put("collected", progress.examples)
                                .put("labelled", status.labelled)
                                .put("effective", status.effective)
                                .put("needed", status.needed)
                                .put("auto_enabled", time(progress.auto_enabled))
                                .put("words", ml_data_words(status))
                                .put("void", progress.void_labels)
                                .put("waiting", progress.waiting)
                                .text())
      .put_list("champions", champions);
  if (status.last_training) {
    const TrainingStatus& last = *status.last_training;
    out.put_json("last_training", JsonOut{}
                                      .put("target", last.target)
                                      .put("as_of", last.as_of.iso())
                                      .put("reason", last.reason)
                                      .put("verdict", last.outcome)
                                      .put("why", last.why)
                                      .put("model", last.model)
                                      .text());
  } else {
    out.put_null("last_training");
  }
  if (status.history)
    out.put_json("history", JsonOut{}
                                .put("points", status.history->points)
                                .put("tokens", status.history->tokens)
                                .put("days", status.history->days)
                                .put("interval_minutes", status.history->interval_minutes)
                                .put("target_minutes", status.history_step.as_seconds() / 60)
                                .put("open_holes", status.history->open_holes)
                                .put("backfilled", progress.backfilled)
                                .text());
  else
    out.put_null("history");
  out.put_json("trainings", JsonOut{}
                                .put("promoted", status.promoted)
                                .put("refused", status.refused)
                                .put("insufficient", status.insufficient)
                                .put("failed", status.failed)
                                .text())
      .put("next_training", time(status.next_training))
      .put_json("signals", JsonOut{}.put("passed", progress.signals).put("stopped", progress.stopped).text())
      .put_json("paper", JsonOut{}
                             .put("capital", status.capital)
                             .put("equity", progress.equity)
                             .put("baseline_equity", progress.baseline_equity)
                             .put("costs", progress.costs)
                             .put("round_trips", progress.round_trips)
                             .put("committed", progress.committed)
                             .put("locked", progress.locked)
                             .put("positions", progress.positions)
                             .put("locked_positions", progress.locked_positions)
                             .put("waiting_intents", progress.waiting_intents)
                             .text())
      .put_json("alerts",
                JsonOut{}.put("raised", status.alerts.raised).put_list("channels", channels_of(status.alerts)).text())
      .put_json("coverage", JsonOut{}
                                .put("streams", status.streams)
                                .put("points", status.points)
                                .put("gaps", status.gaps)
                                .put("longest_gap_s", status.longest_gap_s)
                                .text())
      .put_json("markets", JsonOut{}
                               .put("followed", status.engine.followed)
                               .put("second_tier", status.engine.second_tier)
                               .put("left_out", status.engine.left_out)
                               .text())
      .put("feed", status.engine.health)
      .put("cycles", progress.cycles)
      .put("events", progress.events)
      .put("last_cycle", time(progress.last_cycle))
      .put("last_cycle_age_s", status.last_cycle_age_s)
      .put("last_event", time(status.last_event))
      .put("data_bytes", status.data_bytes)
      .put("free_bytes", status.free_bytes)
      .put("ledger_sha256", progress.ledger_sha256);
  return out.text();
}

Result<TrainingCheck> check_training(const DataDirectory& directory) {
  const Profile& profile = directory.profile();
  EL_TRY(const Progress progress, directory.progress());
  EL_TRY(const auto by_hand, directory.store().state("learning"));
  if ((by_hand && by_hand->starts_with("off")) || (!by_hand && !profile.learning))
    return TrainingCheck{false, "learning is off: only by hand, with `train --force`"};
  const bool enabled = profile.train_enabled.value_or(false);
  const std::int64_t needed = enabled ? profile.min_effective : profile.auto_enable;
  const std::string there =
      fmt::format("{} of {} effective labelled examples", grouped(progress.effective), grouped(needed));
  if (progress.effective < needed) return TrainingCheck{false, there};
  if (progress.learning == "collecting" || progress.learning.empty()) {
    if (!enabled && profile.auto_enable == 0)
      return TrainingCheck{false, "train.auto_enable = 0: learning never starts by itself, only with `train --force`"};
    return TrainingCheck{true, there + ": learning starts at the next cycle"};
  }
  const Timestamp now = directory.now();
  EL_TRY(const Rule rule, Rule::parse(profile.train_schedule, profile.train_zone));
  const auto period = rule.previous(now);
  const auto last = progress.last_periods.find("train");
  if (period && last != progress.last_periods.end() && Timestamp{last->second} < *period)
    return TrainingCheck{true, fmt::format("schedule: {}, since {}", rule.text(), period->iso().substr(0, 16))};

  const auto next = rule.next(now);
  const std::string later =
      fmt::format("the schedule ({}) asks next at {}", rule.text(), next ? next->iso().substr(0, 16) : "no time");
  if (!profile.train_max_age && !profile.train_min_sharpe) return TrainingCheck{false, later};
  EL_TRY(const Registry registry, directory.registry());
  TriggerInputs inputs;
  if (const auto champion = registry.champion(profile.targets[directory.acting_target()].name))
    if (const ModelEntry* entry = registry.find(*champion)) inputs.model_age = now - entry->trained_at;
  if (progress.last_training) inputs.since_last_triggered = now - *progress.last_training;
  RecentReturns returns{60};
  EL_TRY(const auto equity, directory.store().equity());
  for (const EquityRow& day : equity) returns.add(day.equity, profile.paper.limits.capital);
  inputs.sharpe = returns.sharpe(directory.calendar().sessions_per_year());
  inputs.sharpe_sessions = returns.days();
  const TriggerDecision decision = decide_training(
      {.age = profile.train_max_age, .sharpe = profile.train_min_sharpe, .gap_min = profile.train_min_gap}, inputs);
  if (decision.train) return TrainingCheck{true, decision.reason};
  return TrainingCheck{false, decision.reason + "; " + later};
}

}  // namespace everlearn
