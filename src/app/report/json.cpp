#include <algorithm>
#include <limits>

#include "app/report/learning_curve.hpp"
#include "app/report/report.hpp"
#include "core/json.hpp"

namespace everlearn {
namespace {

std::optional<std::string> iso(const std::optional<Timestamp>& t) { return t ? std::optional{t->iso()} : std::nullopt; }

template <class Items, class Write>
std::vector<std::string> list_of(const Items& items, const Write& write) {
  std::vector<std::string> list;
  for (const auto& item : items) list.push_back(write(item));
  return list;
}

JsonOut score_json(const Score& score) {
  JsonOut out;
  out.put("n", score.n)
      .put("r2", score.r2)
      .put("r2_no_change", score.r2_no_change)
      .put("rmse", score.rmse)
      .put("direction_accuracy", score.direction_accuracy)
      .put("majority_direction", score.majority_direction)
      .put("zero_share", score.zero_share)
      .put("accuracy", score.accuracy)
      .put("majority_class", score.majority_class)
      .put("log_loss", score.log_loss);
  return out;
}

std::string check_json(const Check& check) {
  return JsonOut{}
      .put("name", check.name)
      .put("measured", check.measured)
      .put("required", check.required)
      .put("passed", check.passed)
      .put("note", check.note)
      .text();
}

std::string training_json(const TrainingLine& line) {
  const std::string holdout = JsonOut{}
                                  .put("rows", line.holdout_rows)
                                  .put("effective", line.holdout_effective)
                                  .put("rows_used_before", line.holdout_used_before)
                                  .put("first", iso(line.holdout_first))
                                  .put("last", iso(line.holdout_last))
                                  .text();
  return JsonOut{}
      .put("target", line.target)
      .put("model", line.model)
      .put("as_of", line.as_of.iso())
      .put("rows", line.rows)
      .put("effective", line.effective)
      .put("reason", line.reason)
      .put("seconds", line.seconds)
      .put("verdict", line.verdict)
      .put("why", line.why)
      .put("champion_before", line.champion_before)
      .put_json("holdout", holdout)
      .put_list("checks", list_of(line.checks, check_json))
      .text();
}

std::string decile_json(const Decile& decile) {
  return JsonOut{}.put("predicted", decile.predicted).put("outcome", decile.outcome).put("n", decile.n).text();
}

std::string live_json(const LiveScore& live) {
  const auto period = [](const PeriodScore& score) {
    return JsonOut{}
        .put("period", score.period)
        .put_json("served", score_json(score.served).text())
        .put_json("baseline", score_json(score.baseline).text())
        .text();
  };
  const auto week = [](const ConformalCoverage::Week& sets) {
    return JsonOut{}
        .put("week", sets.monday.date())
        .put("n", sets.count.n)
        .put("coverage", sets.count.coverage())
        .put("standard_error", sets.count.standard_error())
        .put("single_share", sets.count.single_share())
        .put("single_accuracy", sets.count.single_accuracy())
        .text();
  };
  JsonOut out;
  out.put("target", live.target).put("from", iso(live.first)).put("to", iso(live.last));
  const Score& served = live.served;
  return out.put("n", served.n)
      .put("r2", served.r2)
      .put("r2_no_change", served.r2_no_change)
      .put("rmse", served.rmse)
      .put("direction_accuracy", served.direction_accuracy)
      .put("majority_direction", served.majority_direction)
      .put("zero_share", served.zero_share)
      .put("accuracy", served.accuracy)
      .put("majority_class", served.majority_class)
      .put("log_loss", served.log_loss)
      .put_json("baseline", score_json(live.baseline).text())
      .put_list("by_period", list_of(live.periods, period))
      .put_list("deciles", list_of(live.deciles, decile_json))
      .put_list("sets_by_week", list_of(live.sets.weeks(), week))
      .text();
}

std::string models_json(const Report& report) {
  std::int64_t kept = 0;
  for (const ModelEntry& entry : report.models) kept += entry.whole ? 1 : 0;
  const auto reign = [](const Reign& r) {
    return JsonOut{}
        .put("target", r.target)
        .put("model", r.model)
        .put("from", r.from.iso())
        .put("to", iso(r.to))
        .put("expired", iso(r.expired))
        .put("how", r.how)
        .text();
  };
  return JsonOut{}
      .put("kept", kept)
      .put("champions", report.progress.champions)
      .put_list("served", list_of(report.reigns, reign))
      .text();
}

std::string win_json(const WinMonths& months, const std::string& month) {
  const auto found = months.find(month);
  const WinTally tally = found == months.end() ? WinTally{} : found->second;
  const auto [low, high] = wilson_interval(tally.won, tally.closed());
  return JsonOut{}
      .put("closed", tally.closed())
      .put("won", tally.won)
      .put("rate", tally.rate())
      .put("low", low)
      .put("high", high)
      .put("pnl", tally.pnl)
      .text();
}

std::string curve_json(const LearningCurve& curve, const StatedSkill& stated) {
  const auto figures = [](const CurvePoint::Figure& figure) {
    return JsonOut{}.put("middle", figure.middle).put("least", figure.least).put("most", figure.most).text();
  };
  const auto point = [&](const CurvePoint& one) {
    const auto said = std::ranges::find(stated.by_rows, one.rows, &StatedSkill::AtRows::rows);
    const bool is_said = said != stated.by_rows.end();
    return JsonOut{}
        .put("rows", one.rows)
        .put("trainings", one.trainings)
        .put_json("r2", figures(one.r2))
        .put_json("direction_accuracy", figures(one.direction_accuracy))
        .put("stated_r2", is_said ? std::optional{said->r2} : std::nullopt)
        .put("stated_direction", is_said ? std::optional{said->direction} : std::nullopt)
        .text();
  };
  return JsonOut{}
      .put("target", curve.target)
      .put("largest", curve.largest)
      .put_list("points", list_of(curve.points, point))
      .text();
}

std::vector<std::string> win_rates(const Paper& paper) {
  WinMonths both = paper.wins;
  both.insert(paper.baseline_wins.begin(), paper.baseline_wins.end());
  std::vector<std::string> months;
  for (const auto& [month, tally] : both)
    months.push_back(JsonOut{}
                         .put("month", month)
                         .put_json("model", win_json(paper.wins, month))
                         .put_json("baseline", win_json(paper.baseline_wins, month))
                         .text());
  return months;
}

std::string paper_json(const Paper& paper) {
  return JsonOut{}
      .put("capital", paper.capital)
      .put("pnl", paper.pnl)
      .put("costs", paper.costs)
      .put("sharpe", paper.sharpe)
      .put("sharpe_se", paper.sharpe_se)
      .put("days", paper.days)
      .put("round_trips", paper.round_trips)
      .put("max_drawdown", paper.max_drawdown)
      .put("baseline_pnl", paper.baseline_pnl)
      .put("best_round_trip", paper.best ? std::optional{paper.best->pnl} : std::nullopt)
      .put("committed", paper.committed)
      .put("locked", paper.locked)
      .put_list("win_rate", win_rates(paper))
      .text();
}

}  // namespace

std::string report_json(const Report& report) {
  const Progress& progress = report.progress;
  double speed = std::numeric_limits<double>::quiet_NaN();
  if (progress.first_cycle && progress.last_cycle && progress.wall_seconds > 0)
    speed = (*progress.last_cycle - *progress.first_cycle).as_seconds() / progress.wall_seconds;
  return JsonOut{}
      .put("profile", report.profile)
      .put("title", report.title)
      .put("inputs", report.source.inputs)
      .put("time_unit", report.source.time_unit)
      .put("from", iso(progress.first_cycle))
      .put("to", iso(progress.last_cycle))
      .put("finished", progress.finished)
      .put("seed", report.seed)
      .put("cycles", progress.cycles)
      .put("events", progress.events)
      .put("refused_rows", report.source.refused)
      .put("learning", progress.learning)
      .put_json("examples", JsonOut{}
                                .put("collected", progress.examples)
                                .put("labelled", progress.labelled)
                                .put("effective", progress.effective)
                                .put("void", progress.void_labels)
                                .put("waiting", progress.waiting)
                                .text())
      .put_json("coverage", JsonOut{}
                                .put("streams", report.streams)
                                .put("points", report.points)
                                .put("gaps", report.gap_count)
                                .put("longest_gap_s", report.longest_gap_s)
                                .text())
      .put_list("trainings", list_of(report.trainings, training_json))
      .put_json("models", models_json(report))
      .put("predictions", progress.predictions)
      .put_json("signals", JsonOut{}.put("passed", progress.signals).put("stopped", progress.stopped).text())
      .put("intents", progress.intents)
      .put("fills", progress.fills)
      .put_list("live", list_of(report.live, live_json))
      .put_list("learning_curve", list_of(learning_curves(report),
                                          [&](const LearningCurve& curve) { return curve_json(curve, report.stated); }))
      .put("stated_by", report.stated.by)
      .put("stated_wins", report.stated.wins)
      .put_json("paper", paper_json(report.paper))
      .put("limits", report.limits)
      .put("bytes_on_disk", report.bytes_on_disk)
      .put("ledger_sha256", progress.ledger_sha256)
      .put("wall_seconds", progress.wall_seconds)
      .put("speed", speed)
      .put("split_seconds", progress.split_seconds)
      .text();
}

}  // namespace everlearn
