#include "app/occasions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "app/report/words.hpp"

namespace everlearn {
namespace {

std::string second_of(Timestamp at) {
  std::string text = at.iso().substr(0, 19);
  text[10] = ' ';
  return text + " UTC";
}

std::string class_name(std::size_t number, std::size_t classes) {
  if (number == 0 && classes <= 3) return "down";
  if (number + 1 == classes && classes <= 3) return "up";
  if (classes == 3) return "flat";
  return fmt::format("class {}", number);
}

/// "0.4321", "43210.5": as many digits as tell prices apart.
std::string price_text(double price) { return std::isfinite(price) ? fmt::format("{:.7g}", price) : ""; }

/// "+0.42 %"
std::string signed_percent(double share) { return (share > 0 ? "+" : "") + percent(share, 2); }

std::string model_text(const std::string& id) { return id.empty() ? "none" : brief(id); }

std::string utc_minute(Timestamp at) { return at.iso().substr(11, 5) + " UTC"; }

// What the classes say, the likeliest first line and figures of how sure that is: the same formulas as the filters'.
std::string class_lines(std::span<const double> p) {
  std::vector<std::string> each;
  double entropy = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    each.push_back(fmt::format("{} {}", class_name(i, p.size()), percent(p[i])));
    if (p[i] > 0) entropy -= p[i] * std::log(p[i]);
  }
  std::vector<double> sorted{p.begin(), p.end()};
  std::ranges::sort(sorted, std::greater<>{});
  return fmt::format("\nprobabilities: {}\nmargin {}, entropy {}", fmt::join(each, ", "),
                     figure(sorted[0] - sorted[1], 3), figure(entropy / std::log(static_cast<double>(p.size())), 3));
}

}  // namespace

AlertRow signal_alert(const TargetProfile& target, const SignalOccasion& occasion) {
  const PredictionRow& row = occasion.row;
  AlertRow alert;
  alert.at = row.event_time;
  alert.kind = "signal";
  alert.key = fmt::format("signal/{}/{}", occasion.instrument, row.event_time.iso());
  alert.expires = occasion.until;
  alert.quiet_may_hold = true;

  const std::span<const double> p = row.probabilities;
  const bool classes = p.size() >= 2;
  std::string said = occasion.side > 0 ? "buy" : "sell";
  if (classes) {
    const auto top = static_cast<std::size_t>(std::ranges::max_element(p) - p.begin());
    said += fmt::format(", {} {}", class_name(top, p.size()), percent(p[top]));
  }
  const std::string price = price_text(row.price);
  alert.text = fmt::format("{}: {}{}, until {}", occasion.instrument, said, price.empty() ? "" : " at " + price,
                           utc_minute(occasion.until));
  if (classes) alert.text += class_lines(p);
  if (!price.empty()) alert.text += "\nprice " + price;
  if (std::isfinite(row.expected) && !price.empty()) {
    alert.text += fmt::format("\nexpected move {} over {}", signed_percent(row.expected),
                              span_of((occasion.until - row.event_time).as_seconds()));
    if (std::isfinite(row.half_spread)) alert.text += fmt::format(", half spread {}", percent(row.half_spread, 3));
  }
  alert.text += fmt::format("\nhorizon ends {}", second_of(occasion.until));
  if (occasion.recent_rows > 0 && std::isfinite(row.recent_accuracy))
    alert.text +=
        fmt::format("\nright lately: {} of the last {}", percent(row.recent_accuracy), grouped(occasion.recent_rows));
  alert.text += fmt::format("\nmodel {}, {} stream, {}\n{}, target {}", model_text(row.bundle), text(row.stream),
                            row.rung, second_of(row.event_time), target.name);
  return alert;
}

AlertRow training_alert(const TargetProfile& target, const TrainingOccasion& occasion, const Verdict& verdict) {
  AlertRow alert;
  alert.at = occasion.as_of;
  alert.kind = "training";
  alert.key = fmt::format("training/{}/{}/{}", target.name, occasion.as_of.iso(), model_text(occasion.bundle));
  const bool weak = verdict.outcome == Outcome::Failed || verdict.outcome == Outcome::Insufficient;
  alert.severity = weak ? Severity::Warning : Severity::Info;
  alert.text = fmt::format("training of {}: {}", target.name, text(verdict.outcome));
  if (!verdict.reason.empty()) alert.text += "\n" + verdict.reason;
  if (occasion.rows_wanted > 0)
    alert.text += fmt::format("\nrows: {} wanted, {} there, {} used{}", grouped(occasion.rows_wanted),
                              grouped(occasion.rows_there), grouped(occasion.rows_used),
                              occasion.rows_there < occasion.rows_wanted ? ": fewer than the target" : "");
  else
    alert.text += fmt::format("\nrows used: {}", grouped(occasion.rows_used));
  if (verdict.rows > 0)
    alert.text += fmt::format("\nhold-out: {} rows, {} effective, {} to {}", grouped(verdict.rows),
                              grouped(verdict.effective), verdict.holdout_first.date(), verdict.holdout_last.date());
  for (const Check& check : verdict.checks)
    alert.text += std::isnan(check.required)
                      ? fmt::format("\n{} {}", check.name, figure(check.measured, 4))
                      : fmt::format("\n{} {}, at least {}: {}", check.name, figure(check.measured, 4),
                                    figure(check.required, 4), check.passed ? "passed" : "not passed");
  alert.text += fmt::format("\nmodel {}, champion before {}\nas of {}\nwhy: {}", model_text(occasion.bundle),
                            model_text(occasion.champion_before), second_of(occasion.as_of), occasion.reason);
  return alert;
}

