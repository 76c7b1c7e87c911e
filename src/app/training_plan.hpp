#pragma once

#include "app/profile.hpp"
#include "core/time.hpp"

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

}  // namespace everlearn
