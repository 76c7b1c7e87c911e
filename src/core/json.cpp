#include "core/json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include <simdjson.h>

namespace everlearn {
namespace dom = simdjson::dom;

std::string json_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20)
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        else
          out += c;
    }
  }
  return out + '"';
}

std::string json_number(double value) {
  if (std::isnan(value)) return "null";
  if (std::isinf(value)) return value > 0 ? "\"inf\"" : "\"-inf\"";
  std::string text = fmt::format("{}", value);
  // A bare integer would come back as one; "-0" would lose its sign.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

void JsonOut::key(std::string_view name) {
  if (!body_.empty()) body_ += ',';
  body_ += json_quoted(name);
  body_ += ':';
}

JsonOut& JsonOut::put_json(std::string_view name, std::string_view value) {
  key(name);
  body_ += value;
  return *this;
}

JsonOut& JsonOut::put(std::string_view name, std::string_view value) { return put_json(name, json_quoted(value)); }
JsonOut& JsonOut::put(std::string_view name, bool value) { return put_json(name, value ? "true" : "false"); }
JsonOut& JsonOut::put(std::string_view name, double value) { return put_json(name, json_number(value)); }
JsonOut& JsonOut::put(std::string_view name, std::int64_t value) { return put_json(name, fmt::format("{}", value)); }
JsonOut& JsonOut::put(std::string_view name, std::uint64_t value) { return put_json(name, fmt::format("{}", value)); }

JsonOut& JsonOut::put_list(std::string_view name, const std::vector<std::string>& jsons) {
  return put_json(name, fmt::format("[{}]", fmt::join(jsons, ",")));
}

JsonOut& JsonOut::put(std::string_view name, const std::vector<std::string>& values) {
  std::vector<std::string> jsons;
  for (const std::string& value : values) jsons.push_back(json_quoted(value));
  return put_list(name, jsons);
}

JsonOut& JsonOut::put(std::string_view name, const std::vector<double>& values) {
  std::vector<std::string> jsons;
  for (const double value : values) jsons.push_back(json_number(value));
  return put_list(name, jsons);
}

namespace {

template <class Map>
std::string object_of(const Map& values) {
  JsonOut out;
  for (const auto& [name, value] : values) out.put(name, value);
  return out.text();
}

}  // namespace

JsonOut& JsonOut::put(std::string_view name, const std::map<std::string, double>& values) {
  return put_json(name, object_of(values));
}
JsonOut& JsonOut::put(std::string_view name, const std::map<std::string, std::int64_t>& values) {
  return put_json(name, object_of(values));
}
JsonOut& JsonOut::put(std::string_view name, const std::map<std::string, std::string>& values) {
  return put_json(name, object_of(values));
}

// --- reading: simdjson, because its numbers are exact (Boost.JSON 1.81 is off by an ulp now and then)
// ------------------

struct JsonIn::Document {
  dom::parser parser;
  dom::object object;
  std::string problem;

  std::optional<dom::element> find(std::string_view key) const {
    dom::element element;
    if (object.at_key(key).get(element) != simdjson::SUCCESS) return std::nullopt;
    return element;
  }
  void wanted(std::string_view key, const char* type) {
    if (problem.empty()) problem = fmt::format("\"{}\" should be {}", key, type);
  }
};

JsonIn::JsonIn(std::shared_ptr<Document> document) : document_{std::move(document)} {}

Result<JsonIn> JsonIn::parse(std::string_view text) {
  auto document = std::make_shared<Document>();
  dom::element root;
  const auto error = document->parser.parse(simdjson::padded_string{text}).get(root);
  if (error != simdjson::SUCCESS)
    return fail(Code::BadData, fmt::format("not JSON: {}", simdjson::error_message(error)));
  if (root.get(document->object) != simdjson::SUCCESS) return fail(Code::BadData, "JSON, but not an object");
  return JsonIn{std::move(document)};
}

namespace {

using Element = std::optional<dom::element>;

template <class T>
std::optional<T> as(const Element& element) {
  T value{};
  if (!element || element->get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<double> as_number(const Element& element) {
  if (!element) return std::nullopt;
  if (element->is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (const auto text = as<std::string_view>(element)) {
    if (*text == "inf") return std::numeric_limits<double>::infinity();
    if (*text == "-inf") return -std::numeric_limits<double>::infinity();
    return std::nullopt;
  }
  return as<double>(element);
}

std::optional<std::string> as_text(const Element& element) {
  if (const auto text = as<std::string_view>(element)) return std::string{*text};
  return std::nullopt;
}

template <class T>
std::optional<T> as_integer(const Element& element) {
  const auto value = as<std::int64_t>(element);
  if (!value || *value < std::numeric_limits<T>::min() || *value > std::numeric_limits<T>::max()) return std::nullopt;
  return static_cast<T>(*value);
}

template <class T, class Read>
bool read_list(const Element& element, std::vector<T>& into, const Read& read) {
  const auto array = as<dom::array>(element);
  if (!array) return false;
  std::vector<T> all;
  for (const dom::element one : *array) {
    auto value = read(Element{one});
    if (!value) return false;
    all.push_back(std::move(*value));
  }
  into = std::move(all);
  return true;
}

template <class T, class Read>
bool read_map(const Element& element, std::map<std::string, T>& into, const Read& read) {
  const auto object = as<dom::object>(element);
  if (!object) return false;
  std::map<std::string, T> all;
  for (const auto member : *object) {
    auto value = read(Element{member.value});
    if (!value) return false;
    all.emplace(std::string{member.key}, std::move(*value));
  }
  into = std::move(all);
  return true;
}

}  // namespace

void JsonIn::get(std::string_view key, std::string& into) {
  if (auto value = as_text(document_->find(key)))
    into = std::move(*value);
  else
    document_->wanted(key, "a text");
}

void JsonIn::get(std::string_view key, bool& into) {
  if (auto value = as<bool>(document_->find(key)))
    into = std::move(*value);
  else
    document_->wanted(key, "true or false");
}

void JsonIn::get(std::string_view key, double& into) {
  if (auto value = as_number(document_->find(key)))
    into = std::move(*value);
  else
    document_->wanted(key, "a number");
}

void JsonIn::get(std::string_view key, std::int64_t& into) {
  if (auto value = as<std::int64_t>(document_->find(key)))
    into = std::move(*value);
  else
    document_->wanted(key, "an integer");
}

void JsonIn::get(std::string_view key, int& into) {
  if (auto value = as_integer<int>(document_->find(key)))
    into = std::move(*value);
  else
    document_->wanted(key, "an integer of 32 bits");
}

void JsonIn::get(std::string_view key, std::uint16_t& into) {
  if (auto value = as_integer<std::uint16_t>(document_->find(key)))
    into = std::move(*value);
  else
    document_->wanted(key, "an integer of 16 bits");
}

void JsonIn::get(std::string_view key, std::uint64_t& into) {
  if (auto value = as<std::uint64_t>(document_->find(key)))
    into = std::move(*value);
  else
    document_->wanted(key, "an integer >= 0");
}

void JsonIn::get(std::string_view key, Timestamp& into) {
  std::int64_t us = into.us();
  get(key, us);
  into = Timestamp{us};
}

void JsonIn::get(std::string_view key, std::vector<std::string>& into) {
  if (!read_list(document_->find(key), into, as_text)) document_->wanted(key, "a list of texts");
}

void JsonIn::get(std::string_view key, std::vector<double>& into) {
  if (!read_list(document_->find(key), into, as_number)) document_->wanted(key, "a list of numbers");
}

void JsonIn::get(std::string_view key, std::map<std::string, double>& into) {
  if (!read_map(document_->find(key), into, as_number)) document_->wanted(key, "an object of numbers");
}

void JsonIn::get(std::string_view key, std::map<std::string, std::int64_t>& into) {
  if (!read_map(document_->find(key), into, as<std::int64_t>)) document_->wanted(key, "an object of integers");
}

void JsonIn::get(std::string_view key, std::map<std::string, std::string>& into) {
  if (!read_map(document_->find(key), into, as_text)) document_->wanted(key, "an object of texts");
}

bool JsonIn::has(std::string_view key) const { return document_->find(key).has_value(); }

bool JsonIn::is_null(std::string_view key) const {
  const auto element = document_->find(key);
  return !element || element->is_null();
}

std::string JsonIn::json(std::string_view key) const {
  const auto element = document_->find(key);
  return element ? simdjson::minify(*element) : "null";
}

std::vector<std::string> JsonIn::list(std::string_view key) {
  std::vector<std::string> jsons;
  const auto minified = [](const Element& element) { return std::optional{simdjson::minify(*element)}; };
  if (!read_list(document_->find(key), jsons, minified)) document_->wanted(key, "a list");
  return jsons;
}

Result<void> JsonIn::finish(std::string_view what) const {
  if (document_->problem.empty()) return {};
  return fail(Code::BadData, fmt::format("{}: {}", what, document_->problem));
}

Result<std::string> json_pretty(std::string_view text) {
  dom::parser parser;
  if (const auto error = parser.parse(simdjson::padded_string{text}).error(); error != simdjson::SUCCESS)
    return fail(Code::BadData, fmt::format("not JSON: {}", simdjson::error_message(error)));
  std::string out;
  std::size_t depth = 0;
  bool quoted = false;
  const auto line = [&] { out += '\n' + std::string(2 * depth, ' '); };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      out += c;
      if (c == '\\')
        out += text[++i];
      else if (c == '"')
        quoted = false;
      continue;
    }
    const bool opens = c == '{' || c == '[';
    const bool closes = c == '}' || c == ']';
    if (c == ' ' || c == '\n' || c == '\r' || c == '\t') continue;
    if (closes && out.back() != '{' && out.back() != '[') {
      --depth;
      line();
    } else if (closes) {
      --depth;
      out.erase(out.find_last_not_of(" \n") + 1);
    }
    out += c;
    if (c == '"') quoted = true;
    if (c == ':') out += ' ';
    if (c == ',') line();
    if (opens) {
      ++depth;
      const std::size_t next = text.find_first_not_of(" \n\r\t", i + 1);
      if (next != std::string_view::npos && text[next] != '}' && text[next] != ']') line();
    }
  }
  return out;
}

}  // namespace everlearn