AlertRow fall_back_alert(const TargetProfile& target, const FallBackOccasion& occasion) {
  AlertRow alert;
  alert.at = occasion.at;
  alert.kind = "fall-back";
  alert.severity = occasion.rung == "none" ? Severity::Critical : Severity::Warning;
  alert.key = fmt::format("fall-back/{}/{}/{}/{}", target.name, occasion.rung, occasion.model, occasion.at.iso());
  const std::string instead = occasion.rung == "none"           ? "nothing acts"
                              : occasion.rung == "from scratch" ? "a new model is trained from scratch"
                                                                : fmt::format("the {} speaks", occasion.rung);
  alert.text = fmt::format("fall-back of {}: {}\nreason: {}\nmodel that should speak: {}", target.name, instead,
                           occasion.reason, model_text(occasion.model));
  if (!occasion.speaks.empty()) alert.text += fmt::format("\nmodel that speaks: {}", model_text(occasion.speaks));
  alert.text += "\n" + second_of(occasion.at);
  return alert;
}

AlertRow accuracy_alert(const TargetProfile& target, const AccuracyOccasion& occasion) {
  AlertRow alert;
  alert.at = occasion.at;
  alert.kind = "accuracy";
  alert.severity = Severity::Warning;
  alert.key = fmt::format("accuracy/{}/{}", target.name, occasion.at.iso());
  alert.text = fmt::format(
      "poor recent accuracy of {}: {} of {} right\nwanted: {}; always saying the most frequent class: {}\nnow: "
      "{}\nmodel "
      "{}\n{}",
      target.name, percent(occasion.accuracy), grouped(occasion.rows), percent(occasion.least),
      percent(occasion.majority), occasion.now, model_text(occasion.model), second_of(occasion.at));
  return alert;
}

AlertRow stream_alert(const TargetProfile& target, const StreamVerdict& verdict) {
  AlertRow alert;
  alert.at = verdict.at;
  alert.kind = "stream";
  alert.key = fmt::format("stream/{}", verdict.at.iso());
  alert.text = fmt::format("the {} stream serves {} now", text(verdict.after), target.name);
  if (!verdict.verdict.reason.empty()) alert.text += "\n" + verdict.verdict.reason;
  alert.text += fmt::format("\nbefore: the {} stream; compared on {} rows, {} effective", text(verdict.before),
                            grouped(verdict.verdict.rows), grouped(verdict.verdict.effective));
  for (const Check& check : verdict.verdict.checks)
    alert.text += std::isnan(check.required) ? fmt::format("\n{} {}", check.name, figure(check.measured, 4))
                                             : fmt::format("\n{} {}, at least {}", check.name,
                                                           figure(check.measured, 4), figure(check.required, 4));
  alert.text +=
      fmt::format("\nbase {}, tune {}\n{}", model_text(verdict.base), model_text(verdict.tune), second_of(verdict.at));
  return alert;
}

AlertRow source_trouble_alert(Timestamp since, const std::string& source, const std::string& problem) {
  AlertRow alert;
  alert.at = since;
  alert.kind = "source";
  alert.severity = Severity::Critical;
  alert.key = fmt::format("source/{}", since.iso());
  alert.text =
      fmt::format("no data from {}\n{}\nsince {}; nothing is predicted on old rows", source, problem, second_of(since));
  return alert;
}

AlertRow source_recovered_alert(Timestamp since, Timestamp at, const std::string& source) {
  AlertRow alert;
  alert.at = at;
  alert.kind = "source";
  alert.severity = Severity::Critical;  // who was told of the trouble is told of its end
  alert.key = fmt::format("source/{}/over", since.iso());
  alert.text =
      fmt::format("data from {} again\nafter {}, since {}", source, span_of((at - since).as_seconds()), second_of(at));
  return alert;
}

}  // namespace everlearn
