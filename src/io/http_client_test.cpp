#include "io/http_client.hpp"

#include <csignal>

#include "io/test_http_peer.hpp"

namespace everlearn {
namespace {

const Secret kPath{"/bot123:SECRET/getMe"};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

HttpRequest request_to(const TestHttpPeer& peer) { return {.origin = peer.origin(), .path = kPath}; }

TEST_CASE("http: a body is posted with its type, without one it is a GET; status, body and retry-after come back") {
  TestHttpPeer peer{{TestHttpPeer::answer(200, "hello"),
                     TestHttpPeer::answer(429, "slow down", "Retry-After: 17 \r\nX-Other: 1\r\n")}};
  const HttpAnswer got = http(request_to(peer));
  CHECK(got.status == 200);
  CHECK(got.body == "hello");
  CHECK(got.problem.empty());
  HttpRequest post = request_to(peer);
  post.body = R"({"a":1})";
  const HttpAnswer second = http(post);
  CHECK(second.status == 429);
  CHECK(second.retry_after == "17");
  const auto heard = peer.heard();
  CHECK(heard[0].starts_with("GET /bot123:SECRET/getMe HTTP/1.1\r\n"));
  CHECK(heard[1].starts_with("POST "));
  CHECK(has(heard[1], "Content-Type: application/json\r\n"));
  CHECK(heard[1].ends_with("\r\n\r\n{\"a\":1}"));
}

TEST_CASE("http: no connection is certain not to have been taken, and says where to") {
  std::string origin;
  { origin = TestHttpPeer{{}}.origin(); }  // nobody listens there any more
  const HttpAnswer answer = http({.origin = origin, .path = kPath});
  CHECK(answer.status == 0);
  CHECK_FALSE(answer.perhaps_taken);
  CHECK(answer.problem.starts_with(origin + ": "));
  CHECK_FALSE(has(answer.problem, "SECRET"));
}

TEST_CASE("http: a reset after the request leaves open whether it was taken") {
  TestHttpPeer peer{{TestHttpPeer::kReset}};
  const HttpAnswer answer = http(request_to(peer));
  CHECK(answer.status == 0);
  CHECK(answer.perhaps_taken);
  CHECK_FALSE(has(answer.problem, "SECRET"));
}

TEST_CASE("http: an answer above the limit is dropped") {
  TestHttpPeer peer{{TestHttpPeer::answer(200, std::string(5000, 'x'))}};
  HttpRequest request = request_to(peer);
  request.most_bytes = 1000;
  const HttpAnswer answer = http(request);
  CHECK(answer.status == 0);
  CHECK(answer.body.empty());
  CHECK(answer.problem == peer.origin() + ": an answer of more than 1000 bytes");
}

TEST_CASE("http: an answer that does not end is given up") {
  // Promises ten bytes, sends three, and closes.
  TestHttpPeer peer{{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"}};
  const HttpAnswer answer = http(request_to(peer));
  CHECK(answer.status == 0);
  CHECK(answer.perhaps_taken);
}

TEST_CASE("http: redirects are not followed: the secret goes to nobody else") {
  TestHttpPeer peer{{TestHttpPeer::answer(302, "", "Location: http://127.0.0.1:1/elsewhere\r\n")}};
  CHECK(http(request_to(peer)).status == 302);
}

TEST_CASE("http: other protocols are refused, and their words do not hold the path") {
  const HttpAnswer answer = http({.origin = "ftp://127.0.0.1", .path = kPath});
  CHECK(answer.status == 0);
  CHECK_FALSE(has(answer.problem, "SECRET"));
  const HttpAnswer file = http({.origin = "file://", .path = Secret{"/etc/hostname"}});
  CHECK(file.status == 0);
  CHECK(file.body.empty());
}

TEST_CASE("http: an address that is none is a problem without the path") {
  const HttpAnswer answer = http({.origin = "http://127.0.0.1:port", .path = kPath});
  CHECK(answer.status == 0);
  CHECK_FALSE(has(answer.problem, "SECRET"));
}

TEST_CASE("http: a server without a certificate is no TLS server") {
  TestHttpPeer peer{{TestHttpPeer::answer(200, "plain")}};
  const std::string origin = "https" + peer.origin().substr(4);
  const HttpAnswer answer = http({.origin = origin, .path = kPath});
  CHECK(answer.status == 0);
  CHECK_FALSE(answer.perhaps_taken);
}

TEST_CASE("http: who asks to stop is obeyed") {
  TestHttpPeer peer{{TestHttpPeer::answer(200, "")}};
  std::stop_source stop;
  stop.request_stop();
  const HttpAnswer answer = http(request_to(peer), stop.get_token());
  CHECK(answer.status == 0);
  CHECK(has(answer.problem, "given up because the program ends"));
}

TEST_CASE("http: the caller's signals are as they were") {
  sigset_t before{}, after{};
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  TestHttpPeer peer{{TestHttpPeer::kReset}};
  (void)http(request_to(peer));
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  CHECK(sigismember(&before, SIGPIPE) == sigismember(&after, SIGPIPE));
}

}  // namespace
}  // namespace everlearn
