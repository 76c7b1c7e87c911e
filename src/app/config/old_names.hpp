// What an older system calls our settings: [env] of a profile. A name stands for a key, or for nothing any more.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config/setting_value.hpp"
#include "core/result.hpp"

namespace everlearn {

/// NAME = "key", or a table.
struct OldName {
  std::string key;        // ours, or "target.*.KEY" for each target; empty: `no_effect` says why there is none
  std::string unit;       // "h": the variable holds a plain number, and this is put behind it
  std::string item;       // "r2>=": our key is a list, and the variable replaces the number of the item that begins so
  std::string no_effect;  // accepted all the same
};

struct OldNames {
  std::map<std::string, OldName> names;
  std::string unknown_prefix;  // a variable that begins so and is none of `names` is told of; empty: none is

  /// A key below [env], such as "NAME", "NAME.unit" or "unknown_prefix". Errors: Config.
  Result<void> add(const std::string& key, const SettingValue& value);
  /// Each name stands for something. Errors: Config.
  Result<void> check() const;
  /// Key and value below [env], as add() takes them.
  std::vector<std::pair<std::string, std::string>> entries() const;
  /// The name that stands for a key.
  std::optional<std::string> name_of(std::string_view key) const;
};

/// What the variable's text means for its key, whose value is `below` without it. Errors: Config.
Result<SettingValue> old_value(const OldName& old, const std::string& text, const SettingValue& below);

}  // namespace everlearn
