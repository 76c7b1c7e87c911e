#include "app/training_plan.hpp"

#include <algorithm>
#include <vector>

namespace everlearn {
namespace {

constexpr Duration kFirstStretch = Duration::days(14);

/// `most` 0: no limit.
Duration share(Duration span, double part, Duration most) {
  const Duration length{static_cast<std::int64_t>(static_cast<double>(span.us()) * part)};
  return most.us() > 0 ? std::min(length, most) : length;
}

}  // namespace

TrainingPlan plan_training(const Profile& profile, Timestamp as_of, Timestamp first, Timestamp last) {
  TrainingPlan plan;
  plan.as_of = as_of;
  plan.fit_from = profile.window.us() > 0 ? std::max(first, as_of - profile.window) : first;
  const Duration span = last - plan.fit_from;
  plan.stop_until = last - share(span, profile.holdout_share, profile.holdout_most);
  plan.stop_from = plan.stop_until - share(span, profile.stop_share, profile.stop_most);
  plan.purge_stop_by = plan.stop_until - profile.embargo;
  return plan;
}

Result<NewestRows> newest_labelled(const Store& store, std::uint16_t target, Timestamp as_of, Timestamp first,
                                   Timestamp last, std::int64_t wanted) {
  const auto most = static_cast<std::size_t>(wanted);
  for (Duration stretch = kFirstStretch;; stretch = stretch * 2) {
    const Timestamp from = last - first > stretch ? last - stretch : first;
    std::vector<Timestamp> times;
    EL_CHECK(store.scan_labels({from, last + Duration{1}}, [&](const LabelRow& label) {
      if (label.target == target && label.known && label.known_at <= as_of) times.push_back(label.event_time);
      return true;
    }));
    if (times.size() <= most && from > first) continue;
    if (times.size() <= most) return NewestRows{first, std::ssize(times)};
    const auto oldest = times.end() - wanted;
    std::nth_element(times.begin(), oldest, times.end());
    const Timestamp begin = *oldest;
    return NewestRows{begin, std::ranges::count_if(times, [&](Timestamp t) { return t >= begin; })};
  }
}

}  // namespace everlearn
