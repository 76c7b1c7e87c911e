#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>

#include "app/cli/command.hpp"
#include "app/cli/signal_flags.hpp"
#include "app/report/words.hpp"
#include "app/signal_review.hpp"
#include "core/json.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  SignalFlags flags;
  std::string from, to;
  bool all = false;
  std::size_t limit = 20;
};

Result<TimeRange> range_of(const Options& options) {
  TimeRange range;
  EL_TRY(const auto from, parse_moment("--from", options.from));
  EL_TRY(const auto to, parse_moment("--to", options.to));
  if (from) range.from = *from;
  if (to) range.to = *to;
  return range;
}

std::string minute(Timestamp t) { return t.iso().substr(0, 16) + "Z"; }
std::string bps(double relative) { return figure(relative * 1e4, 2); }
std::string four(double value) { return figure(value, 4); }

// --- list ------------------------------------------------------------------------------------------------------------

std::string probabilities_text(const std::vector<double>& probabilities) {
  std::vector<std::string> shares;
  for (const double p : probabilities) shares.push_back(figure(p, 3));
  return fmt::format("{}", fmt::join(shares, " "));
}

std::string outcome_text(const ReviewedPrediction& prediction, bool classes) {
  if (!prediction.outcome) return "";
  return classes ? fmt::format("class {:.0f}", *prediction.outcome) : figure(*prediction.outcome, 6);
}

std::string listed_json(const DataDirectory& directory, const ReviewedPrediction& prediction) {
  const PredictionRow& row = prediction.row;
  JsonOut out;
  out.put("event_time", row.event_time.iso())
      .put("instrument", directory.instrument(row.instrument))
      .put("side", prediction.side)
      .put("verdict", row.verdict)
      .put("measured", row.measured)
      .put("required", row.required)
      .put("expected", row.expected)
      .put("half_spread", row.half_spread)
      .put("probabilities", row.probabilities)
      .put("set", std::int64_t{row.set})
      .put("recent_accuracy", row.recent_accuracy)
      .put("stream", row.stream == Stream::Tuned ? "tuned" : "base")
      .put("bundle", row.bundle)
      .put("rung", row.rung)
      .put("outcome", prediction.outcome);
  prediction.outcome ? out.put("outcome_known_at", prediction.known_at.iso()) : out.put_null("outcome_known_at");
  return out.put("right", prediction.right).put("net", prediction.net).text();
}

Result<void> list(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const TimeRange range, range_of(options));
  EL_TRY(const auto newest, newest_signals(*directory, range, options.all, options.limit));
  if (options.common.json) {
    std::vector<std::string> rows;
    for (const ReviewedPrediction& prediction : newest) rows.push_back(listed_json(*directory, prediction));
    return print_json(JsonOut{}.put_list("signals", rows).text());
  }
  if (newest.empty()) {
    fmt::print("{}\n", options.all ? "no prediction yet" : "no signal yet; --all shows what was stopped, and by what");
    return {};
  }
  const bool classes = directory->profile().targets[directory->acting_target()].task != Task::Regression;
  std::vector<std::vector<std::string>> rows{{"time", "instrument", "", "verdict", "measured", "required", "expected",
                                              classes ? "probabilities" : "", "outcome", "", "net"}};
  for (const ReviewedPrediction& prediction : newest) {
    const PredictionRow& row = prediction.row;
    rows.push_back({minute(row.event_time), directory->instrument(row.instrument),
                    prediction.side > 0   ? "buy"
                    : prediction.side < 0 ? "sell"
                                          : "",
                    row.verdict, four(row.measured), four(row.required), bps(row.expected),
                    probabilities_text(row.probabilities), outcome_text(prediction, classes),
                    !prediction.right   ? ""
                    : *prediction.right ? "right"
                                        : "wrong",
                    std::isfinite(prediction.net) ? bps(prediction.net) : ""});
  }
  fmt::print("{}expected and net are in bps of the price; net is after costs\n", table_text(rows));
  return {};
}

// --- stats -----------------------------------------------------------------------------------------------------------

// In the order of the filters; what is no filter of the chain comes first.
std::vector<std::string> in_order(const SignalTallies& tallies) {
  std::vector<std::string> names;
  for (const auto& [name, tally] : tallies) names.push_back(name);
  const auto place = [](const std::string& name) {
    if (name == "passed") return std::ptrdiff_t{1000};
    const auto found = std::find(kSignalFilters.begin(), kSignalFilters.end(), name);
    return found == kSignalFilters.end() ? -1 : found - kSignalFilters.begin();
  };
  std::stable_sort(names.begin(), names.end(),
                   [&](const std::string& a, const std::string& b) { return place(a) < place(b); });
  return names;
}

