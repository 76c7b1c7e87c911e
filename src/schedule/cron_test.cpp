#include "schedule/cron.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/civil.hpp"

namespace everlearn {
namespace {

Timestamp at(const std::string& text) { return Timestamp::parse(text).value(); }

Cron cron(const std::string& text, const std::string& zone = "UTC") { return Cron::parse(text, zone).value(); }

/// The first n runs after a time, as "2026-01-05T00:00Z".
std::vector<std::string> runs(const Cron& cron, const std::string& after, int n) {
  std::vector<std::string> found;
  Timestamp t = at(after);
  for (int i = 0; i < n; ++i) {
    t = cron.next(t).value();
    found.push_back(t.iso().substr(0, 16) + "Z");
  }
  return found;
}

using Runs = std::vector<std::string>;

/// What five fields mean, written out: the oracle has its own idea of them.
struct Plan {
  std::vector<int> minutes, hours, days, months, weekdays;  // empty: any

  bool runs_at(LocalSeconds local) const {
    const auto day = local >= 0 ? local / 86'400 : (local - 86'399) / 86'400;
    const auto second = local - day * 86'400;
    const CivilDate date = civil_date(day);
    const auto fits = [](const std::vector<int>& values, std::int64_t value) {
      return values.empty() || std::ranges::count(values, value) > 0;
    };
    const bool day_fits = days.empty() || weekdays.empty() ? fits(days, date.day) && fits(weekdays, weekday(day))
                                                           : fits(days, date.day) || fits(weekdays, weekday(day));
    return fits(minutes, second / 60 % 60) && fits(hours, second / 3'600) && fits(months, date.month) && day_fits;
  }

