#include "io/web_socket.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "io/test_web_peer.hpp"

namespace everlearn {
namespace {

using Wire = TestWebPeer::Wire;

/// What happened to a socket, in order, for a test that waits for it.
class Story {
 public:
  void add(std::string line) {
    {
      const std::lock_guard lock{mutex_};
      lines_.push_back(std::move(line));
    }
    changed_.notify_all();
  }
  /// The n-th line, from 0; "(nothing)" if it does not come.
  std::string line(std::size_t n) {
    std::unique_lock lock{mutex_};
    const bool there = changed_.wait_for(lock, std::chrono::seconds{20}, [&] { return lines_.size() > n; });
    return there ? lines_[n] : "(nothing)";
  }
  std::size_t size() {
    const std::lock_guard lock{mutex_};
    return lines_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// A network thread with one socket to the peer.
struct Client {
  explicit Client(const std::string& url, SocketRules rules = {}) {
    const auto address = web_address(url, "wss", "ws");
    REQUIRE(address);
    network.post([this, address = *address, rules] {
      number = network.open(address, rules,
                            {.opened = [this] { story.add("opened"); },
                             .text = [this](std::string_view text) { story.add("text " + std::string{text}); },
                             .closed = [this](const std::string& why) { story.add("closed " + why); }});
    });
  }
  void send(const std::string& text) {
    network.post([this, text] { network.send(number, text); });
  }

  Story story;
  std::uint64_t number = 0;
  NetworkThread network;
};

TEST_CASE("web socket: opens, says, hears, and tells with which code the server closed") {
  TestWebPeer peer{[](Wire& wire) {
    if (const auto words = wire.read()) wire.text("echo " + *words);
    wire.frame(0x01, "two ");  // in pieces
    wire.frame(0x80, "parts");
    wire.close(1013, "slow consumer: send buffer full");
  }};
  Client client{peer.origin("ws") + "/ws/market"};
  CHECK(client.story.line(0) == "opened");
  client.send("hello");
  CHECK(client.story.line(1) == "text echo hello");
  CHECK(client.story.line(2) == "text two parts");
  CHECK(client.story.line(3) == "closed closed by the server: 1013 \"slow consumer: send buffer full\"");
}

TEST_CASE("web socket: PING goes out as text again and again, and PONG is no message") {
  TestWebPeer peer{[](Wire& wire) {
    for (int i = 0; i < 3; ++i) {
      if (wire.read() != "PING") return;
      wire.text("PONG");
    }
    wire.text("three");
    wire.freeze();
  }};
  Client client{peer.origin("ws"), {.ping_every = Duration{20'000}}};
  CHECK(client.story.line(0) == "opened");
  CHECK(client.story.line(1) == "text three");
}

TEST_CASE("web socket: a connection that is half open is given up") {
  TestWebPeer peer{[](Wire& wire) { wire.freeze(); }};  // takes PING, and never answers
  Client client{peer.origin("ws"), {.ping_every = Duration{20'000}, .dead_after = Duration{100'000}}};
  CHECK(client.story.line(0) == "opened");
  CHECK(client.story.line(1) == "closed no frame for 100ms, not even PONG");
}

TEST_CASE("web socket: a frame beyond the limit ends the connection before it is kept") {
  SUBCASE("by its head") {
    TestWebPeer peer{[](Wire& wire) {
      wire.frame(0x81, "", 1ull << 40);
      wire.freeze();
    }};
    Client client{peer.origin("ws"), {.most_bytes = 1000}};
    CHECK(client.story.line(1) == "closed a frame of more than 1000 bytes");
  }
  SUBCASE("in pieces") {
    TestWebPeer peer{[](Wire& wire) {
      wire.frame(0x01, std::string(900, 'x'));
      wire.frame(0x80, std::string(900, 'x'));
      wire.freeze();
    }};
    Client client{peer.origin("ws"), {.most_bytes = 1000}};
    CHECK(client.story.line(1) == "closed a frame of more than 1000 bytes");
  }
}

TEST_CASE("web socket: frames that nobody agreed to end the connection: compressed, binary, not UTF-8") {
  const auto story_of = [](unsigned char first, const std::string& payload) {
    TestWebPeer peer{[&](Wire& wire) {
      wire.frame(first, payload);
      wire.freeze();
    }};
    Client client{peer.origin("ws")};
    return client.story.line(1);
  };
  CHECK(story_of(0xc1, "x").starts_with("closed the connection broke: "));
  CHECK(story_of(0x82, "x") == "closed a frame that is no text");
  CHECK(story_of(0x81, "\xff\xff").starts_with("closed the connection broke: "));
}

TEST_CASE("web socket: a server that declines, one that says nothing, and none at all") {
  {
    TestWebPeer peer{{}, [](const TestWebPeer::Asked&) { return TestWebPeer::answer(403, "no"); }};
    Client client{peer.origin("ws")};
    CHECK(client.story.line(0) == "closed the server answers HTTP 403 to the upgrade");
  }
  {
    const Fd silent{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(silent.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(silent.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    const std::string url = "ws://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    {
      Client client{url};
      CHECK(client.story.line(0).starts_with("closed no connection: "));
    }
    REQUIRE(::listen(silent.get(), 8) == 0);
    Client client{url, {.open_limit = Duration{100'000}}};
    CHECK(client.story.line(0) == "closed no connection within 100ms");
  }
}

struct FreeOpenssl {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const noexcept { X509_free(certificate); }
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
  void operator()(SSL* connection) const noexcept { SSL_free(connection); }
};
template <class T>
using Owned = std::unique_ptr<T, FreeOpenssl>;

/// An encrypted server on loopback with a certificate for `name` that it signed itself; it declines each upgrade.
class EncryptedPeer {
 public:
  explicit EncryptedPeer(const std::string& name)
      : key_{EVP_EC_gen("P-256")}, certificate_{X509_new()}, context_{SSL_CTX_new(TLS_server_method())} {
    X509_set_version(certificate_.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate_.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate_.get()), -3'600);
    X509_gmtime_adj(X509_getm_notAfter(certificate_.get()), 3'600);
    X509_set_pubkey(certificate_.get(), key_.get());
    const std::string names = "DNS:" + name;
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
    REQUIRE(X509_sign(certificate_.get(), key_.get(), EVP_sha256()) > 0);
    SSL_CTX_use_certificate(context_.get(), certificate_.get());
    SSL_CTX_use_PrivateKey(context_.get(), key_.get());
    file_ = Fd{::mkstemp(path_.data())};
    BIO* out = BIO_new_fd(file_.get(), BIO_NOCLOSE);
    REQUIRE(PEM_write_bio_X509(out, certificate_.get()) == 1);
    BIO_free(out);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    REQUIRE(::listen(listener_.get(), 8) == 0);
    port_ = std::to_string(ntohs(address.sin_port));
    thread_ = std::jthread{[this] { serve(); }};
  }
  ~EncryptedPeer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    thread_.join();
    ::unlink(path_.c_str());
  }
  const std::string& port() const { return port_; }
  const std::string& authorities() const { return path_; }

 private:
  void serve() const {
    for (;;) {
      const Fd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (!fd.valid()) return;
      const Owned<SSL> connection{SSL_new(context_.get())};
      SSL_set_fd(connection.get(), fd.get());
      std::array<char, 4096> request{};
      if (SSL_accept(connection.get()) != 1 || SSL_read(connection.get(), request.data(), request.size()) <= 0)
        continue;
      const std::string no = TestWebPeer::answer(403, "no");
      SSL_write(connection.get(), no.data(), static_cast<int>(no.size()));
      SSL_shutdown(connection.get());
    }
  }

  Owned<EVP_PKEY> key_;
  Owned<X509> certificate_;
  Owned<SSL_CTX> context_;
  std::string path_ = "/tmp/everlearn_web_socket_XXXXXX";
  Fd file_;
  Fd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::string port_;
  std::jthread thread_;
};

TEST_CASE("web socket: a certificate must come from an authority that is known, and be for the name that was meant") {
  const EncryptedPeer peer{"localhost"};
  const auto story_of = [&](const std::string& host, const std::string& authorities) {
    Client client{"wss://" + host + ":" + peer.port(), {.authorities = authorities}};
    return client.story.line(0);
  };
  CHECK(story_of("localhost", {}).starts_with("closed no encryption: "));
  CHECK(story_of("127.0.0.1", peer.authorities()).starts_with("closed no encryption: "));
  // Encrypted: what it says now is heard.
  CHECK(story_of("localhost", peer.authorities()) == "closed the server answers HTTP 403 to the upgrade");
}

TEST_CASE("web socket: a server without a certificate is none that is encrypted") {
  TestWebPeer peer{[](Wire& wire) { wire.freeze(); }};
  Client client{peer.origin("wss")};
  CHECK(client.story.line(0).starts_with("closed no encryption: "));
}

TEST_CASE("web socket: after close() and after stop() nothing is told any more") {
  TestWebPeer peer{[](Wire& wire) {
    while (const auto words = wire.read()) wire.text(*words);
  }};
  Client client{peer.origin("ws")};
  REQUIRE(client.story.line(0) == "opened");
  client.network.post([&] {
    client.network.send(client.number, "late");
    client.network.close(client.number);
    client.network.send(client.number, "later");
    client.story.add("done");
  });
  CHECK(client.story.line(1) == "done");
  client.network.stop();
  CHECK(client.story.size() == 2);
}

TEST_CASE("network thread: tasks run again and again, and none after stop()") {
  Story story;
  NetworkThread network;
  network.every(Duration{1'000}, [&] { story.add("tick"); });
  CHECK(story.line(2) == "tick");
  network.stop();
  const std::size_t so_far = story.size();
  network.post([&] { story.add("late"); });
  CHECK(story.size() == so_far);
}

}  // namespace
}  // namespace everlearn
