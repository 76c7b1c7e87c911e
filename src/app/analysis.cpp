#include "app/analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "app/report/words.hpp"
#include "core/json.hpp"
#include "core/system_clock.hpp"

namespace everlearn {
namespace {

constexpr Duration kLook = Duration{200'000};  // between two looks at a training that runs
const std::string kLastRun = "last run";       // state: when the run before began, microseconds

std::optional<Timestamp> time_of(const std::optional<std::string>& text) {
  std::int64_t us = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), us);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return Timestamp{us};
}

Result<void> note_missing_run(LiveSession& session, Analysis& run) {
  const DataDirectory& directory = session.directory();
  const Profile& profile = directory.profile();
  Store& store = session.directory().store();
  EL_TRY(const auto last, store.state(kLastRun));
  if (const auto before = time_of(last))
    run.no_run = missing_run(CycleGrid{profile.cycle, directory.calendar()}, profile.cycle, *before, run.at);
  if (run.no_run) {
    store.coverage().add(*run.no_run);
    EL_CHECK(store.note(run.at, "gap", fmt::format("no run since {}", run.no_run->start.iso())));
  }
  return store.put_state(kLastRun, std::to_string(run.at.us()));
}

// "margin" -> how many more there are than before.
std::map<std::string, std::int64_t> since(const std::map<std::string, std::int64_t>& before,
                                          const std::map<std::string, std::int64_t>& after) {
  std::map<std::string, std::int64_t> more;
  for (const auto& [name, count] : after) {
    const auto found = before.find(name);
    const std::int64_t rest = count - (found == before.end() ? 0 : found->second);
    if (rest != 0) more[name] = rest;
  }
  return more;
}

// The parts of a run that may take long: they keep the lease, and end early when a signal came.
class Run {
 public:
  Run(AnalysisRequest& request, LiveSession& session) : request_{request}, session_{session} {}

  /// All rows there are and the cycles that are due. A table may grow while it is read: cycles end it, not rows.
  Result<void> catch_up() {
    for (bool more = true; more && !stopped();) {
      EL_TRY(const Engine::LiveStep step, session_.step());
      EL_CHECK(keep());
      more = step.more;
    }
    return {};
  }

  Result<void> wait_for_trainings() {
    while (session_.engine().training() && !stopped()) {
      if (request_.signals) request_.signals->wait(kLook);
      EL_CHECK(catch_up());
    }
    return stopped() ? Result<void>{} : session_.engine().finish_work();
  }

  bool stopped() const { return request_.signals && request_.signals->requested(); }

 private:
  Result<void> keep() const { return request_.keep ? request_.keep() : Result<void>{}; }

  AnalysisRequest& request_;
  LiveSession& session_;
};

Result<void> take_trainings(DataDirectory& directory, std::size_t known, Analysis& run) {
  EL_TRY(const auto verdicts, directory.store().verdicts());
  for (std::size_t i = known; i < verdicts.size(); ++i) {
    EL_TRY(const TrainingRecord record, training_record(verdicts[i]));
    run.trainings.push_back({.target = directory.profile().targets[verdicts[i].target].name,
                             .outcome = verdicts[i].outcome,
                             .model = verdicts[i].bundle,
                             .reason = verdicts[i].reason,
                             .verdict = record.verdict.reason});
  }
  return {};
}

struct Alerts {
  std::int64_t raised = 0, sent = 0, waiting = 0;
};

Result<Alerts> count_alerts(const Store& store) {
  Alerts count;
  EL_TRY(const auto alerts, store.alerts());
  EL_TRY(const auto deliveries, store.deliveries());
  count.raised = std::ssize(alerts);
  for (const DeliveryRow& delivery : deliveries) {
    count.sent += delivery.state == DeliveryState::Sent;
    count.waiting += !delivery.settled();
  }
  return count;
}

std::string listed(const std::map<std::string, std::int64_t>& counts) {
  std::string out;
  for (const auto& [name, count] : counts) out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, grouped(count));
  return out;
}

std::string row(std::string_view name, const std::string& text) { return fmt::format("{:<10} {}\n", name, text); }

