#include "alert/telegram_text.hpp"

#include <algorithm>

namespace everlearn {
namespace {

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Bytes of the character that begins `text`, 0 if there is none: too short, overlong, a surrogate or beyond Unicode.
std::size_t character_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  if (first < 0x80) return 1;
  const std::size_t bytes = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < bytes) return 0;
  for (std::size_t i = 1; i < bytes; ++i)
    if (!continues(text[i])) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool narrow = (first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
                      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F);
  return narrow ? 0 : bytes;
}

}  // namespace

std::size_t utf16_units(std::string_view text) {
  std::size_t units = 0;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    units += bytes == 4 ? 2 : 1;
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return units;
}

std::string clean_utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    const auto first = static_cast<unsigned char>(text.front());
    if (bytes == 0)
      out += "\xEF\xBF\xBD";
    else if (bytes > 1 || (first >= 0x20 && first != 0x7F) || first == '\n' || first == '\t')
      out += text.substr(0, bytes);
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return out;
}

std::vector<std::string> split_text(std::string_view text, std::size_t units) {
  std::vector<std::string> parts;
  while (true) {
    std::size_t taken = 0, fits = 0, line_end = 0;  // bytes that fit, and up to the last line end among them
    while (fits < text.size()) {
      const std::size_t bytes = std::max<std::size_t>(1, character_bytes(text.substr(fits)));
      const std::size_t wide = bytes == 4 ? 2 : 1;
      if (text[fits] == '\n') line_end = fits;  // the line end itself need not fit
      if (taken + wide > units) break;
      taken += wide;
      fits += bytes;
    }
    if (fits == text.size()) {
      if (!text.empty() || parts.empty()) parts.emplace_back(text);
      return parts;
    }
    const std::size_t cut = line_end > 0 ? line_end : fits;
    parts.emplace_back(text.substr(0, cut));
    text.remove_prefix(cut + (line_end > 0 ? 1 : 0));
  }
}

std::string telegram_html(std::string_view text, bool headline) {
  std::string out = headline ? "<b>" : "";
  for (const char c : text) {
    if (c == '\n' && headline) {
      out += "</b>";
      headline = false;
    }
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      default:
        out += c;
    }
  }
  return headline ? out + "</b>" : out;
}

}  // namespace everlearn
