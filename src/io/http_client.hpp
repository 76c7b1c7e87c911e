// One HTTP request and its answer, over libcurl, with limits on everything: time to connect, time in all, slowness,
// size. TLS is verified against the system's authorities; redirects are not followed; proxies of the environment are
// not used. The path of a request is a secret (Telegram's token is in it): no error, log or exception of ours holds it.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/secret.hpp"
#include "core/time.hpp"

namespace everlearn {

struct HttpRequest {
  std::string origin;  // "https://api.telegram.org", without a path: this is shown
  Secret path;         // "/bot.../sendMessage"
  std::string body;    // empty: GET, else POST
  std::string content_type = "application/json";
  std::vector<std::string> headers = {};  // further ones of a POST: "Name: value"
  Duration connect_limit = Duration::seconds(10);
  Duration limit = Duration::seconds(30);       // in all
  Duration slow_limit = Duration::seconds(15);  // so long under 10 bytes a second
  std::uint64_t most_bytes = 1u << 20;          // of the answer
  std::string authorities = {};                 // file of certificates; empty: the system's
  bool connect_only = false;                    // no request: status 0 without a problem says that a connection stood,
                                                // encrypted where the origin says so
};

struct HttpAnswer {
  int status = 0;  // 0: there was none, and `problem` says why
  std::string body;
  std::string retry_after;     // the header as it stands
  bool perhaps_taken = false;  // without an answer: the request may have got there
  std::string problem;         // one line that names the origin
};

/// Blocks; ends soon after `stop` is asked for. Any thread.
HttpAnswer http(const HttpRequest& request, std::stop_token stop = {});

/// The same for many requests in a row: a connection that the server left open serves the next one. One thread.
class HttpSession {
 public:
  HttpSession();
  HttpSession(HttpSession&& other) noexcept;
  ~HttpSession();

  HttpAnswer ask(const HttpRequest& request, const std::stop_token& stop = {});

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace everlearn
