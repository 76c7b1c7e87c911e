#include "venue/scenario.hpp"

#include <doctest/doctest.h>

#include "venue/cursor.hpp"

namespace everlearn::venue {

TEST_CASE("scenario: what is absent stays as it was") {
  const auto empty = read_scenario("{}");
  REQUIRE(empty);
  CHECK(empty->limits == documented_limits());
  CHECK(empty->setup.markets == 0);
  const auto some =
      read_scenario(R"({"note":"small","markets":12,"only":["a"],"begin":"2026-01-10T00:00:00Z","made_every":"30s",
    "collateral":"250.5","login_skew":"1m","limits":{"clob /book":3},"array_every":0,"faults":[{"kind":"freeze"},{"kind":"drop"}]})");
  REQUIRE_MESSAGE(some, some.error().message);
  CHECK(some->setup.markets == 12);
  CHECK(some->setup.begin.iso() == "2026-01-10T00:00:00.000000Z");
  CHECK(some->setup.made_every == Duration::seconds(30));
  CHECK(some->setup.collateral.text() == "250.5");
  CHECK(some->setup.login_skew == Duration::minutes(1));
  CHECK(some->limits.at("clob /book") == 3);
  CHECK(some->limits.at("gamma /markets") == 300);
  CHECK(some->array_every == 0);
  CHECK(some->faults == std::vector<std::string>{R"({"kind":"freeze"})", R"({"kind":"drop"})"});
}

TEST_CASE("scenario: limits can be off") { CHECK(read_scenario(R"({"limits":"off"})")->limits.empty()); }

TEST_CASE("scenario: what is wrong is told by name") {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "not a JSON object"},
      {R"({"market":3})", "there is no member \"market\""},
      {R"({"markets":-1})", "\"markets\" must be a whole number"},
      {R"({"begin":"today"})", "\"begin\" must be an RFC 3339 time"},
      {R"({"limits":{"clob /bok":1}})", "there is no group \"clob /bok\""},
      {R"({"clob_page":0})", "\"clob_page\" must be 1 or more"},
      {R"({"faults":{}})", "\"faults\" must be a list"},
  };
  for (const auto& [json, words] : wrong) {
    const auto read = read_scenario(json);
    REQUIRE_FALSE_MESSAGE(read, json);
    CHECK_MESSAGE(read.error().message.find(words) != std::string::npos, read.error().message);
  }
}

TEST_CASE("cursor: the CLOB's two known ones, and texts that come back") {
  CHECK(base64("0") == kFirstPage);
  CHECK(base64("-1") == kNoNextPage);
  CHECK(from_base64("MTAw") == "100");
  CHECK_FALSE(from_base64("*"));
  const std::vector<std::string> parts{"0.25", "", "559657"};
  CHECK(decode_cursor(encode_cursor(parts)) == parts);
}

}  // namespace everlearn::venue
