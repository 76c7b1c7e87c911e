#include "app/learner_settings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "app/config/keys.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

/// What others call it, and we. LightGBM's parameters with their aliases, the arguments of LGBMModel, and
/// scikit-learn's gradient boosting.
constexpr auto kTheirNames = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"boosting_type", "boosting"},
    {"boost", "boosting"},
    {"n_estimators", "trees"},
    {"num_iterations", "trees"},
    {"num_iteration", "trees"},
    {"num_trees", "trees"},
    {"num_tree", "trees"},
    {"num_round", "trees"},
    {"num_rounds", "trees"},
    {"num_boost_round", "trees"},
    {"n_iter", "trees"},
    {"max_iter", "trees"},
    {"max_depth", "depth"},
    {"num_leaves", "leaves"},
    {"num_leaf", "leaves"},
    {"max_leaves", "leaves"},
    {"max_leaf_nodes", "leaves"},
    {"shrinkage_rate", "learning_rate"},
    {"eta", "learning_rate"},
    {"lambda_l1", "l1"},
    {"reg_alpha", "l1"},
    {"lambda_l2", "l2"},
    {"reg_lambda", "l2"},
    {"lambda", "l2"},
    {"l2_regularization", "l2"},
    {"bagging_fraction", "row_fraction"},
    {"subsample", "row_fraction"},
    {"sub_row", "row_fraction"},
    {"colsample_bytree", "feature_fraction"},
    {"sub_feature", "feature_fraction"},
    {"min_data_in_leaf", "min_rows_in_leaf"},
    {"min_data", "min_rows_in_leaf"},
    {"min_child_samples", "min_rows_in_leaf"},
    {"min_samples_leaf", "min_rows_in_leaf"},
    {"early_stopping_round", "early_stopping"},
    {"early_stopping_rounds", "early_stopping"},
    {"n_iter_no_change", "early_stopping"},
    {"max_bin", "max_bins"},
});

}  // namespace

Result<std::string> our_learner_name(std::string_view name) {
  std::vector<std::string> known;
  for (const LearnerKey& key : learner_keys()) {
    if (key.key == name) return std::string{name};
    known.emplace_back(key.key);
  }
  for (const auto& [theirs, ours] : kTheirNames) {
    if (theirs == name) return std::string{ours};
    known.emplace_back(theirs);
  }
  const auto near = nearest(name, known);
  return fail(Code::Usage, fmt::format("the learner has no setting {}{}", quoted(name),
                                       near ? fmt::format(": {} is near it", quoted(*near)) : ""));
}

Result<LearnerParams> with_settings(LearnerParams params, const std::vector<std::string>& settings) {
  std::set<std::string> seen;
  for (const std::string& setting : settings) {
    const std::size_t sign = setting.find('=');
    if (sign == std::string::npos || sign == 0)
      return fail(Code::Usage, fmt::format("{} is not KEY=VALUE, such as \"learning_rate=0.01\"", quoted(setting)));
    EL_TRY(const std::string name, our_learner_name(std::string_view{setting}.substr(0, sign)));
    if (!seen.insert(name).second)
      return fail(Code::Usage, fmt::format("{}: learner.{} is set twice", quoted(setting), name));
    const auto key = std::ranges::find(learner_keys(), name, &LearnerKey::key);
    if (const auto applied = key->apply(params, SettingValue::one(setting.substr(sign + 1))); !applied)
      return fail(Code::Usage, fmt::format("{}: learner.{}: {}", quoted(setting), name, applied.error().message));
  }
  return params;
}

}  // namespace everlearn
