// Every setting, declared once: its key, default, what it means and how it becomes part of a Profile. The file format,
// the environment, `config show`, `init` and the documentation all follow from this table.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "app/config/setting_value.hpp"
#include "app/profile.hpp"

namespace everlearn {

struct Key {
  std::string_view key;       // "train.window"
  std::string_view fallback;  // default as text; lists comma-separated
  std::string_view doc;       // one line
  Result<void> (*apply)(Profile&, const SettingValue&);
  bool secret = false;  // its value is neither shown nor kept in any file
};

/// Settings of one target: "target.<name>.<key>".
struct TargetKey {
  std::string_view key;
  std::string_view fallback;
  std::string_view doc;
  Result<void> (*apply)(TargetProfile&, const SettingValue&);
};

/// Of a learner; under "learner." for all targets and under "target.<name>.learner." for one.
struct LearnerKey {
  std::string_view key;
  std::string_view fallback;
  std::string_view doc;
  Result<void> (*apply)(LearnerParams&, const SettingValue&);
};

std::span<const Key> profile_keys();
std::span<const TargetKey> target_keys();
std::span<const LearnerKey> learner_keys();

}  // namespace everlearn
