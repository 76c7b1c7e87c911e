#include "app/dot_env.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "app/file_time.hpp"
#include "io/rewritten_file.hpp"

namespace everlearn {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";  // some editors put it at the start
constexpr std::string_view kBlank = " \t\r";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return text.substr(text.size());
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string_view bare_value(std::string_view behind_equals) {
  const std::string_view text = trim(behind_equals);
  if (text.empty()) return behind_equals.substr(0, 0);
  if (text.front() == '"' || text.front() == '\'') {
    const std::size_t end = text.find(text.front(), 1);
    if (end != std::string_view::npos) {
      const std::string_view rest = trim(text.substr(end + 1));
      if (rest.empty() || rest.front() == '#') return text.substr(1, end - 1);
      if (text.back() == text.front()) return text.substr(1, text.size() - 2);
    }
  }
  if (text.front() == '#' && text.data() != behind_equals.data()) return behind_equals.substr(0, 0);
  for (std::size_t at = text.find('#', 1); at != std::string_view::npos; at = text.find('#', at + 1))
    if (text[at - 1] == ' ' || text[at - 1] == '\t') return trim(text.substr(0, at));
  return text;
}

bool says_yes(std::string_view value) {
  std::string lower{value};
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  constexpr std::array<std::string_view, 4> kYes{"true", "1", "yes", "on"};
  return std::ranges::find(kYes, lower) != kYes.end();
}

}  // namespace

std::vector<DotEnvEntry> read_dot_env(std::string_view text) {
  std::vector<DotEnvEntry> entries;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  while (!text.empty()) {
    const std::size_t newline = std::min(text.find('\n'), text.size());
    std::string_view line = trim(text.substr(0, newline));
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (line.starts_with("export ") || line.starts_with("export\t")) line = trim(line.substr(7));
    const std::size_t equals = line.find('=');
    if (line.empty() || line.front() == '#' || equals == std::string_view::npos) continue;
    entries.push_back({trim(line.substr(0, equals)), bare_value(line.substr(equals + 1))});
  }
  return entries;
}

std::string switched_on(std::string_view text, std::string_view name) {
  std::optional<std::string_view> value;
  for (const DotEnvEntry& entry : read_dot_env(text))
    if (entry.name == name) value = entry.value;
  std::string out{text};
  if (value && says_yes(*value)) return out;
  if (value) return out.replace(static_cast<std::size_t>(value->data() - text.data()), value->size(), "true");
  const std::string_view line_end = text.find("\r\n") != std::string_view::npos ? "\r\n" : "\n";
  if (!out.empty() && out.back() != '\n') out += line_end;
  return fmt::format("{}{}=true{}", out, name, line_end);
}

Result<DotEnvSwitch> switch_on_in_dot_env(const std::string& path, std::string_view name, Timestamp at) {
  const auto rewritten = rewrite_file(path, fmt::format("{}.{}", path, file_time(at)),
                                      [name](std::string_view text) { return switched_on(text, name); });
  if (!rewritten && rewritten.error().code == Code::NotFound) return DotEnvSwitch::NoFile;
  EL_TRY(const bool changed, rewritten);
  return changed ? DotEnvSwitch::Done : DotEnvSwitch::Already;
}

}  // namespace everlearn
