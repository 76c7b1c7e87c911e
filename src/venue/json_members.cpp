#include "venue/json_members.hpp"

#include <simdjson.h>

#include <charconv>

#include <fmt/format.h>

#include "core/json.hpp"

namespace everlearn::venue {
namespace {

/// Walks over JSON text without reading what the values say.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_{text} {}

  bool take(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  /// The text of the next value: a quoted text, a nest of brackets, or a token. Absent: it does not end.
  std::optional<std::string_view> value() {
    skip_space();
    const std::size_t begin = at_;
    std::size_t depth = 0;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        if (!skip_quoted()) return std::nullopt;
        if (depth == 0) return text_.substr(begin, at_ - begin);
        continue;
      }
      const bool closes = c == '}' || c == ']';
      if (depth == 0 && (c == ',' || closes || c <= ' ')) break;
      ++at_;
      if (c == '{' || c == '[') ++depth;
      if (closes && --depth == 0) break;
    }
    if (depth != 0 || at_ == begin) return std::nullopt;
    return text_.substr(begin, at_ - begin);
  }

 private:
  void skip_space() {
    while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ') ++at_;
  }
  bool skip_quoted() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\')
        ++at_;
      else if (text_[at_] == '"')
        return ++at_, true;
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::vector<std::string> list_of_texts(std::string_view json) {
  std::vector<std::string> values;
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(json.data(), json.size()).get(array) != simdjson::SUCCESS) return values;
  for (const simdjson::dom::element element : array) {
    std::string_view value;
    if (element.get(value) != simdjson::SUCCESS) return {};
    values.emplace_back(value);
  }
  return values;
}

}  // namespace

Result<JsonMembers> JsonMembers::parse(std::string_view object) {
  JsonMembers members;
  Cursor at{object};
  if (!at.take('{')) return fail(Code::BadData, "not a JSON object");
  if (at.take('}')) return members;
  do {
    const auto key = at.value();
    if (!key || key->size() < 2 || key->front() != '"' || !at.take(':'))
      return fail(Code::BadData, "broken JSON object");
    const auto value = at.value();
    if (!value) return fail(Code::BadData, "broken JSON value");
    members.members_.emplace_back(key->substr(1, key->size() - 2), *value);
  } while (at.take(','));
  if (!at.take('}')) return fail(Code::BadData, "broken JSON object");
  return members;
}

std::optional<std::string_view> JsonMembers::json(std::string_view key) const {
  for (const auto& [name, value] : members_)
    if (name == key) return value;
  return std::nullopt;
}

std::optional<std::string> JsonMembers::text(std::string_view key) const {
  const auto value = json(key);
  if (!value || !value->starts_with('"')) return std::nullopt;
  const auto one = list_of_texts(fmt::format("[{}]", *value));
  return one.empty() ? std::nullopt : std::optional{one.front()};
}

std::optional<double> JsonMembers::number(std::string_view key) const {
  auto value = json(key);
  if (!value) return std::nullopt;
  if (value->starts_with('"')) value = value->substr(1, value->size() - 2);
  double number = 0;
  const auto [end, problem] = std::from_chars(value->data(), value->data() + value->size(), number);
  if (problem != std::errc{} || end != value->data() + value->size()) return std::nullopt;
  return number;
}

std::vector<std::string> JsonMembers::texts(std::string_view key) const {
  const auto value = json(key);
  if (!value) return {};
  if (const auto inner = text(key)) return list_of_texts(*inner);
  return list_of_texts(*value);
}

std::vector<JsonMembers> JsonMembers::objects(std::string_view key) const {
  const auto list = json(key);
  std::vector<JsonMembers> found;
  if (!list) return found;
  Cursor at{*list};
  if (!at.take('[') || at.take(']')) return found;
  do {
    const auto element = at.value();
    if (!element) return found;
    if (auto members = parse(*element)) found.push_back(std::move(*members));
  } while (at.take(','));
  return found;
}

void JsonMembers::set(std::string_view key, std::string json) {
  for (auto& [name, value] : members_) {
    if (name != key) continue;
    value = std::move(json);
    return;
  }
  members_.emplace_back(key, std::move(json));
}

void JsonMembers::set_text(std::string_view key, std::string_view text) { set(key, json_quoted(text)); }

void JsonMembers::remove(std::string_view key) {
  std::erase_if(members_, [&](const auto& member) { return member.first == key; });
}

std::string JsonMembers::object() const {
  std::string json = "{";
  for (const auto& [key, value] : members_) {
    if (json.size() > 1) json += ',';
    json += '"';
    json += key;
    json += "\":";
    json += value;
  }
  json += '}';
  return json;
}

std::string list_in_text(const std::vector<std::string>& values) {
  std::string list = "[";
  for (const std::string& value : values) {
    if (list.size() > 1) list += ", ";
    list += json_quoted(value);
  }
  list += ']';
  return json_quoted(list);
}

}  // namespace everlearn::venue
