#include "venue/web_message.hpp"

#include <doctest/doctest.h>

namespace everlearn::venue {

TEST_CASE("web message: a target is split and decoded") {
  const auto request = read_target("GET", "/markets/slug/a%2Fb?order=volume24hr&id=1&id=2,3&q=two+words&empty");
  REQUIRE(request);
  CHECK(request->path == "/markets/slug/a/b");
  CHECK(request->value("order") == "volume24hr");
  CHECK(request->values("id") == std::vector<std::string>{"1", "2", "3"});
  CHECK(request->value("q") == "two words");
  CHECK(request->value("empty") == "");
  CHECK_FALSE(request->value("absent"));
}

TEST_CASE("web message: half an escape is refused, by name") {
  for (const char* target : {"/a%", "/a%4", "/a%zz", "/a?b=%4"}) {
    const auto request = read_target("GET", target);
    REQUIRE_FALSE(request);
    CHECK(request.error().message.find("'%' needs two hexadecimal digits") != std::string::npos);
  }
  CHECK(read_target("GET", "/a%41")->path == "/aA");
}

TEST_CASE("web message: a refusal is an object with its words") {
  CHECK(WebReply::refusal(404, "market \"x\" not found").body == R"({"error":"market \"x\" not found"})");
}

}  // namespace everlearn::venue
