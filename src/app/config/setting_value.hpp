#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

/// A value as it was written somewhere: one text, or a list of them.
struct SettingValue {
  std::vector<std::string> items;
  bool list = false;

  static SettingValue one(std::string text) { return {{std::move(text)}, false}; }
  std::string text() const;  // as TOML would show it, without quotes for a single text
  bool operator==(const SettingValue&) const = default;
};

// Readers name the wanted form in their Error (Config); the caller puts the key before it.
Result<std::string> as_text(const SettingValue& value);
Result<bool> as_bool(const SettingValue& value);
Result<std::int64_t> as_integer(const SettingValue& value, std::int64_t least, std::int64_t most);
Result<double> as_number(const SettingValue& value, double least, double most);
/// "" and "none" are zero.
Result<Duration> as_duration(const SettingValue& value);
Result<std::vector<std::string>> as_list(const SettingValue& value);
/// "" and "none" are empty.
Result<std::optional<double>> as_optional_number(const SettingValue& value, double least, double most);
/// The index of the choice.
Result<std::size_t> as_choice(const SettingValue& value, const std::vector<std::string_view>& choices);

/// The nearest of `known` by edit distance, if it is near enough to be meant.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace everlearn
