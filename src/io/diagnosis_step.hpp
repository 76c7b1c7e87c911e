#pragma once

#include <cstdint>
#include <string>

namespace everlearn {

/// One thing that was looked at on the way to something outside: the first that fails is the one to repair.
struct DiagnosisStep {
  enum class Result : std::uint8_t { Ok, Warn, Fail };
  Result result = Result::Ok;
  std::string what;  // "host", "network", "TLS", "login", "table", "books", "market socket"
  std::string text;
};

}  // namespace everlearn
