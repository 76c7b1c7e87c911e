#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "app/cli/command.hpp"
#include "core/json.hpp"
#include "core/system_fs.hpp"

namespace everlearn::cli {
namespace {

constexpr const char* kProfileFile = "everlearn.toml";
constexpr const char* kEnvironmentFile = ".env.example";

std::string variable_of(const std::string& key) {
  std::string name = "EVERLEARN__";
  for (const char c : key) {
    if (c == '.')
      name += "__";
    else
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

/// Our value as the older system writes it: without its unit, or one item of the list.
std::string old_text(const OldName& old, const SettingValue& value) {
  if (!old.item.empty()) {
    for (const std::string& item : value.items)
      if (item.starts_with(old.item)) return item.substr(old.item.size());
    return "";
  }
  const std::string text = value.text();
  return !old.unit.empty() && text.ends_with(old.unit) ? text.substr(0, text.size() - old.unit.size()) : text;
}

std::string environment_example(const Config& config) {
  std::string out =
      "# Copy to .env in the directory where everlearn starts. Every setting has a variable: EVERLEARN__SECTION__KEY.\n"
      "# The process's own environment goes before this file, --set before both.\n";
  for (const Setting& setting : config.settings)
    if (!setting.key.starts_with("target."))
      out += fmt::format(
          "# {}={}\n", variable_of(setting.key),
          setting.written.list ? fmt::format("{}", fmt::join(setting.written.items, ",")) : setting.written.text());
  if (!config.old_names.names.empty())
    out += "\n# Names of an older system that this profile understands, with what they are now:\n";
  for (const auto& [name, old] : config.old_names.names) {
    std::string key = old.key;
    if (const std::size_t star = key.find('*'); star != std::string::npos)
      key.replace(star, 1, config.profile.targets[acting_target(config.profile)].name);
    const auto setting = std::ranges::find(config.settings, key, &Setting::key);
    if (setting == config.settings.end())
      out += fmt::format("# {}=   no effect: {}\n", name, old.no_effect);
    else
      out += fmt::format("# {}={}   means {}\n", name, old_text(old, setting->written), old.key);
  }
  return out;
}

Result<void> write_new(Fs& fs, const std::string& path, std::string_view text) {
  if (fs.exists(path)) return fail(Code::Usage, fmt::format("{} is there already; nothing was written", path));
  EL_TRY(const auto file, fs.create(path));
  EL_CHECK(file->append(text));
  EL_CHECK(file->sync());
  return file->close();
}

Result<void> run(const CommonOptions& options) {
  SystemFs fs;
  EL_TRY(const Config config, load_config(options));
  for (const char* path : {kProfileFile, kEnvironmentFile})
    if (fs.exists(path)) return fail(Code::Usage, fmt::format("{} is there already; nothing was written", path));
  EL_CHECK(write_new(fs, kProfileFile, commented_toml(config)));
  EL_CHECK(write_new(fs, kEnvironmentFile, environment_example(config)));
  if (options.json)
    return print_json(JsonOut{}
                          .put("profile", config.profile.name)
                          .put("written", std::vector<std::string>{kProfileFile, kEnvironmentFile})
                          .text());
  fmt::print("wrote {} (profile {}, every setting as a comment) and {}\n", kProfileFile, config.profile.name,
             kEnvironmentFile);
  fmt::print("next: everlearn config validate --profile {}\n", kProfileFile);
  return {};
}

}  // namespace

void add_init(Verbs& verbs) {
  auto options = std::make_shared<CommonOptions>();
  CLI::App* verb = verbs.app.add_subcommand("init", "a commented profile and .env.example in this directory");
  add_common(*verb, *options);
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
