#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli/command.hpp"
#include "app/cli/signal_flags.hpp"
#include "app/row_schema.hpp"
#include "core/json.hpp"
#include "label/label.hpp"
#include "schedule/rule.hpp"
#include "signal/signal.hpp"
#include "trade/paper_account.hpp"

namespace everlearn::cli {
namespace {

constexpr std::size_t kWidestValue = 60;  // --json and --toml show all

struct Options {
  CommonOptions common;
  SignalFlags signal;
  bool markdown = false, toml = false;
};

Result<void> show(const Options& options) {
  if (options.markdown) {
    fmt::print("{}", configuration_markdown());
    return {};
  }
  EL_TRY(const Place place, find_place(with_flags(options.common, options.signal)));
  if (options.toml) {
    fmt::print("{}", settings_toml(place.config));
    return {};
  }
  if (options.common.json) {
    std::vector<std::string> settings;
    for (const Setting& setting : place.config.settings)
      settings.push_back(JsonOut{}
                             .put("key", setting.key)
                             .put("value", setting.value)
                             .put("origin", setting.origin)
                             .put("doc", setting.doc)
                             .text());
    const auto names = [](const std::vector<UnheardVariable>& variables) {
      std::vector<std::string> jsons;
      for (const UnheardVariable& one : variables)
        jsons.push_back(JsonOut{}.put("name", one.name).put("origin", one.origin).put("why", one.why).text());
      return jsons;
    };
    return print_json(JsonOut{}
                          .put("profile", place.config.profile.name)
                          .put_list("settings", settings)
                          .put_list("not_honoured", names(place.config.not_honoured))
                          .put_list("without_effect", names(place.config.without_effect))
                          .text());
  }
  std::vector<std::vector<std::string>> rows{{"setting", "value", "from"}};
  for (const Setting& setting : place.config.settings) {
    const bool fits = setting.value.size() <= kWidestValue;
    rows.push_back(
        {setting.key, fits ? setting.value : setting.value.substr(0, kWidestValue - 3) + "...", setting.origin});
  }
  fmt::print("profile {}\n{}", place.config.profile.name, table_text(rows));
  for (const std::string& line : unheard_words(place.config)) fmt::print("{}\n", line);
  return {};
}

// What a value alone cannot tell: names that other modules know.
Result<void> check_meanings(const Profile& profile) {
  EL_TRY(const auto calendar, make_calendar(profile.calendar));
  const auto under = [](const auto& result, const char* key) -> Result<void> {
    if (result) return {};
    return fail(Code::Config, fmt::format("{}: {}", key, result.error().message));
  };
  EL_CHECK(under(RowSchema::make(profile), "features.use"));
  EL_CHECK(under(Rule::parse(profile.train_schedule, profile.train_zone), "train.every"));
  EL_CHECK(under(SignalChain::make(profile.signal), "[signal]"));
  EL_CHECK(under(PaperAccount::make(profile.paper), "[trade]"));
  for (const TargetProfile& target : profile.targets)
    EL_CHECK(under(make_labeller(target.label, *calendar), ("target." + target.name).c_str()));
  return {};
}

Result<void> validate(const Options& options) {
  EL_TRY(const Place place, find_place(with_flags(options.common, options.signal)));
  EL_CHECK(check_meanings(place.config.profile));
  if (options.common.json)
    return print_json(JsonOut{}.put("profile", place.config.profile.name).put("valid", true).text());
  fmt::print("profile {}: {} settings, all good\n", place.config.profile.name, place.config.settings.size());
  return {};
}

}  // namespace

void add_config(Verbs& verbs) {
  CLI::App* config = verbs.app.add_subcommand("config", "the settings, and where each comes from");
  config->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* verb = config->add_subcommand("show", "every setting with its value and origin");
  add_common(*verb, options->common);
  add_signal_flags(*verb, options->signal);
  verb->add_flag("--markdown", options->markdown, "the table of all keys: docs/configuration.md");
  verb->add_flag("--toml", options->toml, "as a TOML file that gives the same");
  verbs.runs[verb] = [options] { return show(*options); };
  auto checked = std::make_shared<Options>();
  verb = config->add_subcommand("validate", "says what is wrong, or that nothing is");
  add_common(*verb, checked->common);
  add_signal_flags(*verb, checked->signal);
  verbs.runs[verb] = [checked] { return validate(*checked); };
}

}  // namespace everlearn::cli
