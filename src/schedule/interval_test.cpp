#include "schedule/interval.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <string>

namespace everlearn {
namespace {

Timestamp at(const char* text) { return Timestamp::parse(text).value(); }
Interval every(const char* text) { return Interval::parse(text).value(); }

}  // namespace

TEST_CASE("interval: a length is counted from the epoch, not from the start of the engine") {
  CHECK(every("6h").start_of(at("2026-01-05T13:00:00Z")) == at("2026-01-05T12:00:00Z"));
  CHECK(every("6h").start_of(at("2026-01-05T12:00:00Z")) == at("2026-01-05T12:00:00Z"));
  CHECK(every("6h").next(at("2026-01-05T12:00:00Z")) == at("2026-01-05T18:00:00Z"));
  CHECK(every("7d").start_of(at("2026-01-05T00:00:00Z")) == at("2026-01-01T00:00:00Z"));  // a Thursday
  CHECK(every("1h30m").next(at("1970-01-01T00:00:00Z")) == at("1970-01-01T01:30:00Z"));
}

TEST_CASE("interval: before the epoch periods go on the same way") {
  CHECK(every("6h").start_of(at("1969-12-31T23:00:00Z")) == at("1969-12-31T18:00:00Z"));
  CHECK(every("6h").next(at("1969-12-31T23:00:00Z")) == at("1970-01-01T00:00:00Z"));
  CHECK(every("quarterly").start_of(at("1969-12-31T23:00:00Z")) == at("1969-10-01T00:00:00Z"));
}

TEST_CASE("interval: quarters and months are those of the UTC calendar") {
  CHECK(every("quarterly").start_of(at("2026-03-31T23:59:59Z")) == at("2026-01-01T00:00:00Z"));
  CHECK(every("quarterly").next(at("2026-03-31T23:59:59Z")) == at("2026-04-01T00:00:00Z"));
  CHECK(every("quarterly").next(at("2026-12-31T00:00:00Z")) == at("2027-01-01T00:00:00Z"));
  CHECK(every("monthly").start_of(at("2024-02-29T12:00:00Z")) == at("2024-02-01T00:00:00Z"));
  CHECK(every("monthly").next(at("2024-02-29T12:00:00Z")) == at("2024-03-01T00:00:00Z"));
}

TEST_CASE("interval: the starts in a stretch are counted, its begin excluded") {
  CHECK(every("6h").starts_between(at("2026-01-05T00:00:00Z"), at("2026-01-06T00:00:00Z")) == 4);
  CHECK(every("6h").starts_between(at("2026-01-05T00:00:00Z"), at("2026-01-05T05:59:59Z")) == 0);
  CHECK(every("6h").starts_between(at("2026-01-06T00:00:00Z"), at("2026-01-05T00:00:00Z")) == 0);
  CHECK(every("quarterly").starts_between(at("1990-01-02T00:00:00Z"), at("2022-12-28T00:00:00Z")) == 131);
}

TEST_CASE("interval: text reads back") {
  for (const char* text : {"6h", "7d", "90s", "monthly", "quarterly"}) CHECK(every(text).text() == text);
}

TEST_CASE("interval: less than a second and other words are refused") {
  for (const char* text : {"0s", "10ms", "-1h", "", "weekly", "6"}) {
    CAPTURE(text);
    const auto parsed = Interval::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Code::Config);
    CHECK(parsed.error().message.find("interval \"" + std::string{text} + '"') == 0);
  }
}

TEST_CASE("interval: every moment lies in exactly one period") {
  for (const char* text : {"7h", "13s", "monthly", "quarterly"}) {
    const Interval interval = every(text);
    CHECK(rc::check(std::string{"periods of "} + text, [&] {
      const Timestamp t{*rc::gen::inRange<std::int64_t>(-100'000'000'000, 4'000'000'000) * 1'000'003};
      const Timestamp start = interval.start_of(t);
      const Timestamp next = interval.next(t);
      RC_ASSERT(start <= t);
      RC_ASSERT(t < next);
      RC_ASSERT(interval.start_of(next) == next);
      RC_ASSERT(interval.start_of(next - Duration{1}) == start);
      RC_ASSERT(interval.starts_between(start, next) == 1);
    }));
  }
}

}  // namespace everlearn
