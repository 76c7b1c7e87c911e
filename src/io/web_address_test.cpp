#include "io/web_address.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

TEST_CASE("web address: host, port and path") {
  const auto socket = web_address("wss://sockets.example.com/ws/market", "wss", "ws");
  REQUIRE(socket);
  CHECK(socket->encrypted);
  CHECK(socket->host == "sockets.example.com");
  CHECK(socket->port == "443");
  CHECK(socket->path == "/ws/market");
  const auto here = web_address("http://[::1]:8080", "https", "http");
  REQUIRE(here);
  CHECK_FALSE(here->encrypted);
  CHECK(here->host == "::1");
  CHECK(here->path == "/");
  CHECK(here->authority() == "[::1]:8080");
  CHECK(web_address("http://localhost", "https", "http")->port == "80");
}

TEST_CASE("web address: what is not encrypted stays on this machine") {
  for (const char* text :
       {"http://example.com", "http://127.0.0.1.example.com", "http://10.0.0.1:80", "http://localhost@example.com/"})
    CHECK(web_address(text, "https", "http").error().code == Code::Config);
}

TEST_CASE("web address: other schemes, users, blanks, queries and ports that are none are refused") {
  for (const char* text : {"", "example.com", "ftp://example.com", "wss://example.com", "https://", "https://:443",
                           "https://user@example.com", "https://a b/", "https://a/x?y=1", "https://a/x y",
                           "https://a:0", "https://a:65536", "https://a:port", "https://[::1", "https://a\r\nHost: b"})
    CHECK(web_address(text, "https", "http").error().code == Code::Config);
}

}  // namespace
}  // namespace everlearn
