#include "core/json.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include <rapidcheck.h>

using namespace everlearn;

TEST_CASE("json: members come in the order they were put") {
  JsonOut out;
  out.put("b", 1).put("a", "x").put("t", Timestamp{5}).put("list", std::vector<std::string>{"p", "q"});
  CHECK(out.text() == R"({"b":1,"a":"x","t":5,"list":["p","q"]})");
  CHECK(JsonOut{}.text() == "{}");
}

TEST_CASE("json: text that could break a document is escaped") { CHECK(json_quoted("a\"b\\c\n") == R"("a\"b\\c\n")"); }

TEST_CASE("json: doubles read back to the same bits, NaN and infinities included") {
  CHECK(rc::check([](double value) {
    JsonOut out;
    out.put("v", value);
    auto in = JsonIn::parse(out.text());
    double back = 0;
    in->get("v", back);
    RC_ASSERT(in->finish("x").has_value());
    RC_ASSERT((std::isnan(value) ? std::isnan(back) : std::memcmp(&value, &back, sizeof value) == 0));
  }));
  for (const double value : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), -0.0,
                             std::numeric_limits<double>::denorm_min(), 5.0}) {
    JsonOut out;
    out.put("v", value);
    auto in = JsonIn::parse(out.text());
    double back = 1;
    in->get("v", back);
    CHECK(std::memcmp(&value, &back, sizeof value) == 0);
  }
}

TEST_CASE("json: the first member that is missing or of another type is named") {
  auto in = JsonIn::parse(R"({"a":1,"b":"text"})");
  std::int64_t a = 0, b = 7;
  in->get("a", a);
  in->get("b", b);
  double c = 3;
  in->get("c", c);
  CHECK(a == 1);
  CHECK(b == 7);
  CHECK(c == 3);
  const auto finished = in->finish("card.json");
  REQUIRE(!finished);
  CHECK(finished.error().message == "card.json: \"b\" should be an integer");
}

TEST_CASE("json: an absent optional is empty, unknown members are ignored") {
  auto in = JsonIn::parse(R"({"x":null,"future":[1,2]})");
  std::optional<double> x = 4, y = 5;
  in->get("x", x);
  in->get("y", y);
  CHECK(!x);
  CHECK(!y);
  CHECK(in->finish("p").has_value());
}

TEST_CASE("json: what is no object is refused") {
  CHECK(!JsonIn::parse("[1]"));
  CHECK(!JsonIn::parse("{"));
  CHECK(!JsonIn::parse(""));
}

TEST_CASE("json: pretty printing keeps the document") {
  CHECK(json_pretty(R"({"a":[1,{"b":"x,{y"}],"c":{}})").value() ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x,{y\"\n    }\n  ],\n  \"c\": {}\n}");
}
