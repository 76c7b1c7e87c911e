#include "venue/web_message.hpp"

#include <fmt/format.h>

#include "core/json.hpp"

namespace everlearn::venue {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> decoded(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) return fail(Code::BadData, fmt::format("'{}': '%' needs two hexadecimal digits", text));
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> WebRequest::value(std::string_view key) const {
  for (const auto& [name, text] : query)
    if (name == key) return text;
  return std::nullopt;
}

std::vector<std::string> WebRequest::values(std::string_view key) const {
  std::vector<std::string> all;
  for (const auto& [name, text] : query) {
    if (name != key) continue;
    for (std::string& part : split_list(text)) all.push_back(std::move(part));
  }
  return all;
}

std::string WebRequest::header(std::string_view name) const {
  for (const auto& [key, text] : headers)
    if (key == name) return text;
  return {};
}

WebReply WebReply::refusal(int status, std::string_view words) {
  return {.status = status, .body = JsonOut{}.put("error", words).text()};
}

Result<WebRequest> read_target(std::string_view method, std::string_view target) {
  WebRequest request{.method = std::string{method}};
  const std::size_t mark = target.find('?');
  EL_TRY(request.path, decoded(target.substr(0, mark), false));
  if (mark == std::string_view::npos) return request;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    EL_TRY(std::string key, decoded(pair.substr(0, equals), true));
    EL_TRY(std::string text, decoded(equals == std::string_view::npos ? "" : pair.substr(equals + 1), true));
    request.query.emplace_back(std::move(key), std::move(text));
  }
  return request;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

}  // namespace everlearn::venue
