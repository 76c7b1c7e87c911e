#include "learn/scaling.hpp"

#include <algorithm>

namespace everlearn {

std::int64_t scaling_period(const ScalingRules& rules, Timestamp start, Timestamp at) {
  return at <= start ? 0 : (at - start) / rules.every;
}

std::int64_t scaling_rows(const ScalingRules& rules, std::int64_t period) {
  if (rules.first == 0) return 0;
  if (rules.step == 0) return rules.most > 0 ? std::min(rules.first, rules.most) : rules.first;
  if (rules.most == 0) return rules.first + period * rules.step;
  // Where the most is reached is found by dividing: a period of a far year may not overflow.
  const std::int64_t to_most = (std::max<std::int64_t>(0, rules.most - rules.first) + rules.step - 1) / rules.step;
  return period >= to_most ? rules.most : rules.first + period * rules.step;
}

std::vector<ScalingStep> scaling_timeline(const ScalingRules& rules, Timestamp start, std::int64_t periods_most) {
  std::vector<ScalingStep> steps;
  if (rules.first == 0) return steps;
  for (std::int64_t period = 0; period < periods_most; ++period) {
    ScalingStep step{period, start + rules.every * period, scaling_rows(rules, period)};
    step.is_last = scaling_rows(rules, period + 1) == step.rows;
    steps.push_back(step);
    if (step.is_last) break;
  }
  return steps;
}

}  // namespace everlearn
