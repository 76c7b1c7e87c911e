#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <memory>

#include "app/cli/command.hpp"
#include "app/report/report.hpp"
#include "app/report/words.hpp"
#include "core/json.hpp"

namespace everlearn::cli {
namespace {

std::vector<std::string> score_row(const std::string& who, const LiveScore& live, const Score& score) {
  if (live.classes)
    return {who, grouped(score.n), percent(score.accuracy), percent(score.majority_class), figure(score.log_loss, 4)};
  std::vector<std::string> row{who, grouped(score.n), figure(score.r2, 4), figure(score.r2_no_change, 4)};
  if (live.directional) {
    row.push_back(percent(score.direction_accuracy));
    row.push_back(percent(score.majority_direction));
  }
  return row;
}

std::vector<std::vector<std::string>> set_rows(const ConformalCoverage& sets) {
  std::vector<std::vector<std::string>> rows{
      {"week from", "rows", "held what came", "standard error", "of one class", "of these right"}};
  const auto add = [&](const std::string& name, const SetCount& count) {
    rows.push_back({name, grouped(count.n), percent(count.coverage()), percent(count.standard_error()),
                    percent(count.single_share()), percent(count.single_accuracy())});
  };
  for (const ConformalCoverage::Week& week : sets.weeks()) add(week.monday.date(), week.count);
  add("all", sets.all());
  return rows;
}

std::string win_words(const WinMonths& months, const std::string& month) {
  const auto found = months.find(month);
  if (found == months.end() || found->second.closed() == 0) return "none";
  const auto [low, high] = wilson_interval(found->second.won, found->second.closed());
  return fmt::format("{} of {}, {} ({} to {})", grouped(found->second.won), grouped(found->second.closed()),
                     percent(found->second.rate(), 0), percent(low, 0), percent(high, 0));
}

std::string win_table(const Paper& paper) {
  WinMonths both = paper.wins;
  both.insert(paper.baseline_wins.begin(), paper.baseline_wins.end());
  std::vector<std::vector<std::string>> rows{{"month", "won with models", "won by the baseline alone"}};
  for (const auto& [month, tally] : both)
    rows.push_back({month, win_words(paper.wins, month), win_words(paper.baseline_wins, month)});
  return fmt::format("Positions that brought more than they cost, with 95 % intervals (docs/intents.md)\n{}",
                     table_text(rows));
}

Result<void> run(const CommonOptions& options) {
  EL_TRY(const Place place, find_place(options));
  EL_TRY(const Report report, make_report(place.directory, place.config));
  if (options.json) {
    EL_TRY(JsonIn whole, JsonIn::parse(report_json(report)));
    return print_json(JsonOut{}
                          .put("profile", report.profile)
                          .put_json("live", whole.json("live"))
                          .put_json("paper", whole.json("paper"))
                          .put_json("signals", whole.json("signals"))
                          .text());
  }
  for (const LiveScore& live : report.live) {
    fmt::print("{}: what was served, against what came\n", live.target);
    if (live.served.n == 0) {
      fmt::print("  nothing to score: no model has spoken on a row whose outcome is known\n\n");
      continue;
    }
    std::vector<std::vector<std::string>> rows;
    rows.push_back(live.classes       ? std::vector<std::string>{"", "rows", "right", "commonest class", "log loss"}
                   : live.directional ? std::vector<std::string>{"", "rows", "R2", "R2 against no change",
                                                                 "direction right", "commoner direction"}
                                      : std::vector<std::string>{"", "rows", "R2", "R2 against no change"});
    rows.push_back(score_row("served", live, live.served));
    rows.push_back(score_row("baseline", live, live.baseline));
    for (const PeriodScore& period : live.periods) rows.push_back(score_row(period.period, live, period.served));
    fmt::print("{}\n", table_text(rows));
    if (live.sets.all().n > 0)
      fmt::print("prediction sets as served, {} promised\n{}\n", percent(1 - live.set_alpha, 0),
                 table_text(set_rows(live.sets)));
  }
  const Paper& paper = report.paper;
  if (!paper.first_trade) {
    fmt::print("On paper: nothing was traded.\n");
    return {};
  }
  std::vector<std::vector<std::string>> rows{
      {"P&L after costs", money(paper.pnl),
       paper.capital > 0 ? percent(paper.pnl / paper.capital) + " of the capital" : ""},
      {"costs", money(paper.costs),
       fmt::format("{} bps and {} bps half spread, one way", figure(paper.cost_bps, 1),
                   figure(paper.half_spread_bps, 1))},
      {"Sharpe", std::isfinite(paper.sharpe) ? figure(paper.sharpe, 2) : "insufficient",
       std::isfinite(paper.sharpe) ? fmt::format("+- {} over {}", figure(paper.sharpe_se, 2), some(paper.days, "day"))
                                   : "under 20 days or 30 trades"},
      {"max drawdown", percent(paper.max_drawdown), ""},
      {"round trips", grouped(paper.round_trips), "since " + paper.first_trade->date()},
      {"baseline alone", money(paper.baseline_pnl), "the same rules without a model"}};
  if (paper.committed > 0)
    rows.push_back(
        {"committed now", money(paper.committed),
         paper.locked > 0 ? money(paper.locked) + " of it locked in markets that wait for their resolution" : ""});
  fmt::print("On paper\n{}", table_text(rows));
  if (!paper.wins.empty() || !paper.baseline_wins.empty()) fmt::print("\n{}", win_table(paper));
  return {};
}

}  // namespace

void add_performance(Verbs& verbs) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App* verb =
      verbs.app.add_subcommand("performance", "how good it was: predictions as served, and the paper account");
  add_common(*verb, *options);
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
