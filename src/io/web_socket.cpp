#include "io/web_socket.hpp"

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "core/quoted.hpp"

namespace everlearn {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using Failure = boost::system::error_code;
using Plain = beast::tcp_stream;
using Encrypted = beast::ssl_stream<beast::tcp_stream>;

constexpr std::size_t kMostUnsent = 4u << 20;
constexpr std::size_t kKeptBuffer = 1u << 20;
constexpr auto kGoodbye = std::chrono::seconds(1);

std::chrono::microseconds chrono_of(Duration time) { return std::chrono::microseconds{time.us()}; }

class Socket {
 public:
  virtual ~Socket() = default;
  virtual void start() = 0;
  virtual void send(std::string text) = 0;
  virtual void close() = 0;
};

// Kept alive by what is under way.
template <class Stream>
class SocketOver final : public Socket, public std::enable_shared_from_this<SocketOver<Stream>> {
 public:
  template <class... More>
  SocketOver(asio::io_context& io, const WebAddress& address, const SocketRules& rules, SocketHandler handler,
             More&... more)
      : address_{address},
        rules_{rules},
        handler_{std::make_shared<const SocketHandler>(std::move(handler))},
        resolver_{io},
        stream_{io, more...},
        limit_{io},
        beat_{io} {}

  void start() override {
    limit_.expires_after(chrono_of(rules_.open_limit));
    limit_.async_wait([self = this->shared_from_this()](Failure failure) {
      if (!failure && !self->open_) self->end(fmt::format("no connection within {}", self->rules_.open_limit.text()));
    });
    resolver_.async_resolve(address_.host, address_.port,
                            [self = this->shared_from_this()](Failure failure, const auto& found) {
                              if (self->lives(failure, "the name is not found")) self->connect(found);
                            });
  }

  void send(std::string text) override {
    if (over_ || !open_) return;
    unsent_bytes_ += text.size();
    if (unsent_bytes_ > kMostUnsent) return end("the server takes nothing any more");
    unsent_.push_back(std::move(text));
    if (unsent_.size() == 1) write();
  }

  void close() override {
    if (over_) return;
    handler_ = nullptr;
    if (!open_) return end({});
    over_ = true;
    limit_.expires_after(kGoodbye);
    limit_.async_wait([self = this->shared_from_this()](Failure failure) {
      if (!failure) self->cut();
    });
    beat_.cancel();
    // Beast does one write at a time.
    if (!unsent_.empty()) return cut();
    stream_.async_close(websocket::close_code::normal, [self = this->shared_from_this()](Failure) { self->cut(); });
  }

 private:
  void connect(const asio::ip::tcp::resolver::results_type& found) {
    beast::get_lowest_layer(stream_).async_connect(found,
                                                   [self = this->shared_from_this()](Failure failure, const auto&) {
                                                     if (self->lives(failure, "no connection")) self->encrypt();
                                                   });
  }

  void encrypt() {
    Failure ignored;
    beast::get_lowest_layer(stream_).socket().set_option(asio::ip::tcp::no_delay{true}, ignored);
    if constexpr (std::is_same_v<Stream, Encrypted>) {
      auto& tls = stream_.next_layer();
      // Which of its names is meant, and that the certificate is for it.
      if (SSL_set_tlsext_host_name(tls.native_handle(), address_.host.c_str()) != 1)
        return end("the name cannot be given to the server");
      tls.set_verify_callback(asio::ssl::host_name_verification(address_.host));
      tls.async_handshake(asio::ssl::stream_base::client, [self = this->shared_from_this()](Failure failure) {
        if (self->lives(failure, "no encryption")) self->upgrade();
      });
    } else {
      upgrade();
    }
  }

  void upgrade() {
    stream_.set_option(websocket::stream_base::decorator(
        [](websocket::request_type& request) { request.set(beast::http::field::user_agent, "everlearn"); }));
    stream_.read_message_max(static_cast<std::size_t>(rules_.most_bytes));
    const bool usual = address_.port == (address_.encrypted ? "443" : "80");
    answer_ = std::make_unique<websocket::response_type>();
    stream_.async_handshake(*answer_, usual ? address_.host : address_.authority(), address_.path,
                            [self = this->shared_from_this()](Failure failure) {
                              const unsigned status = self->answer_->result_int();
                              if (failure == websocket::error::upgrade_declined)
                                return self->end(fmt::format("the server answers HTTP {} to the upgrade", status));
                              if (self->lives(failure, "no upgrade")) self->begin();
                            });
  }

  void begin() {
    answer_.reset();
    open_ = true;
    limit_.cancel();
    heard_ = std::chrono::steady_clock::now();
    beat();
    read();
    if (const auto handler = handler_; handler && handler->opened) handler->opened();
  }

  void read() {
    if (over_) return;
    stream_.async_read(buffer_, [self = this->shared_from_this()](Failure failure, std::size_t) {
      if (self->lives(failure, "the connection broke")) self->take();
    });
  }

  void take() {
    heard_ = std::chrono::steady_clock::now();
    if (!stream_.got_text()) return end("a frame that is no text");
    const std::string_view text{static_cast<const char*>(buffer_.data().data()), buffer_.size()};
    const auto handler = handler_;
    if (text == "PONG") {
      if (handler && handler->pong) handler->pong();
    } else if (handler && handler->text) {
      handler->text(text);
    }
    buffer_.clear();
    if (buffer_.capacity() > kKeptBuffer) buffer_.shrink_to_fit();
    read();
  }

