#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/report/findings.hpp"
#include "app/report/learning_curve.hpp"
#include "app/report/report.hpp"
#include "app/report/words.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kWidth = 120;
// So that a run of decades still fits on a few screens; the page with pictures has them all.
constexpr std::size_t kPromotionsShown = 5, kRefusalsShown = 3, kPeriodsShown = 8, kGapsShown = 3, kMonthsShown = 12;

/// Columns that line up: the first to the left, figures to the right, an overlong last one broken into lines.
class Table {
 public:
  explicit Table(std::string alignment) : alignment_{std::move(alignment)} {}
  void row(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  std::string text() const {
    std::vector<std::size_t> widths(alignment_.size(), 0);
    for (const auto& cells : rows_)
      for (std::size_t i = 0; i < cells.size(); ++i) widths[i] = std::max(widths[i], columns_of(cells[i]));
    std::string out;
    for (const auto& cells : rows_) {
      std::string line = "  ";
      for (std::size_t i = 0; i < cells.size(); ++i) {
        const std::string pad(widths[i] - columns_of(cells[i]), ' ');
        line += alignment_[i] == 'r' ? pad + cells[i] : cells[i] + pad;
        line += "  ";
      }
      line.erase(line.find_last_not_of(' ') + 1);
      out += line + "\n";
    }
    return out;
  }

 private:
  // Continuation bytes of UTF-8 take no column of their own.
  static std::size_t columns_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
  }
  std::string alignment_;  // 'l' or 'r' per column
  std::vector<std::vector<std::string>> rows_;
};

std::string section(std::string_view name) { return fmt::format("\n{}\n", name); }

constexpr char kHardSpace = '\x1f';  // a space at which no line breaks

/// Words broken into lines of kWidth, later ones indented.
std::string wrapped(std::string_view lead, std::string_view text, std::size_t indent) {
  std::string out{lead};
  std::size_t column = lead.size();
  bool fresh = true;  // nothing but the lead or the indent stands on this line
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (!fresh && column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
      fresh = true;
    }
    out += (fresh ? "" : " ") + std::string{word};
    column += word.size() + (fresh ? 0 : 1);
    fresh = false;
  }
  std::replace(out.begin(), out.end(), kHardSpace, ' ');
  return out + "\n";
}
std::string wrapped(std::string_view lead, std::string_view text) { return wrapped(lead, text, lead.size()); }

std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most - 3) + "...";
}

std::string date(const std::optional<Timestamp>& t) { return t ? t->date() : "n/a"; }

std::string run_section(const Report& report) {
  const Progress& progress = report.progress;
  Table table{"ll"};
  std::string inputs = report.source.inputs.empty() ? "none" : fmt::format("{}", fmt::join(report.source.inputs, ", "));
  table.row(
      {"input", shortened(inputs, 90) +
                    (report.source.time_unit.empty() ? "" : fmt::format(" (times: {})", report.source.time_unit))});
  std::int64_t refused = 0;
  for (const auto& [reason, rows] : report.source.refused) refused += rows;
  table.row({"period", fmt::format("{} to {}: {}, {}{}", date(progress.first_cycle), date(progress.last_cycle),
                                   some(progress.cycles, "cycle"), some(progress.events, "event"),
                                   refused > 0 ? fmt::format("; {} set aside as bad", some(refused, "row")) : "")});
  table.row(
      {"examples", fmt::format("{} collected; labels: {} known ({} effective for the target that acts), {} void, {} "
                               "waiting",
                               grouped(progress.examples), grouped(progress.labelled), grouped(progress.effective),
                               grouped(progress.void_labels), grouped(progress.waiting))});
  table.row({"coverage",
             fmt::format("{}, {}, {}{}", some(report.streams, "stream"), some(report.points, "point"),
                         some(report.gap_count, "gap"),
                         report.gap_count > 0 ? fmt::format("; the longest {}", span_of(report.longest_gap_s)) : "")});
  std::size_t shown = 0;
  for (const Gap& gap : report.longest_gaps) {
    if (shown++ == kGapsShown) break;
    const std::size_t id = index(gap.instrument);
    table.row({"", fmt::format("gap in {}: {} to {} ({})",
                               gap.instrument == kEveryInstrument ? "all streams"
                               : id < report.instruments.size()   ? report.instruments[id]
                                                                  : fmt::format("#{}", id),
                               gap.start.date(), gap.end.date(), gap.reason)});
  }
  table.row({"learning", fmt::format("{}; seed {}", progress.learning, report.seed)});
  return section("RUN") + table.text();
}

