#include "schedule/interval.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/civil.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

constexpr int kMonthly = 1;
constexpr int kQuarterly = 3;

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

Result<Interval> Interval::parse(std::string_view text) {
  if (text == "monthly") return Interval{Months{kMonthly}};
  if (text == "quarterly") return Interval{Months{kQuarterly}};
  const auto length = Duration::parse(text);
  if (!length || *length < Duration::seconds(1)) {
    return fail(Code::Config,
                fmt::format("interval {} is neither 1s or more (6h, 7d) nor monthly or quarterly", quoted(text)));
  }
  return Interval{*length};
}

// A period is known by its number: whole lengths, or whole steps of months, since 1970.

std::int64_t Interval::number_of(Timestamp t) const {
  if (const auto* length = std::get_if<Duration>(&step_)) return floor_div(t.us(), length->us());
  const CivilDate date = civil_date(floor_div(t.us(), Duration::days(1).us()));
  return floor_div((date.year - 1970) * 12 + date.month - 1, std::get<Months>(step_).count);
}

Timestamp Interval::start(std::int64_t number) const {
  if (const auto* length = std::get_if<Duration>(&step_)) return Timestamp{number * length->us()};
  const std::int64_t month = number * std::get<Months>(step_).count;
  const std::int64_t year = floor_div(month, 12);
  const CivilDate first{1970 + year, static_cast<int>(month - year * 12) + 1, 1};
  return Timestamp{} + Duration::days(days_since_epoch(first));
}

Timestamp Interval::start_of(Timestamp t) const { return start(number_of(t)); }

Timestamp Interval::next(Timestamp after) const { return start(number_of(after) + 1); }

std::int64_t Interval::starts_between(Timestamp from, Timestamp to) const {
  return std::max<std::int64_t>(0, number_of(to) - number_of(from));
}

std::string Interval::text() const {
  if (const auto* length = std::get_if<Duration>(&step_)) return length->text();
  return std::get<Months>(step_).count == kMonthly ? "monthly" : "quarterly";
}

}  // namespace everlearn
