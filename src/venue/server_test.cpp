#include "venue/server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <thread>

#include <doctest/doctest.h>

#include "core/system_fd.hpp"

namespace everlearn::venue {
namespace {

// Repeats what it hears; what it is told to do comes as text.
class Parrot final : public WebDesk {
 public:
  void tick() override {}
  bool answers() override { return answers_; }
  WebReply answer(const WebRequest& request) override {
    if (request.path == "/reset") return {.fate = WebFate::Reset};
    if (request.path == "/held") return {.body = answers_ ? "held: no\n" : "held: yes\n"};
    answers_ = request.path != "/hold";
    if (!answers_) return {.fate = WebFate::Unanswered};
    if (request.path == "/late") return {.body = "late", .after = Duration{20'000}};
    return {.status = request.path == "/missing" ? 404 : 200,
            .body = request.method + " " + request.path + " " + request.header("x-word") + " " + request.body,
            .headers = {{"Retry-After", "3"}}};
  }
  WebReply open(SocketId, const WebRequest& request) override {
    return {.status = request.path == "/ws/market" ? 101 : 404, .body = "no"};
  }
  void heard(SocketId socket, std::string_view text) override {
    if (text == "bye")
      return acts_.push_back({.socket = socket, .what = SocketAct::What::Close, .text = "so be it", .code = 1013});
    if (text == "much") {
      for (int i = 0; i < 64; ++i) acts_.push_back({.socket = socket, .text = std::string(1 << 20, 'x')});
      return;
    }
    acts_.push_back({.socket = socket, .text = "heard " + std::string{text}});
  }
  void gone(SocketId) override {}
  std::vector<SocketAct> take_acts() override { return std::exchange(acts_, {}); }

 private:
  std::vector<SocketAct> acts_;
  bool answers_ = true;
};

class Running {
 public:
  explicit Running(const ServerSettings& settings = {}) {
    auto listening = WebServer::listen(settings, parrot_);
    REQUIRE(listening);
    server_ = std::move(*listening);
    thread_ = std::thread{[this] { server_->run(); }};
  }
  ~Running() {
    server_->stop();
    thread_.join();
  }
  std::uint16_t port() const { return server_->port(); }

 private:
  Parrot parrot_;
  std::unique_ptr<WebServer> server_;
  std::thread thread_;
};

class Peer {
 public:
  explicit Peer(std::uint16_t port) : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int small = 64 << 10;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }

  void say(const std::string& bytes) {
    REQUIRE(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }

  /// Until the text ends with `end`, or the connection does.
  std::string hear(const std::string& end) {
    std::string text;
    char byte = 0;
    while (text.find(end) == std::string::npos && ::recv(fd_.get(), &byte, 1, 0) == 1) text += byte;
    return text;
  }
  std::string hear(std::size_t count) {
    std::string text(count, '\0');
    std::size_t have = 0;
    while (have < count) {
      const ssize_t n = ::recv(fd_.get(), text.data() + have, count - have, 0);
      if (n <= 0) break;
      have += static_cast<std::size_t>(n);
    }
    text.resize(have);
    return text;
  }
  /// A frame of a socket: its first byte and what it carries.
  std::pair<int, std::string> frame() {
    const std::string head = hear(std::size_t{2});
    if (head.size() < 2) return {0, "gone"};
    std::size_t length = static_cast<unsigned char>(head[1]);
    if (length >= 126) {
      const std::string more = hear(std::size_t{length == 126 ? 2U : 8U});
      length = 0;
      for (const char c : more) length = length << 8 | static_cast<unsigned char>(c);
    }
    return {static_cast<unsigned char>(head[0]), hear(length)};
  }
  // With a mask of zeros, which a client must send.
  void say_frame(const std::string& text) {
    say(std::string{"\x81"} + static_cast<char>(0x80 | text.size()) + std::string(4, '\0') + text);
  }
  void upgrade(const std::string& path) {
    say("GET " + path +
        " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  }

 private:
  Fd fd_;
};

}  // namespace

TEST_CASE("server: several requests on one connection, headers and bodies both ways") {
  const Running server;
  Peer peer{server.port()};
  peer.say("GET /a?b=c HTTP/1.1\r\nHost: x\r\nX-Word: one\r\n\r\n");
  const std::string first = peer.hear("GET /a one ");
  CHECK(first.find("HTTP/1.1 200 OK") == 0);
  CHECK(first.find("Retry-After: 3") != std::string::npos);
  CHECK(first.find("Content-Type: application/json") != std::string::npos);
  peer.say("POST /missing HTTP/1.1\r\nHost: x\r\nX-Word: two\r\nContent-Length: 4\r\n\r\nbody");
  const std::string second = peer.hear("POST /missing two body");
  CHECK(second.find("HTTP/1.1 404") == 0);
  peer.say("GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  CHECK(peer.hear("\r\n\r\nlate").ends_with("late"));
  CHECK(peer.hear(std::size_t{1}).empty());  // closed, as was asked
  Peer other{server.port()};
  other.say("GET /reset HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(other.hear(std::size_t{1}).empty());
  Peer wrong{server.port()};
  wrong.say("GET /a%4 HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(wrong.hear("digits").find("HTTP/1.1 400") == 0);
}

TEST_CASE("server: a connection without an answer stays open, and breaks when there are answers again") {
  const Running server;
  Peer held{server.port()};
  held.say("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
  std::string nothing = "not yet";
  std::thread listener{[&] { nothing = held.hear(std::size_t{1}); }};
  Peer other{server.port()};
  std::string held_yet;
  while (!held_yet.ends_with("yes\n")) {
    other.say("GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    other.hear("held: ");
    held_yet = other.hear("\n");
  }
  other.say("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(other.hear("GET /a").find("HTTP/1.1 200") == 0);
  listener.join();
  CHECK(nothing.empty());
}

TEST_CASE("server: a socket speaks text and is closed with a code") {
  const Running server;
  Peer peer{server.port()};
  peer.upgrade("/ws/market");
  const std::string answer = peer.hear("\r\n\r\n");
  CHECK(answer.find("HTTP/1.1 101") == 0);
  CHECK(answer.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos);  // RFC 6455, 1.3
  peer.say_frame("PING");
  CHECK(peer.frame() == std::pair<int, std::string>{0x81, "heard PING"});
  peer.say_frame("bye");
  CHECK(peer.frame() == std::pair<int, std::string>{0x88, std::string{"\x03\xf5"} + "so be it"});
  Peer refused{server.port()};
  refused.upgrade("/ws/other");
  CHECK(refused.hear("no").find("HTTP/1.1 404") == 0);
}

TEST_CASE("server: a reader too slow is told 1013 after what was under way, and loses the rest") {
  const Running server{ServerSettings{.socket_backlog = 8 << 20}};
  Peer peer{server.port()};
  peer.upgrade("/ws/market");
  peer.hear("\r\n\r\n");
  peer.say_frame("much");  // 64 MiB at once
  std::size_t whole = 0;
  auto frame = peer.frame();
  for (; frame.first == 0x81; frame = peer.frame()) whole += frame.second.size() == 1 << 20;
  CHECK(whole >= 1);
  CHECK(whole < 64);
  CHECK(frame == std::pair<int, std::string>{0x88, std::string{"\x03\xf5"} + "slow consumer: send buffer full"});
}

}  // namespace everlearn::venue
