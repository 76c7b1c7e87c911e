#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <map>
#include <memory>

#include "app/alert_delivery.hpp"
#include "app/alert_state.hpp"
#include "app/cli/command.hpp"
#include "core/json.hpp"
#include "core/system_clock.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  std::int64_t most = 20;
  bool whole = false;
};

/// What an alert came to on one channel.
struct Told {
  std::string channel, state, detail;
  std::int64_t attempts = 0;
};

std::map<std::int64_t, std::vector<Told>> told_by_alert(const std::vector<DeliveryRow>& deliveries) {
  std::map<std::int64_t, std::vector<Told>> told;
  for (const DeliveryRow& row : deliveries)
    told[row.alert].push_back({row.channel, std::string{text(row.state)}, row.detail, row.attempts});
  return told;
}

Result<void> list(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(auto alerts, directory->store().alerts());
  EL_TRY(const auto deliveries, directory->store().deliveries());
  EL_TRY(const AlertState state, alert_state(directory->store(), directory->profile().alert));
  const auto told = told_by_alert(deliveries);
  if (std::ssize(alerts) > options.most) alerts.erase(alerts.begin(), alerts.end() - options.most);
  // Without a line about it an alert waits, or there is nobody to wait for.
  const std::vector<Told> none{{"", state.channels.empty() ? "no channel" : "waiting", "", 0}};
  const auto told_of = [&](const AlertRow& alert) -> const std::vector<Told>& {
    const auto found = told.find(alert.id);
    return found == told.end() ? none : found->second;
  };

  if (options.common.json) {
    std::vector<std::string> rows;
    for (const AlertRow& alert : alerts) {
      std::vector<std::string> channels;
      for (const Told& one : told_of(alert))
        channels.push_back(JsonOut{}
                               .put("channel", one.channel)
                               .put("state", one.state)
                               .put("attempts", one.attempts)
                               .put("detail", one.detail)
                               .text());
      rows.push_back(JsonOut{}
                         .put("id", alert.id)
                         .put("at", alert.at.iso())
                         .put("kind", alert.kind)
                         .put("severity", text(alert.severity))
                         .put("key", alert.key)
                         .put("text", alert.text)
                         .put_list("told", channels)
                         .text());
    }
    return print_json(JsonOut{}.put("raised", state.raised).put_list("alerts", rows).text());
  }
  for (const AlertRow& alert : alerts) {
    const std::size_t line = alert.text.find('\n');
    for (const Told& one : told_of(alert))
      fmt::print("{}  {:<9} {:<10} {}{}\n", alert.at.iso().substr(0, 19), alert.kind, one.state,
                 alert.text.substr(0, line), one.detail.empty() ? "" : fmt::format("  ({})", one.detail));
    if (!options.whole || line == std::string::npos) continue;
    for (const std::string& more : text_lines(alert.text.substr(line))) fmt::print("    {}\n", more);
  }
  fmt::print("{}\n", alert_words(state, directory->profile().alert));
  return {};
}

Result<void> test(const Options& options) {
  EL_TRY(const Place place, find_place(options.common));
  const AlertSettings& settings = place.config.profile.alert;
  const auto channels = make_channels(settings);
  if (channels.empty()) return fail(Code::Config, "no channel: " + missing_for_telegram(settings));
  std::vector<std::string> rows;
  std::string first_problem;
  const std::string message =
      fmt::format("everlearn: a test\nprofile {}, {}\nSigns that have a meaning elsewhere: < > & \" ' _ * ` \\",
                  place.config.profile.name, SystemClock{}.now().iso().substr(0, 19) + "Z");
  for (const auto& channel : channels) {
    const ChannelAnswer answer = channel->send({.number = 1, .text = message}, {});
    const bool sent = answer.fate == Fate::Sent;
    const std::string what = sent                           ? "sent"
                             : answer.fate == Fate::Broken  ? "not sent; nothing will pass until this is put right"
                             : answer.fate == Fate::Refused ? "refused"
                             : answer.perhaps_sent          ? "not known whether it arrived"
                                                            : "not sent; it would be tried again later";
    const std::string line = answer.detail.empty() ? what : what + ": " + answer.detail;
    if (!sent && first_problem.empty()) first_problem = channel->name() + ": " + line;
    rows.push_back(JsonOut{}
                       .put("channel", channel->name())
                       .put("sent", sent)
                       .put("what", what)
                       .put("detail", answer.detail)
                       .text());
    if (!options.common.json && sent) fmt::print("{}: {}\n", channel->name(), line);
  }
  if (options.common.json) EL_CHECK(print_json(JsonOut{}.put_list("channels", rows).text()));
  if (!first_problem.empty()) return fail(Code::NotFound, first_problem);
  return {};
}

}  // namespace

void add_alerts(Verbs& verbs) {
  CLI::App* alerts = verbs.app.add_subcommand("alerts", "what people were told, and whether it reached them");
  alerts->require_subcommand(1);
  auto listed = std::make_shared<Options>();
  CLI::App* verb = alerts->add_subcommand("list", "the newest alerts, and how far each got");
  add_common(*verb, listed->common);
  verb->add_option("--limit", listed->most, "so many")->check(CLI::Range(1, 1'000'000));
  verb->add_flag("--whole", listed->whole, "with their whole text");
  verbs.runs[verb] = [listed] { return list(*listed); };
  auto tested = std::make_shared<Options>();
  verb = alerts->add_subcommand("test", "sends one message now and says what became of it");
  add_common(*verb, tested->common);
  verbs.runs[verb] = [tested] { return test(*tested); };
}

}  // namespace everlearn::cli
