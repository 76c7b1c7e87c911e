// The sessions of NYSE and Nasdaq as one sorted table: the dates of calendar_us.hpp from 09:30 to 16:00, 14:00 or 13:00
// in New York. About 12,300 sessions; every question is a binary search.
#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/civil.hpp"
#include "market/calendar.hpp"
#include "market/calendar_us.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kFirstYear = 1989;  // one before 1990, so that its first days have a predecessor
constexpr std::int64_t kIndexedFrom = 1990;
constexpr std::int64_t kKnownUntil = 2030;
// tzdata writes daylight saving out until 2037 and gives a rule for later, which the date library does not read.
constexpr std::int64_t kLastYear = 2037;

constexpr std::int64_t new_year(std::int64_t year) { return days_since_epoch({year, 1, 1}); }
constexpr Timestamp kBegin = Timestamp{} + Duration::days(new_year(kFirstYear));
constexpr Timestamp kEnd = Timestamp{} + Duration::days(new_year(kLastYear + 1));

struct Table {
  std::vector<std::int64_t> days;  // local dates as days since 1970, ascending
  std::vector<Session> sessions;   // of the same places
  std::int32_t known = 0;          // sessions until kKnownUntil
};

/// No session begins or ends near 02:00, when clocks change: every local time here exists once.
Timestamp instant(std::int64_t day, Duration since_midnight, const date::time_zone& zone) {
  const date::local_time<std::chrono::microseconds> local{
      std::chrono::microseconds{(Duration::days(day) + since_midnight).us()}};
  return Timestamp{std::chrono::microseconds{zone.to_sys(local).time_since_epoch()}.count()};
}

constexpr int close_hour(UsTradingDay kind) {
  switch (kind) {
    case UsTradingDay::Until1pm:
      return 13;
    case UsTradingDay::Until2pm:
      return 14;
    default:
      return 16;
  }
}

Table make_table(const date::time_zone& new_york) {
  Table table;
  std::int32_t before_first = 0;
  for (std::int64_t day = new_year(kFirstYear); day < new_year(kLastYear + 1); ++day) {
    const CivilDate date = civil_date(day);
    const UsTradingDay kind = us_trading_day(date);
    if (kind == UsTradingDay::Closed) continue;
    const Duration open = Duration::hours(9) + Duration::minutes(30);
    const Duration close = Duration::hours(close_hour(kind));
    table.days.push_back(day);
    table.sessions.push_back({instant(day, open, new_york), instant(day, close, new_york)});
    if (date.year < kIndexedFrom) ++before_first;
    if (date.year <= kKnownUntil) ++table.known;
  }
  std::int32_t index = -before_first;
  for (Session& session : table.sessions) session.index = index++;
  return table;
}

class UsEquities final : public Calendar {
 public:
  explicit UsEquities(Table table) : table_{std::move(table)} {}

  std::string_view name() const override { return "us_equities"; }
  bool always_open() const override { return false; }

  std::optional<Session> session_at(Timestamp t) const override {
    const auto found = std::ranges::lower_bound(table_.sessions, t, {}, &Session::close);
    if (found == table_.sessions.end() || !(found->open < t)) return std::nullopt;
    return *found;
  }

  std::optional<Session> session_on(std::int32_t year, unsigned month, unsigned day) const override {
    const CivilDate date{year, static_cast<int>(month), static_cast<int>(day)};
    if (month > 12 || day > 31 || !is_valid(date)) return std::nullopt;
    const auto found = std::ranges::lower_bound(table_.days, days_since_epoch(date));
    if (found == table_.days.end() || *found != days_since_epoch(date)) return std::nullopt;
    return table_.sessions[static_cast<std::size_t>(found - table_.days.begin())];
  }

  Session next(Timestamp t) const override { return neighbour(t, 0); }
  Session previous(Timestamp t) const override { return neighbour(t, -1); }

  Session at(std::int32_t index) const override {
    const std::int64_t place = std::int64_t{index} - table_.sessions.front().index;
    if (place < 0 || place >= std::ssize(table_.sessions)) fail_outside(fmt::format("session {}", index));
    return table_.sessions[static_cast<std::size_t>(place)];
  }

  double sessions_per_year() const override { return 252.0; }
  Timestamp valid_until() const override { return table_.sessions[static_cast<std::size_t>(table_.known - 1)].close; }

 private:
  /// The session `step` places from the first one that closes after t.
  Session neighbour(Timestamp t, std::ptrdiff_t step) const {
    const auto after = std::ranges::upper_bound(table_.sessions, t, {}, &Session::close);
    const std::ptrdiff_t place = after - table_.sessions.begin() + step;
    // Outside the table both neighbours are unknown, even if one end of the table looks like the answer.
    const bool outside = t < kBegin || t >= kEnd;
    if (outside || place < 0 || place >= std::ssize(table_.sessions)) fail_outside(t.iso());
    return table_.sessions[static_cast<std::size_t>(place)];
  }

  [[noreturn]] static void fail_outside(const std::string& what) {
    throw std::out_of_range(fmt::format("calendar us_equities: {} is outside {} to {}", what, kFirstYear, kLastYear));
  }

  const Table table_;
};

}  // namespace

Result<std::unique_ptr<const Calendar>> make_us_equities() {
  try {
    return std::make_unique<UsEquities>(make_table(*date::locate_zone("America/New_York")));
  } catch (const std::exception& error) {  // the library throws where tzdata is missing or broken
    return fail(Code::NotFound, fmt::format("time zone America/New_York: {}", error.what()));
  }
}

}  // namespace everlearn
