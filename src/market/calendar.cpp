#include "market/calendar.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "core/civil.hpp"

namespace everlearn {
namespace {

class AlwaysOpen final : public Calendar {
 public:
  std::string_view name() const override { return "24/7"; }
  bool always_open() const override { return true; }

  std::optional<Session> session_at(Timestamp t) const override {
    if (!exists(day_of(t))) return std::nullopt;
    return on_day(day_of(t));
  }

  std::optional<Session> session_on(std::int32_t year, unsigned month, unsigned day) const override {
    const CivilDate date{year, static_cast<int>(month), static_cast<int>(day)};
    const bool valid = month <= 12 && day <= 31 && is_valid(date);
    if (!valid || !exists(days_since_epoch(date))) return std::nullopt;
    return on_day(days_since_epoch(date));
  }

  Session next(Timestamp t) const override { return on_day(day_of(t) + (closes_at(t) ? 1 : 0)); }
  Session previous(Timestamp t) const override { return on_day(day_of(t) - (closes_at(t) ? 0 : 1)); }
  Session at(std::int32_t index) const override { return on_day(std::int64_t{index} + kFirstDay); }
  double sessions_per_year() const override { return 365.0; }
  Timestamp valid_until() const override { return Timestamp::max(); }

 private:
  static constexpr std::int64_t kDayUs = Duration::days(1).us();
  // Days since 1970: the last whole one before Timestamp runs out, and 1990-01-01.
  static constexpr std::int64_t kLastDay = Timestamp::max().us() / kDayUs - 1;
  static constexpr std::int64_t kFirstDay = days_since_epoch({1990, 1, 1});

  static bool closes_at(Timestamp t) { return t.us() % kDayUs == 0; }

  /// The day whose session holds t: midnight belongs to the day that ends.
  static std::int64_t day_of(Timestamp t) {
    const std::int64_t day = t.us() / kDayUs;
    return t.us() % kDayUs <= 0 ? day - 1 : day;
  }

  static bool exists(std::int64_t day) { return day >= -kLastDay && day <= kLastDay; }

  static Session on_day(std::int64_t day) {
    if (!exists(day)) throw std::out_of_range(fmt::format("calendar 24/7: day {} is not within +-{}", day, kLastDay));
    return {Timestamp{day * kDayUs}, Timestamp{(day + 1) * kDayUs}, static_cast<std::int32_t>(day - kFirstDay)};
  }
};

}  // namespace

std::unique_ptr<const Calendar> make_always_open() { return std::make_unique<AlwaysOpen>(); }

Result<std::unique_ptr<const Calendar>> make_calendar(std::string_view name) {
  if (name == "24/7") return make_always_open();
  if (name == "us_equities") return make_us_equities();
  return fail(Code::Config, fmt::format("calendar '{}' is unknown: the calendars are '24/7' and 'us_equities'", name));
}

}  // namespace everlearn
