#include "io/bar_times.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/civil.hpp"

namespace everlearn {
namespace {

constexpr std::array kLengths = {
    Duration::seconds(1),  Duration::seconds(5),  Duration::minutes(1), Duration::minutes(3), Duration::minutes(5),
    Duration::minutes(15), Duration::minutes(30), Duration::hours(1),   Duration::hours(4),   Duration::days(1)};

std::optional<Session> session_on(const Calendar& calendar, std::int64_t day) {
  const CivilDate date = civil_date(day);
  return calendar.session_on(static_cast<std::int32_t>(date.year), static_cast<unsigned>(date.month),
                             static_cast<unsigned>(date.day));
}

}  // namespace

void BarTimes::see(Duration step) {
  if (!smallest_ || step < *smallest_) smallest_ = step;
}

Result<void> BarTimes::decide() {
  if (length_) return {};
  if (!smallest_) return fail(Code::BadData, "bar length cannot be told from single bars; give the bar length");
  Duration step = *smallest_;
  // Days that begin at local midnight are 23 or 25 hours long twice a year.
  if (step >= Duration::hours(23) && step <= Duration::hours(25)) step = Duration::days(1);
  if (std::ranges::find(kLengths, step) == kLengths.end()) {
    return fail(Code::BadData, fmt::format("bar length: the smallest step is {}, none of 1s 5s 1m 3m 5m 15m 30m 1h 4h "
                                           "1d; give the bar length",
                                           step.text()));
  }
  length_ = step;
  return {};
}

std::optional<Session> BarTimes::session_of(Timestamp stamp, std::int64_t day) const {
  if (options_.stamp_is_start) return session_on(*options_.calendar, day);
  // An end stamp may lie at the close or at any time until the next session opens; a week spans every holiday.
  for (std::int64_t back = 0; back < 7; ++back) {
    const auto session = session_on(*options_.calendar, day - back);
    if (session && session->close <= stamp) return session;
  }
  return std::nullopt;
}

RowResult<BarSpan> BarTimes::span(Timestamp stamp, std::int64_t day) const {
  const bool by_session = *length_ == Duration::days(1) && options_.daily_with_session &&
                          options_.calendar != nullptr && !options_.calendar->always_open();
  if (by_session) {
    const auto session = session_of(stamp, day);
    if (!session) {
      return refuse("no session on that date",
                    fmt::format("{} on calendar {}", stamp.date(), options_.calendar->name()));
    }
    return BarSpan{session->open, session->close};
  }
  if (options_.stamp_is_start) return BarSpan{stamp, stamp + *length_};
  return BarSpan{stamp - *length_, stamp};
}

}  // namespace everlearn
