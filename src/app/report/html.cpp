#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "app/report/charts.hpp"
#include "app/report/findings.hpp"
#include "app/report/learning_curve.hpp"
#include "app/report/page_style.hpp"
#include "app/report/report.hpp"
#include "app/report/svg.hpp"
#include "app/report/words.hpp"

namespace everlearn {
namespace {

constexpr double kWide = 1000, kNarrow = 400, kHalf = 460;
constexpr std::size_t kFeaturesShown = 20, kGapsListed = 10;

/// Text as markup; a figure keeps its percent sign on its line.
std::string e(std::string_view text) {
  std::string out = escaped(text);
  for (std::size_t at = out.find(" %"); at != std::string::npos; at = out.find(" %", at)) out.replace(at, 1, "&nbsp;");
  return out;
}

/// The same picture for a desk and for a phone.
std::string both(const std::function<std::string(double)>& draw) {
  return fmt::format("<div class=\"wide\">{}</div><div class=\"narrow\">{}</div>\n", draw(kWide), draw(kNarrow));
}

struct Key {
  std::string_view mark, text;  // mark: classes of the swatch
};

std::string legend(std::initializer_list<Key> keys) {
  std::string out = "<div class=\"legend\">";
  for (const Key& key : keys) out += fmt::format("<span><i class=\"{}\"></i>{}</span>", key.mark, e(key.text));
  return out + "</div>\n";
}

std::string card(std::string_view title, std::string_view body) {
  return fmt::format("<div class=\"card\"><h3>{}</h3>\n{}</div>\n", e(title), body);
}

std::string tile(std::string_view name, std::string_view value, std::string_view look, std::string_view beside) {
  return fmt::format("<div class=\"tile\"><span>{}</span><b class=\"{}\">{}</b><span>{}</span></div>\n", e(name), look,
                     e(value), e(beside));
}

/// Rows of cells that are markup already; columns that start with '>' hold figures.
class HtmlTable {
 public:
  explicit HtmlTable(const std::vector<std::string>& columns) {
    for (const std::string& column : columns) {
      const bool right = column.starts_with('>');
      right_.push_back(right);
      head_ += fmt::format("<th{}>{}</th>", right ? " class=\"n\"" : "", e(right ? column.substr(1) : column));
    }
  }
  void row(const std::vector<std::string>& cells, std::string_view look = {}) {
    body_ += look.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", look);
    for (std::size_t i = 0; i < cells.size(); ++i)
      body_ += fmt::format("<td{}>{}</td>", right_[i] ? " class=\"n\"" : "", cells[i]);
    body_ += "</tr>\n";
  }
  std::string markup() const {
    return fmt::format("<div class=\"scroll\"><table><thead><tr>{}</tr></thead><tbody>\n{}</tbody></table></div>\n",
                       head_, body_);
  }