  std::string text() const {
    const auto field = [](const std::vector<int>& values) -> std::string {
      if (values.empty()) return "*";
      std::string list;
      for (const int value : values) list += (list.empty() ? "" : ",") + std::to_string(value);
      return list;
    };
    return fmt::format("{} {} {} {} {}", field(minutes), field(hours), field(days), field(months), field(weekdays));
  }
};

/// Runs in [from, to), found by watching the clock minute by minute: a minute that it reaches is due once, a minute
/// that it jumps over is due on arrival, a minute that it shows again is not.
std::vector<Timestamp> watch(const Plan& plan, const Zone& zone, Timestamp from, Timestamp to) {
  std::vector<Timestamp> found;
  LocalSeconds watched = zone.local(from - Duration::minutes(1));
  // The clock may have been set back just before: start with what it had shown by then.
  for (Timestamp t = from - Duration::days(2); t < from; t = t + Duration::minutes(1)) {
    watched = std::max(watched, zone.local(t));
  }
  for (Timestamp t = from; t < to; t = t + Duration::minutes(1)) {
    bool due = false;
    const LocalSeconds now = zone.local(t);
    while (watched < now) {
      watched += 60;
      due = due || plan.runs_at(watched);
    }
    if (due) found.push_back(t);
  }
  return found;
}

rc::Gen<std::vector<int>> some_of(int least, int most, bool allow_any) {
  return rc::gen::exec([=] {
    std::vector<int> values;
    if (allow_any && *rc::gen::inRange(0, 2) == 0) return values;
    const int n = *rc::gen::inRange(1, 4);
    for (int i = 0; i < n; ++i) values.push_back(*rc::gen::inRange(least, most + 1));
    std::ranges::sort(values);
    values.erase(std::ranges::unique(values).begin(), values.end());
    return values;
  });
}

}  // namespace

TEST_CASE("cron: five fields say when") {
  CHECK(runs(cron("30 2 * * *"), "2026-01-05T00:00:00Z", 2) == Runs{"2026-01-05T02:30Z", "2026-01-06T02:30Z"});
  CHECK(runs(cron("*/20 9-10 * * *"), "2026-01-05T09:30:00Z", 4) ==
        Runs{"2026-01-05T09:40Z", "2026-01-05T10:00Z", "2026-01-05T10:20Z", "2026-01-05T10:40Z"});
  CHECK(runs(cron("0 0 1 */3 *"), "2026-01-05T00:00:00Z", 3) ==
        Runs{"2026-04-01T00:00Z", "2026-07-01T00:00Z", "2026-10-01T00:00Z"});
  CHECK(runs(cron("5,35 12 * * *"), "2026-01-05T12:05:00Z", 2) == Runs{"2026-01-05T12:35Z", "2026-01-06T12:05Z"});
  CHECK(runs(cron("10-50/20 0 * * *"), "2026-01-05T00:10:00Z", 2) == Runs{"2026-01-05T00:30Z", "2026-01-05T00:50Z"});
}

TEST_CASE("cron: months and days of the week have names, Sunday is 0 and 7") {
  CHECK(runs(cron("0 8 * * MON-Fri"), "2026-01-02T09:00:00Z", 2) == Runs{"2026-01-05T08:00Z", "2026-01-06T08:00Z"});
  CHECK(runs(cron("0 0 1 jan,Jul *"), "2026-01-02T00:00:00Z", 2) == Runs{"2026-07-01T00:00Z", "2027-01-01T00:00Z"});
  for (const char* sunday : {"0 0 * * 0", "0 0 * * 7", "0 0 * * sun", "@weekly"}) {
    CAPTURE(sunday);
    CHECK(runs(cron(sunday), "2026-01-05T00:00:00Z", 1) == Runs{"2026-01-11T00:00Z"});
  }
  CHECK(runs(cron("0 0 * * sat-sun"), "2026-01-05T00:00:00Z", 3) ==
        Runs{"2026-01-10T00:00Z", "2026-01-11T00:00Z", "2026-01-17T00:00Z"});
}

TEST_CASE("cron: with both day fields restricted one is enough, with a star in one both must fit") {
  CHECK(runs(cron("0 0 13 * fri"), "2026-02-01T00:00:00Z", 3) ==
        Runs{"2026-02-06T00:00Z", "2026-02-13T00:00Z", "2026-02-20T00:00Z"});
  CHECK(runs(cron("0 0 */31 * mon"), "2026-01-01T00:00:00Z", 1) == Runs{"2026-06-01T00:00Z"});  // a 1st on a Monday
}

TEST_CASE("cron: shorthands") {
  CHECK(runs(cron("@hourly"), "2026-01-05T00:30:00Z", 2) == Runs{"2026-01-05T01:00Z", "2026-01-05T02:00Z"});
  CHECK(runs(cron("@daily"), "2026-01-05T00:00:00Z", 1) == Runs{"2026-01-06T00:00Z"});
  CHECK(runs(cron("@monthly"), "2026-01-05T00:00:00Z", 1) == Runs{"2026-02-01T00:00Z"});
  CHECK(runs(cron("@yearly"), "2026-01-05T00:00:00Z", 1) == Runs{"2027-01-01T00:00Z"});
}

TEST_CASE("cron: next is after, previous is at or before") {
  const Cron daily = cron("0 6 * * *");
  const Timestamp six = at("2026-01-05T06:00:00Z");
  CHECK(daily.next(six - Duration{1}) == six);
  CHECK(daily.next(six) == six + Duration::days(1));
  CHECK(daily.previous(six) == six);
  CHECK(daily.previous(six - Duration{1}) == six - Duration::days(1));
  CHECK(daily.previous(at("1950-06-01T07:00:00Z")) == at("1950-06-01T06:00:00Z"));
}

TEST_CASE("cron: 29 February waits for a leap year") {
  CHECK(runs(cron("0 0 29 2 *"), "2026-01-01T00:00:00Z", 2) == Runs{"2028-02-29T00:00Z", "2032-02-29T00:00Z"});
  CHECK(cron("0 0 29 2 *").previous(at("2026-01-01T00:00:00Z")) == at("2024-02-29T00:00:00Z"));
}

TEST_CASE("cron: the wall clock of the zone counts") {
  CHECK(runs(cron("0 16 * * *", "America/New_York"), "2026-03-06T22:00:00Z", 2) ==
        Runs{"2026-03-07T21:00Z", "2026-03-08T20:00Z"});
  CHECK(runs(cron("0 0 * * *", "Asia/Kolkata"), "2026-01-05T00:00:00Z", 1) == Runs{"2026-01-05T18:30Z"});
}

TEST_CASE("cron: a local time that does not exist runs at the first instant after the gap, once") {
  // New York, 2026-03-08: 02:00 -> 03:00 at 07:00Z.
  CHECK(runs(cron("30 2 * * *", "America/New_York"), "2026-03-07T12:00:00Z", 2) ==
        Runs{"2026-03-08T07:00Z", "2026-03-09T06:30Z"});
  CHECK(runs(cron("*/30 1-3 * * *", "America/New_York"), "2026-03-08T06:00:00Z", 3) ==
        Runs{"2026-03-08T06:30Z", "2026-03-08T07:00Z", "2026-03-08T07:30Z"});
  CHECK(cron("30 2 * * *", "America/New_York").previous(at("2026-03-08T07:20:00Z")) == at("2026-03-08T07:00:00Z"));
  // Lord Howe Island moves by half an hour, 2026-10-04: 02:00 -> 02:30 at 2026-10-03T15:30Z.
  CHECK(runs(cron("15 2 * * *", "Australia/Lord_Howe"), "2026-10-03T00:00:00Z", 2) ==
        Runs{"2026-10-03T15:30Z", "2026-10-04T15:15Z"});
}

TEST_CASE("cron: a local time that exists twice runs the first time only") {
  // New York, 2026-11-01: 02:00 -> 01:00 at 06:00Z.
  const Cron daily = cron("30 1 * * *", "America/New_York");
  CHECK(runs(daily, "2026-10-31T12:00:00Z", 2) == Runs{"2026-11-01T05:30Z", "2026-11-02T06:30Z"});
  CHECK(daily.previous(at("2026-11-01T06:10:00Z")) == at("2026-11-01T05:30:00Z"));  // the clock shows 01:10
  CHECK(daily.previous(at("2026-11-01T06:40:00Z")) == at("2026-11-01T05:30:00Z"));  // it shows 01:40
  CHECK(runs(cron("0 * * * *", "America/New_York"), "2026-11-01T05:00:00Z", 1) == Runs{"2026-11-01T07:00Z"});
}

TEST_CASE("cron: a day that a country left out runs when the next one begins") {
  // Samoa had no 2011-12-30.
  CHECK(runs(cron("0 12 * * *", "Pacific/Apia"), "2011-12-29T23:00:00Z", 2) ==
        Runs{"2011-12-30T10:00Z", "2011-12-30T22:00Z"});
}

TEST_CASE("cron: no runs are claimed where tzdata ends") {
  const Cron daily = cron("0 0 * * *", "Europe/Berlin");
  CHECK(daily.next(at("2037-12-31T23:00:00Z")) == std::nullopt);
  CHECK(cron("0 0 * * *").next(at("2037-12-31T00:00:00Z")) == std::nullopt);
  CHECK(daily.next(at("2106-02-07T06:28:15Z")) == std::nullopt);
  CHECK(daily.previous(at("2106-02-07T06:28:15Z")) == std::nullopt);
  CHECK(daily.next(Timestamp::min()) == std::nullopt);
  CHECK(daily.previous(Timestamp::min()) == std::nullopt);
  CHECK(daily.previous(Zone::kBegin) == std::nullopt);  // the one before lies in 1899
}

TEST_CASE("cron: what is wrong is named") {
  const auto message = [](const char* text, const char* zone = "UTC") {
    const auto parsed = Cron::parse(text, zone);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == Code::Config);
    return parsed.error().message;
  };
  CHECK(message("0 0 * *") == "schedule \"0 0 * *\": 4 fields, need 5: minute hour day-of-month month day-of-week");
  CHECK(message("60 0 * * *") == "schedule \"60 0 * * *\": minute \"60\" is not 0 to 59");
  CHECK(message("0 24 * * *").find("hour \"24\" is not 0 to 23") != std::string::npos);
  CHECK(message("0 0 0 * *").find("day of month \"0\" is not 1 to 31") != std::string::npos);
  CHECK(message("0 0 * 13 *").find("month \"13\" is not 1 to 12") != std::string::npos);
  CHECK(message("0 0 * * 8").find("day of week \"8\" is not 0 to 7") != std::string::npos);
  CHECK(message("0 0 * * mon-").find("day of week \"\"") != std::string::npos);
  CHECK(message("0 17-9 * * *").find("hour \"17-9\" runs backwards") != std::string::npos);
  CHECK(message("*/0 0 * * *").find("the step is not 1 to 59") != std::string::npos);
  CHECK(message("5/15 0 * * *").find("a step needs * or a range before it") != std::string::npos);
  CHECK(message("1,,2 0 * * *").find("minute \"\"") != std::string::npos);
  CHECK(message("-5 0 * * *").find("minute \"\"") != std::string::npos);
  CHECK(message("0 0 30 feb *").find("no month that it names has such a day") != std::string::npos);
  CHECK(message("0 0 31 4,6,9,11 *").find("no month that it names has such a day") != std::string::npos);
  CHECK(message("@often").find("1 fields") != std::string::npos);
  CHECK(message("0 0 * * *", "Mars/Olympus").find("Mars/Olympus") != std::string::npos);
  CHECK(message("99999999999999999999 0 * * *").find("minute") != std::string::npos);
}

