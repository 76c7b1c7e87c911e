#include "app/retention.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "app/report/words.hpp"
#include "store/record.hpp"

namespace everlearn {
namespace {

constexpr double kYear = 365.25;
constexpr double kUnsealedRow = 100;  // bytes, of a dataset of which nothing was sealed yet

Duration window() { return Duration::days(7); }

Timestamp keep_from(const Profile& profile, Timestamp now) {
  return profile.retention.us() > 0 ? now - profile.retention : Timestamp::min();
}

/// Of a segment's time, the share that lies in [from, to].
double share_within(const Segment& segment, Timestamp from, Timestamp to) {
  const Timestamp start = std::max(segment.first_event, from), end = std::min(segment.last_event, to);
  if (end < start) return 0;
  const double length = (segment.last_event - segment.first_event).as_seconds();
  return length > 0 ? (end - start).as_seconds() / length : 1;
}

}  // namespace

LakeCap lake_cap(const Profile& profile, const Store& store, std::optional<std::uint64_t> free) {
  LakeCap cap{profile.retention_bytes, false, "no size limit"};
  if (free && profile.retention_free_share > 0) {
    const double room = static_cast<double>(*free) + static_cast<double>(store.bytes_on_disk());
    const auto bytes = static_cast<std::uint64_t>(std::max(1.0, profile.retention_free_share * room));
    cap.by_free_space = cap.bytes == 0 || bytes < cap.bytes;
    if (cap.by_free_space) cap.bytes = bytes;
  }
  if (cap.bytes > 0) cap.words = "at most " + bytes_of(cap.bytes);
  if (cap.by_free_space)
    cap.words +=
        fmt::format(", {:g} % of the disk space that is free or the store's own", 100 * profile.retention_free_share);
  return cap;
}

std::string retention_words(const Profile& profile, const LakeCap& cap) {
  const std::string age = profile.retention.us() > 0 ? "older than " + profile.retention.text() : "no age limit";
  return age + ", " + cap.words;
}

std::string retention_setting(const Profile& profile) {
  std::string setting = fmt::format("{} {}", profile.retention.text(), profile.retention_bytes);
  // As older releases wrote it where there is no such share: nothing changed there.
  if (profile.retention_free_share > 0) setting += fmt::format(" {:g}", profile.retention_free_share);
  return setting;
}

Result<void> clean_up(Store& store, const Profile& profile, std::optional<std::uint64_t> free, Timestamp now) {
  const LakeCap cap = lake_cap(profile, store, free);
  if (profile.retention.us() == 0 && cap.bytes == 0) return {};
  EL_TRY(const auto confirmed, store.state("retention"));
  EL_TRY(auto plan, store.plan_retention(keep_from(profile, now), cap.bytes));
  const bool changed = confirmed && *confirmed != retention_setting(profile);
  if (changed && plan.rows * 100 > plan.rows_total) {
    EL_CHECK(store.note(now, "retention waits",
                        fmt::format("{} of {} rows would go: data retain --confirm", plan.rows, plan.rows_total)));
    return store.commit_state();
  }
  if (cap.by_free_space) {
    EL_TRY(const auto without, store.plan_retention(keep_from(profile, now), profile.retention_bytes));
    if ((plan.rows - without.rows) * 10 > plan.rows_total) {
      EL_CHECK(store.note(now, "retention waits",
                          fmt::format("{} of {} rows would go, for the disk has less room than before ({}): "
                                      "data retain --confirm",
                                      plan.rows, plan.rows_total, cap.words)));
      EL_CHECK(store.commit_state());
      plan = without;
    }
  }
  if (!confirmed || changed) {
    EL_CHECK(store.put_state("retention", retention_setting(profile)));
    EL_CHECK(store.commit_state());
  }
  if (profile.retention.us() > 0) {
    EL_TRY(const std::int64_t gone, store.forget_alerts(keep_from(profile, now)));
    if (gone > 0)
      EL_CHECK(store.note(now, "alert retention",
                          fmt::format("{} alerts of before {}", gone, keep_from(profile, now).date())));
    EL_CHECK(store.commit_state());
  }
  return store.retain(plan, now);
}

Result<DiskForecast> forecast_disk(const Store& store, const Profile& profile, const LakeCap& cap, Timestamp now) {
  DiskForecast forecast;
  forecast.total = store.bytes_on_disk();
  EL_TRY(const auto all, store.stats());
  std::optional<Timestamp> first;
  for (const DatasetStats& stats : all)
    if (stats.first_event) first = first ? std::min(*first, *stats.first_event) : *stats.first_event;
  if (!first || *first >= now) return forecast;
  forecast.measured = std::min(window(), now - *first);
  const Timestamp from = now - forecast.measured;
  double grown = 0;
  for (const DatasetStats& stats : all) {
    forecast.lake += stats.sealed_bytes;
    for (const Segment& segment : store.segments(stats.dataset))
      grown += static_cast<double>(segment.bytes) * share_within(segment, from, now);
    if (stats.hot_rows == 0 || *stats.last_event < from) continue;
    const double row = stats.sealed_rows > 0
                           ? static_cast<double>(stats.sealed_bytes) / static_cast<double>(stats.sealed_rows)
                           : kUnsealedRow;
    grown += row * static_cast<double>(stats.hot_rows);
  }
  const double days = forecast.measured.as_seconds() / Duration::days(1).as_seconds();
  forecast.per_day = grown / days;

  const double limit = cap.bytes > 0 ? static_cast<double>(cap.bytes) : std::numeric_limits<double>::infinity();
  const double kept_days =
      profile.retention.us() > 0 ? profile.retention.as_seconds() / Duration::days(1).as_seconds() : kYear * 1000;
  // What is there now leaves in time, when it is as old as the retention; what comes stays so long.
  const double age = (now - *first).as_seconds() / Duration::days(1).as_seconds();
  const auto after = [&](double ahead) {
    const double old =
        static_cast<double>(forecast.lake) * std::clamp((kept_days - ahead) / std::max(age, 1e-9), 0.0, 1.0);
    return std::min(limit, old + forecast.per_day * std::min(ahead, kept_days));
  };
  const double rest = static_cast<double>(forecast.total - std::min(forecast.lake, forecast.total));
  forecast.after_one_year = after(kYear) + rest;
  forecast.after_three_years = after(3 * kYear) + rest;
  if (cap.bytes == 0) return forecast;
  const double room = limit - static_cast<double>(forecast.lake);
  if (room <= 0)
    forecast.days_to_cap = 0;
  else if (forecast.per_day > 0 && forecast.per_day * kept_days > limit)
    forecast.days_to_cap = room / forecast.per_day;
  return forecast;
}

}  // namespace everlearn