std::string gate_figures(const TrainingLine& training) {
  std::vector<std::string> parts;
  for (const auto* name : {"r2", "r2_no_change", "direction_accuracy", "accuracy", "gain_over_champion",
                           "gain_over_baseline", "ece_before", "ece_after", "conformal_coverage"}) {
    for (const Check& check : training.checks)
      if (check.name == name) parts.push_back(fmt::format("{} {}", name, figure(check.measured, 4)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string models_section(const Report& report) {
  std::string out = section("WHAT WAS LEARNED, AND WHO SERVED");
  for (const TargetLine& target : report.targets) {
    std::int64_t trainings = 0, promoted = 0;
    for (const TrainingLine& line : report.trainings) {
      if (line.target != target.name) continue;
      ++trainings;
      promoted += line.verdict == "promoted" ? 1 : 0;
    }
    out += fmt::format("  {}: {}{}; {}, {} promoted\n", target.name, target.what, target.acts ? " (acts)" : "",
                       some(trainings, "training"), grouped(promoted));
    const auto champion = std::find_if(report.champions.begin(), report.champions.end(),
                                       [&](const ChampionLine& line) { return line.target == target.name; });
    if (champion == report.champions.end()) {
      out += "    nothing serves: no model has passed the gate\n";
    } else {
      out += fmt::format("    {}: {} since {}, {}, weighs {} against the baseline; learned from outcomes up to {}\n",
                         champion->expired ? "last champion" : "serves now", brief(champion->model),
                         champion->since.date(), some(champion->trees, "tree"), percent(champion->blend_weight, 0),
                         champion->learned_until.date());
      if (champion->expired)
        out += fmt::format("    too old to act since {}: the baseline speaks alone until a newer model passes\n",
                           champion->expired->date());
      if (const TrainingLine* training = training_of(report, champion->model)) {
        out += wrapped("    at the gate: ",
                       fmt::format("{} on {} unseen rows", gate_figures(*training), grouped(training->holdout_rows)));
        out += wrapped("    why it serves: ", training->why);
      }
    }
    std::vector<const Reign*> reigns;
    for (const Reign& reign : report.reigns)
      if (reign.target == target.name) reigns.push_back(&reign);
    const std::size_t hidden = reigns.size() > kPromotionsShown ? reigns.size() - kPromotionsShown : 0;
    Table table{"llll"};
    for (std::size_t i = hidden; i < reigns.size(); ++i) {
      const TrainingLine* training = training_of(report, reigns[i]->model);
      table.row({"  " + brief(reigns[i]->model),
                 fmt::format("{} to {}", reigns[i]->from.date(),
                             reigns[i]->expired ? reigns[i]->expired->date() + " (expired)"
                             : reigns[i]->to    ? reigns[i]->to->date()
                                                : "now"),
                 reigns[i]->how, training != nullptr ? shortened(training->why, 58) : ""});
    }
    if (hidden > 0)
      out += fmt::format("    {} served before these:\n", some(static_cast<std::int64_t>(hidden), "model"));
    out += table.text();
  }
  return out;
}

/// The example's reason; the line has said "refused by" already.
std::string without_repeat(const Refusal& refusal) {
  const std::string said = refusal.verdict + " by ";
  return shortened(refusal.example.starts_with(said) ? refusal.example.substr(said.size()) : refusal.example, 150);
}

std::string refusals_section(const Report& report) {
  std::string out = section("WHAT WAS REFUSED, AND WHY (by the first check that failed)");
  bool any = false;
  for (const TargetLine& target : report.targets) {
    const std::vector<Refusal> all = refusals(report, target.name);
    std::int64_t others = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      any = true;
      if (i >= kRefusalsShown) {
        others += all[i].count;
        continue;
      }
      out += wrapped(fmt::format("  {}: {} x {} by ", target.name, all[i].count, all[i].verdict),
                     fmt::format("{}; such as {}: {}", all[i].cause, all[i].last.date(), without_repeat(all[i])), 4);
    }
    if (others > 0) out += fmt::format("  {}: {} for other reasons\n", target.name, grouped(others));
  }
  return any ? out : out + "  nothing\n";
}

std::string live_section(const Report& report) {
  std::string out = section("LIVE ACCURACY AGAINST THE BASELINE (what was served, scored when the outcome was known)");
  for (const LiveScore& live : report.live) {
    if (live.served.n == 0) {
      out += fmt::format("  {}: nothing to score\n", live.target);
      continue;
    }
    Table table{live.classes ? "lrrrr" : live.directional ? "lrrrrrrr" : "lrrrr"};
    if (live.classes)
      table.row({live.target, "rows", "accuracy", "baseline", "majority"});
    else if (live.directional)
      table.row({live.target, "rows", "R2", "baseline", "R2 no chg", "direction", "baseline", "majority"});
    else
      table.row({live.target, "rows", "R2", "baseline", "R2 no chg"});
    const auto add = [&](const std::string& name, const Score& served, const Score& baseline) {
      if (live.classes) {
        table.row({name, grouped(served.n), percent(served.accuracy), percent(baseline.accuracy),
                   percent(served.majority_class)});
        return;
      }
      std::vector<std::string> cells{name, grouped(served.n), figure(served.r2, 4), figure(baseline.r2, 4),
                                     figure(served.r2_no_change, 4)};
      if (live.directional)
        for (const double share : {served.direction_accuracy, baseline.direction_accuracy, served.majority_direction})
          cells.push_back(percent(share));
      table.row(std::move(cells));
    };
    const std::size_t hidden = live.periods.size() > kPeriodsShown ? live.periods.size() - kPeriodsShown : 0;
    for (std::size_t i = hidden; i < live.periods.size(); ++i)
      add("  " + live.periods[i].period, live.periods[i].served, live.periods[i].baseline);
    add(fmt::format("  all, {} to {}", date(live.first), date(live.last)), live.served, live.baseline);
    out += table.text();
    if (hidden > 0)
      out += fmt::format("    the page with pictures has the {} earlier ones\n",
                         grouped(static_cast<std::int64_t>(hidden)));
  }
  return out;
}

std::string curve_section(const Report& report) {
  const auto curves = learning_curves(report);
  if (curves.empty()) return {};
  const StatedSkill& stated = report.stated;
  std::string out =
      section("HOW SKILL GROWS WITH ROWS (at the gate, on unseen rows; the middle training, from least to most)");
  for (const LearningCurve& curve : curves) {
    Table table{stated.by_rows.empty() ? "lrll" : "lrllll"};
    std::vector<std::string> heads{curve.target, "trainings", "R2", "direction"};
    if (!stated.by_rows.empty()) heads.insert(heads.end(), {"R2, stated", "direction, stated"});
    table.row(heads);
    for (const CurvePoint& point : curve.points) {
      if (point.trainings == 0 && stated.by_rows.empty()) continue;  // nothing to stand beside
      std::vector<std::string> cells{
          fmt::format("  {} rows{}", grouped(point.rows), &point == &curve.points.back() ? " and more" : ""),
          grouped(point.trainings),
          point.trainings > 0 ? curve_figure(point.r2, false)
                              : fmt::format("none had so many: at most {}", grouped(curve.largest)),
          point.trainings > 0 ? curve_figure(point.direction_accuracy, true) : ""};
      if (point.trainings == 0 && curve.largest * 2 >= point.rows) cells[2] = "none of about so many";
      const auto said = std::ranges::find(stated.by_rows, point.rows, &StatedSkill::AtRows::rows);
      if (said != stated.by_rows.end()) cells.insert(cells.end(), {said->r2, said->direction});
      table.row(std::move(cells));
    }
    out += table.text();
  }
  if (!stated.by_rows.empty()) out += wrapped("  ", "stated by " + stated.by);
  return out;
}

std::string win_words(const WinMonths& months, const std::string& month) {
  const auto found = months.find(month);
  if (found == months.end() || found->second.closed() == 0) return "none closed";
  const WinTally& tally = found->second;
  const auto [low, high] = wilson_interval(tally.won, tally.closed());
  return fmt::format("{} of {} ({} to {})", percent(tally.rate()), grouped(tally.closed()), percent(low),
                     percent(high));
}

std::string wins_section(const Report& report) {
  const Paper& paper = report.paper;
  WinMonths both = paper.wins;
  both.insert(paper.baseline_wins.begin(), paper.baseline_wins.end());
  if (both.empty()) return {};
  std::string out = section("WIN RATE BY MONTH (positions closed with a gain after costs; 95 % intervals)");
  const bool stated = !report.stated.wins.empty();
  Table table{stated ? "llll" : "lll"};
  std::vector<std::string> heads{"", "models", "the same rules on the baseline alone"};
  if (stated) heads.push_back("gain, stated");
  table.row(heads);
  const std::size_t hidden = both.size() > kMonthsShown ? both.size() - kMonthsShown : 0;
  std::size_t at = 0;
  for (const auto& [month, tally] : both) {
    const std::size_t number = at++;
    if (number < hidden) continue;
    std::vector<std::string> cells{month, win_words(paper.wins, month), win_words(paper.baseline_wins, month)};
    if (stated && number < report.stated.wins.size()) cells.push_back(report.stated.wins[number]);
    table.row(std::move(cells));
  }
  return out + table.text();
}

std::string paper_section(const Report& report) {
  const Progress& progress = report.progress;
  const Paper& paper = report.paper;
  std::string out = section("SIGNALS AND PAPER TRADING");
  std::string stopped;
  for (const auto& [filter, count] : progress.stopped)
    stopped += fmt::format("{}{} {}", stopped.empty() ? "" : ", ", filter, grouped(count));
  out += wrapped("  ", fmt::format("{} passed; stopped by: {}. {}, {}.", some(progress.signals, "signal"),
                                   stopped.empty() ? "nothing" : stopped, some(progress.intents, "intent"),
                                   some(progress.fills, "fill")));
  if (!paper.first_trade) return out + "  nothing was traded\n";
  Table table{"lrlr"};
  table.row({"P&L after costs", money(paper.pnl), "  the same rules on the baseline alone", money(paper.baseline_pnl)});
  table.row({"costs paid", money(paper.costs),
             fmt::format("  fee {} + half spread {} bps a side; capital", figure(paper.cost_bps, 1),
                         figure(paper.half_spread_bps, 1)),
             money(paper.capital)});
  const bool enough = std::isfinite(paper.sharpe);
  table.row({"Sharpe ratio",
             enough ? fmt::format("{} +- {}", figure(paper.sharpe, 2), figure(paper.sharpe_se, 2)) : "insufficient",
             "  largest fall, of the capital", percent(paper.max_drawdown)});
  table.row({"round trips", grouped(paper.round_trips), "  days since the first trade", grouped(paper.days)});
  return out + table.text();
}

std::string cost_section(const Report& report) {
  const Progress& progress = report.progress;
  std::string out = section("WHERE THE TIME WENT (wall clock; of no influence on any figure above)");
  const std::string speed =
      progress.first_cycle && progress.last_cycle && progress.wall_seconds > 0
          ? fmt::format(", {} of market time a second",
                        span_of((*progress.last_cycle - *progress.first_cycle).as_seconds() / progress.wall_seconds))
          : "";
  std::string parts, within;
  for (const auto& [name, seconds] : progress.split_seconds) {
    const std::size_t colon = name.find(": ");
    std::string& into = colon == std::string::npos ? parts : within;
    into +=
        fmt::format("{}{}{}{}{}s", into.empty() ? "" : ", ", colon == std::string::npos ? name : name.substr(colon + 2),
                    kHardSpace, figure(seconds, 1), kHardSpace);
  }
  out += wrapped("  ", fmt::format("{} s in all{}: {}", figure(progress.wall_seconds, 1), speed,
                                   parts.empty() ? "not measured" : parts));
  if (!within.empty()) out += wrapped("  ", fmt::format("within training, children side by side: {}", within));
  out += fmt::format("  {} on disk, {} kept\n", bytes_of(report.bytes_on_disk),
                     some(std::count_if(report.models.begin(), report.models.end(),
                                        [](const ModelEntry& entry) { return entry.whole; }),
                          "model"));
  return out + fmt::format("  ledger {}\n", progress.ledger_sha256);
}

}  // namespace

std::string report_text(const Report& report) {
  std::string out = fmt::format("everlearn: {}{}\n", report.profile, report.title.empty() ? "" : " - " + report.title);
  out += section("IN SHORT");
  for (const std::string& finding : findings(report)) out += wrapped("  - ", finding);
  out += run_section(report) + models_section(report) + refusals_section(report) + live_section(report) +
         curve_section(report) + paper_section(report) + wins_section(report);
  out += section("WHAT THE DATA CANNOT TELL");
  for (const std::string& limit : report.limits) out += wrapped("  - ", limit);
  if (report.limits.empty()) out += "  the profile names no limits of its data (source.limits)\n";
  return out + cost_section(report);
}

}  // namespace everlearn