std::string second_of(Timestamp at) { return at.iso().substr(0, 19); }

}  // namespace

std::optional<Gap> missing_run(const CycleGrid& grid, Duration cycle, Timestamp before, Timestamp now) {
  const bool missing = cycle.us() > 0 ? grid.open_time(before, now) > Duration{cycle.us() * 3 / 2}
                                      : grid.after(grid.after(before)) <= now;
  if (!missing) return std::nullopt;
  return Gap{.instrument = kEveryInstrument, .start = before, .end = now, .reason = "no run", .filled_from = ""};
}

Result<Analysis> analyze(AnalysisRequest request) {
  Analysis run;
  Stopwatch stopwatch;
  const auto took = [&](const std::string& part) {
    run.seconds[part] = stopwatch.seconds();
    stopwatch.restart();
  };
  request.live.begins = "one run begins";
  request.live.config.profile.table.settle = {};  // it takes the rows that are there, and waits for nobody
  EL_TRY(const auto session, LiveSession::open(request.live));
  const auto ran = [&]() -> Result<void> {
    DataDirectory& directory = session->directory();
    run.profile = directory.profile().name;
    run.at = session->clock().now();
    EL_TRY(run.before, directory.progress());
    EL_TRY(const auto verdicts, directory.store().verdicts());
    EL_TRY(const Alerts alerts, count_alerts(directory.store()));
    EL_CHECK(session->start());
    const SourceReport read_before = session->source().report();  // a source may read again to find its place
    EL_CHECK(note_missing_run(*session, run));
    took("open");
    Run parts{request, *session};
    EL_CHECK(parts.catch_up());
    took("rows and cycles");
    EL_CHECK(parts.wait_for_trainings());
    took("trainings");
    run.stopped = parts.stopped();
    EL_CHECK(session->stop(run.stopped ? "one run, ended by a signal" : "one run ends"));
    took("end");
    run.after = session->engine().progress();
    run.source = session->source().report();
    run.source.rows -= read_before.rows;
    run.source.refused = since(read_before.refused, run.source.refused);
    EL_CHECK(take_trainings(directory, verdicts.size(), run));
    EL_TRY(const Alerts now, count_alerts(directory.store()));
    run.alerts_raised = now.raised - alerts.raised;
    run.alerts_sent = now.sent - alerts.sent;
    run.alerts_waiting = now.waiting;
    return {};
  }();
  if (!ran) {
    session->log().write(LogLevel::Error, "failed", ran.error().message);
    return tl::unexpected<Error>(ran.error());
  }
  return run;
}

