#include "io/time_reader.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

std::string read(const TimeFormat& format, std::vector<std::string> first, std::string_view text) {
  auto reader = TimeReader::make(format);
  if (!reader) return reader.error().message;
  if (auto learned = reader->learn(first); !learned) return learned.error().message;
  const auto time = reader->read(text);
  return time ? time->time.iso() + " " + reader->unit() : time.error().text();
}
std::string read(const TimeFormat& format, const std::string& text) { return read(format, {text}, text); }

TimeFormat in(const char* zone) { return {zone, {}, nullptr}; }

TEST_CASE("time: RFC 3339 with a zone is UTC at once") {
  CHECK(read({}, "2026-01-03 13:00:11+00:00") == "2026-01-03T13:00:11.000000Z rfc3339");
  CHECK(read({}, "2026-01-03T13:00:11.5-05:00") == "2026-01-03T18:00:11.500000Z rfc3339");
  CHECK(read({}, "soon") == "unreadable time: \"soon\"");
}

TEST_CASE("time: without a zone it needs one") {
  CHECK(read({}, "2025-09-15 09:30:00") == "time without a zone: \"2025-09-15 09:30:00\": give a time zone");
  CHECK(read(in("America/New_York"), "2025-09-15 09:30:00") == "2025-09-15T13:30:00.000000Z local");
  CHECK(read(in("America/New_York"), "2025-12-15T09:30:00.25") == "2025-12-15T14:30:00.250000Z local");
  CHECK(read(in("America/New_York"), "2025-12-15 09:30") == "2025-12-15T14:30:00.000000Z local");
  CHECK(read(in("Mars/Olympus"), "2025-12-15 09:30") ==
        "time zone \"Mars/Olympus\" is not known; write for example America/New_York");
}

TEST_CASE("time: of a local time that comes twice the first is meant, one that never comes is refused") {
  CHECK(read(in("America/New_York"), "2025-11-02 01:30:00") == "2025-11-02T05:30:00.000000Z local");
  CHECK(read(in("America/New_York"), "2025-03-09 02:30:00") ==
        "local time that never was: \"2025-03-09 02:30:00\" in America/New_York");
}

TEST_CASE("time: what a time means does not depend on the times read before it") {
  auto reader = TimeReader::make(in("America/New_York"));
  REQUIRE(reader);
  for (const char* before : {"2025-11-03 12:00:00", "2025-10-20 12:00:00"}) {
    REQUIRE(reader->read(before));
    CHECK(reader->read("2025-11-02 01:30:00")->time.iso() == "2025-11-02T05:30:00.000000Z");
    REQUIRE(reader->read(before));
    CHECK_FALSE(reader->read("2025-03-09 02:30:00"));
  }
}

TEST_CASE("time: local times around both changes of the clock keep their order") {
  auto reader = TimeReader::make(in("America/New_York"));
  REQUIRE(reader);
  Timestamp last = Timestamp::min();
  for (const char* day :
       {"2025-03-07", "2025-03-08", "2025-03-09", "2025-03-10", "2025-11-01", "2025-11-02", "2025-11-03"}) {
    for (const char* hour : {"00", "01", "03", "04", "23"}) {
      const auto time = reader->read(std::string{day} + " " + hour + ":00:00");
      REQUIRE(time);
      CHECK(time->time > last);
      last = time->time;
    }
  }
  CHECK(last.iso() == "2025-11-04T04:00:00.000000Z");
}

TEST_CASE("time: an epoch's unit is found where exactly one puts the first rows between 1990 and 2100") {
  CHECK(read({}, "1727740800") == "2024-10-01T00:00:00.000000Z s");
  CHECK(read({}, "1727740800.25") == "2024-10-01T00:00:00.250000Z s");
  CHECK(read({}, "1727740800000") == "2024-10-01T00:00:00.000000Z ms");
  CHECK(read({}, "1735689600000000") == "2025-01-01T00:00:00.000000Z us");
  CHECK(read({}, "1735689600000000123") == "2025-01-01T00:00:00.000000Z ns");
}

TEST_CASE("time: first rows in two units, or in none, are refused naming the candidates") {
  CHECK(read({}, {"1735603200000", "1735689600000000"}, "") ==
        "time unit cannot be told: of the first 2 times, from \"1735603200000\" on, 1 as ms, 1 as us are between 1990 "
        "and "
        "2100; give the time unit");
  CHECK(
      read({}, {"17", "18"}, "") ==
      "time unit cannot be told: of the first 2 times, from \"17\" on, none in any unit is between 1990 and 2100; give "
      "the time unit");
}

TEST_CASE("time: a unit that is given holds, and a row in another one is refused") {
  const TimeFormat ms{{}, "ms", nullptr};
  CHECK(read(ms, "1727740800000") == "2024-10-01T00:00:00.000000Z ms");
  CHECK(read(ms, "1727740800") == "mixed time units: \"1727740800\" looks like s, the file is in ms");
  CHECK(read({{}, "h", nullptr}, "1") == "time unit \"h\" is none of s, ms, us, ns");
}

TEST_CASE("time: text among epochs and an epoch among texts are refused") {
  CHECK(read({}, {"1727740800", "1727740860"}, "2024-10-01 00:00:00Z") ==
        "mixed time formats: \"2024-10-01 00:00:00Z\" is no epoch, unlike the rows before");
  CHECK(read({}, {"2024-10-01 00:00:00Z"}, "1727740800") ==
        "mixed time formats: \"1727740800\" is an epoch, unlike the rows before");
}

TEST_CASE("time: a bare date is the close of its session and needs no zone") {
  const auto us = make_us_equities();
  REQUIRE(us);
  const TimeFormat format{{}, {}, us->get()};
  CHECK(read(format, "1990-01-02") == "1990-01-02T21:00:00.000000Z date");
  CHECK(read(format, "2025-07-03") == "2025-07-03T17:00:00.000000Z date");
  CHECK(read(format, "2025-07-04") == "no session on that date: 2025-07-04 on calendar us_equities");
  CHECK(read({}, "1990-01-02") == "date without a time: \"1990-01-02\": needs a calendar with sessions");
  CHECK(read(format, "2025-02-30") == "unreadable time: \"2025-02-30\": no such date");
}

TEST_CASE("time: nothing lies before 1990 or after 2099") {
  CHECK(read({}, "1989-12-31T23:59:59Z") == "time out of range: \"1989-12-31T23:59:59Z\" is not between 1990 and 2100");
  CHECK(read({{}, "s", nullptr}, "99999999999999999999") ==
        "unreadable time: \"99999999999999999999\" is not an epoch in s");
}

}  // namespace
}  // namespace everlearn
