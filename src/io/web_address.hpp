// Addresses of services that a profile names. What is not encrypted stays on this machine.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace everlearn {

struct WebAddress {
  bool encrypted = true;
  std::string host;  // an IPv6 address without its brackets
  std::string port;  // "443"
  std::string path;  // "/ws/market", or "/"

  /// "host:port" as a Host header has it.
  std::string authority() const;
};

/// `encrypted`, `plain`: the two schemes, "https" and "http", or "wss" and "ws". Errors: Config for another scheme, the
/// plain one to anything but 127.0.0.1, localhost and [::1], user names, blanks, queries.
Result<WebAddress> web_address(std::string_view text, std::string_view encrypted, std::string_view plain);

}  // namespace everlearn
