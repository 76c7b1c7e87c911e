#include "io/venue_json.hpp"

#include <simdjson.h>

#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace everlearn {

using simdjson::dom::element;
using simdjson::dom::object;

std::string text_of(const element& value) {
  std::string_view text;
  if (value.is_null()) return {};
  if (value.get(text) == simdjson::SUCCESS) return std::string{text};
  std::int64_t whole = 0;
  if (value.get(whole) == simdjson::SUCCESS) return fmt::format("{}", whole);
  double number = 0;
  if (value.get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return simdjson::to_string(value);
}

std::string text_of(const object& from, std::string_view key) {
  element value;
  return from[key].get(value) == simdjson::SUCCESS ? text_of(value) : std::string{};
}

std::optional<double> number_of(const element& value) {
  double number = 0;
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  } else if (value.get(number) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return std::isfinite(number) ? std::optional{number} : std::nullopt;
}

std::optional<double> number_of(const object& from, std::string_view key) {
  element value;
  return from[key].get(value) == simdjson::SUCCESS ? number_of(value) : std::nullopt;
}

bool flag_of(const object& from, std::string_view key) {
  bool flag = false;
  return from[key].get(flag) == simdjson::SUCCESS && flag;
}

RowResult<element> parsed(simdjson::dom::parser& parser, std::string_view text) {
  element document;
  const auto error = parser.parse(text.data(), text.size()).get(document);
  if (error != simdjson::SUCCESS) return refuse("unreadable message", simdjson::error_message(error));
  return document;
}

}  // namespace everlearn