std::string Analysis::text() const {
  std::string rows = fmt::format("{} read", grouped(source.rows));
  if (source.late > 0) rows += fmt::format(", {} late", grouped(source.late));
  if (source.corrected > 0) rows += fmt::format(", {} corrected", grouped(source.corrected));
  if (source.gone > 0) rows += fmt::format(", {} gone", grouped(source.gone));
  for (const auto& [reason, count] : source.refused)
    rows += fmt::format("; {} set aside: {}", some(count, "row"), reason);
  std::string out = row("Run", fmt::format("{} at {}{}", profile, second_of(at), stopped ? ", ended by a signal" : ""));
  if (no_run)
    out += row("Gap", fmt::format("no run from {} to {}: the cycles between are late, and say nothing",
                                  second_of(no_run->start), second_of(no_run->end)));
  out += row("Rows", rows);
  if (!source.trouble.empty()) out += row("Source", "cannot be read now: " + source.trouble);
  out += row("Cycles", fmt::format("{}{}, {}, {} ({} void, {} waiting)", grouped(after.cycles - before.cycles),
                                   after.last_cycle ? " up to " + second_of(*after.last_cycle) : "",
                                   some(after.examples - before.examples, "example"),
                                   some(after.labelled - before.labelled, "label"),
                                   grouped(after.void_labels - before.void_labels), grouped(after.waiting)));
  std::string serving = after.stream.empty() ? "" : fmt::format("the {} stream; ", after.stream);
  for (const auto& [target, model] : after.champions)
    serving += fmt::format("{}: {}; ", target, model.empty() ? "no model" : "model " + brief(model));
  out += row("Serving", serving + "learning " + after.learning);
  if (after.recent_accuracy)
    out += row("Recent", fmt::format("{} right of the last {} as served; always the most frequent class: {}",
                                     percent(*after.recent_accuracy), some(after.recent_rows, "prediction"),
                                     after.recent_majority ? percent(*after.recent_majority) : "n/a"));
  const auto stopped_by = since(before.stopped, after.stopped);
  out += row("Signals", fmt::format("{} of {} passed{}", grouped(after.signals - before.signals),
                                    some(after.predictions - before.predictions, "prediction"),
                                    stopped_by.empty() ? "" : "; stopped: " + listed(stopped_by)));
  const auto not_tuned = since(before.tunes_not, after.tunes_not);
  if (after.tunes != before.tunes || !not_tuned.empty())
    out += row("Tune", fmt::format("{}{}{}", after.tunes != before.tunes ? brief(after.tune) + " is used" : "",
                                   after.tunes != before.tunes && !not_tuned.empty() ? "; " : "",
                                   not_tuned.empty() ? "" : "not used: " + listed(not_tuned)));
  for (const Training& training : trainings)
    out += row("Training", fmt::format("{}: {}{}: {} ({})", training.target,
                                       training.model.empty() ? "" : brief(training.model) + " ", training.outcome,
                                       training.verdict, training.reason));
  if (alerts_raised > 0 || alerts_sent > 0 || alerts_waiting > 0)
    out += row("Alerts", fmt::format("{} raised, {} sent, {} waiting", grouped(alerts_raised), grouped(alerts_sent),
                                     grouped(alerts_waiting)));
  double all = 0;
  std::string parts;
  for (const auto& [part, spent] : seconds) {
    all += spent;
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", part, figure(spent, 2));
  }
  return out + row("Seconds", fmt::format("{}: {}", figure(all, 2), parts));
}

std::string Analysis::to_json() const {
  std::vector<std::string> all;
  for (const Training& training : trainings)
    all.push_back(JsonOut{}
                      .put("target", training.target)
                      .put("outcome", training.outcome)
                      .put("model", training.model)
                      .put("reason", training.reason)
                      .put("verdict", training.verdict)
                      .text());
  JsonOut out;
  out.put("profile", profile)
      .put("at", at.iso())
      .put("stopped", stopped)
      .put_json("rows", JsonOut{}
                            .put("read", source.rows)
                            .put("late", source.late)
                            .put("corrected", source.corrected)
                            .put("gone", source.gone)
                            .put("refused", source.refused)
                            .text())
      .put("trouble", source.trouble)
      .put("cycles", after.cycles - before.cycles)
      .put("last_cycle", after.last_cycle ? std::optional{after.last_cycle->iso()} : std::nullopt)
      .put("examples", after.examples - before.examples)
      .put("labels", after.labelled - before.labelled)
      .put("void", after.void_labels - before.void_labels)
      .put("waiting", after.waiting)
      .put("predictions", after.predictions - before.predictions)
      .put("learning", after.learning)
      .put("stream", after.stream)
      .put("champions", after.champions)
      .put("recent_accuracy", after.recent_accuracy)
      .put("recent_rows", after.recent_rows)
      .put("recent_majority", after.recent_majority)
      .put("signals", after.signals - before.signals)
      .put("stopped_by", since(before.stopped, after.stopped))
      .put("tunes", after.tunes - before.tunes)
      .put("tunes_not", since(before.tunes_not, after.tunes_not))
      .put("tune", after.tune)
      .put_list("trainings", all)
      .put_json("alerts",
                JsonOut{}.put("raised", alerts_raised).put("sent", alerts_sent).put("waiting", alerts_waiting).text());
  if (no_run)
    out.put_json(
        "gap",
        JsonOut{}.put("start", no_run->start.iso()).put("end", no_run->end.iso()).put("reason", no_run->reason).text());
  else
    out.put_null("gap");
  return out.put("seconds", seconds).put("ledger_sha256", after.ledger_sha256).text();
}

}  // namespace everlearn