std::string tallies_json(const SignalTallies& tallies) {
  std::string list;
  for (const std::string& name : in_order(tallies)) {
    const SignalTally& tally = tallies.at(name);
    JsonOut out;
    out.put("verdict", name).put("count", tally.n).put("known", tally.known).put("right", tally.right);
    out.put("wrong", tally.wrong());
    out.put(name == "passed" ? "precision" : "regret", tally.right_share());
    out.put("priced", tally.priced).put("net", tally.net).put("net_mean", tally.net_mean());
    list += (list.empty() ? "" : ",") + out.text();
  }
  return "[" + list + "]";
}

void add_rows(std::vector<std::vector<std::string>>& rows, const std::string& first, const SignalTallies& tallies) {
  std::string label = first;
  for (const std::string& name : in_order(tallies)) {
    const SignalTally& tally = tallies.at(name);
    rows.push_back({label, name, grouped(tally.n), grouped(tally.right), grouped(tally.wrong()),
                    percent(tally.right_share()), bps(tally.net_mean()), bps(tally.net)});
    label.clear();
  }
}

const std::vector<std::string> kTallyHead{"",      "verdict",        "count",    "right",
                                          "wrong", "right of known", "net each", "net"};

Result<void> stats(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const TimeRange range, range_of(options));
  EL_TRY(const SignalStats stats, signal_stats(*directory, range));
  const Profile& profile = directory->profile();
  const std::string& target = profile.targets[directory->acting_target()].name;
  const SetCount& sets = stats.sets.all();
  if (options.common.json) {
    std::vector<std::string> weeks;
    for (const SignalStats::Week& week : stats.weeks)
      weeks.push_back(JsonOut{}
                          .put("week", iso_week(week.monday))
                          .put("monday", week.monday.date())
                          .put_json("verdicts", tallies_json(week.verdicts))
                          .put("recent_accuracy", week.recent_accuracy)
                          .put("recent_majority", week.recent_majority)
                          .text());
    JsonOut out;
    out.put("profile", profile.name).put("target", target).put("predictions", stats.predictions);
    stats.first ? out.put("first", stats.first->iso()).put("last", stats.last->iso())
                : out.put_null("first").put_null("last");
    out.put_json("verdicts", tallies_json(stats.verdicts)).put_list("weeks", weeks);
    out.put_json("recent", JsonOut{}
                               .put("rows", stats.recent_count)
                               .put("wanted", profile.signal.recent_rows)
                               .put("accuracy", stats.recent_accuracy)
                               .put("majority", stats.recent_majority)
                               .text());
    if (sets.n == 0) {
      out.put_null("sets");
    } else {
      std::vector<std::string> by_week;
      for (const ConformalCoverage::Week& week : stats.sets.weeks())
        by_week.push_back(JsonOut{}
                              .put("week", iso_week(week.monday))
                              .put("rows", week.count.n)
                              .put("coverage", week.count.coverage())
                              .put("mean_size", week.count.mean_size())
                              .text());
      out.put_json("sets", JsonOut{}
                               .put("rows", sets.n)
                               .put("coverage", sets.coverage())
                               .put("standard_error", sets.standard_error())
                               .put("mean_size", sets.mean_size())
                               .put("single", sets.single)
                               .put("single_right", sets.single_right)
                               .put_list("weeks", by_week)
                               .text());
    }
    return print_json(out.text());
  }
  if (stats.predictions == 0) {
    fmt::print("no prediction yet\n");
    return {};
  }
  fmt::print("{}: {} predictions as served, {} to {}\n\n", target, grouped(stats.predictions), minute(*stats.first),
             minute(*stats.last));
  std::vector<std::vector<std::string>> rows{kTallyHead};
  add_rows(rows, "all", stats.verdicts);
  for (const SignalStats::Week& week : stats.weeks) add_rows(rows, iso_week(week.monday), week.verdicts);
  fmt::print("{}", table_text(rows));
  fmt::print(
      "right and wrong: whether the direction came true, of those whose outcome is known. Of \"passed\" their share "
      "is\n"
      "the precision and wrong the false positives; of a filter it is the regret: what it stopped and would have been\n"
      "right. net: the relative move in that direction after costs, in bps: of a filter above zero it was lost, below\n"
      "zero saved.\n\n");
  fmt::print("Recent accuracy as served: {} of the last {} matured ({} wanted); always the commonest class: {}\n",
             percent(stats.recent_accuracy), grouped(stats.recent_count), grouped(profile.signal.recent_rows),
             percent(stats.recent_majority));
  if (sets.n > 0)
    fmt::print(
        "Prediction sets: {} held the outcome ({} rows, standard error {}), {} classes in the mean; {} had one "
        "class, {} of these right\n",
        percent(sets.coverage()), grouped(sets.n), percent(sets.standard_error()), figure(sets.mean_size(), 2),
        percent(sets.single_share()), percent(sets.single_accuracy()));
  return {};
}

// --- what-if ---------------------------------------------------------------------------------------------------------

