// Where a Profile comes from: built-in profile < user's TOML < environment (a .env in the working directory, then the
// process's own) < the preset that the command line names < command line. An unknown key is an error with a suggestion;
// each value remembers where it came from.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/old_names.hpp"
#include "app/config/setting_value.hpp"
#include "app/profile.hpp"
#include "core/fs.hpp"

namespace everlearn {

/// The profiles compiled into the program: name and TOML text, by name.
const std::vector<std::pair<std::string, std::string>>& built_in_profiles();

struct ConfigInput {
  std::string profile;                             // a built-in name, or the path of a TOML file
  std::map<std::string, std::string> environment;  // the process's
  std::string dot_env;                             // text of ./.env; empty: none
  // From the command line: key, value. The key "preset" names one of the profile's [presets.NAME].
  std::vector<std::pair<std::string, std::string>> overrides;
  std::function<Result<std::string>(const std::string& path)> secret_file = {};  // app/config/secret_file.hpp
};

struct Setting {
  std::string key;
  std::string value;     // of a secret: that it is set, or "file:PATH"
  SettingValue written;  // the same, its list not joined; of a secret: "file:PATH" or empty
  std::string origin;    // "default", "profile demo", "my.toml", ".env", "environment", "preset strict", "command line"
  std::string doc;
};

struct UnheardVariable {
  std::string name;    // never its value
  std::string origin;  // ".env" or "environment"
  std::string why;
};

struct Config {
  Profile profile;
  std::vector<Setting> settings;  // every one, in the order of the table
  OldNames old_names;             // of an older system's variables, and what they set: [env]
  // Variables that were given and set nothing: those that begin with [env] unknown_prefix and are not known, and those
  // of which [env] says so.
  std::vector<UnheardVariable> not_honoured, without_effect;
  std::map<std::string, std::map<std::string, SettingValue>> presets;  // key and value by name: [presets.NAME]

  /// Errors: Config naming the key, the value and what is allowed, with the nearest known key.
  static Result<Config> load(Fs& fs, const ConfigInput& input);
};

/// A line for people about each variable that was given and set nothing; none: an empty list.
std::vector<std::string> unheard_words(const Config& config);

/// The older system's variable that switches learning on, and that is set in .env when it switches itself on.
std::optional<std::string> auto_enable_env_name(const Config& config);

/// A commented TOML file with every key at its value in `config`, for `everlearn init`.
std::string commented_toml(const Config& config);

/// A TOML file that loads as `config` and nothing below it: kept in a data directory.
std::string settings_toml(const Config& config);

/// docs/configuration.md: every key with its default. A test compares the file with this text.
std::string configuration_markdown();

/// What must agree beyond single values: one acting target, limits that fit each other. Errors: Config.
Result<void> check_profile(const Profile& profile);

}  // namespace everlearn
