#include "core/secret.hpp"

namespace everlearn {
namespace {

std::string percent_encoded(std::string_view text, bool upper) {
  const std::string_view digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

void replace_all(std::string& text, const std::string& what) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), "***");
    at += 3;
  }
}

}  // namespace

std::string without(std::string text, const Secret& secret) {
  if (secret.empty()) return text;
  replace_all(text, secret.reveal());
  replace_all(text, percent_encoded(secret.reveal(), true));
  replace_all(text, percent_encoded(secret.reveal(), false));
  return text;
}

}  // namespace everlearn