TEST_CASE("cron: every run and no other, against watching the clock minute by minute") {
  // A week around each clock change of some years, and weeks without one.
  for (const char* name :
       {"America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "America/Sao_Paulo"}) {
    const Zone zone = Zone::find(name).value();
    CAPTURE(name);
    CHECK(rc::check(std::string{"runs in "} + name, [&] {
      const Plan plan{*some_of(0, 59, true), *some_of(0, 4, true), *some_of(1, 31, true), *some_of(1, 12, true),
                      *some_of(0, 6, true)};
      const Cron parsed = *Cron::parse(plan.text(), name);
      const int year = *rc::gen::inRange(1990, 2037);
      const int month = *rc::gen::element(1, 3, 4, 10, 11);
      const Timestamp from =
          Timestamp{} + Duration::days(days_since_epoch({year, month, 1}) + *rc::gen::inRange(0, 28));
      const Timestamp to = from + Duration::days(7);

      const std::vector<Timestamp> expected = watch(plan, zone, from, to);
      std::vector<Timestamp> forwards;
      for (auto run = parsed.next(from - Duration{1}); run && *run < to; run = parsed.next(*run)) {
        forwards.push_back(*run);
      }
      RC_ASSERT(forwards == expected);
      std::vector<Timestamp> backwards;
      for (auto run = parsed.previous(to - Duration{1}); run && *run >= from;
           run = parsed.previous(*run - Duration{1})) {
        backwards.push_back(*run);
      }
      std::ranges::reverse(backwards);
      RC_ASSERT(backwards == expected);
    }));
  }
}

TEST_CASE("cron: three whole years of daily and hourly runs, minute by minute") {
  for (const char* name : {"America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"}) {
    const Zone zone = Zone::find(name).value();
    CAPTURE(name);
    for (const Plan& plan : {Plan{{30}, {2}, {}, {}, {}}, Plan{{15}, {}, {}, {}, {}}, Plan{{30}, {1}, {}, {}, {0}}}) {
      CAPTURE(plan.text());
      const Cron parsed = cron(plan.text(), name);
      const Timestamp to = at("2028-01-01T00:00:00Z");
      std::vector<Timestamp> found;
      for (auto run = parsed.next(at("2024-12-31T23:59:59Z")); *run < to; run = parsed.next(*run))
        found.push_back(*run);
      CHECK(found == watch(plan, zone, at("2025-01-01T00:00:00Z"), to));
      // From every kind of moment backwards, also inside the hour that comes twice.
      std::size_t passed = 0;
      for (Timestamp t = found.front(); t < to; t = t + Duration::minutes(23)) {
        while (passed < found.size() && found[passed] <= t) ++passed;
        if (parsed.previous(t) != found[passed - 1]) FAIL_CHECK("previous run at ", t.iso());
      }
    }
  }
}

}  // namespace everlearn
