#include "signal/quiet_hours.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <charconv>

namespace everlearn {
namespace {

Result<int> minutes_of(const std::string& text) {
  int hour = -1, minute = -1;
  const char* const end = text.data() + text.size();
  const auto [colon, error] = std::from_chars(text.data(), end, hour);
  const bool well_formed = error == std::errc{} && colon != end && *colon == ':' &&
                           std::from_chars(colon + 1, end, minute).ptr == end && colon + 3 == end;
  if (!well_formed || hour < 0 || hour > 24 || minute < 0 || minute > 59 || hour * 60 + minute > 24 * 60)
    return fail(Code::Config, fmt::format("\"{}\" is no time of day (HH:MM)", text));
  return hour * 60 + minute;
}

}  // namespace

Result<QuietHours> QuietHours::make(const std::string& from, const std::string& to, const std::string& zone) {
  QuietHours quiet;
  EL_TRY(quiet.from_, minutes_of(from));
  EL_TRY(quiet.to_, minutes_of(to));
  try {
    quiet.zone_ = date::locate_zone(zone);
  } catch (const std::exception&) {
    return fail(Code::Config, fmt::format("\"{}\" is no time zone this machine knows", zone));
  }
  return quiet;
}

Duration QuietHours::into_day(Timestamp t) const {
  const auto* zone = static_cast<const date::time_zone*>(zone_);
  const auto instant = date::sys_time<std::chrono::microseconds>{std::chrono::microseconds{t.us()}};
  const auto local = zone->to_local(instant);
  return Duration{std::chrono::microseconds{local - date::floor<date::days>(local)}.count()};
}

bool QuietHours::contains(Timestamp t) const {
  const std::int64_t minute = into_day(t).us() / Duration::minutes(1).us();
  return from_ <= to_ ? minute >= from_ && minute < to_ : minute >= from_ || minute < to_;
}

}  // namespace everlearn
