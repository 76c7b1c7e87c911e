// What may stay on the disk, and what it will come to: the profile's retention applied to a store, and a forecast from
// the newest days. Only whole segments are deleted, by the store, and it says what.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/profile.hpp"
#include "core/fs.hpp"
#include "store/store.hpp"

namespace everlearn {

/// What the lake may take: the lesser of retention.disk_gb and retention.free_share.
struct LakeCap {
  std::uint64_t bytes = 0;  // 0: no cap
  bool by_free_space = false;
  std::string
      words;  // "no size limit", "at most 75.0 GB", "at most 12.0 GB, half of the disk space that is free or ..."
};

/// `free`: of the disk that holds the store; none: not asked, as in a simulation, whose results depend on no disk.
LakeCap lake_cap(const Profile& profile, const Store& store, std::optional<std::uint64_t> free);

/// The rule in words, and what a hand confirms when it changed.
std::string retention_words(const Profile& profile, const LakeCap& cap);
std::string retention_setting(const Profile& profile);

/// Deletes what the rule no longer keeps. It waits for a hand (`data retain --confirm`), with a note that says so,
/// where a changed setting would remove more than 1 % of the rows, and where less free space than before would remove
/// more than 10 %: a disk that something else fills costs no history. Errors: those of the store.
Result<void> clean_up(Store& store, const Profile& profile, std::optional<std::uint64_t> free, Timestamp now);

struct DiskForecast {
  std::uint64_t lake = 0, total = 0;  // bytes now: sealed rows; and the database with the hot ones
  Duration measured;                  // over which the growth was taken: 7 days, or as long as there are data
  double per_day = 0;                 // bytes; rows that are still hot counted as if they were sealed
  std::optional<double> days_to_cap;  // 0: it is reached; none: no cap, or it never is
  double after_one_year = 0, after_three_years = 0;  // bytes, with the rule applied
};

/// By the rows of the last 7 days before `now`. Errors: those of the store.
Result<DiskForecast> forecast_disk(const Store& store, const Profile& profile, const LakeCap& cap, Timestamp now);

}  // namespace everlearn
