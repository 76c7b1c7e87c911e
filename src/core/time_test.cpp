#include "core/time.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace everlearn;

namespace {

std::string duration_error(std::string_view text) {
  const auto parsed = Duration::parse(text);
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().code == Code::BadData);
  return parsed.error().message;
}

std::string time_error(std::string_view text) {
  const auto parsed = Timestamp::parse(text);
  REQUIRE_MESSAGE(!parsed.has_value(), text);
  CHECK(parsed.error().code == Code::BadData);
  return parsed.error().message;
}

std::string reread(std::string_view text) { return Timestamp::parse(text).value().iso(); }

constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
constexpr auto kMax = std::numeric_limits<std::int64_t>::max();

}  // namespace

TEST_CASE("duration: a number and a unit") {
  CHECK(Duration::parse("10us").value().us() == 10);
  CHECK(Duration::parse("250ms").value().us() == 250'000);
  CHECK(Duration::parse("90s").value() == Duration::seconds(90));
  CHECK(Duration::parse("15m").value() == Duration::minutes(15));
  CHECK(Duration::parse("6h").value() == Duration::hours(6));
  CHECK(Duration::parse("7d").value() == Duration::days(7));
  CHECK(Duration::parse("0s").value() == Duration{});
  CHECK(Duration::parse("-5m").value() == Duration::minutes(-5));
}

TEST_CASE("duration: a sum goes from large to small units") {
  CHECK(Duration::parse("1h30m").value() == Duration::minutes(90));
  CHECK(Duration::parse("1d2h3m4s5ms6us").value().us() == 93'784'005'006);
  CHECK(Duration::parse("-1h30m").value() == Duration::minutes(-90));
  CHECK(duration_error("30m1h") == R"(duration "30m1h": units must go from large to small, each once)");
  CHECK(duration_error("1h1h") == R"(duration "1h1h": units must go from large to small, each once)");
}

TEST_CASE("duration: what is no duration is refused with a reason") {
  CHECK(duration_error("") == R"(duration "": empty; write for example 90s, 15m, 6h or 1h30m)");
  CHECK(duration_error("-") == R"(duration "-": empty; write for example 90s, 15m, 6h or 1h30m)");
  CHECK(duration_error("5") == R"(duration "5": unit "" is none of d, h, m, s, ms, us)");
  CHECK(duration_error("5w") == R"(duration "5w": unit "w" is none of d, h, m, s, ms, us)");
  CHECK(duration_error("5 m") == R"(duration "5 m": unit "" is none of d, h, m, s, ms, us)");
  CHECK(duration_error("h") == R"(duration "h": expected a number)");
  CHECK(duration_error("1.5h") == R"(duration "1.5h": unit "" is none of d, h, m, s, ms, us)");
  CHECK(duration_error("1h ") == R"(duration "1h ": expected a number)");
  CHECK(duration_error("+1h") == R"(duration "+1h": expected a number)");
}

TEST_CASE("duration: the int64 range is used to its ends and not beyond") {
  CHECK(Duration::parse("9223372036854775807us").value().us() == kMax);
  CHECK(Duration::parse("-9223372036854775808us").value().us() == kMin);
  for (const auto* text : {"9223372036854775808us", "-9223372036854775809us", "99999999999999999999us", "106751992d",
                           "106751991d9999999h"}) {
    CHECK(duration_error(text) == "duration \"" + std::string{text} + "\": longer than 292,000 years");
  }
}

TEST_CASE("duration: its text is the shortest one that is exact") {
  CHECK(Duration{}.text() == "0s");
  CHECK(Duration::days(1).text() == "1d");
  CHECK(Duration::seconds(90).text() == "90s");
  CHECK(Duration::seconds(60).text() == "1m");
  CHECK(Duration{1'500'000}.text() == "1500ms");
  CHECK(Duration::minutes(90).text() == "90m");
  CHECK(Duration{86'400'000'001}.text() == "1d1us");
  CHECK(Duration::minutes(-15).text() == "-15m");
}

TEST_CASE("duration: parse reads back every text") {
  CHECK(Duration::parse(Duration{kMin}.text()).value().us() == kMin);
  CHECK(Duration::parse(Duration{kMax}.text()).value().us() == kMax);
  CHECK(rc::check([](std::int64_t n) {
    const Duration any{n};
    const Duration round = Duration::seconds(n % 10'000'000'000);
    RC_ASSERT(Duration::parse(any.text()).value() == any);
    RC_ASSERT(Duration::parse(round.text()).value() == round);
  }));
}

TEST_CASE("timestamp: RFC 3339 with T or space, Z or an offset") {
  CHECK(Timestamp::parse("1970-01-01T00:00:00Z").value() == Timestamp{});
  CHECK(Timestamp::parse("2026-01-03T13:00:07Z").value() == Timestamp{1'767'445'207'000'000});
  CHECK(reread("2026-01-03 13:00:07Z") == "2026-01-03T13:00:07.000000Z");
  CHECK(reread("2026-01-03t13:00:07z") == "2026-01-03T13:00:07.000000Z");
  CHECK(reread("2026-01-03T13:00:07+01:00") == "2026-01-03T12:00:07.000000Z");
  CHECK(reread("2026-01-01T03:00:00+05:30") == "2025-12-31T21:30:00.000000Z");
  CHECK(reread("2025-12-31T20:00:00-05:00") == "2026-01-01T01:00:00.000000Z");
  CHECK(reread("2026-01-01T00:00:00-00:00") == "2026-01-01T00:00:00.000000Z");
}

TEST_CASE("timestamp: up to nine decimals are read, and cut to microseconds") {
  CHECK(reread("2026-01-03T13:00:07.5Z") == "2026-01-03T13:00:07.500000Z");
  CHECK(reread("2026-01-03T13:00:07.123456789Z") == "2026-01-03T13:00:07.123456Z");
  CHECK(reread("2026-01-03T13:00:07.999999999Z") == "2026-01-03T13:00:07.999999Z");
  CHECK(reread("1969-12-31T23:59:59.999999999Z") == "1969-12-31T23:59:59.999999Z");
  CHECK(time_error("2026-01-03T13:00:07.Z") == R"(time "2026-01-03T13:00:07.Z": a fraction has one to nine digits)");
  CHECK(time_error("2026-01-03T13:00:07.1234567890Z") ==
        R"(time "2026-01-03T13:00:07.1234567890Z": a fraction has one to nine digits)");
}

TEST_CASE("timestamp: a leap second is the last microsecond of its minute") {
  CHECK(reread("2016-12-31T23:59:60Z") == "2016-12-31T23:59:59.999999Z");
  CHECK(reread("2016-12-31T23:59:60.7Z") == "2016-12-31T23:59:59.999999Z");
  CHECK(reread("2017-01-01T00:59:60+01:00") == "2016-12-31T23:59:59.999999Z");
  CHECK(time_error("2016-12-31T23:58:60Z") == R"(time "2016-12-31T23:58:60Z": no leap second there)");
  CHECK(time_error("2016-12-30T23:59:60Z") == R"(time "2016-12-30T23:59:60Z": no leap second there)");
}

TEST_CASE("timestamp: a time without a zone is refused") {
  CHECK(time_error("2026-01-03T13:00:07") ==
        R"(time "2026-01-03T13:00:07": no zone; write Z or an offset such as +01:00)");
  CHECK(time_error("2026-01-03") == R"(time "2026-01-03": a date without a time of day)");
}

TEST_CASE("timestamp: dates and times that do not exist are refused") {
  CHECK(time_error("2023-02-29T00:00:00Z") == R"(time "2023-02-29T00:00:00Z": no such date)");
  CHECK(time_error("2023-13-01T00:00:00Z") == R"(time "2023-13-01T00:00:00Z": no such date)");
  CHECK(time_error("2023-01-01T24:00:00Z") == R"(time "2023-01-01T24:00:00Z": no such time of day)");
  CHECK(time_error("2023-01-01T00:60:00Z") == R"(time "2023-01-01T00:60:00Z": no such time of day)");
  CHECK(time_error("2023-01-01T00:00:61Z") == R"(time "2023-01-01T00:00:61Z": no such time of day)");
  CHECK(reread("2024-02-29T00:00:00Z") == "2024-02-29T00:00:00.000000Z");
}

TEST_CASE("timestamp: every other form is refused") {
  for (const auto* text : {"", " ", "now", "1767445207", "2026-1-3T13:00:07Z", "26-01-03T13:00:07Z", "20260103T130007Z",
                           "2026-01-03T13:00Z", "2026-01-03T13:00:7Z", "2026/01/03 13:00:07Z", "-2026-01-03T13:00:07Z",
                           " 2026-01-03T13:00:07Z", "2026-01-03_13:00:07Z"}) {
    CHECK(time_error(text).ends_with("expected 2026-01-03T13:00:07Z"));
  }
  for (const auto* text :
       {"2026-01-03T13:00:07+1:00", "2026-01-03T13:00:07+0100", "2026-01-03T13:00:07+24:00",
        "2026-01-03T13:00:07+01:60", "2026-01-03T13:00:07 Z", "2026-01-03T13:00:07,5Z", "2026-01-03T13:00:07 UTC"}) {
    CHECK(time_error(text).ends_with("the zone is neither Z nor an offset such as +01:00"));
  }
  CHECK(time_error("2026-01-03T13:00:07Z ").ends_with("text after the zone"));
  CHECK(time_error("2026-01-03T13:00:07+01:00Z").ends_with("text after the zone"));
}

TEST_CASE("timestamp: a gigantic text gives a short message") {
  CHECK(time_error(std::string(100'000, '7')).size() < 200);
}

TEST_CASE("timestamp: texts of the ends of the range") {
  CHECK(Timestamp::max().iso() == "294247-01-10T04:00:54.775807Z");
  CHECK(Timestamp::min().iso() == "-290308-12-21T19:59:05.224192Z");
  CHECK(Timestamp{-1}.iso() == "1969-12-31T23:59:59.999999Z");
  CHECK(Timestamp{-1}.date() == "1969-12-31");
  CHECK(Timestamp{1'767'445'207'000'000}.date() == "2026-01-03");
}

TEST_CASE("timestamp: parse reads back every text of the years 0 to 9999") {
  CHECK(rc::check([] {
    const Timestamp time{*rc::gen::inRange<std::int64_t>(-62'167'219'200'000'000, 253'402'300'800'000'000)};
    RC_ASSERT(Timestamp::parse(time.iso()).value() == time);
    RC_ASSERT(time.iso().starts_with(time.date() + "T"));
  }));
}

TEST_CASE("timestamp: no text makes the parser fail otherwise than by an error") {
  CHECK(rc::check([] {
    const auto text =
        *rc::gen::container<std::string>(rc::gen::element('0', '1', '9', '-', ':', 'T', 'Z', '.', '+', ' '));
    if (const auto time = Timestamp::parse(text); time) RC_ASSERT(Timestamp::parse(time->iso()).value() == *time);
    if (const auto duration = Duration::parse(text); duration) RC_FAIL("none of these texts has a unit");
  }));
}
