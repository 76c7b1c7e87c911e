#include "app/config/old_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace everlearn {
namespace {

constexpr std::string_view kUnknownPrefix = "unknown_prefix";

std::string without_blanks(std::string text) {
  std::erase(text, ' ');
  return text;
}

}  // namespace

Result<void> OldNames::add(const std::string& key, const SettingValue& value) {
  const auto text = as_text(value);
  if (!text) return fail(Code::Config, fmt::format("env.{}: {}", key, text.error().message));
  if (key == kUnknownPrefix) {
    unknown_prefix = *text;
    return {};
  }
  const std::size_t dot = key.find('.');
  const std::string part = dot == std::string::npos ? "key" : key.substr(dot + 1);
  OldName& old = names[key.substr(0, dot)];
  for (const auto& [name, field] : {std::pair{"key", &OldName::key}, std::pair{"unit", &OldName::unit},
                                    std::pair{"item", &OldName::item}, std::pair{"no_effect", &OldName::no_effect}}) {
    if (part != name) continue;
    if (!(old.*field).empty()) return fail(Code::Config, fmt::format("env.{} is given twice", key));
    old.*field = *text;
    return {};
  }
  return fail(Code::Config, fmt::format("env.{}: a name has key, unit, item or no_effect", key));
}

Result<void> OldNames::check() const {
  for (const auto& [name, old] : names) {
    if (old.key.empty() == old.no_effect.empty())
      return fail(Code::Config, fmt::format("env.{} needs either a key or, in no_effect, why it has none", name));
    if (!old.unit.empty() && !old.item.empty())
      return fail(Code::Config, fmt::format("env.{} has a unit and an item: one of them", name));
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> OldNames::entries() const {
  std::vector<std::pair<std::string, std::string>> out;
  if (!unknown_prefix.empty()) out.emplace_back(kUnknownPrefix, unknown_prefix);
  for (const auto& [name, old] : names) {
    if (!old.key.empty() && old.unit.empty() && old.item.empty()) {
      out.emplace_back(name, old.key);
      continue;
    }
    if (!old.key.empty()) out.emplace_back(name + ".key", old.key);
    if (!old.unit.empty()) out.emplace_back(name + ".unit", old.unit);
    if (!old.item.empty()) out.emplace_back(name + ".item", old.item);
    if (!old.no_effect.empty()) out.emplace_back(name + ".no_effect", old.no_effect);
  }
  return out;
}

std::optional<std::string> OldNames::name_of(std::string_view key) const {
  for (const auto& [name, old] : names)
    if (old.key == key) return name;
  return std::nullopt;
}

Result<SettingValue> old_value(const OldName& old, const std::string& text, const SettingValue& below) {
  if (!old.unit.empty()) {
    const SettingValue number = SettingValue::one(text);
    EL_CHECK(as_integer(number, 0, std::numeric_limits<std::int64_t>::max()));
    return SettingValue::one(text + old.unit);
  }
  if (!old.item.empty()) {
    EL_TRY(SettingValue changed, as_list(below).map([](std::vector<std::string> items) {
      return SettingValue{std::move(items), true};
    }));
    const auto number =
        as_number(SettingValue::one(text), -std::numeric_limits<double>::max(), std::numeric_limits<double>::max());
    if (!number) return fail(Code::Config, fmt::format("\"{}\" is not a number", text));
    const auto found = std::ranges::find_if(
        changed.items, [&](const std::string& item) { return without_blanks(item).starts_with(old.item); });
    if (found == changed.items.end())
      changed.items.push_back(old.item + text);
    else
      *found = old.item + text;
    return changed;
  }
  return SettingValue::one(text);
}

}  // namespace everlearn
