#include "market/calendar.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/civil.hpp"
#include "core/hash.hpp"
#include "market/calendar_us.hpp"

namespace everlearn {
namespace {

Timestamp at(const char* text) { return Timestamp::parse(text).value(); }

std::unique_ptr<const Calendar> us() { return std::move(make_us_equities()).value(); }

/// "2025-11-28": the UTC date of 09:30 in New York is the local one.
std::string date_of(const Session& session) { return session.open.date(); }

/// Every session of a year, through at().
std::map<int, std::vector<Session>> by_year(const Calendar& calendar) {
  std::map<int, std::vector<Session>> years;
  for (std::int32_t i = 0;; ++i) {
    const Session session = calendar.at(i);
    if (session.close > calendar.valid_until()) return years;
    years[std::stoi(date_of(session).substr(0, 4))].push_back(session);
  }
}

bool closed(int year, int month, int day) { return us_trading_day({year, month, day}) == UsTradingDay::Closed; }

}  // namespace

TEST_CASE("24/7: a session is a UTC day, and midnight belongs to the day that ends") {
  const auto calendar = make_always_open();
  CHECK(calendar->always_open());
  CHECK(calendar->sessions_per_year() == 365.0);
  const Session day = calendar->session_on(2026, 1, 3).value();
  CHECK(day.open == at("2026-01-03T00:00:00Z"));
  CHECK(day.close == at("2026-01-04T00:00:00Z"));
  CHECK(calendar->session_at(at("2026-01-03T00:00:00.000001Z")) == day);
  CHECK(calendar->session_at(at("2026-01-04T00:00:00Z")) == day);
  CHECK(calendar->session_at(at("2026-01-03T00:00:00Z")) == calendar->at(day.index - 1));
}

TEST_CASE("24/7: sessions are counted from 1990-01-01 and go on before it") {
  const auto calendar = make_always_open();
  CHECK(calendar->at(0).open == at("1990-01-01T00:00:00Z"));
  CHECK(calendar->at(-1).close == at("1990-01-01T00:00:00Z"));
  CHECK(calendar->session_at(at("1969-12-31T12:00:00Z")).value().open == at("1969-12-31T00:00:00Z"));
  CHECK_FALSE(calendar->session_on(2025, 2, 29));
  CHECK_FALSE(calendar->session_on(2025, 13, 1));
  CHECK_FALSE(calendar->session_at(Timestamp::max()));
  CHECK_THROWS_AS(calendar->next(Timestamp::max()), std::out_of_range);
}

TEST_CASE("us_equities: 09:30 to 16:00 in New York, in winter and in summer") {
  const auto calendar = us();
  CHECK_FALSE(calendar->always_open());
  CHECK(calendar->sessions_per_year() == 252.0);
  const Session winter = calendar->session_on(2026, 1, 5).value();
  CHECK(winter.open == at("2026-01-05T14:30:00Z"));
  CHECK(winter.close == at("2026-01-05T21:00:00Z"));
  const Session summer = calendar->session_on(2025, 7, 7).value();
  CHECK(summer.open == at("2025-07-07T13:30:00Z"));
  CHECK(summer.close == at("2025-07-07T20:00:00Z"));
}

TEST_CASE("us_equities: the clock change moves the session, three weeks before Europe's") {
  const auto calendar = us();
  CHECK(calendar->session_on(2026, 3, 6).value().open == at("2026-03-06T14:30:00Z"));
  CHECK(calendar->session_on(2026, 3, 9).value().open == at("2026-03-09T13:30:00Z"));
  CHECK(calendar->session_on(2006, 3, 31).value().open == at("2006-03-31T14:30:00Z"));  // before 2007: April
  CHECK(calendar->session_on(2006, 4, 3).value().open == at("2006-04-03T13:30:00Z"));
}

TEST_CASE("us_equities: the close belongs to the session, the open does not") {
  const auto calendar = us();
  const Session session = calendar->session_on(2026, 1, 5).value();
  CHECK_FALSE(calendar->session_at(session.open));
  CHECK(calendar->session_at(session.open + Duration{1}) == session);
  CHECK(calendar->session_at(session.close) == session);
  CHECK_FALSE(calendar->session_at(session.close + Duration{1}));
}

TEST_CASE("us_equities: next closes after t, previous has closed by t") {
  const auto calendar = us();
  const Session friday = calendar->session_on(2026, 1, 2).value();
  const Session monday = calendar->session_on(2026, 1, 5).value();
  CHECK(calendar->next(friday.close - Duration{1}) == friday);
  CHECK(calendar->next(friday.close) == monday);
  CHECK(calendar->previous(friday.close) == friday);
  CHECK(calendar->previous(monday.close - Duration{1}) == friday);
  CHECK(calendar->next(at("2026-01-03T12:00:00Z")) == monday);  // Saturday
  CHECK(monday.index == friday.index + 1);
}

TEST_CASE("us_equities: session 0 is 1990-01-02, and 1989 comes before it") {
  const auto calendar = us();
  CHECK(date_of(calendar->at(0)) == "1990-01-02");
  CHECK(date_of(calendar->at(-1)) == "1989-12-29");
  CHECK(date_of(calendar->previous(calendar->at(0).open)) == "1989-12-29");
}

TEST_CASE("us_equities: known until the last session of 2030, projected to 2037, refused outside") {
  const auto calendar = us();
  CHECK(calendar->valid_until() == at("2030-12-31T21:00:00Z"));
  CHECK(calendar->session_on(2037, 7, 6));
  CHECK(calendar->session_on(2037, 7, 6).value().open == at("2037-07-06T13:30:00Z"));
  for (const char* outside : {"1988-12-31T00:00:00Z", "2038-01-01T00:00:00Z", "2106-02-07T06:28:15Z"}) {
    CAPTURE(outside);
    CHECK_FALSE(calendar->session_at(at(outside)));
    CHECK_THROWS_AS(calendar->next(at(outside)), std::out_of_range);
    CHECK_THROWS_AS(calendar->previous(at(outside)), std::out_of_range);
  }
  CHECK_THROWS_AS(calendar->at(1'000'000), std::out_of_range);
  CHECK_THROWS_AS(calendar->at(-1'000'000), std::out_of_range);
  CHECK_FALSE(calendar->session_on(1988, 12, 30));
  CHECK_FALSE(calendar->session_on(2038, 1, 4));
}

TEST_CASE("us_equities: a holiday on a weekend moves, except a Saturday New Year") {
  CHECK(closed(2022, 12, 26));        // Christmas on Sunday
  CHECK(closed(2021, 12, 24));        // Christmas on Saturday
  CHECK(closed(2020, 7, 3));          // Independence Day on Saturday
  CHECK(closed(2023, 1, 2));          // New Year on Sunday
  CHECK_FALSE(closed(2021, 12, 31));  // New Year on Saturday
}

TEST_CASE("us_equities: holidays begin in the year they were introduced") {
  CHECK_FALSE(closed(1997, 1, 20));
  CHECK(closed(1998, 1, 19));  // Martin Luther King Jr. Day
  CHECK_FALSE(closed(2021, 6, 18));
  CHECK(closed(2022, 6, 20));  // Juneteenth on Sunday
}

TEST_CASE("us_equities: Good Friday follows Easter") {
  CHECK(closed(2008, 3, 21));  // Easter on 23 March
  CHECK(closed(2011, 4, 22));  // on 24 April
  CHECK(closed(2024, 3, 29));
  CHECK(closed(2026, 4, 3));
}

TEST_CASE("us_equities: closures that no rule foresees") {
  const auto calendar = us();
  const std::set<std::string> closures{"1994-04-27", "2001-09-11", "2001-09-12", "2001-09-13",
                                       "2001-09-14", "2004-06-11", "2007-01-02", "2012-10-29",
                                       "2012-10-30", "2018-12-05", "2025-01-09"};
  for (const std::string& date : closures) {
    CAPTURE(date);
    CHECK_FALSE(calendar->session_on(std::stoi(date.substr(0, 4)), static_cast<unsigned>(std::stoi(date.substr(5, 2))),
                                     static_cast<unsigned>(std::stoi(date.substr(8, 2)))));
  }
}

TEST_CASE("us_equities: the short days of each year and their closing hour in New York") {
  const std::map<int, std::string> expected{
      {1990, "12-24 14"},
      {1991, "12-24 14"},
      {1992, "11-27 14, 12-24 14"},
      {1993, "11-26 13"},
      {1994, "11-25 13"},
      {1995, "07-03 13, 11-24 13"},
      {1996, "07-05 13, 11-29 13, 12-24 13"},
      {1997, "07-03 13, 11-28 13, 12-24 13, 12-26 13"},
      {1998, "11-27 13, 12-24 13"},
      {1999, "11-26 13, 12-31 13"},
      {2000, "07-03 13, 11-24 13"},
      {2001, "07-03 13, 11-23 13, 12-24 13"},
      {2002, "07-05 13, 11-29 13, 12-24 13"},
      {2003, "07-03 13, 11-28 13, 12-24 13, 12-26 13"},
      {2004, "11-26 13"},
      {2005, "11-25 13"},
      {2006, "07-03 13, 11-24 13"},
      {2007, "07-03 13, 11-23 13, 12-24 13"},
      {2008, "07-03 13, 11-28 13, 12-24 13"},
      {2009, "11-27 13, 12-24 13"},
      {2010, "11-26 13"},
      {2011, "11-25 13"},
      {2012, "07-03 13, 11-23 13, 12-24 13"},
      {2013, "07-03 13, 11-29 13, 12-24 13"},
      {2014, "07-03 13, 11-28 13, 12-24 13"},
      {2015, "11-27 13, 12-24 13"},
      {2016, "11-25 13"},
      {2017, "07-03 13, 11-24 13"},
      {2018, "07-03 13, 11-23 13, 12-24 13"},
      {2019, "07-03 13, 11-29 13, 12-24 13"},
      {2020, "11-27 13, 12-24 13"},
      {2021, "11-26 13"},
      {2022, "11-25 13"},
      {2023, "07-03 13, 11-24 13"},
      {2024, "07-03 13, 11-29 13, 12-24 13"},
      {2025, "07-03 13, 11-28 13, 12-24 13"},
      {2026, "11-27 13, 12-24 13"},
      {2027, "11-26 13"},
      {2028, "07-03 13, 11-24 13"},
      {2029, "07-03 13, 11-23 13, 12-24 13"},
      {2030, "07-03 13, 11-29 13, 12-24 13"},
  };
  for (int year = 1990; year <= 2030; ++year) {
    std::string found;
    for (std::int64_t day = days_since_epoch({year, 1, 1}); day < days_since_epoch({year + 1, 1, 1}); ++day) {
      const CivilDate date = civil_date(day);
      const UsTradingDay kind = us_trading_day(date);
      if (kind == UsTradingDay::Closed || kind == UsTradingDay::Full) continue;
      if (!found.empty()) found += ", ";
      found += fmt::format("{:02}-{:02} {}", date.month, date.day, kind == UsTradingDay::Until1pm ? 13 : 14);
    }
    CAPTURE(year);
    const auto it = expected.find(year);
    CHECK(found == (it == expected.end() ? "" : it->second));
  }
}

TEST_CASE("us_equities: sessions in each year from 1990 to 2030") {
  const std::vector<std::size_t> expected{253, 253, 254, 253, 252, 252, 254, 253, 252, 252, 252, 248, 252, 252,
                                          252, 252, 251, 251, 253, 252, 252, 252, 250, 252, 252, 252, 252, 251,
                                          251, 252, 253, 252, 251, 250, 252, 250, 251, 251, 251, 251, 251};
  std::vector<std::size_t> found;
  for (const auto& [year, sessions] : by_year(*us())) found.push_back(sessions.size());
  CHECK(found == expected);
}

TEST_CASE("us_equities: every open and close from 1990 to 2030 is that of the package exchange_calendars") {
  // The digest is of its lines "date,open,close" for XNYS, 10,322 of them; docs/calendars.md tells how to make it
  // again.
  std::string lines;
  for (const auto& [year, sessions] : by_year(*us())) {
    for (const Session& session : sessions) {
      lines += fmt::format("{},{}Z,{}Z\n", date_of(session), session.open.iso().substr(0, 19),
                           session.close.iso().substr(0, 19));
    }
  }
  CHECK(sha256_hex(lines) == "04cf1701d3b0e53a0c58d66b68c3fda7b773497007e5563edb0b7e5bbb621f2b");
}

TEST_CASE("us_equities: the days until 2022-12-28 are those of the recorded S&P 500 table") {
  // The digest is of the table's column of dates, 8,313 of them; calendar_recording_test compares them one by one.
  std::string lines;
  for (const auto& [year, sessions] : by_year(*us())) {
    for (const Session& session : sessions) {
      if (date_of(session) <= "2022-12-28") lines += date_of(session) + "\n";
    }
  }
  CHECK(sha256_hex(lines) == "28cfb6b91c105beb663d287bb9381746a05cea7be9776d83b3001ce2f6ddc6b1");
}

TEST_CASE("calendars: sessions lie in order, and every question finds the same one") {
  for (const char* name : {"24/7", "us_equities"}) {
    const auto calendar = std::move(make_calendar(name)).value();
    CAPTURE(name);
    CHECK(rc::check(std::string{name} + " is consistent", [&] {
      const Timestamp t = Timestamp{*rc::gen::inRange<std::int64_t>(631'152'000, 2'145'916'800) * 1'000'000} +
                          Duration{*rc::gen::inRange<std::int64_t>(-1, 2)};
      const Session next = calendar->next(t);
      const Session previous = calendar->previous(t);
      RC_ASSERT(previous.close <= t);
      RC_ASSERT(t < next.close);
      RC_ASSERT(previous.close <= next.open);
      RC_ASSERT(next.open < next.close);
      RC_ASSERT(previous.index + 1 == next.index);
      RC_ASSERT(calendar->at(next.index) == next);
      RC_ASSERT(calendar->next(next.close - Duration{1}) == next);
      RC_ASSERT(calendar->previous(next.close) == next);
      const auto here = calendar->session_at(t);
      const Session holder = t == previous.close ? previous : next;
      RC_ASSERT(here.has_value() == (holder.open < t));
      if (here) RC_ASSERT(*here == holder);
    }));
  }
}

TEST_CASE("calendars: an unknown name is refused and the known ones are named") {
  CHECK(make_calendar("us_equities").value()->name() == "us_equities");
  CHECK(make_calendar("24/7").value()->name() == "24/7");
  const auto unknown = make_calendar("mars");
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().code == Code::Config);
  CHECK(unknown.error().message.find("'mars'") != std::string::npos);
}

}  // namespace everlearn
