// A text that may be used and never shown: a token, a password, a connection string. It has no way into fmt, a stream,
// JSON or a settings file; who needs the text asks for it by name, and a grep for reveal() finds every such place.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace everlearn {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_{std::move(text)} {}
  bool empty() const { return text_.empty(); }
  const std::string& reveal() const { return text_; }
  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

/// `text` with "***" for each place where the secret stands, plain or percent-encoded as a part of a URL. For texts
/// that others made: a library's error, a server's answer.
std::string without(std::string text, const Secret& secret);

}  // namespace everlearn
