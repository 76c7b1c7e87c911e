#include "app/report/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/report/words.hpp"

namespace everlearn {
namespace {

constexpr double kWorthTelling = 0.02;  // of the time
constexpr double kMuchOfGain = 0.2;

const TargetLine* target_of(const Report& report, const std::string& name) {
  for (const TargetLine& target : report.targets)
    if (target.name == name) return &target;
  return nullptr;
}

double main_figure(const LiveScore& live, const Score& score) { return live.classes ? score.accuracy : score.r2; }

std::string periods_ahead(const LiveScore& live) {
  std::int64_t ahead = 0, compared = 0;
  for (const PeriodScore& period : live.periods) {
    const double served = main_figure(live, period.served), baseline = main_figure(live, period.baseline);
    if (std::isnan(served) || std::isnan(baseline) || !is_full(live, period)) continue;
    ++compared;
    ahead += served > baseline ? 1 : 0;
  }
  const std::size_t letters = live.periods.empty() ? 0 : live.periods.front().period.size();
  return compared < 2 ? ""
                      : fmt::format(", ahead in {} of {} {}", ahead, compared,
                                    letters == 4   ? "years"
                                    : letters == 7 ? "months"
                                                   : "days");
}

std::string about_accuracy(const LiveScore& live, const std::string& name) {
  const Score &served = live.served, &baseline = live.baseline;
  const std::string against =
      fmt::format("{} right, the baseline {}, always saying the commonest class {}", percent(served.accuracy),
                  percent(baseline.accuracy), percent(served.majority_class));
  const bool beats = served.accuracy > baseline.accuracy && served.accuracy > served.majority_class;
  return fmt::format("{}: what was served {} over {} scored predictions: {}{}.", name,
                     beats ? "beat the baseline" : "did not beat the baseline and a constant guess", grouped(served.n),
                     against, periods_ahead(live));
}

std::string about_fit(const LiveScore& live, const std::string& name) {
  const Score &served = live.served, &baseline = live.baseline;
  const bool beats = served.r2 > baseline.r2;
  std::string text = fmt::format("{}: what was served {} over {} scored predictions (R2 {} against {}{}).", name,
                                 beats ? "beat the baseline" : "did not beat the baseline", grouped(served.n),
                                 figure(served.r2, 4), figure(baseline.r2, 4), periods_ahead(live));
  if (!(served.r2 > 0))
    text += " R2 is not above 0: always saying the average outcome, known only afterwards, would have been nearer.";
  if (!(served.r2_no_change > 0))
    text +=
        fmt::format(" Saying \"no change\" was at least as good (R2 against it {}).", figure(served.r2_no_change, 4));
  return text;
}

std::string about_direction(const LiveScore& live, const std::string& name) {
  const Score& served = live.served;
  const double lead = served.direction_accuracy - served.majority_direction;
  return fmt::format(
      "{}: the direction was right in {} of the moves; always guessing the commoner one gets {}, so "
      "direction {}.",
      name, percent(served.direction_accuracy), percent(served.majority_direction),
      lead >= 0.01 ? "was foreseen better than by a constant guess"
      : lead > 0   ? "was foreseen hardly better than by a constant guess"
                   : "was not foreseen");
}

/// Since a model of the target first served: how much of the time none was young enough to act.
std::string about_vacancy(const Report& report, const std::string& target) {
  const Timestamp now = report.progress.last_cycle.value_or(Timestamp::min());
  std::optional<Timestamp> first;
  double vacant = 0;
  bool now_vacant = false;
  for (const Reign& reign : report.reigns) {
    if (reign.target != target) continue;
    if (!first) first = reign.from;
    if (reign.expired) vacant += (reign.to.value_or(now) - *reign.expired).as_seconds();
    now_vacant = reign.expired.has_value();
  }
  const double share = first && *first < now ? vacant / (now - *first).as_seconds() : 0;
  if (share < kWorthTelling) return {};
  return fmt::format(
      "{}: since the first promotion ({}) models were too old to act for {} of the time{}; the baseline "
      "spoke alone then.",
      target, first->date(), percent(share, 0), now_vacant ? ", the last one still is" : "");
}

std::string about_trainings(const Report& report) {
  std::map<std::string, std::int64_t> by_verdict;
  for (const TrainingLine& line : report.trainings) ++by_verdict[line.verdict];
  if (report.trainings.empty())
    return fmt::format("Nothing was trained: {} effective labelled examples are there, learning is {}.",
                       grouped(report.progress.effective), report.progress.learning);
  const std::int64_t promoted = by_verdict["promoted"];
  std::string text =
      fmt::format("{}: {} passed the gate", some(std::ssize(report.trainings), "training"), grouped(promoted));
  for (const auto* verdict : {"refused", "insufficient", "failed"})
    if (by_verdict[verdict] > 0) text += fmt::format(", {} {}", grouped(by_verdict[verdict]), verdict);
  return text + (promoted == 0 ? ". No model has ever acted." : ".");
}

/// Empty where a model of the target that acts has served; else that target.
std::string acts_without_model(const Report& report) {
  for (const TargetLine& target : report.targets)
    if (target.acts && std::none_of(report.reigns.begin(), report.reigns.end(),
                                    [&](const Reign& reign) { return reign.target == target.name; }))
      return target.name;
  return "";
}

std::string why_no_trade(const Report& report) {
  if (const std::string target = acts_without_model(report); !target.empty())
    return fmt::format(": no model of {}, the target that acts, has passed the gate", target);
  const auto& stopped = report.progress.stopped;
  const auto most = std::max_element(stopped.begin(), stopped.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  if (report.progress.signals > 0 || most == stopped.end()) return "";
  return fmt::format(": no signal passed, most were stopped by \"{}\"", most->first);
}

std::string about_paper(const Report& report) {
  const Paper& paper = report.paper;
  if (!paper.first_trade) return fmt::format("On paper: nothing was traded{}.", why_no_trade(report));
  const std::string share =
      paper.capital > 0 ? fmt::format(" ({} of the capital)", percent(paper.pnl / paper.capital)) : "";
  std::string text = fmt::format("On paper: P&L {}{} after costs of {}", money(paper.pnl), share, money(paper.costs));
  if (!acts_without_model(report).empty())
    text += ", by the baseline alone, as the profile allows: no model has acted. ";
  else
    text += fmt::format("; the same rules on the baseline alone made {}{}", money(paper.baseline_pnl),
                        paper.pnl > paper.baseline_pnl ? ". " : ": the models did not earn more than it. ");
  if (paper.pnl > 0 && paper.best && paper.best->pnl > kMuchOfGain * paper.pnl)
    text += fmt::format("One round trip alone ({}, closed {}) made {} of it. ", paper.best->instrument,
                        paper.best->exit.date(), money(paper.best->pnl));
  if (std::isnan(paper.sharpe))
    return text + fmt::format("Sharpe ratio: insufficient ({}, {}).", some(paper.days, "day"),
                              some(paper.round_trips, "round trip"));
  text +=
      fmt::format("Sharpe ratio {} with a standard error of {}", figure(paper.sharpe, 2), figure(paper.sharpe_se, 2));
  return text + (std::abs(paper.sharpe) < 2 * paper.sharpe_se ? ": not distinguishable from 0." : ".");
}

}  // namespace

bool is_full(const LiveScore& live, const PeriodScore& period) {
  std::int64_t fullest = 0;
  for (const PeriodScore& other : live.periods) fullest = std::max(fullest, other.served.n);
  return period.served.n * 10 >= fullest;
}

const Check* first_failed(const TrainingLine& training) {
  for (const Check& check : training.checks)
    if (!check.passed) return &check;
  return nullptr;
}

const TrainingLine* training_of(const Report& report, const std::string& model) {
  for (const TrainingLine& line : report.trainings)
    if (line.model == model) return &line;
  return nullptr;
}

std::vector<Refusal> refusals(const Report& report, const std::string& target) {
  std::vector<Refusal> all;
  for (const TrainingLine& line : report.trainings) {
    if (line.target != target || line.verdict == "promoted") continue;
    const Check* check = first_failed(line);
    const std::string cause = check != nullptr ? check->name : line.why;
    auto found = std::find_if(all.begin(), all.end(), [&](const Refusal& refusal) {
      return refusal.verdict == line.verdict && refusal.cause == cause;
    });
    if (found == all.end()) found = all.insert(all.end(), {line.verdict, cause, 0, line.as_of, {}});
    ++found->count;
    found->last = line.as_of;
    found->example = line.why;
  }
  std::stable_sort(all.begin(), all.end(), [](const Refusal& a, const Refusal& b) { return a.count > b.count; });
  return all;
}

std::vector<std::string> findings(const Report& report) {
  std::vector<std::string> all;
  if (!report.progress.finished) all.push_back("The input has not been read to its end: these are the figures so far.");
  all.push_back(about_trainings(report));
  for (const LiveScore& live : report.live) {
    const TargetLine* target = target_of(report, live.target);
    const std::string name = target != nullptr ? fmt::format("{} ({})", live.target, target->what) : live.target;
    if (live.served.n == 0)
      all.push_back(
          fmt::format("{}: no model has spoken on a row whose outcome is known; there is nothing to score.", name));
    else
      all.push_back(live.classes ? about_accuracy(live, name) : about_fit(live, name));
    if (std::string vacancy = about_vacancy(report, live.target); !vacancy.empty()) all.push_back(std::move(vacancy));
    if (live.directional && std::isfinite(live.served.direction_accuracy))
      all.push_back(about_direction(live, live.target));
    if (live.first && !report.reigns.empty()) {
      const auto reign = std::find_if(report.reigns.begin(), report.reigns.end(),
                                      [&](const Reign& r) { return r.target == live.target; });
      if (reign != report.reigns.end() && reign->from + Duration::days(30) < *live.first)
        all.push_back(
            fmt::format("{}: a model has served since {}, but rows before {} went by retention and are not scored.",
                        live.target, reign->from.date(), live.first->date()));
    }
  }
  all.push_back(about_paper(report));
  return all;
}

}  // namespace everlearn
