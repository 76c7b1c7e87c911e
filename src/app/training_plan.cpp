#include "app/training_plan.hpp"

#include <algorithm>

namespace everlearn {
namespace {

Duration share(Duration span, double part) {
  return Duration{static_cast<std::int64_t>(static_cast<double>(span.us()) * part)};
}

}  // namespace

TrainingPlan plan_training(const Profile& profile, Timestamp as_of, Timestamp first, Timestamp last) {
  TrainingPlan plan;
  plan.as_of = as_of;
  plan.fit_from = profile.window.us() > 0 ? std::max(first, as_of - profile.window) : first;
  const Duration span = last - plan.fit_from;
  plan.stop_until = last - share(span, profile.holdout_share);
  plan.stop_from = plan.stop_until - share(span, profile.stop_share);
  plan.purge_stop_by = plan.stop_until - profile.embargo;
  return plan;
}

}  // namespace everlearn
