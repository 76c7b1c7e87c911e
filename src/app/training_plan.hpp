#pragma once

#include "app/profile.hpp"
#include "core/time.hpp"
#include "store/store.hpp"

namespace everlearn {

/// How the labelled past splits as of T, in event time:
///   fit [fit_from, stop_from) | purge | stop [stop_from, stop_until) | purge and embargo | hold-out [stop_until,
///   last].
struct TrainingPlan {
  Timestamp as_of;
  Timestamp fit_from, stop_from, stop_until;
  Timestamp purge_stop_by;  // stop rows need their label known by then
};

/// `first`, `last`: event_time of the first stored example and of the latest one whose label is known as of `as_of`.
TrainingPlan plan_training(const Profile& profile, Timestamp as_of, Timestamp first, Timestamp last);

/// The newest labelled rows of a target.
struct NewestRows {
  Timestamp from;         // event_time of the oldest of them
  std::int64_t rows = 0;  // there are; fewer than wanted: all there are from `first` on
};

/// The newest `wanted` > 0 rows of [first, last] whose label is known as of `as_of`; those of one moment stay together,
/// so that it may be a few more. Reads backwards in stretches that double. Errors: of the store.
Result<NewestRows> newest_labelled(const Store& store, std::uint16_t target, Timestamp as_of, Timestamp first,
                                   Timestamp last, std::int64_t wanted);

}  // namespace everlearn
