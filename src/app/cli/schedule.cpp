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

}  // namespace

void add_schedule(Verbs& verbs) {
  CLI::App* schedule = verbs.app.add_subcommand("schedule", "what runs when");
  schedule->require_subcommand(1);
  auto options = std::make_shared<CommonOptions>();
  CLI::App* verb =
      schedule->add_subcommand("list", "every job: its rule, the next time in UTC and local, the last period");
  add_common(*verb, *options);
  verbs.runs[verb] = [options] { return list(*options); };
}

}  // namespace everlearn::cli