  void write() {
    stream_.text(true);
    stream_.async_write(asio::buffer(unsent_.front()), [self = this->shared_from_this()](Failure failure, std::size_t) {
      self->unsent_bytes_ -= self->unsent_.front().size();
      self->unsent_.pop_front();
      if (!self->lives(failure, "the connection broke")) return;
      if (!self->unsent_.empty()) self->write();
    });
  }

  void beat() {
    beat_.expires_after(chrono_of(rules_.ping_every));
    beat_.async_wait([self = this->shared_from_this()](Failure failure) {
      if (failure || self->over_) return;
      if (std::chrono::steady_clock::now() - self->heard_ >= chrono_of(self->rules_.dead_after))
        return self->end(fmt::format("no frame for {}, not even PONG", self->rules_.dead_after.text()));
      self->send("PING");
      self->beat();
    });
  }

  // True: go on.
  bool lives(Failure failure, std::string_view what) {
    if (over_) return false;
    if (!failure) return true;
    if (failure == websocket::error::closed) {
      const auto& reason = stream_.reason();
      end(fmt::format("closed by the server: {} {}", reason.code,
                      quoted(std::string_view{reason.reason.data(), reason.reason.size()})));
    } else if (failure == websocket::error::message_too_big || failure == websocket::error::buffer_overflow) {
      end(fmt::format("a frame of more than {} bytes", rules_.most_bytes));
    } else {
      end(fmt::format("{}: {}", what, failure.message()));
    }
    return false;
  }

  void end(const std::string& why) {
    if (over_) return;
    over_ = true;
    cut();
    if (const auto handler = std::exchange(handler_, nullptr); handler && handler->closed) handler->closed(why);
  }

  void cut() {
    limit_.cancel();
    beat_.cancel();
    resolver_.cancel();
    beast::get_lowest_layer(stream_).close();
  }

  const WebAddress address_;
  const SocketRules rules_;
  std::shared_ptr<const SocketHandler> handler_;  // shared: a handler may close its own socket
  asio::ip::tcp::resolver resolver_;
  websocket::stream<Stream> stream_;
  asio::steady_timer limit_, beat_;
  std::unique_ptr<websocket::response_type> answer_;
  beast::flat_buffer buffer_;
  std::deque<std::string> unsent_;
  std::size_t unsent_bytes_ = 0;
  std::chrono::steady_clock::time_point heard_;
  bool open_ = false, over_ = false;
};

struct Repeated : std::enable_shared_from_this<Repeated> {
  Repeated(asio::io_context& io, Duration every, std::function<void()> what)
      : timer{io}, period{every}, task{std::move(what)} {}
  void arm() {
    timer.expires_after(chrono_of(period));
    timer.async_wait([self = shared_from_this()](Failure failure) {
      if (failure) return;
      self->task();
      self->arm();
    });
  }
  asio::steady_timer timer;
  const Duration period;
  const std::function<void()> task;
};

}  // namespace

struct NetworkThread::Inside {
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> stays;
  std::map<std::string, std::unique_ptr<asio::ssl::context>> encryption;  // by file of authorities
  std::map<std::uint64_t, std::weak_ptr<Socket>> sockets;
  std::uint64_t next = 1;
  std::jthread thread;

  // A task that throws (no memory) ends that task, not the thread.
  void run() {
    for (;;) {
      try {
        io.run();
        return;
      } catch (const std::exception&) {
        if (io.stopped()) return;
      }
    }
  }

  asio::ssl::context& encryption_with(const std::string& authorities) {
    auto& context = encryption[authorities];
    if (!context) {
      context = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_client);
      SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
      context->set_verify_mode(asio::ssl::verify_peer);
      // Without authorities no certificate is good: the handshake then fails and says so.
      Failure ignored;
      if (authorities.empty())
        context->set_default_verify_paths(ignored);
      else
        context->load_verify_file(authorities, ignored);
    }
    return *context;
  }
};

NetworkThread::NetworkThread() : inside_{std::make_unique<Inside>()} {
  inside_->stays.emplace(inside_->io.get_executor());
  inside_->thread = std::jthread{[inside = inside_.get()] { inside->run(); }};
}

NetworkThread::~NetworkThread() { stop(); }

void NetworkThread::post(std::function<void()> task) { asio::post(inside_->io, std::move(task)); }

void NetworkThread::every(Duration period, std::function<void()> task) {
  auto repeated = std::make_shared<Repeated>(inside_->io, period, std::move(task));
  post([repeated] { repeated->arm(); });
}

void NetworkThread::stop() {
  inside_->io.stop();
  if (inside_->thread.joinable()) inside_->thread.join();
}

std::uint64_t NetworkThread::open(const WebAddress& address, const SocketRules& rules, SocketHandler handler) {
  std::erase_if(inside_->sockets, [](const auto& entry) { return entry.second.expired(); });
  std::shared_ptr<Socket> socket;
  if (address.encrypted)
    socket = std::make_shared<SocketOver<Encrypted>>(inside_->io, address, rules, std::move(handler),
                                                     inside_->encryption_with(rules.authorities));
  else
    socket = std::make_shared<SocketOver<Plain>>(inside_->io, address, rules, std::move(handler));
  inside_->sockets[inside_->next] = socket;
  socket->start();
  return inside_->next++;
}

void NetworkThread::send(std::uint64_t socket, std::string text) {
  if (const auto found = inside_->sockets.find(socket); found != inside_->sockets.end())
    if (const auto living = found->second.lock()) living->send(std::move(text));
}

void NetworkThread::close(std::uint64_t socket) {
  const auto found = inside_->sockets.find(socket);
  if (found == inside_->sockets.end()) return;
  if (const auto living = found->second.lock()) living->close();
  inside_->sockets.erase(found);
}

}  // namespace everlearn
