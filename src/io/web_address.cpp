#include "io/web_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace everlearn {
namespace {

bool of_host(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == ':';
}

bool of_path(char c) { return c > ' ' && c < 127 && c != '?' && c != '#' && c != '"' && c != '\\'; }

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port > 0 && port < 65'536;
}

}  // namespace

std::string WebAddress::authority() const {
  return host.find(':') == std::string::npos ? host + ":" + port : "[" + host + "]:" + port;
}

Result<WebAddress> web_address(std::string_view text, std::string_view encrypted, std::string_view plain) {
  const auto refused = [&] {
    return fail(Code::Config,
                fmt::format("\"{}\" is not an {}:// address, nor {}:// on 127.0.0.1", text, encrypted, plain));
  };
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return refused();
  const std::string_view scheme = text.substr(0, colon);
  if (scheme != encrypted && scheme != plain) return refused();
  std::string_view rest = text.substr(colon + 3);
  WebAddress address;
  address.encrypted = scheme == encrypted;
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  address.path = slash == rest.size() ? "/" : std::string{rest.substr(slash)};
  rest = rest.substr(0, slash);
  const bool bracketed = rest.starts_with('[');
  const std::size_t end = bracketed ? rest.find(']') : std::min(rest.find(':'), rest.size());
  if (end == std::string_view::npos) return refused();
  address.host = std::string{bracketed ? rest.substr(1, end - 1) : rest.substr(0, end)};
  rest = rest.substr(bracketed ? end + 1 : end);
  if (rest.empty())
    address.port = address.encrypted ? "443" : "80";
  else if (rest.front() == ':' && is_port(rest.substr(1)))
    address.port = std::string{rest.substr(1)};
  else
    return refused();
  const bool here = address.host == "127.0.0.1" || address.host == "localhost" || address.host == "::1";
  if (address.host.empty() || !std::ranges::all_of(address.host, of_host) ||
      !std::ranges::all_of(address.path, of_path) || (!address.encrypted && !here))
    return refused();
  return address;
}

}  // namespace everlearn
