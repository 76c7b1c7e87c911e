// Client WebSockets (RFC 6455) on one network thread of their own, over Boost.Beast. Connections are encrypted and the
// server's name is verified against the system's authorities; plain ones go to this machine only. No compression is
// offered, so a frame is as big as it came, and a bigger one than allowed ends the connection before it is kept.
//
// Liveness here is that of the connection alone: every `ping_every` the text PING goes out, as venues want it, and a
// connection without any frame for `dead_after` is dead. Whether what comes is of use is the caller's to judge.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/time.hpp"
#include "io/web_address.hpp"

namespace everlearn {

struct SocketRules {
  Duration open_limit = Duration::seconds(15);  // name, connection, encryption and upgrade, in all
  Duration ping_every = Duration::seconds(10);
  Duration dead_after = Duration::seconds(30);
  std::uint64_t most_bytes = 8u << 20;  // of a message
  std::string authorities = {};         // file of certificates; empty: the system's
};

/// All called on the network thread.
struct SocketHandler {
  std::function<void()> opened;
  std::function<void(std::string_view text)> text;     // a whole message; never PONG
  std::function<void(const std::string& why)> closed;  // last and once, also where it never opened; not after close()
  std::function<void()> pong;
};

class NetworkThread {
 public:
  NetworkThread();
  ~NetworkThread();
  NetworkThread(const NetworkThread&) = delete;
  NetworkThread& operator=(const NetworkThread&) = delete;

  /// Any thread.
  void post(std::function<void()> task);
  void every(Duration period, std::function<void()> task);
  /// Cuts all connections where they are and waits for the thread; no handler or task runs any more.
  void stop();

  /// The following: tasks and handlers only. Numbers are never used twice.
  std::uint64_t open(const WebAddress& address, const SocketRules& rules, SocketHandler handler);
  void send(std::uint64_t socket, std::string text);
  /// Says goodbye where it can, without waiting.
  void close(std::uint64_t socket);

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace everlearn
