#include "core/civil.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace everlearn;

TEST_CASE("civil: days are counted from 1970-01-01") {
  CHECK(days_since_epoch({1970, 1, 1}) == 0);
  CHECK(days_since_epoch({1969, 12, 31}) == -1);
  CHECK(days_since_epoch({2000, 3, 1}) == 11'017);
  CHECK(days_since_epoch({2026, 1, 3}) == 20'456);
  CHECK(civil_date(20'456) == CivilDate{2026, 1, 3});
}

TEST_CASE("civil: every fourth year is a leap year, but of the centuries every fourth") {
  CHECK(is_leap_year(2024));
  CHECK_FALSE(is_leap_year(2026));
  CHECK_FALSE(is_leap_year(1900));
  CHECK(is_leap_year(2000));
  CHECK(days_in_month(2024, 2) == 29);
  CHECK(days_in_month(2023, 2) == 28);
  CHECK(days_in_month(2023, 12) == 31);
}

TEST_CASE("civil: a date that is in no calendar is not valid") {
  CHECK(is_valid({2024, 2, 29}));
  CHECK_FALSE(is_valid({2023, 2, 29}));
  CHECK_FALSE(is_valid({2023, 4, 31}));
  CHECK_FALSE(is_valid({2023, 0, 1}));
  CHECK_FALSE(is_valid({2023, 13, 1}));
  CHECK_FALSE(is_valid({2023, 1, 0}));
}

TEST_CASE("civil: weekdays count from Sunday") {
  CHECK(weekday(0) == 4);  // 1970-01-01, a Thursday
  CHECK(weekday(days_since_epoch({2026, 1, 4})) == 0);
  CHECK(weekday(-4) == 0);
  CHECK(weekday(-5) == 6);
}

TEST_CASE("civil: through eight centuries each day is the next of the one before") {
  CivilDate expected{1600, 1, 1};
  for (std::int64_t day = days_since_epoch(expected); expected.year < 2400; ++day) {
    REQUIRE(civil_date(day) == expected);
    REQUIRE(days_since_epoch(expected) == day);
    if (++expected.day > days_in_month(expected.year, expected.month)) {
      expected = CivilDate{expected.year + expected.month / 12, expected.month % 12 + 1, 1};
    }
  }
}

TEST_CASE("civil: day numbers and dates are each other's inverse, and the next day is the next date") {
  CHECK(rc::check([] {
    const auto days = *rc::gen::inRange<std::int64_t>(-800'000, 3'000'000);
    const CivilDate date = civil_date(days);
    RC_ASSERT(is_valid(date));
    RC_ASSERT(days_since_epoch(date) == days);
    RC_ASSERT(date < civil_date(days + 1));
  }));
}
