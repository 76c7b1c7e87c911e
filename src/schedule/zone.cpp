#include "schedule/zone.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace everlearn {
namespace {

constexpr std::int64_t kSecondUs = 1'000'000;

date::sys_seconds seconds_of(Timestamp t) {
  return date::floor<std::chrono::seconds>(
      date::sys_time<std::chrono::microseconds>{std::chrono::microseconds{t.us()}});
}

const date::time_zone& library_zone(const void* zone) { return *static_cast<const date::time_zone*>(zone); }

}  // namespace

Result<Zone> Zone::find(std::string_view name) {
  try {
    const date::time_zone* zone = date::locate_zone(std::string{name});
    static_cast<void>(zone->get_info(date::sys_seconds{}));  // reads the file, which throws if it is broken
    return Zone{std::string{name}, zone};
  } catch (const std::exception& error) {
    return fail(Code::Config, fmt::format("time zone '{}': {}", name, error.what()));
  }
}

LocalSeconds Zone::local(Timestamp t) const {
  const date::sys_seconds instant = seconds_of(t);
  return (instant.time_since_epoch() + library_zone(zone_).get_info(instant).offset).count();
}

LocalSeconds Zone::latest_local(Timestamp t) const {
  const date::sys_info now = library_zone(zone_).get_info(seconds_of(t));
  const LocalSeconds shown = local(t);
  if (now.begin <= seconds_of(kBegin)) return shown;
  const date::sys_seconds before_change = now.begin - std::chrono::seconds{1};
  const date::sys_info before = library_zone(zone_).get_info(before_change);
  return std::max(shown, LocalSeconds{(before_change.time_since_epoch() + before.offset).count()});
}

Timestamp Zone::first_instant(LocalSeconds local) const {
  const date::local_seconds shown{std::chrono::seconds{local}};
  const date::local_info info = library_zone(zone_).get_info(shown);
  const auto instant = info.result == date::local_info::nonexistent ? info.first.end.time_since_epoch()
                                                                    : shown.time_since_epoch() - info.first.offset;
  return Timestamp{instant.count() * kSecondUs};
}

}  // namespace everlearn
