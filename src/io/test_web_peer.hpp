// For the tests of this module: a server on loopback that speaks HTTP and WebSocket (RFC 6455) over bare sockets, so
// that it can also say what a decent server would not.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include "core/system_fd.hpp"

namespace everlearn {

class TestWebPeer {
 public:
  struct Asked {
    std::string method, target, body;
  };

  /// One upgraded connection, of the thread that serves it.
  class Wire {
   public:
    explicit Wire(int fd) : fd_{fd} {}

    /// The next text from the client; empty: it is gone or has said goodbye.
    std::optional<std::string> read() {
      for (;;) {
        std::array<unsigned char, 14> head{};
        if (!take(head.data(), 2)) return std::nullopt;
        const int opcode = head[0] & 0x0f;
        std::uint64_t size = head[1] & 0x7fu;
        const int extra = size == 126 ? 2 : size == 127 ? 8 : 0;
        if (extra > 0) {
          if (!take(head.data(), static_cast<std::size_t>(extra))) return std::nullopt;
          size = 0;
          for (int i = 0; i < extra; ++i) size = size << 8 | head[static_cast<std::size_t>(i)];
        }
        std::array<unsigned char, 4> mask{};
        std::string payload(size, '\0');
        if (!take(mask.data(), 4) || !take(payload.data(), size)) return std::nullopt;
        for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
        if (opcode == 8) return std::nullopt;
        if (opcode == 1) return payload;
      }
    }
    /// As read(), without PING.
    std::optional<std::string> read_words() {
      for (;;)
        if (auto text = read(); !text || *text != "PING") return text;
    }

    bool text(const std::string& payload) { return frame(0x81, payload); }
    /// `first`: the first byte of the frame, with FIN, reserved bits and opcode.
    bool frame(unsigned char first, const std::string& payload, std::optional<std::uint64_t> told_size = {}) {
      const std::uint64_t size = told_size.value_or(payload.size());
      std::string bytes{static_cast<char>(first)};
      const int more = size < 126 ? 0 : size < 65'536 ? 2 : 8;
      bytes += static_cast<char>(more == 0 ? size : more == 2 ? 126 : 127);
      for (int shift = 8 * (more - 1); shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xff);
      return raw(bytes + payload);
    }
    void close(std::uint16_t code, const std::string& why) {
      frame(0x88, std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)} + why);
      (void)read();
    }
    bool raw(const std::string& bytes) {
      return ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
    }
    /// Until the client is gone; says nothing, hears nothing.
    void freeze() {
      while (read()) {
      }
    }

   private:
    bool take(void* into, std::size_t n) {
      return n == 0 || ::recv(fd_, into, n, MSG_WAITALL) == static_cast<ssize_t>(n);
    }
    int fd_;
  };

  using Serve = std::function<void(Wire&)>;
  using Answer = std::function<std::string(const Asked&)>;

  /// `serve` is called for each upgraded connection, `answer` for each other request, with what goes back word for
  /// word; both by a thread of the connection.
  explicit TestWebPeer(Serve serve, Answer answer = {})
      : serve_{std::move(serve)},
        answer_{std::move(answer)},
        listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    REQUIRE(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    REQUIRE(::listen(listener_.get(), 64) == 0);
    port_ = std::to_string(ntohs(address.sin_port));
    accepting_ = std::jthread{[this] { accept_all(); }};
  }
  ~TestWebPeer() {
    {
      const std::lock_guard lock{mutex_};
      over_ = true;
      for (const Connection& connection : connections_) ::shutdown(connection.fd.get(), SHUT_RDWR);
    }
    ::shutdown(listener_.get(), SHUT_RDWR);
    accepting_.join();
  }

  const std::string& port() const { return port_; }
  std::string origin(const std::string& scheme) const { return scheme + "://127.0.0.1:" + port_; }

  static std::string ok(const std::string& body) { return answer(200, body); }
  static std::string answer(int status, const std::string& body, const std::string& headers = {}) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           headers + "\r\n" + body;
  }

 private:
  struct Connection {
    Fd fd;
    std::jthread thread;
  };

  void accept_all() {
    for (;;) {
      Fd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      const std::lock_guard lock{mutex_};
      if (!fd.valid() || over_) return;
      Connection& connection = connections_.emplace_back();
      connection.fd = std::move(fd);
      connection.thread = std::jthread{[this, &connection] {
        serve_requests(connection.fd.get());
        ::shutdown(connection.fd.get(), SHUT_RDWR);
      }};
    }
  }

  void serve_requests(int fd) const {
    std::string heard;
    std::array<char, 4096> bytes{};
    for (;;) {
      std::size_t end = heard.find("\r\n\r\n");
      const std::size_t size = end == std::string::npos ? 0 : body_size(heard.substr(0, end));
      if (end == std::string::npos || heard.size() < end + 4 + size) {
        const ssize_t n = ::recv(fd, bytes.data(), bytes.size(), 0);
        if (n <= 0) return;
        heard.append(bytes.data(), static_cast<std::size_t>(n));
        if (heard[0] == 0x16) return;  // encryption, which this server does not speak
        continue;
      }
      const std::string head = heard.substr(0, end);
      Asked asked;
      asked.method = head.substr(0, head.find(' '));
      asked.target =
          head.substr(asked.method.size() + 1, head.find(' ', asked.method.size() + 1) - asked.method.size() - 1);
      asked.body = heard.substr(end + 4, size);
      heard.erase(0, end + 4 + size);
      if (const std::size_t key = head.find("Sec-WebSocket-Key: "); key != std::string::npos && serve_) {
        Wire wire{fd};
        if (wire.raw(upgrade(head.substr(key + 19, 24)))) serve_(wire);
        return;
      }
      const std::string text = answer_ ? answer_(asked) : std::string{};
      if (text.empty() || ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) return;
    }
  }

  static std::size_t body_size(const std::string& head) {
    std::size_t size = 0;
    if (const std::size_t at = head.find("Content-Length: "); at != std::string::npos)
      for (std::size_t i = at + 16; i < head.size() && head[i] >= '0' && head[i] <= '9'; ++i)
        size = size * 10 + static_cast<std::size_t>(head[i] - '0');
    return size;
  }

  static std::string upgrade(const std::string& key) {
    const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    std::array<unsigned char, 20> digest{};
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
    std::array<unsigned char, 32> accept{};
    EVP_EncodeBlock(accept.data(), digest.data(), static_cast<int>(digest.size()));
    return std::string{"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "} +
           reinterpret_cast<const char*>(accept.data()) + "\r\n\r\n";
  }

  const Serve serve_;
  const Answer answer_;
  Fd listener_;
  std::string port_;
  std::mutex mutex_;
  bool over_ = false;
  std::list<Connection> connections_;  // their threads are joined before `serve_` and `answer_` go
  std::jthread accepting_;
};

}  // namespace everlearn
