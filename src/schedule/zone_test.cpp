#include "schedule/zone.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

Timestamp at(const char* text) { return Timestamp::parse(text).value(); }

/// A local time, written as if it were UTC.
LocalSeconds clock(const char* text) { return at(text).us() / 1'000'000; }

Zone zone(const char* name) { return Zone::find(name).value(); }

}  // namespace

TEST_CASE("zone: an unknown name is refused") {
  for (const char* name : {"Mars/Olympus", "", "../../etc/passwd"}) {
    CAPTURE(name);
    const auto found = Zone::find(name);
    REQUIRE_FALSE(found);
    CHECK(found.error().code == Code::Config);
  }
}

TEST_CASE("zone: local time is the place's, in winter and in summer") {
  CHECK(zone("America/New_York").local(at("2026-01-05T12:00:00Z")) == clock("2026-01-05T07:00:00Z"));
  CHECK(zone("America/New_York").local(at("2026-07-05T12:00:00Z")) == clock("2026-07-05T08:00:00Z"));
  CHECK(zone("Asia/Kolkata").local(at("2026-01-05T12:00:00Z")) == clock("2026-01-05T17:30:00Z"));
  CHECK(zone("UTC").local(at("2026-01-05T12:00:00.999999Z")) == clock("2026-01-05T12:00:00Z"));
  CHECK(zone("UTC").local(at("1969-12-31T23:59:59.500000Z")) == -1);
}

TEST_CASE("zone: a time that the clock skips begins after the gap") {
  const Zone berlin = zone("Europe/Berlin");  // 2026-03-29: 02:00 -> 03:00
  CHECK(berlin.first_instant(clock("2026-03-29T01:59:00Z")) == at("2026-03-29T00:59:00Z"));
  CHECK(berlin.first_instant(clock("2026-03-29T02:00:00Z")) == at("2026-03-29T01:00:00Z"));
  CHECK(berlin.first_instant(clock("2026-03-29T02:59:00Z")) == at("2026-03-29T01:00:00Z"));
  CHECK(berlin.first_instant(clock("2026-03-29T03:00:00Z")) == at("2026-03-29T01:00:00Z"));
}

TEST_CASE("zone: a time that the clock shows twice is the first of the two") {
  const Zone berlin = zone("Europe/Berlin");  // 2026-10-25: 03:00 -> 02:00
  CHECK(berlin.first_instant(clock("2026-10-25T02:30:00Z")) == at("2026-10-25T00:30:00Z"));
  CHECK(berlin.first_instant(clock("2026-10-25T03:00:00Z")) == at("2026-10-25T02:00:00Z"));
}

TEST_CASE("zone: the latest time shown is ahead of the clock after it was set back") {
  const Zone berlin = zone("Europe/Berlin");
  CHECK(berlin.latest_local(at("2026-10-25T00:30:00Z")) == clock("2026-10-25T02:30:00Z"));
  CHECK(berlin.latest_local(at("2026-10-25T01:10:00Z")) == clock("2026-10-25T02:59:59Z"));  // the clock shows 02:10
  CHECK(berlin.latest_local(at("2026-10-25T02:10:00Z")) == clock("2026-10-25T03:10:00Z"));
  const Zone utc = zone("UTC");
  CHECK(utc.latest_local(at("2026-10-25T01:10:00Z")) == utc.local(at("2026-10-25T01:10:00Z")));
}

TEST_CASE("zone: tzdata's clock changes reach to the end of 2037") {
  const Zone new_york = zone("America/New_York");
  CHECK(Zone::kBegin == at("1900-01-01T00:00:00Z"));
  CHECK(Zone::kEnd == at("2038-01-01T00:00:00Z"));
  CHECK(new_york.local(at("2037-07-01T12:00:00Z")) == clock("2037-07-01T08:00:00Z"));
}

}  // namespace everlearn
