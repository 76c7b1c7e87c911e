// Whether prediction sets keep their promise on rows that came later: the share of sets that hold the outcome, by week.
// A value: any thread may own one.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/time.hpp"

namespace everlearn {

/// Sets against what came. A share is NaN without rows.
struct SetCount {
  std::int64_t n = 0, covered = 0;            // rows; sets that held the outcome
  std::int64_t single = 0, single_right = 0;  // sets of one class; of these, the right ones
  std::int64_t classes = 0;                   // in all sets together

  /// `set`: a bit a class, 0 is unknown and not counted; `outcome`: the class that came.
  void add(std::uint32_t set, double outcome);
  double coverage() const;
  /// Of `coverage()`, for independent rows: sqrt(c (1 - c) / n).
  double standard_error() const;
  double single_share() const;
  double single_accuracy() const;  // NaN without sets of one class
  double mean_size() const;
};

class ConformalCoverage {
 public:
  /// Rows in any order. As SetCount::add().
  void add(Timestamp event_time, std::uint32_t set, double outcome);

  struct Week {
    Timestamp monday;  // 00:00 UTC
    SetCount count;
  };
  /// Weeks with rows, in order of time.
  std::vector<Week> weeks() const;
  const SetCount& all() const { return all_; }

 private:
  std::map<Timestamp, SetCount> weeks_;
  SetCount all_;
};

}  // namespace everlearn