 private:
  std::vector<bool> right_;
  std::string head_, body_;
};

std::string date(const std::optional<Timestamp>& t) { return t ? t->date() : "n/a"; }

std::string verdict_word(const std::string& verdict) {
  return fmt::format("<span class=\"v {0}\">{0}</span>", e(verdict));
}

const TargetLine* target_of(const Report& report, const std::string& name) {
  const auto found = std::find_if(report.targets.begin(), report.targets.end(),
                                  [&](const TargetLine& target) { return target.name == name; });
  return found == report.targets.end() ? nullptr : &*found;
}

// --- parts of the page -----------------------------------------------------------------------------------------------

std::string head(const Report& report) {
  const Progress& progress = report.progress;
  const std::string& title = report.title.empty() ? report.profile : report.title;
  return fmt::format(
      "<p class=\"eyebrow\">everlearn \u00b7 profile {}</p>\n<h1>{}</h1>\n<p class=\"sub\">{} to {} \u00b7 {} "
      "\u00b7 {} \u00b7 {} \u00b7 learning is {}</p>\n",
      e(report.profile), e(title), date(progress.first_cycle), date(progress.last_cycle),
      some(report.streams, "stream"), some(progress.events, "event"), some(progress.cycles, "cycle"),
      e(progress.learning));
}

std::string tiles(const Report& report) {
  std::string out = "<div class=\"tiles\">\n";
  for (const LiveScore& live : report.live) {
    if (live.served.n == 0) continue;
    const double served = live.classes ? live.served.accuracy : live.served.r2;
    const double baseline = live.classes ? live.baseline.accuracy : live.baseline.r2;
    const auto shown = [&](double v) { return live.classes ? percent(v) : figure(v, 3); };
    out += tile(fmt::format("{} live, {}", live.target, live.classes ? "accuracy" : "R\u00b2"), shown(served),
                !(served > baseline) ? "down"
                : served > 0         ? "up"
                                     : "",
                fmt::format("baseline {}; {} predictions", shown(baseline), grouped(live.served.n)));
  }
  const Paper& paper = report.paper;
  if (paper.first_trade)
    out += tile("paper P&L after costs", money(paper.pnl),
                !(paper.pnl > paper.baseline_pnl) ? "down"
                : paper.pnl > 0                   ? "up"
                                                  : "",
                fmt::format("baseline alone {}; costs {}", money(paper.baseline_pnl), money(paper.costs)));
  const auto promoted = std::count_if(report.trainings.begin(), report.trainings.end(),
                                      [](const TrainingLine& line) { return line.verdict == "promoted"; });
  out += tile("models that passed the gate", grouped(promoted), "",
              "of " + some(std::ssize(report.trainings), "training"));
  out += tile("labelled examples", grouped(report.progress.labelled), "",
              fmt::format("{} effective for the target that acts", grouped(report.progress.effective)));
  return out + "</div>\n";
}

std::string check_table(const std::vector<Check>& checks) {
  HtmlTable table{{"check", ">measured", ">required", "", "note"}};
  for (const Check& check : checks) {
    const bool informs = std::isnan(check.required) && check.passed;
    const auto exact = [](double v) {
      return std::isfinite(v) && std::abs(v) >= 1000 ? grouped(std::llround(v)) : figure(v, 4);
    };
    table.row({e(check.name), exact(check.measured), informs ? "" : exact(check.required),
               informs        ? "<span class=\"note\">for information</span>"
               : check.passed ? "<span class=\"yes\">passed</span>"
                              : "<span class=\"no\">not passed</span>",
               e(check.note)});
  }
  return table.markup();
}

std::string champions(const Report& report) {
  std::string out;
  for (const ChampionLine& champion : report.champions) {
    const TrainingLine* training = training_of(report, champion.model);
    std::string body = fmt::format(
        "<p>{} {}: <code>{}</code>, {}, weighs {} against the baseline; learned from outcomes up to {}.{}{}</p>\n",
        champion.expired ? "Promoted" : "Serves since", champion.since.date(), e(brief(champion.model)),
        some(champion.trees, "tree"), percent(champion.blend_weight, 0), champion.learned_until.date(),
        training != nullptr && !training->why.empty() ? " Why: " + e(training->why) + "." : "",
        champion.expired
            ? fmt::format(" <b>Too old to act since {}</b>: the baseline speaks alone until a newer one passes.",
                          champion.expired->date())
            : "");
    if (training != nullptr)
      body += fmt::format(
          "<details><summary>What the gate measured on {} unseen rows ({} effective), {} to {}</summary>{}"
          "</details>\n",
          grouped(training->holdout_rows), grouped(training->holdout_effective), date(training->holdout_first),
          date(training->holdout_last), check_table(training->checks));
    out += card(fmt::format("{} {}", champion.expired ? "Last champion of" : "Now serving", champion.target), body);
  }
  return out;
}

std::string refused(const Report& report) {
  HtmlTable table{{"target", ">times", "verdict", "first check that failed", "last", "such as"}};
  bool any = false;
  for (const TargetLine& target : report.targets)
    for (const Refusal& refusal : refusals(report, target.name)) {
      any = true;
      table.row({e(target.name), grouped(refusal.count), verdict_word(refusal.verdict), e(refusal.cause),
                 "<span class=\"w\">" + refusal.last.date() + "</span>",
                 "<div class=\"why\">" + e(refusal.example) + "</div>"});
    }
  return card("What was refused, and why", any ? table.markup() : "<p class=\"note\">Nothing was refused.</p>\n");
}

std::string all_trainings(const Report& report) {
  HtmlTable table{
      {"as of", "target", "verdict", "model", ">rows", ">effective", ">seconds", "why trained", "what came of it"}};
  for (const TrainingLine& line : report.trainings) {
    const std::string checks = line.checks.empty()
                                   ? ""
                                   : fmt::format("<details><summary>{}</summary>{}</details>",
                                                 some(std::ssize(line.checks), "check"), check_table(line.checks));
    table.row({"<span class=\"w\">" + line.as_of.date() + "</span>", e(line.target), verdict_word(line.verdict),
               "<code>" + e(brief(line.model)) + "</code>", grouped(line.rows), grouped(line.effective),
               figure(line.seconds, 2), e(line.reason), "<div class=\"why\">" + e(line.why) + checks + "</div>"});
  }
  return fmt::format("<details><summary>All {} with their checks</summary>\n{}</details>\n",
                     some(std::ssize(report.trainings), "training"), table.markup());
}

std::string learned(const Report& report) {
  std::string out =
      "<h2>What was learned, and which model served when</h2>\n"
      "<p class=\"note\">Each mark is a training, at its date and at how much less it erred than the baseline on "
      "rows that neither it nor the champion had seen. Point at a mark for its verdict. Marks at the edge lie "
      "beyond it; trainings without a figure stand at the bottom.</p>\n";
  for (const TargetLine& target : report.targets)
    out += card(fmt::format("{}: {}{}", target.name, target.what, target.acts ? " \u2013 the target that acts" : ""),
                legend({{"o i-good", "promoted"},
                        {"r i-bad", "refused"},
                        {"r i-pale", "insufficient evidence"},
                        {"i-bad l", "failed (cross)"},
                        {"i-model", "a model's time in office"},
                        {"i-vacant", "it had expired, the baseline spoke alone"}}) +
                    both([&](double width) { return training_chart(report, target, width); }));
  out += champions(report) + refused(report);
  if (!report.trainings.empty()) out += all_trainings(report);
  return out;
}

std::string period_table(const LiveScore& live) {
  HtmlTable table = live.classes ? HtmlTable{{"period", ">rows", ">accuracy", ">baseline", ">majority", ">log loss"}}
                    : live.directional
                        ? HtmlTable{{"period", ">rows", ">R\u00b2", ">baseline", ">R\u00b2 against no change",
                                     ">direction", ">baseline", ">majority", ">no move"}}
                        : HtmlTable{{"period", ">rows", ">R\u00b2", ">baseline", ">R\u00b2 against no change"}};
  const auto add = [&](const std::string& name, const Score& served, const Score& baseline, std::string_view look) {
    std::vector<std::string> cells{e(name), grouped(served.n)};
    if (live.classes) {
      for (const double share : {served.accuracy, baseline.accuracy, served.majority_class})
        cells.push_back(percent(share));
      cells.push_back(figure(served.log_loss, 4));
    } else {
      for (const double r2 : {served.r2, baseline.r2, served.r2_no_change}) cells.push_back(figure(r2, 4));
      if (live.directional)
        for (const double share :
             {served.direction_accuracy, baseline.direction_accuracy, served.majority_direction, served.zero_share})
          cells.push_back(percent(share));
    }
    table.row(cells, look);
  };
  for (const PeriodScore& period : live.periods) add(period.period, period.served, period.baseline, "");
  add("all", live.served, live.baseline, "sum");
  return table.markup();
}

std::string live_part(const Report& report) {
  std::string out =
      "<h2>Live accuracy against the baseline</h2>\n"
      "<p class=\"note\">What was served, blended with the baseline as it acts, written down before the outcome and "
      "scored once that was known; the baseline alone on the same rows. R\u00b2 is 1 less the squared error over "
      "that of the average outcome of the same period: below 0, the average, known only afterwards, was nearer. Pale "
      "bars stand for few rows."
      "</p>\n";
  std::string calibration;
  for (const LiveScore& live : report.live) {
    const TargetLine* target = target_of(report, live.target);
    if (live.served.n == 0 || target == nullptr) {
      out += card(live.target, "<p class=\"note\">No model has spoken on a row whose outcome is known.</p>\n");
      continue;
    }
    std::string body = legend({{"i-model", "model, as served"}, {"i-base", "baseline"}}) +
                       both([&](double width) { return fit_chart(live, width); });
    if (live.directional)
      body += legend({{"i-model l", "model, as served"},
                      {"i-base l", "baseline"},
                      {"i-pale l d", "always the commoner direction"}}) +
              both([&](double width) { return direction_chart(live, width); });
    body += fmt::format("<details><summary>The figures, {} to {}</summary>{}</details>\n", date(live.first),
                        date(live.last), period_table(live));
    out += card(fmt::format("{}: {}", live.target, target->what), body);
    calibration +=
        card(fmt::format("{}: predicted against realised", live.target),
             legend({{"i-model", "model, as served"}, {"i-base", "baseline"}, {"i-pale l d", "means what it says"}}) +
                 calibration_chart(live, *target, kHalf));
  }
  if (!calibration.empty())
    out +=
        "<h2>Does a prediction mean what it says?</h2>\n<p class=\"note\">The scored rows in order of what was "
        "predicted, cut "
        "into ten equal parts: the mean prediction of each against the mean of what came.</p>\n<div class=\"two\">" +
        calibration + "</div>\n";
  return out;
}

/// The champion's training where its verdict has bins, else the newest that has.
const TrainingLine* reliability_of(const Report& report, const std::string& target) {
  const TrainingLine* found = nullptr;
  for (const TrainingLine& line : report.trainings)
    if (line.target == target && !line.reliability_after.bins.empty()) found = &line;
  for (const ChampionLine& champion : report.champions)
    if (champion.target == target) {
      const TrainingLine* training = training_of(report, champion.model);
      if (training != nullptr && !training->reliability_after.bins.empty()) found = training;
    }
  return found;
}

std::string reliability_table(const TrainingLine& line) {
  HtmlTable table{{"", ">before calibration", ">after"}};
  const auto measured = [&](std::string_view name) {
    const auto found = std::ranges::find(line.checks, name, &Check::name);
    return found == line.checks.end() ? std::numeric_limits<double>::quiet_NaN() : found->measured;
  };
  table.row({"expected calibration error", figure(measured("ece_before"), 4), figure(measured("ece_after"), 4)});
  table.row(
      {"the same class by class", figure(measured("class_ece_before"), 4), figure(measured("class_ece_after"), 4)});
  table.row({"log loss", figure(measured("log_loss_before"), 4), figure(measured("log_loss"), 4)});
  std::string out = table.markup();
  if (line.reliability_before == line.reliability_after)
    out +=
        "<p class=\"note\">Its calibrator changes nothing: none was asked for, or it had too few rows or nothing to "
        "gain "
        "on them.</p>\n";
  const double coverage = measured("conformal_coverage");
  if (std::isfinite(coverage))
    out += fmt::format(
        "<p class=\"note\">Prediction sets on the same rows: {} hold what came; {} have one class."
        "</p>\n",
        e(percent(coverage)), e(percent(measured("conformal_single_share"))));
  return out;
}

/// All weeks together, and each of them to fold out.
std::string sets_table(const ConformalCoverage& sets) {
  const std::vector<std::string> columns{"week from",         ">rows",         ">held what came",
                                         ">classes in a set", ">of one class", ">of these right"};
  HtmlTable weeks{columns}, all{columns};
  const auto add = [&](HtmlTable& table, const std::string& name, const SetCount& count) {
    table.row({"<span class=\"w\">" + e(name) + "</span>", grouped(count.n),
               fmt::format("{} \u00b1 {}", percent(count.coverage()), percent(count.standard_error())),
               figure(count.mean_size(), 2), percent(count.single_share()), percent(count.single_accuracy())});
  };
  for (const ConformalCoverage::Week& week : sets.weeks()) add(weeks, week.monday.date(), week.count);
  add(all, "all", sets.all());
  return all.markup() + fmt::format("<details><summary>By week</summary>{}</details>\n", weeks.markup());
}

std::string reliability_part(const Report& report) {
  std::string cards;
  for (const TargetLine& target : report.targets) {
    const TrainingLine* line = reliability_of(report, target.name);
    if (line == nullptr) continue;
    cards += card(fmt::format("{}: model {}, {}, on {} unseen rows", target.name, brief(line->model), line->verdict,
                              grouped(line->holdout_rows)),
                  legend({{"i-base l d", "before calibration"},
                          {"i-model l", "after, as it acts; bars: twice the standard error"},
                          {"i-pale l d", "means what it says"}}) +
                      reliability_chart(*line, kHalf) + reliability_table(*line));
  }
  std::string sets;
  for (const LiveScore& live : report.live)
    if (live.sets.all().n > 0)
      sets +=
          card(fmt::format("{}: prediction sets as served, {} promised", live.target, percent(1 - live.set_alpha, 0)),
               sets_table(live.sets));
  if (cards.empty() && sets.empty()) return {};
  return "<h2>Do probabilities mean what they say?</h2>\n<p class=\"note\">Rows of the gate's hold-out by the "
         "probability of their likeliest class, in fifteen bins of equal width: what was said against how often it "
         "came "
         "true. The expected calibration error is the mean distance, over the rows. A prediction set holds the classes "
         "that cannot be ruled out; it should hold what came as often as promised.</p>\n<div class=\"two\">" +
         cards + "</div>\n" + sets;
}

std::string curve_part(const Report& report) {
  const auto curves = learning_curves(report);
  if (curves.empty()) return {};
  const StatedSkill& stated = report.stated;
  std::string out =
      "<h2>How skill grows with rows</h2>\n<p class=\"note\">What the gate measured of trainings of about so many "
      "rows, on rows that they had not seen: the middle one, and from the least to the most." +
      (stated.by_rows.empty() ? std::string{} : fmt::format(" Beside it what is stated by {}.", e(stated.by))) +
      "</p>\n";
  for (const LearningCurve& curve : curves) {
    std::vector<std::string> heads{"rows", ">trainings", ">R\u00b2", ">direction"};
    if (!stated.by_rows.empty()) heads.insert(heads.end(), {">R\u00b2, stated", ">direction, stated"});
    HtmlTable table{heads};
    for (const CurvePoint& point : curve.points) {
      std::vector<std::string> cells{grouped(point.rows) + (&point == &curve.points.back() ? " and more" : ""),
                                     grouped(point.trainings),
                                     point.trainings > 0 ? curve_figure(point.r2, false) : "no training had so many",
                                     point.trainings > 0 ? curve_figure(point.direction_accuracy, true) : ""};
      const auto said = std::ranges::find(stated.by_rows, point.rows, &StatedSkill::AtRows::rows);
      if (said != stated.by_rows.end()) cells.insert(cells.end(), {e(said->r2), e(said->direction)});
      cells.resize(heads.size());
      table.row(cells);
    }
    out +=
        card(fmt::format("{}, the largest training had {} rows", curve.target, grouped(curve.largest)), table.markup());
  }
  return out;
}

std::string wins_table(const Report& report) {
  const Paper& paper = report.paper;
  WinMonths both = paper.wins;
  both.insert(paper.baseline_wins.begin(), paper.baseline_wins.end());
  if (both.empty()) return {};
  const auto words = [](const WinMonths& months, const std::string& month) {
    const auto found = months.find(month);
    if (found == months.end() || found->second.closed() == 0) return std::string{"none closed"};
    const auto [low, high] = wilson_interval(found->second.won, found->second.closed());
    return fmt::format("{} of {} ({} to {})", percent(found->second.rate()), grouped(found->second.closed()),
                       percent(low), percent(high));
  };
  std::vector<std::string> heads{"month", ">models", ">baseline alone"};
  const bool stated = !report.stated.wins.empty();
  if (stated) heads.emplace_back(">gain, stated");
  HtmlTable table{heads};
  std::size_t number = 0;
  for (const auto& [month, tally] : both) {
    std::vector<std::string> cells{month, words(paper.wins, month), words(paper.baseline_wins, month)};
    if (stated) cells.push_back(number < report.stated.wins.size() ? e(report.stated.wins[number]) : "");
    ++number;
    table.row(cells);
  }
  return "<p class=\"note\">Win rate by month: positions closed with a gain after costs, with 95 % intervals.</p>\n" +
         table.markup();
}

std::string paper_part(const Report& report) {
  const Paper& paper = report.paper;
  const Progress& progress = report.progress;
  std::string out = "<h2>Signals and paper trading</h2>\n";
  std::string body;
  if (!paper.first_trade) {
    body = "<p class=\"note\">Nothing was traded.</p>\n";
  } else {
    body = legend({{"i-model l", "models, after costs"},
                   {"i-model l d", "models, before costs"},
                   {"i-base l", "the same rules on the baseline alone"},
                   {"i-fall", "below its peak"}}) +
           both([&](double width) { return equity_chart(paper, width); });
    HtmlTable table{{"", ">models", ">baseline alone"}};
    table.row({"P&amp;L after costs", money(paper.pnl), money(paper.baseline_pnl)});
    table.row({"of the capital", percent(paper.pnl / paper.capital), percent(paper.baseline_pnl / paper.capital)});
    table.row({"costs paid", money(paper.costs), ""});
    table.row({"Sharpe ratio, of daily P&amp;L, a year",
               std::isfinite(paper.sharpe)
                   ? fmt::format("{} \u00b1 {}", figure(paper.sharpe, 2), figure(paper.sharpe_se, 2))
                   : "insufficient",
               ""});
    table.row({"largest fall, of the capital", percent(paper.max_drawdown), ""});
    table.row({"round trips", grouped(paper.round_trips), ""});
    if (paper.best)
      table.row({fmt::format("best round trip, {}, closed {}", e(paper.best->instrument), paper.best->exit.date()),
                 money(paper.best->pnl), ""});
    table.row({"days since the first trade", grouped(paper.days), ""});
    body +=
        fmt::format(
            "<p class=\"note\">Costs: a fee of {} bps and half a spread of {} bps a side where no quotes are known; "
            "fills at the first price after the decision. The account starts with {}.</p>\n",
            figure(paper.cost_bps, 1), figure(paper.half_spread_bps, 1), money(paper.capital)) +
        table.markup() + wins_table(report);
  }
  out += card("Paper account", body);
  std::vector<ChartBar> bars{{"passed", static_cast<double>(progress.signals), grouped(progress.signals), "good"}};
  std::vector<std::pair<std::string, std::int64_t>> stopped(progress.stopped.begin(), progress.stopped.end());
  std::stable_sort(stopped.begin(), stopped.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [filter, count] : stopped)
    bars.push_back({filter, static_cast<double>(count), grouped(count), "pale"});
  out += card("Signals, by the filter that stopped them",
              both([&](double width) { return bar_chart(bars, width, "signals by filter"); }) +
                  fmt::format("<p class=\"note\">{} became {} and {}.</p>\n", some(progress.signals, "passed signal"),
                              some(progress.intents, "intent"), some(progress.fills, "fill")));
  return out;
}

std::string importance_part(const Report& report) {
  std::string cards;
  for (const auto& [target, columns] : report.importance) {
    double total = 0;
    for (const auto& [column, gain] : columns) total += gain;
    std::vector<ChartBar> bars;
    for (const auto& [column, gain] : columns) {
      if (bars.size() == kFeaturesShown || !(gain > 0)) break;
      bars.push_back({without_hash(column), gain, percent(gain / total), "model"});
    }
    if (!bars.empty()) cards += card(target, bar_chart(bars, kHalf, "feature importance of " + target));
  }
  if (cards.empty()) return {};
  return fmt::format(
      "<h2>What the serving models look at</h2>\n<p class=\"note\">The twenty features with the largest share of the "
      "loss that the trees saved while they were trained (gain). It says what a model uses, not what causes a "
      "price to move.</p>\n<div class=\"two\">{}</div>\n",
      cards);
}

std::string coverage_part(const Report& report) {
  std::string body = legend({{"i-model", "seen"}, {"i-bad", "gap"}}) +
                     both([&](double width) { return coverage_chart(report, width); });
  if (report.stream_lines.size() > 40)
    body += fmt::format("<p class=\"note\">The first 40 of {}.</p>\n", some(report.streams, "stream"));
  if (!report.longest_gaps.empty()) {
    HtmlTable table{{"stream", "from", "to", ">length", "reason"}};
    for (std::size_t i = 0; i < std::min(kGapsListed, report.longest_gaps.size()); ++i) {
      const Gap& gap = report.longest_gaps[i];
      const std::size_t id = index(gap.instrument);
      table.row({e(gap.instrument == kEveryInstrument ? "all streams"
                   : id < report.instruments.size()   ? report.instruments[id]
                                                      : fmt::format("#{}", id)),
                 gap.start.iso(), gap.end.iso(), span_of((gap.end - gap.start).as_seconds()), e(gap.reason)});
    }
    body += fmt::format("<details><summary>The longest gaps</summary>{}</details>\n", table.markup());
  }
  return fmt::format(
      "<h2>Coverage</h2>\n<p class=\"note\">{} of {}; {}{}. {} collected; {} labels known, {} void, {} waiting."
      "</p>\n{}",
      some(report.points, "point"), some(report.streams, "stream"), some(report.gap_count, "gap"),
      report.gap_count > 0 ? ", the longest " + span_of(report.longest_gap_s) : "",
      some(report.progress.examples, "example"), grouped(report.progress.labelled),
      grouped(report.progress.void_labels), grouped(report.progress.waiting), card("Streams", body));
}

std::string limits_part(const Report& report) {
  std::string items;
  for (const std::string& limit : report.limits) items += fmt::format("<li>{}</li>\n", e(limit));
  if (items.empty()) items = "<li>The profile names no limits of its data (source.limits).</li>\n";
  return "<h2>What the data cannot tell</h2>\n<ul class=\"findings\">\n" + items + "</ul>\n";
}

std::string foot(const Report& report) {
  const Progress& progress = report.progress;
  std::vector<ChartBar> bars;
  for (const auto& [name, seconds] : progress.split_seconds)
    bars.push_back({name, seconds, figure(seconds, 1) + " s", name.find(": ") == std::string::npos ? "model" : "pale"});
  std::string inputs;
  for (const std::string& input : report.source.inputs) inputs += (inputs.empty() ? "" : ", ") + e(input);
  for (const auto& [reason, rows] : report.source.refused)
    inputs += fmt::format("; {} set aside: {}", some(rows, "row"), e(reason));
  return "<h2>Where the time went</h2>\n" +
         card(fmt::format("{} s of wall clock", figure(progress.wall_seconds, 1)),
              both([&](double width) { return bar_chart(bars, width, "wall time by part"); }) +
                  "<p class=\"note\">Grey: parts of the training, whose children run side by side. No figure above "
                  "depends on any "
                  "of this.</p>\n") +
         fmt::format(
             "<footer><p>Input: {} (times: {}). Seed {}. {} on disk.</p><p>Ledger <code>{}</code>: the same input, "
             "settings and seed give the same one.</p></footer>\n",
             inputs, e(report.source.time_unit.empty() ? "n/a" : report.source.time_unit), report.seed,
             bytes_of(report.bytes_on_disk), e(progress.ledger_sha256));
}

}  // namespace

std::string report_html(const Report& report) {
  std::string sentences;
  for (const std::string& finding : findings(report)) sentences += fmt::format("<li>{}</li>\n", e(finding));
  return fmt::format(
             "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" "
             "content=\"width=device-width, initial-scale=1\">\n<title>everlearn: "
             "{}</title>\n<style>{}</style></head>\n"
             "<body><main>\n",
             e(report.profile), kPageStyle) +
         head(report) + tiles(report) + "<h2>In short</h2>\n<ul class=\"findings\">\n" + sentences + "</ul>\n" +
         learned(report) + live_part(report) + reliability_part(report) + curve_part(report) + paper_part(report) +
         importance_part(report) + coverage_part(report) + limits_part(report) + foot(report) +
         "</main></body></html>\n";
}

}  // namespace everlearn
