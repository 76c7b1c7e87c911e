#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli/command.hpp"
#include "core/civil.hpp"
#include "core/json.hpp"
#include "schedule/rule.hpp"
#include "schedule/zone.hpp"

namespace everlearn::cli {
namespace {

constexpr std::int64_t kDaySeconds = 86'400;

std::string local_text(const Zone& zone, Timestamp t) {
  if (t < Zone::kBegin || t >= Zone::kEnd) return "outside the known rules of the zone";
  const LocalSeconds local = zone.local(t);
  const std::int64_t day = local >= 0 ? local / kDaySeconds : -((kDaySeconds - 1 - local) / kDaySeconds);
  const CivilDate date = civil_date(day);
  const std::int64_t second = local - day * kDaySeconds;
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02} {}", date.year, date.month, date.day, second / 3600,
                     second / 60 % 60, zone.name());
}

struct Line {
  std::string name, rule, zone;
  std::optional<Timestamp> next, last;
};

Result<void> list(const CommonOptions& options) {
  EL_TRY(const Place place, find_place(options));
  const Profile& profile = place.config.profile;
  Progress progress;
  Timestamp now = SystemClock{}.now();
  if (const auto directory = DataDirectory::open(place.directory, place.config, DataDirectory::Access::Read)) {
    EL_TRY(progress, (*directory)->progress());
    now = (*directory)->now();
  } else if (directory.error().code != Code::NotFound) {
    return tl::unexpected<Error>(directory.error());
  }
  const auto last_of = [&](const std::string& job) -> std::optional<Timestamp> {
    const auto found = progress.last_periods.find(job);
    return found == progress.last_periods.end() ? std::nullopt : std::optional{Timestamp{found->second}};
  };
  std::vector<Line> lines;
  for (const auto& [name, text, zone] :
       {std::tuple{std::string{"train"}, profile.train_schedule, profile.train_zone},
        std::tuple{std::string{"retention"}, std::string{"0 0 * * *"}, std::string{"UTC"}}}) {
    EL_TRY(const Rule rule, Rule::parse(text, zone));
    lines.push_back({name, rule.text(), zone, rule.next(now), last_of(name)});
  }
  if (options.json) {
    std::vector<std::string> jobs;
    for (const Line& line : lines) {
      EL_TRY(const Zone zone, Zone::find(line.zone));
      JsonOut job;
      job.put("name", line.name).put("rule", line.rule).put("time_zone", line.zone);
      line.next ? job.put("next", line.next->iso()).put("next_local", local_text(zone, *line.next))
                : job.put_null("next").put_null("next_local");
      line.last ? job.put("last", line.last->iso()) : job.put_null("last");
      jobs.push_back(job.text());
    }
    return print_json(JsonOut{}.put("now", now.iso()).put_list("jobs", jobs).text());
  }
  std::vector<std::vector<std::string>> rows{{"job", "rule", "next (UTC)", "next (local)", "last period (UTC)"}};
  for (const Line& line : lines) {
    EL_TRY(const Zone zone, Zone::find(line.zone));
    rows.push_back({line.name, line.rule, line.next ? line.next->iso().substr(0, 16) : "never",
                    line.next ? local_text(zone, *line.next) : "",
                    line.last ? line.last->iso().substr(0, 16) : "none yet"});
  }
  fmt::print("now {}\n{}", now.iso().substr(0, 16), table_text(rows));
  std::vector<std::string> triggers;
  if (profile.auto_enable > 0)
    triggers.push_back(fmt::format("{} effective labelled examples, the first time", profile.auto_enable));
  if (profile.train_max_age) triggers.push_back(fmt::format("a champion older than {}", profile.train_max_age->text()));
  if (profile.train_min_sharpe)
    triggers.push_back(fmt::format("a live Sharpe ratio under {}", *profile.train_min_sharpe));
  if (!triggers.empty()) fmt::print("a training is also started by {}\n", fmt::join(triggers, ", "));
  return {};
}

// The rows of a training by period, with dates, and where we are.
Result<void> scaling(const CommonOptions& options) {
  EL_TRY(const Place place, find_place(options));
  const Profile& profile = place.config.profile;
  if (profile.scaling.first == 0)
    return fail(Code::Usage,
                fmt::format("profile {} trains on all rows of its window: scaling.first is 0", profile.name));
  std::optional<Timestamp> start = profile.scaling_start;
  Timestamp now = SystemClock{}.now();
  std::int64_t labelled = 0;
  if (const auto directory = DataDirectory::open(place.directory, place.config, DataDirectory::Access::Read)) {
    EL_TRY(const Progress progress, (*directory)->progress());
    now = (*directory)->now();
    labelled = progress.labelled;
    if (!start) start = progress.scaling_start;
  } else if (directory.error().code != Code::NotFound) {
    return tl::unexpected<Error>(directory.error());
  }
  const bool begun = start.has_value();
  const std::int64_t period = begun ? scaling_period(profile.scaling, *start, now) : 0;
  const std::vector<ScalingStep> steps = scaling_timeline(profile.scaling, start.value_or(now));
  const std::int64_t wanted = scaling_rows(profile.scaling, period);
  if (options.json) {
    std::vector<std::string> jsons;
    for (const ScalingStep& step : steps)
      jsons.push_back(JsonOut{}.put("period", step.period).put("from", step.from.iso()).put("rows", step.rows).text());
    return print_json(JsonOut{}
                          .put("begun", begun)
                          .put("now", now.iso())
                          .put("period", period)
                          .put("rows_wanted", wanted)
                          .put("rows_labelled", labelled)
                          .put_list("steps", jsons)
                          .text());
  }
  std::vector<std::vector<std::string>> rows{{"", "period", "from (UTC)", "rows of a training"}};
  for (const ScalingStep& step : steps) {
    const bool here = begun && (step.is_last ? period >= step.period : period == step.period);
    rows.push_back({here ? ">" : "", fmt::format("{}{}", step.period, step.is_last ? " and later" : ""),
                    begun ? step.from.iso().substr(0, 16)
                          : fmt::format("start + {}", (profile.scaling.every * step.period).text()),
                    fmt::format("{}", step.rows)});
  }
  fmt::print("{}", table_text(rows));
  if (!begun)
    fmt::print("not begun: the first training, or scaling.start, begins period 0\n");
  else
    fmt::print("now {}: period {}, {} rows wanted, {} labelled there{}\n", now.iso().substr(0, 16), period, wanted,
               labelled, labelled < wanted ? ": a training takes what there is and says so" : "");
  return {};
}

}  // namespace

void add_schedule(Verbs& verbs) {
  CLI::App* schedule = verbs.app.add_subcommand("schedule", "what runs when");
  schedule->require_subcommand(1);
  auto options = std::make_shared<CommonOptions>();
  CLI::App* verb =
      schedule->add_subcommand("list", "every job: its rule, the next time in UTC and local, the last period");
  add_common(*verb, *options);
  verbs.runs[verb] = [options] { return list(*options); };

  auto scaled = std::make_shared<CommonOptions>();
  CLI::App* scaling_verb =
      schedule->add_subcommand("scaling", "the rows of a base training, week by week, and where we are");
  add_common(*scaling_verb, *scaled);
  verbs.runs[scaling_verb] = [scaled] { return scaling(*scaled); };
}

}  // namespace everlearn::cli
