// A request and its answer as the routes see them: no sockets, no library's types.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn::venue {

struct WebRequest {
  std::string method;                                        // "GET"
  std::string path;                                          // "/book", decoded, without the query
  std::vector<std::pair<std::string, std::string>> query;    // decoded, in order; a key may repeat
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;

  /// The first value of a key of the query; nothing if the key is absent. A key without a value is "".
  std::optional<std::string> value(std::string_view key) const;
  /// All values of a repeated key; each one may be a list with commas.
  std::vector<std::string> values(std::string_view key) const;
  /// The value of a header; "" if it is absent. `name` in lower case.
  std::string header(std::string_view name) const;
};

/// What becomes of a request besides its answer.
enum class WebFate : std::uint8_t {
  Answered,
  Unanswered,  // the connection stays open and silent
  Reset,       // the connection breaks
};

struct WebReply {
  int status = 200;
  std::string body;  // JSON
  std::vector<std::pair<std::string, std::string>> headers;
  WebFate fate = WebFate::Answered;
  Duration after{};  // real time that the answer is held back

  static WebReply json(std::string body) { return {.status = 200, .body = std::move(body)}; }
  /// {"error":"..."}
  static WebReply refusal(int status, std::string_view words);
};

/// Splits "/book?token_id=1" and decodes it: %41 and, in the query, '+'. Errors: BadData for half an escape.
Result<WebRequest> read_target(std::string_view method, std::string_view target);

/// The parts of a list with commas, empty ones left out.
std::vector<std::string> split_list(std::string_view text);

}  // namespace everlearn::venue
