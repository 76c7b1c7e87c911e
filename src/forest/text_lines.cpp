#include "forest/text_lines.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/quoted.hpp"

namespace everlearn {
bool TextLines::next_is(std::string_view line) const {
  return next_begins(line) && rest_.substr(line.size(), 1) == "\n";
}

Result<std::string_view> TextLines::line() {
  ++number_;
  const std::size_t end = rest_.find('\n');
  if (end == std::string_view::npos) return refuse("the text ends inside a line");
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end + 1);
  offset_ += end + 1;
  return line;
}

Result<void> TextLines::expect(std::string_view wanted) {
  EL_TRY(const std::string_view got, line());
  if (got != wanted) return refuse(fmt::format("{}, wanted {}", quoted(got), quoted(wanted)));
  return {};
}

Result<std::string_view> TextLines::value(std::string_view key) {
  EL_TRY(const std::string_view got, line());
  if (got.size() <= key.size() || got.substr(0, key.size()) != key || got[key.size()] != '=')
    return refuse(fmt::format("{}, wanted {}=...", quoted(got), key));
  return got.substr(key.size() + 1);
}

Result<std::vector<std::string_view>> TextLines::words(std::string_view key, std::size_t count) {
  EL_TRY(std::string_view text, value(key));
  const auto spaces = static_cast<std::size_t>(std::count(text.begin(), text.end(), ' '));
  const std::size_t found = text.empty() ? 0 : spaces + 1;
  if (found != count) return refuse(fmt::format("{} has {} values, wanted {}", key, found, count));
  std::vector<std::string_view> words;
  words.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end == 0) return refuse_word(key, i, "");
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

tl::unexpected<Error> TextLines::refuse(const std::string& why, Code code) const {
  return fail(code, fmt::format("LightGBM model, line {}: {}", number_, why));
}

tl::unexpected<Error> TextLines::refuse_word(std::string_view key, std::size_t at, std::string_view word) const {
  return refuse(fmt::format("{}: value {} is {}", key, at, quoted(word)));
}

}  // namespace everlearn
