// Settings of the learner for one training alone: under our names of [learner], or the names that LightGBM and
// scikit-learn give the same thing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "learn/train_job.hpp"

namespace everlearn {

/// Our name of what a learner calls so: "max_depth", "depth" -> "depth". Errors: Usage for an unknown name, with the
/// nearest known one.
Result<std::string> our_learner_name(std::string_view name);

/// `settings`: "KEY=VALUE" each. Errors: Usage, naming the setting: no "=", an unknown name, the same thing twice; the
/// value and what is allowed.
Result<LearnerParams> with_settings(LearnerParams params, const std::vector<std::string>& settings);

}  // namespace everlearn