// The rules of the directory, and the same with what the command line says.
Result<void> if_changed(const Options& options) {
  CommonOptions plain = options.common;
  plain.settings.clear();
  EL_TRY(const auto directory, open_directory(plain, DataDirectory::Access::Read));
  EL_TRY(const Place changed, find_place(with_flags(options.common, options.flags)));
  EL_TRY(const TimeRange range, range_of(options));
  EL_TRY(const WhatIf result, what_if(*directory, changed.config.profile.signal, range));
  const auto passed = [](const SignalTallies& tallies) {
    const auto found = tallies.find("passed");
    return found != tallies.end() ? found->second : SignalTally{};
  };
  const SignalTally was = passed(result.was), would = passed(result.would);

  std::vector<std::string> differ;
  std::vector<std::string> changes;
  for (std::size_t i = 0; i < changed.config.settings.size(); ++i) {
    const Setting& setting = changed.config.settings[i];
    const auto before = std::find_if(directory->config().settings.begin(), directory->config().settings.end(),
                                     [&](const Setting& s) { return s.key == setting.key; });
    if (before == directory->config().settings.end() || before->value == setting.value) continue;
    differ.push_back(fmt::format("{} {} instead of {}", setting.key, setting.value, before->value));
    changes.push_back(
        JsonOut{}.put("key", setting.key).put("was", before->value).put("would_be", setting.value).text());
  }
  if (options.common.json) {
    JsonOut out;
    out.put("predictions", result.predictions).put_list("changed", changes);
    out.put_json("was", tallies_json(result.was)).put_json("would_be", tallies_json(result.would));
    out.put("new_signals", result.new_signals).put("lost_signals", result.lost_signals);
    out.put("not_replayed", result.not_replayed).put("other_rules", result.other_rules);
    result.first_other ? out.put("first_other", result.first_other->iso()) : out.put_null("first_other");
    return print_json(out.text());
  }
  if (result.predictions == 0) {
    fmt::print("no prediction{}\n", result.not_replayed > 0 ? " that keeps what the filters saw" : " yet");
    return {};
  }
  fmt::print("{} predictions as served; {}\n\n", grouped(result.predictions),
             differ.empty() ? std::string{"no setting differs"} : fmt::format("{}", fmt::join(differ, "; ")));
  std::vector<std::vector<std::string>> rows{{"", "as it was", "as it would have been"}};
  const auto add = [&](const char* name, std::string before, std::string after) {
    rows.push_back({name, std::move(before), std::move(after)});
  };
  add("signals", grouped(was.n), grouped(would.n));
  add("precision", percent(was.right_share()), percent(would.right_share()));
  add("false positives", grouped(was.wrong()), grouped(would.wrong()));
  add("net each, bps", bps(was.net_mean()), bps(would.net_mean()));
  add("net, bps", bps(was.net), bps(would.net));
  SignalTallies both = result.was;
  both.insert(result.would.begin(), result.would.end());
  for (const std::string& name : in_order(both)) {
    if (name == "passed") continue;
    const auto count = [&](const SignalTallies& tallies) {
      const auto found = tallies.find(name);
      return grouped(found != tallies.end() ? found->second.n : 0);
    };
    rows.push_back({"stopped: " + name, count(result.was), count(result.would)});
  }
  fmt::print("{}\n{} that did not pass would have, {} that passed would not\n", table_text(rows),
             grouped(result.new_signals), grouped(result.lost_signals));
  if (result.other_rules > 0)
    fmt::print("{} of the stored verdicts were given under other rules than the directory has now, the first at {}\n",
               grouped(result.other_rules), minute(*result.first_other));
  else
    fmt::print("with the directory's own rules every stored verdict comes out again\n");
  if (result.not_replayed > 0)
    fmt::print("{} predictions of an older release do not keep what the filters saw, and are left out\n",
               grouped(result.not_replayed));
  return {};
}

}  // namespace

void add_signals(Verbs& verbs) {
  CLI::App* signals = verbs.app.add_subcommand("signals", "what passed, what was stopped, and what came of it");
  signals->require_subcommand(1);
  const auto add = [&](const char* name, const char* what) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = signals->add_subcommand(name, what);
    add_common(*verb, options->common);
    verb->add_option("--from", options->from, "decisions from this time on");
    verb->add_option("--to", options->to, "decisions before this time");
    return std::pair{verb, options};
  };
  const auto [listed, of_list] = add("list", "the newest signals with their verdicts and outcomes");
  listed->add_flag("--all", of_list->all, "also what was stopped");
  listed->add_option("--limit", of_list->limit, "how many (default: 20)")->check(CLI::Range(1, 1'000'000));
  verbs.runs[listed] = [of = of_list] { return list(*of); };
  const auto [counted, of_stats] = add("stats", "precision, false positives and regret, by filter and week");
  verbs.runs[counted] = [of = of_stats] { return stats(*of); };
  const auto [asked, of_what_if] = add("what-if", "the stored predictions under other rules: any flag here, or --set");
  add_signal_flags(*asked, of_what_if->flags);
  verbs.runs[asked] = [of = of_what_if] { return if_changed(*of); };
}

}  // namespace everlearn::cli
