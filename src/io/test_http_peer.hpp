// For the tests of this module: a server on loopback that answers each connection from a script and keeps what it
// heard.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/system_fd.hpp"

namespace everlearn {

/// One connection per entry of the script: reads a request to its end, writes the entry, closes. An entry kReset closes
/// hard after the request, without an answer.
class TestHttpPeer {
 public:
  inline static const std::string kReset = "reset";

  explicit TestHttpPeer(std::vector<std::string> script) : listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
    origin_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    heard_ = std::async(std::launch::async, [this, script = std::move(script)] { return serve(script); });
  }
  ~TestHttpPeer() { ::shutdown(listener_.get(), SHUT_RDWR); }

  const std::string& origin() const { return origin_; }
  /// What came in, after the last entry of the script.
  std::vector<std::string> heard() { return heard_.get(); }

  static std::string answer(int status, const std::string& body, const std::string& headers = {}) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }

 private:
  std::vector<std::string> serve(const std::vector<std::string>& script) const {
    std::vector<std::string> heard;
    for (const std::string& entry : script) {
      const Fd peer{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (!peer.valid()) break;
      std::string request;
      char bytes[4096];
      while (!whole(request)) {
        const ssize_t n = ::recv(peer.get(), bytes, sizeof bytes, 0);
        if (n <= 0) break;
        request.append(bytes, static_cast<std::size_t>(n));
      }
      heard.push_back(request);
      if (entry == kReset) {
        const linger hard{1, 0};
        ::setsockopt(peer.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        continue;
      }
      (void)::send(peer.get(), entry.data(), entry.size(), MSG_NOSIGNAL);
    }
    return heard;
  }

  static bool whole(const std::string& request) {
    const std::size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::size_t length = request.find("Content-Length: ");
    if (length == std::string::npos || length > end) return true;
    std::size_t body = 0;
    for (std::size_t i = length + 16; request[i] >= '0' && request[i] <= '9'; ++i)
      body = body * 10 + static_cast<std::size_t>(request[i] - '0');
    return request.size() >= end + 4 + body;
  }

  Fd listener_;
  std::string origin_;
  std::future<std::vector<std::string>> heard_;
};

}  // namespace everlearn
