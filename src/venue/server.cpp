#include "venue/server.hpp"

#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <deque>
#include <list>
#include <unordered_map>

#include <fmt/format.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

namespace everlearn::venue {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;
using boost::system::error_code;
using tcp = asio::ip::tcp;

constexpr auto kIdle = std::chrono::minutes{5};       // an open connection without a request
constexpr auto kLastWords = std::chrono::seconds{5};  // for a closing handshake
constexpr std::size_t kLongestFrameIn = 4 << 20;      // bytes

std::chrono::microseconds chrono_of(Duration d) { return std::chrono::microseconds{d.us()}; }

// The peer gets a reset, not an orderly end.
void break_off(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::linger{true, 0}, ignored);
  socket.close(ignored);
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(const ServerSettings& settings, WebDesk& desk) : settings_{settings}, desk_{desk} {}

  Result<void> listen() {
    error_code error;
    const tcp::endpoint here{asio::ip::address_v4::loopback(), settings_.port};
    acceptor_.open(here.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address{true}, error);
    if (!error) acceptor_.bind(here, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) return fail(Code::Unavailable, fmt::format("port {}: {}", settings_.port, error.message()));
    port_ = acceptor_.local_endpoint().port();
    return {};
  }

  std::uint16_t port() const { return port_; }

  void run() {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.async_wait([this](error_code error, int) {
      if (!error) finish();
    });
    accept();
    tick();
    io_.run();
  }

  void stop() {
    asio::post(io_, [this] { finish(); });
  }

 private:
  class Socket;

  // One connection that speaks HTTP, until it becomes a socket.
  class Talk : public std::enable_shared_from_this<Talk> {
   public:
    Talk(Impl& server, tcp::socket peer) : server_{server}, stream_{std::move(peer)}, wait_{server.io_} {}

    void read() {
      parser_.emplace();
      parser_->body_limit(server_.settings_.longest_request);
      stream_.expires_after(kIdle);
      http::async_read(stream_, buffer_, *parser_,
                       [self = shared_from_this()](error_code error, std::size_t) { self->got(error); });
    }
    void break_off_now() { break_off(stream_.socket()); }
    void close() {
      error_code ignored;
      stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
      stream_.socket().close(ignored);
    }

   private:
    void got(error_code error) {
      if (error) return;
      const http::request<http::string_body>& message = parser_->get();
      auto request = read_target({message.method_string().data(), message.method_string().size()},
                                 {message.target().data(), message.target().size()});
      keep_alive_ = message.keep_alive();
      if (!request) return say(WebReply::refusal(400, request.error().message));
      for (const auto& field : message) {
        std::string name{field.name_string()};
        for (char& c : name)
          if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        request->headers.emplace_back(std::move(name), std::string{field.value()});
      }
      request->body = message.body();
      server_.desk_.tick();
      if (websocket::is_upgrade(message)) return become_socket(*request);
      WebReply reply = server_.desk_.answer(*request);
      server_.act();
      if (reply.fate == WebFate::Reset) return break_off_now();
      if (reply.fate == WebFate::Unanswered) return server_.hold(shared_from_this());
      if (reply.after <= Duration{}) return say(std::move(reply));
      wait_.expires_after(chrono_of(reply.after));
      wait_.async_wait(
          [self = shared_from_this(), reply = std::move(reply)](error_code) mutable { self->say(std::move(reply)); });
    }

    void say(WebReply reply) {
      answer_.emplace(static_cast<http::status>(reply.status), 11, std::move(reply.body));
      answer_->set(http::field::content_type, "application/json");
      answer_->set(http::field::server, "everlearn-venue");
      for (const auto& [name, text] : reply.headers) answer_->set(name, text);
      answer_->keep_alive(keep_alive_);
      answer_->prepare_payload();
      stream_.expires_after(kIdle);
      http::async_write(stream_, *answer_, [self = shared_from_this()](error_code error, std::size_t) {
        if (error) return;
        if (!self->keep_alive_) return self->close();
        self->read();
      });
    }

    void become_socket(const WebRequest& request);

    Impl& server_;
    beast::tcp_stream stream_;
    asio::steady_timer wait_;
    beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    std::optional<http::response<http::string_body>> answer_;
    bool keep_alive_ = true;
  };

  class Socket : public std::enable_shared_from_this<Socket> {
   public:
    Socket(Impl& server, SocketId id, beast::tcp_stream stream)
        : server_{server}, id_{id}, stream_{std::move(stream)}, wait_{server.io_} {}

    void accept(const http::request<http::string_body>& message) {
      stream_.next_layer().expires_never();
      stream_.read_message_max(kLongestFrameIn);
      stream_.auto_fragment(false);
      stream_.text(true);
      stream_.set_option(websocket::stream_base::decorator(
          [](websocket::response_type& response) { response.set(http::field::server, "everlearn-venue"); }));
      stream_.async_accept(message, [self = shared_from_this()](error_code error) {
        if (error) return self->end();
        self->open_ = true;
        self->read();
        self->write();
      });
    }

    void send(std::string text) {
      if (closing_) return;
      waiting_bytes_ += text.size();
      if (waiting_bytes_ > server_.settings_.socket_backlog) return close(1013, "slow consumer: send buffer full");
      waiting_.push_back(std::move(text));
      write();
    }

