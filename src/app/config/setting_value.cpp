#include "app/config/setting_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace everlearn {
namespace {

tl::unexpected<Error> wanted(const SettingValue& value, const std::string& what) {
  return fail(Code::Config, fmt::format("\"{}\" is not {}", value.text(), what));
}

bool unset(const SettingValue& value) {
  return !value.list && (value.items.front().empty() || value.items.front() == "none");
}

template <class T>
std::optional<T> number_of(const SettingValue& value) {
  if (value.list) return std::nullopt;
  const std::string& text = value.items.front();
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::string SettingValue::text() const {
  if (!list) return items.front();
  return fmt::format("[{}]", fmt::join(items, ", "));
}

Result<std::string> as_text(const SettingValue& value) {
  if (value.list) return wanted(value, "a text");
  return value.items.front();
}

Result<bool> as_bool(const SettingValue& value) {
  std::string text = value.items.front();
  for (char& c : text)  // a .env of other systems may say True
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (!value.list && (text == "true" || text == "1" || text == "yes" || text == "on")) return true;
  if (!value.list && (text == "false" || text == "0" || text == "no" || text == "off")) return false;
  return wanted(value, "true or false");
}

Result<std::int64_t> as_integer(const SettingValue& value, std::int64_t least, std::int64_t most) {
  const auto number = number_of<std::int64_t>(value);
  if (!number || *number < least || *number > most)
    return wanted(value, fmt::format("an integer from {} to {}", least, most));
  return *number;
}

Result<double> as_number(const SettingValue& value, double least, double most) {
  const auto number = number_of<double>(value);
  if (!number || !(*number >= least && *number <= most))
    return wanted(value, fmt::format("a number from {} to {}", least, most));
  return *number;
}

Result<Duration> as_duration(const SettingValue& value) {
  if (unset(value)) return Duration{};
  if (value.list) return wanted(value, "a duration");
  const auto duration = Duration::parse(value.items.front());
  if (!duration || duration->us() < 0) return wanted(value, "a duration such as 15m, 6h or 30d");
  return *duration;
}

Result<std::vector<std::string>> as_list(const SettingValue& value) {
  if (value.list) return value.items;
  if (value.items.front().empty()) return std::vector<std::string>{};
  std::vector<std::string> items;  // "a,b" from the environment or the command line
  std::string_view rest = value.items.front();
  while (true) {
    const std::size_t comma = rest.find(',');
    items.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos) return items;
    rest.remove_prefix(comma + 1);
  }
}

Result<std::optional<double>> as_optional_number(const SettingValue& value, double least, double most) {
  if (unset(value)) return std::optional<double>{};
  EL_TRY(const double number, as_number(value, least, most));
  return std::optional{number};
}

Result<std::size_t> as_choice(const SettingValue& value, const std::vector<std::string_view>& choices) {
  if (!value.list)
    for (std::size_t i = 0; i < choices.size(); ++i)
      if (choices[i] == value.items.front()) return i;
  return wanted(value, fmt::format("one of {}", fmt::join(choices, ", ")));
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  std::optional<std::string> best;
  for (const std::string& candidate : known) {
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t changed = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
      }
    }
    if (row.back() >= least) continue;
    least = row.back();
    best = candidate;
  }
  return best;
}

}  // namespace everlearn
