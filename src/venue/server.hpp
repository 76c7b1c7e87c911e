// HTTP and WebSocket on one port of loopback. What is said lies elsewhere: a WebDesk, called from the one thread that
// serves.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "venue/web_message.hpp"

namespace everlearn::venue {

using SocketId = std::uint64_t;

/// What a desk wants done to a socket.
struct SocketAct {
  enum class What : std::uint8_t { Send, Close, Reset };
  SocketId socket = 0;
  What what = What::Send;
  std::string text;  // Send: the frame; Close: the reason
  std::uint16_t code = 1000;
};

/// Answers for the server. Every call comes from the serving thread.
class WebDesk {
 public:
  virtual ~WebDesk() = default;
  /// Time went on: called about every `ServerSettings::tick`, and before anything else is asked.
  virtual void tick() = 0;
  /// False: what was left unanswered stays open; from then on that it is true, those connections break.
  virtual bool answers() = 0;
  virtual WebReply answer(const WebRequest& request) = 0;
  /// A request to become a socket: status 101 takes it under `socket`, anything else refuses it.
  virtual WebReply open(SocketId socket, const WebRequest& request) = 0;
  virtual void heard(SocketId socket, std::string_view text) = 0;
  virtual void gone(SocketId socket) = 0;
  /// What is to be done to sockets since the last call, in order.
  virtual std::vector<SocketAct> take_acts() = 0;
};

struct ServerSettings {
  std::uint16_t port = 0;  // 0: a free one
  Duration tick = Duration{10'000};
  std::size_t send_buffer = 256 << 10;     // the kernel's, per connection; bytes
  std::size_t socket_backlog = 8 << 20;    // bytes waiting for a socket's reader; more: closed with 1013
  std::size_t longest_request = 32 << 20;  // bytes of a body
};

class WebServer {
 public:
  /// Listens on 127.0.0.1. Errors: Unavailable naming the port.
  static Result<std::unique_ptr<WebServer>> listen(const ServerSettings& settings, WebDesk& desk);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  std::uint16_t port() const;
  /// Serves until SIGTERM, SIGINT or stop().
  void run();
  /// Any thread.
  void stop();

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace everlearn::venue
