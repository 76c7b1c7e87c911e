#include "market/calendar_us.hpp"

#include <algorithm>
#include <array>

namespace everlearn {
namespace {

using Day = std::int64_t;  // days since 1970-01-01

enum Weekday { kSunday, kMonday, kTuesday, kWednesday, kThursday, kFriday, kSaturday };  // as weekday() counts

// Closed for a reason that no rule foresees.
constexpr std::array kClosures{
    CivilDate{1994, 4, 27},                                                    // funeral of Richard Nixon
    CivilDate{2001, 9, 11},  CivilDate{2001, 9, 12},  CivilDate{2001, 9, 13},  // attacks on New York
    CivilDate{2001, 9, 14},                                                    //
    CivilDate{2004, 6, 11},                                                    // funeral of Ronald Reagan
    CivilDate{2007, 1, 2},                                                     // mourning for Gerald Ford
    CivilDate{2012, 10, 29}, CivilDate{2012, 10, 30},                          // hurricane Sandy
    CivilDate{2018, 12, 5},                                                    // mourning for George H. W. Bush
    CivilDate{2025, 1, 9},                                                     // mourning for Jimmy Carter
};

// Announced for that one day.
constexpr std::array kClosedAt1pm{
    CivilDate{1997, 12, 26}, CivilDate{2003, 12, 26},  // the Friday after Christmas
    CivilDate{1999, 12, 31},                           // the turn of the millennium
};

Day day_of(std::int64_t year, int month, int day) { return days_since_epoch({year, month, day}); }

/// The n-th (1, 2, ...) such weekday of a month.
Day nth(Day n, Weekday on, std::int64_t year, int month) {
  const Day first = day_of(year, month, 1);
  return first + (on - weekday(first) + 7) % 7 + 7 * (n - 1);
}

/// The last Monday of May.
Day memorial_day(std::int64_t year) {
  const Day last = day_of(year, 5, 31);
  return last - (weekday(last) - kMonday + 7) % 7;
}

/// Two days before Easter Sunday, which is the anonymous Gregorian computus (Meeus, Astronomical Algorithms, 1991, ch.
/// 8).
Day good_friday(std::int64_t year) {
  const std::int64_t a = year % 19;
  const std::int64_t b = year / 100;
  const std::int64_t c = year % 100;
  const std::int64_t h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
  const std::int64_t l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
  const std::int64_t m = (a + 11 * h + 22 * l) / 451;
  const std::int64_t n = h + l - 7 * m + 114;
  return day_of(year, static_cast<int>(n / 31), static_cast<int>(n % 31) + 1) - 2;
}

/// Where a holiday of a fixed date is kept: Saturday's on Friday, Sunday's on Monday.
Day kept(std::int64_t year, int month, int day) {
  const Day date = day_of(year, month, day);
  if (weekday(date) == kSaturday) return date - 1;
  if (weekday(date) == kSunday) return date + 1;
  return date;
}

bool is_holiday(Day day, std::int64_t year) {
  // kept(New Year) may be the last Friday of the year before, which is an ordinary day: the books close on it.
  if (day == kept(year, 1, 1)) return true;
  if (year >= 1998 && day == nth(3, kMonday, year, 1)) return true;  // Martin Luther King Jr. Day
  if (day == nth(3, kMonday, year, 2)) return true;                  // Washington's Birthday
  if (day == good_friday(year)) return true;
  if (day == memorial_day(year)) return true;
  if (year >= 2022 && day == kept(year, 6, 19)) return true;  // Juneteenth
  if (day == kept(year, 7, 4)) return true;                   // Independence Day
  if (day == nth(1, kMonday, year, 9)) return true;           // Labor Day
  if (day == nth(4, kThursday, year, 11)) return true;        // Thanksgiving
  return day == kept(year, 12, 25);                           // Christmas
}

/// The short day beside Independence Day: the eve, or until 2012 the Friday after a Thursday.
bool is_short_in_july(const CivilDate& date) {
  if (date.year < 1995 || date.month != 7) return false;
  const int fourth = weekday(day_of(date.year, 7, 4));
  if (fourth == kThursday && date.year < 2013) return date.day == 5;
  return fourth >= kTuesday && fourth <= kFriday && date.day == 3;
}

}  // namespace

UsTradingDay us_trading_day(const CivilDate& date) {
  const Day day = days_since_epoch(date);
  const bool weekend = weekday(day) == kSaturday || weekday(day) == kSunday;
  if (weekend || is_holiday(day, date.year) || std::ranges::count(kClosures, date) > 0) return UsTradingDay::Closed;

  const bool christmas_eve = date.year >= 1990 && date.month == 12 && date.day == 24;
  const bool after_thanksgiving = date.year >= 1992 && day == nth(4, kThursday, date.year, 11) + 1;
  if (christmas_eve || after_thanksgiving) return date.year <= 1992 ? UsTradingDay::Until2pm : UsTradingDay::Until1pm;
  if (is_short_in_july(date) || std::ranges::count(kClosedAt1pm, date) > 0) return UsTradingDay::Until1pm;
  return UsTradingDay::Full;
}

}  // namespace everlearn
