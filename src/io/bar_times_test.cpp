#include "io/bar_times.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

Timestamp at(const char* text) { return Timestamp::parse(text).value(); }
std::int64_t day(const char* text) { return at(text).us() / 86'400'000'000; }
std::string told(const RowResult<BarSpan>& span) {
  return span ? span->open.iso().substr(0, 16) + " to " + span->close.iso().substr(0, 16) : span.error().text();
}

TEST_CASE("bar times: the length is the smallest step seen") {
  BarTimes times{{}};
  CHECK_FALSE(times.decide());
  times.see(Duration::minutes(15));
  times.see(Duration::minutes(5));
  times.see(Duration::hours(18));
  REQUIRE(times.decide());
  CHECK(told(times.span(at("2025-09-15T13:30:00Z"), 0)) == "2025-09-15T13:30 to 2025-09-15T13:35");
}

TEST_CASE("bar times: a step that is no usual length is refused, a given length is not questioned") {
  BarTimes odd{{}};
  odd.see(Duration::seconds(37));
  CHECK(odd.decide().error().message ==
        "bar length: the smallest step is 37s, none of 1s 5s 1m 3m 5m 15m 30m 1h 4h 1d; give the bar length");
  BarTimesOptions options;
  options.length = Duration::seconds(37);
  BarTimes given{options};
  given.see(Duration::seconds(1));
  REQUIRE(given.decide());
  CHECK(given.length() == Duration::seconds(37));
}

TEST_CASE("bar times: an end stamp is the close") {
  BarTimesOptions options;
  options.stamp_is_start = false;
  options.length = Duration::minutes(1);
  CHECK(told(BarTimes{options}.span(at("2019-02-11T14:31:00Z"), 0)) == "2019-02-11T14:30 to 2019-02-11T14:31");
}

TEST_CASE("bar times: daily bars open and close with their session, also on half days") {
  const auto us = make_us_equities();
  REQUIRE(us);
  BarTimesOptions options;
  options.calendar = us->get();
  BarTimes times{options};
  times.see(Duration::hours(23));  // the night the clocks go forward
  times.see(Duration::hours(24));
  REQUIRE(times.decide());
  CHECK(told(times.span(at("2025-11-28T05:00:00Z"), day("2025-11-28T00:00:00Z"))) ==
        "2025-11-28T14:30 to 2025-11-28T18:00");
  CHECK(told(times.span(at("2025-12-25T05:00:00Z"), day("2025-12-25T00:00:00Z"))) ==
        "no session on that date: 2025-12-25 on calendar us_equities");
}

TEST_CASE("bar times: a daily end stamp belongs to the last session that had closed") {
  const auto us = make_us_equities();
  REQUIRE(us);
  BarTimesOptions options;
  options.calendar = us->get();
  options.stamp_is_start = false;
  options.length = Duration::days(1);
  const BarTimes times{options};
  CHECK(told(times.span(at("2025-11-28T18:00:00Z"), day("2025-11-28T00:00:00Z"))) ==
        "2025-11-28T14:30 to 2025-11-28T18:00");
  CHECK(told(times.span(at("2025-12-01T05:00:00Z"), day("2025-12-01T00:00:00Z"))) ==
        "2025-11-28T14:30 to 2025-11-28T18:00");
}

TEST_CASE("bar times: where markets never close a daily bar is 24 hours from its stamp") {
  const auto always = make_always_open();
  BarTimesOptions options;
  options.calendar = always.get();
  options.length = Duration::days(1);
  CHECK(told(BarTimes{options}.span(at("2025-01-02T00:00:00Z"), 0)) == "2025-01-02T00:00 to 2025-01-03T00:00");
}

}  // namespace
}  // namespace everlearn
