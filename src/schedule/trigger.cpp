#include "schedule/trigger.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace everlearn {
namespace {

/// "8.2 days", "1 day", "5.5 h", "90 s": the largest unit that fits, cut to one decimal. Not rounded: 6.96 of 7 days is
/// "6.9 days", never a "7 days" that looks due.
std::string words(Duration d) {
  struct Unit {
    Duration length;
    const char* one = "";
    const char* many = "";
  };
  constexpr std::array kUnits{Unit{Duration::days(1), "day", "days"}, Unit{Duration::hours(1), "h", "h"},
                              Unit{Duration::minutes(1), "min", "min"}, Unit{Duration::seconds(1), "s", "s"}};
  auto unit = kUnits.begin();
  while (unit + 1 != kUnits.end() && d < unit->length) ++unit;
  const std::int64_t tenths = d.us() / (unit->length.us() / 10);
  const std::string number =
      tenths % 10 == 0 ? fmt::format("{}", tenths / 10) : fmt::format("{}.{}", tenths / 10, tenths % 10);
  return fmt::format("{} {}", number, tenths == 10 ? unit->one : unit->many);
}

/// What one limit says.
struct Finding {
  bool asks;
  std::string text;
};

Finding judge_age(Duration age, Duration limit) {
  return {age >= limit, fmt::format("model is {} old, limit {}", words(age), words(limit))};
}

Finding judge_sharpe(const TriggerLimits& limits, const TriggerInputs& inputs) {
  if (!inputs.sharpe || !std::isfinite(*inputs.sharpe)) return {false, "live Sharpe is unknown"};
  if (inputs.sharpe_sessions < limits.sharpe_sessions) {
    return {false, fmt::format("live Sharpe has {} of {} sessions", inputs.sharpe_sessions, limits.sharpe_sessions)};
  }
  return {*inputs.sharpe < *limits.sharpe, fmt::format("live Sharpe is {:.2f} over {} sessions, limit {:.2f}",
                                                       *inputs.sharpe, inputs.sharpe_sessions, *limits.sharpe)};
}

std::string examples(std::int64_t have, std::int64_t need) { return fmt::format("{} of {} new examples", have, need); }

}  // namespace

TriggerDecision decide_training(const TriggerLimits& limits, const TriggerInputs& inputs) {
  if (inputs.by_hand) return {true, "asked for by hand"};

  std::vector<Finding> findings;
  if (!inputs.model_age) {
    findings.push_back({true, "there is no model yet"});
  } else if (limits.age) {
    findings.push_back(judge_age(*inputs.model_age, *limits.age));
  }
  if (limits.sharpe) findings.push_back(judge_sharpe(limits, inputs));
  if (limits.new_labels) {
    findings.push_back({inputs.new_labels >= *limits.new_labels, examples(inputs.new_labels, *limits.new_labels)});
  }

  std::vector<std::string> asking;
  std::vector<std::string> quiet;
  for (Finding& finding : findings) (finding.asks ? asking : quiet).push_back(std::move(finding.text));
  if (asking.empty()) {
    return {false, quiet.empty() ? "no limit is set" : fmt::format("{}", fmt::join(quiet, "; "))};
  }

  const std::string why = fmt::format("{}", fmt::join(asking, "; "));
  if (inputs.new_labels < limits.new_labels_min) {
    return {false, fmt::format("{}, but only {}", why, examples(inputs.new_labels, limits.new_labels_min))};
  }
  if (inputs.since_last_triggered && *inputs.since_last_triggered < limits.gap_min) {
    return {false, fmt::format("{}, but the last triggered training was {} ago, gap {}", why,
                               words(*inputs.since_last_triggered), words(limits.gap_min))};
  }
  return {true, why};
}

}  // namespace everlearn
