// Puts the rows together on which candidate, champion and baseline are compared: examples with their labels, unseen by
// both models, and what each of them says there after blending.
#pragma once

#include <cstdint>
#include <vector>

#include "app/profile.hpp"
#include "registry/gate.hpp"
#include "serve/predictor.hpp"
#include "store/store.hpp"

namespace everlearn {

struct HoldoutQuery {
  std::uint16_t target = 0;
  TimeRange range;  // event_time
  Timestamp as_of;  // labels known by then
};

/// Rows in (event_time, instrument) order; none whose window touches what candidate or champion, or the base of one,
/// was trained on (an interval is longer by the embargo at its end). `champion` may be null. Errors: of the store;
/// Internal if an example has no baseline for the target.
Result<std::vector<HoldoutRow>> assemble_holdout(const Store& store, const Profile& profile, const HoldoutQuery& query,
                                                 const Predictor& candidate, const Predictor* champion);

/// Where the baseline values of each target start in ExampleRow::baseline, and how many there are in all.
struct BaselineLayout {
  explicit BaselineLayout(const Profile& profile);
  std::vector<std::size_t> start, width;
  std::size_t total = 0;
};

}  // namespace everlearn