    void close(std::uint16_t code, std::string_view reason) {
      if (closing_) return;
      closing_ = true;
      // What is being written stays whole; the rest is never sent when it is the reader who is slow.
      if (code != 1000) {
        while (waiting_.size() > (writing_ ? 1U : 0U)) waiting_.pop_back();
      }
      reason_ = websocket::close_reason{static_cast<websocket::close_code>(code),
                                        beast::string_view{reason.data(), reason.size()}};
      wait_.expires_after(kLastWords);
      wait_.async_wait([self = shared_from_this()](error_code error) {
        if (!error) self->end();
      });
      if (!writing_) write();
    }

    void end() {
      if (ended_) return;
      ended_ = true;
      wait_.cancel();
      break_off(beast::get_lowest_layer(stream_).socket());
      server_.forget(id_);
    }

   private:
    void read() {
      stream_.async_read(buffer_, [self = shared_from_this()](error_code error, std::size_t) {
        if (error) return self->end();
        const std::string text = beast::buffers_to_string(self->buffer_.data());
        self->buffer_.consume(self->buffer_.size());
        self->server_.desk_.tick();
        self->server_.desk_.heard(self->id_, text);
        self->server_.act();
        if (!self->ended_) self->read();
      });
    }

    void write() {
      if (!open_ || writing_ || ended_) return;
      if (waiting_.empty()) {
        if (closing_ && !said_bye_) {
          said_bye_ = true;
          stream_.async_close(reason_, [self = shared_from_this()](error_code) { self->end(); });
        }
        return;
      }
      writing_ = true;
      stream_.async_write(asio::buffer(waiting_.front()), [self = shared_from_this()](error_code error, std::size_t) {
        self->writing_ = false;
        if (error) return self->end();
        self->waiting_bytes_ -= self->waiting_.front().size();
        self->waiting_.pop_front();
        self->write();
      });
    }

    Impl& server_;
    const SocketId id_;
    websocket::stream<beast::tcp_stream> stream_;
    asio::steady_timer wait_;
    beast::flat_buffer buffer_;
    std::deque<std::string> waiting_;  // the first one is being written while `writing_`
    std::size_t waiting_bytes_ = 0;
    websocket::close_reason reason_;
    bool open_ = false, writing_ = false, closing_ = false, said_bye_ = false, ended_ = false;
  };

  void accept() {
    acceptor_.async_accept(io_, [this](error_code error, tcp::socket peer) {
      if (finished_) return;
      if (!error) take(std::move(peer));
      accept();
    });
  }

  void take(tcp::socket peer) {
    error_code ignored;
    peer.set_option(tcp::no_delay{true}, ignored);
    peer.set_option(asio::socket_base::send_buffer_size{static_cast<int>(settings_.send_buffer)}, ignored);
    std::make_shared<Talk>(*this, std::move(peer))->read();
  }

  // Open and silent until requests are answered again: then it breaks, for what was asked is long forgotten.
  void hold(std::shared_ptr<Talk> talk) { held_.push_back(std::move(talk)); }

  void tick() {
    if (finished_) return;
    desk_.tick();
    act();
    if (!held_.empty() && desk_.answers()) {
      for (const std::shared_ptr<Talk>& talk : held_) talk->break_off_now();
      held_.clear();
    }
    timer_.expires_after(chrono_of(settings_.tick));
    timer_.async_wait([this](error_code error) {
      if (!error) tick();
    });
  }

  void act() {
    for (SocketAct& todo : desk_.take_acts()) {
      const auto found = sockets_.find(todo.socket);
      if (found == sockets_.end()) continue;
      const std::shared_ptr<Socket> socket = found->second;
      switch (todo.what) {
        case SocketAct::What::Send:
          socket->send(std::move(todo.text));
          break;
        case SocketAct::What::Close:
          socket->close(todo.code, todo.text);
          break;
        case SocketAct::What::Reset:
          socket->end();
          break;
      }
    }
  }

  void forget(SocketId id) {
    if (sockets_.erase(id) > 0) desk_.gone(id);
  }

  void finish() {
    if (finished_) return;
    finished_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    signals_.cancel(ignored);
    timer_.cancel();
    io_.stop();
  }

  const ServerSettings settings_;
  WebDesk& desk_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_{io_};
  asio::signal_set signals_{io_};
  asio::steady_timer timer_{io_};
  std::unordered_map<SocketId, std::shared_ptr<Socket>> sockets_;
  std::list<std::shared_ptr<Talk>> held_;
  SocketId last_ = 0;
  std::uint16_t port_ = 0;
  bool finished_ = false;
};

void WebServer::Impl::Talk::become_socket(const WebRequest& request) {
  const SocketId id = ++server_.last_;
  WebReply reply = server_.desk_.open(id, request);
  if (reply.fate == WebFate::Reset) return break_off_now();
  if (reply.fate == WebFate::Unanswered) return server_.hold(shared_from_this());
  if (reply.status != 101) return say(std::move(reply));
  const auto socket = std::make_shared<Socket>(server_, id, std::move(stream_));
  server_.sockets_.emplace(id, socket);
  socket->accept(parser_->get());
  server_.act();
}

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {}
WebServer::~WebServer() = default;

Result<std::unique_ptr<WebServer>> WebServer::listen(const ServerSettings& settings, WebDesk& desk) {
  auto impl = std::make_unique<Impl>(settings, desk);
  EL_CHECK(impl->listen());
  return std::unique_ptr<WebServer>{new WebServer{std::move(impl)}};
}

std::uint16_t WebServer::port() const { return impl_->port(); }
void WebServer::run() { impl_->run(); }
void WebServer::stop() { impl_->stop(); }

}  // namespace everlearn::venue
