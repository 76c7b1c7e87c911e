// For the tests: a report of a run that never was, with something in every field.
#pragma once

#include <cmath>
#include <limits>
#include <string>

#include "app/report/report.hpp"
#include "core/rng.hpp"

namespace everlearn {

inline Timestamp on(const std::string& day) { return Timestamp::parse(day + "T21:00:00Z").value(); }

inline Score value_score(std::int64_t n, double r2, double direction) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  return {.n = n,
          .r2 = r2,
          .r2_no_change = r2 + 0.001,
          .rmse = 0.04,
          .direction_accuracy = direction,
          .majority_direction = std::isnan(direction) ? nan : 0.541,
          .zero_share = std::isnan(direction) ? nan : 0.02,
          .accuracy = nan,
          .majority_class = nan,
          .log_loss = nan};
}

inline LiveScore live_score(const std::string& target, bool directional, Rng& rng) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  LiveScore live{.target = target, .classes = false, .directional = directional};
  const double served = directional ? -0.004 : 0.42, baseline = directional ? -0.021 : 0.36;
  live.served = value_score(96'400, served, directional ? 0.523 : nan);
  live.baseline = value_score(96'400, baseline, directional ? 0.507 : nan);
  live.first = on("1998-01-02");
  live.last = on("2022-12-20");
  for (int year = 1998; year <= 2022; ++year)
    live.periods.push_back(
        {std::to_string(year),
         value_score(5'000, served + 0.1 * (rng.uniform() - 0.5), directional ? 0.48 + 0.08 * rng.uniform() : nan),
         value_score(5'000, baseline + 0.1 * (rng.uniform() - 0.6), directional ? 0.47 + 0.08 * rng.uniform() : nan)});
  live.periods[10].baseline.r2 = -3.1;  // one year that would squeeze all others
  for (int d = 0; d < 10; ++d) {
    const double x = directional ? 0.001 * (d - 4) : 0.006 + 0.003 * d;
    live.deciles.push_back({x, 1.1 * x + 0.002 * (rng.uniform() - 0.4), 9'640});
    live.baseline_deciles.push_back({0.8 * x, 0.5 * x + 0.002 * rng.uniform(), 9'640});
  }
  return live;
}

inline TrainingLine training_line(const std::string& target, Timestamp as_of, Rng& rng) {
  const double gain = 0.03 * (rng.uniform() - 0.6);
  const bool promoted = gain > 0.004, judged = rng.uniform() > 0.05;
  TrainingLine line{.target = target,
                    .model = std::to_string(rng.next()) + "0123456789abcdef0123456789abcdef",
                    .reason = "schedule: quarterly",
                    .verdict = !judged    ? "insufficient"
                               : promoted ? "promoted"
                                          : "refused",
                    .champion_before = "",
                    .why = !judged    ? "too little to judge by: 120 of 200 effective samples"
                           : promoted ? "1.2 % less loss than the champion (5 % quantile 0.1 %)"
                                      : "refused by r2 -0.0021 (required 0)",
                    .as_of = as_of,
                    .rows = 18'000,
                    .effective = 3'600,
                    .holdout_rows = 5'000,
                    .holdout_effective = judged ? 1'000 : 120,
                    .holdout_used_before = 2'500,
                    .holdout_first = as_of - Duration::days(370),
                    .holdout_last = as_of - Duration::days(8),
                    .seconds = 0.41};
  const double nan = std::numeric_limits<double>::quiet_NaN();
  line.checks = {{"effective", judged ? 1000.0 : 120.0, 200, judged, "5000 rows"},
                 {"r2", gain - 0.001, 0, promoted, "champion -0.003, baseline -0.01"},
                 {"majority_direction", 0.54, nan, true, ""},
                 {"gain_over_baseline", judged ? gain : nan, nan, true, "mean loss 0.0011, baseline 0.0012, 5000 rows"},
                 {"sharpe", nan, 0.5, judged, "insufficient: 12 of 20 days"}};
  return line;
}

inline Report made_up_report() {
  Rng rng{7};
  Report report;
  report.profile = "demo";
  report.title = "Twenty made-up stocks, daily: 5-day return and 5-day volatility";
  report.seed = 1;
  report.source = {{"prices.csv.gz", "index.csv.gz"}, "date", 174'573, {{"negative price", 3}}};
  Progress& progress = report.progress;
  progress.learning = "active";
  progress.first_cycle = on("1990-01-02");
  progress.last_cycle = on("2022-12-28");
  progress.cycles = 8'313;
  progress.events = 174'573;
  progress.predictions = 240'000;
  progress.examples = 166'260;
  progress.labelled = 332'000;
  progress.effective = 33'000;
  progress.void_labels = 20;
  progress.waiting = 200;
  progress.signals = 21'000;
  progress.intents = 9'000;
  progress.fills = 17'500;
  progress.stopped = {{"edge", 120'000}, {"no model", 28'000}, {"short not allowed", 900}};
  progress.costs = 35'210;
  progress.round_trips = 8'700;
  progress.ledger_sha256 = std::string(64, 'a');
  progress.finished = true;
  progress.wall_seconds = 96.4;
  progress.split_seconds = {{"features", 11.2},
                            {"labels", 2.1},
                            {"predict", 8.3},
                            {"read", 0.9},
                            {"store", 14.8},
                            {"training", 52.0},
                            {"training: LightGBM", 61.0},
                            {"training: data preparation", 20.5},
                            {"training: gate", 6.2}};
  report.targets = {{"ret_5d", "return over 5 sessions", true, true},
                    {"vol_5d", "volatility over 5 sessions, per step", false, true}};
  for (int i = 0; i < 21; ++i) {
    report.instruments.push_back(i == 20 ? "SP500" : "STOCK" + std::to_string(i));
    report.stream_lines.push_back(
        {report.instruments.back(), on("1990-01-02"), on("2022-12-28"), 8'313, i == 3 ? 1 : 0});
  }
  report.streams = 21;
  report.points = 174'573;
  report.gap_count = 1;
  report.longest_gap_s = 6 * 86'400;
  report.longest_gaps = {{static_cast<InstrumentId>(3), on("2001-09-10"), on("2001-09-17"), "no data", ""}};
  for (int quarter = 0; quarter < 100; ++quarter)
    for (const TargetLine& target : report.targets) {
      const Timestamp as_of = on("1997-12-31") + Duration::days(91 * quarter);
      TrainingLine line = training_line(target.name, as_of, rng);
      if (line.verdict == "promoted") {
        for (auto before = report.reigns.rbegin(); before != report.reigns.rend(); ++before)
          if (before->target == target.name) {
            before->to = as_of;
            line.champion_before = before->model;
            break;
          }
        report.reigns.push_back({target.name, line.model, as_of, {}, {}, "promoted"});
        report.models.push_back({.id = line.model, .target = target.name});
        progress.champions[target.name] = line.model;
      }
      report.trainings.push_back(std::move(line));
    }
  for (const TargetLine& target : report.targets) {
    report.champions.push_back(
        {target.name, progress.champions[target.name], on("2022-04-01"), on("2022-02-20"), {}, 62, 0.7});
    for (int i = 0; i < 30; ++i)
      report.importance[target.name].emplace_back("feature_" + std::to_string(i) + "@12ab", 100.0 / (i + 1));
    report.live.push_back(live_score(target.name, target.acts, rng));
  }
  report.reigns[5].expired = report.reigns[5].from + Duration::days(60);
  Paper& paper = report.paper;
  paper.capital = 100'000;
  paper.cost_bps = paper.half_spread_bps = 5;
  paper.costs = progress.costs;
  paper.first_trade = on("1998-01-05");
  double equity = paper.capital, baseline = paper.capital;
  for (int day = 0; day < 6'500; ++day) {
    equity += 400 * (rng.uniform() - 0.497);
    baseline += 350 * (rng.uniform() - 0.504);
    paper.equity.push_back({on("1998-01-02") + Duration{Duration::days(7).us() * day / 5}, equity, baseline,
                            progress.costs * day / 6'500});
  }
  paper.pnl = equity - paper.capital;
  paper.baseline_pnl = baseline - paper.capital;
  paper.sharpe = 0.12;
  paper.sharpe_se = 0.2;
  paper.days = 6'499;
  paper.round_trips = progress.round_trips;
  paper.max_drawdown = 0.21;
  report.bytes_on_disk = 181'000'000;
  report.limits = {"Adjusted closes only.", "Rounded to three decimals.", "Twenty survivors."};
  return report;
}

}  // namespace everlearn
