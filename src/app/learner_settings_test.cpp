#include "app/learner_settings.hpp"

#include <doctest/doctest.h>

#include "app/config/keys.hpp"

using namespace everlearn;

namespace {

std::string problem(const std::string& setting) {
  const auto params = with_settings({}, {setting});
  REQUIRE(!params);
  CHECK(params.error().code == Code::Usage);
  return params.error().message;
}

}  // namespace

TEST_CASE("learner settings: the older guide's custom parameters, by LightGBM's names") {
  const auto params =
      with_settings({.trees = 200, .l2 = 1}, {"learning_rate=0.005", "max_depth=3", "num_leaves=15"}).value();
  CHECK(params.learning_rate == 0.005);
  CHECK(params.depth == 3);
  CHECK(params.leaves == 15);
  CHECK(params.trees == 200);  // the profile's
  CHECK(params.l2 == 1);
}

TEST_CASE("learner settings: scikit-learn's names and ours mean the same") {
  const auto theirs =
      with_settings({}, {"n_estimators=7", "subsample=0.5", "colsample_bytree=0.25", "reg_alpha=2", "reg_lambda=3",
                         "min_child_samples=9", "early_stopping_rounds=4", "max_bin=63", "boosting_type=rf"});
  const auto ours = with_settings({}, {"trees=7", "row_fraction=0.5", "feature_fraction=0.25", "l1=2", "l2=3",
                                       "min_rows_in_leaf=9", "early_stopping=4", "max_bins=63", "boosting=rf"});
  REQUIRE(theirs.has_value());
  CHECK(to_json(*theirs) == to_json(ours.value()));
  CHECK(to_json(*theirs) != to_json(LearnerParams{}));
}

TEST_CASE("learner settings: each of our own names is known") {
  for (const LearnerKey& key : learner_keys()) CHECK(our_learner_name(key.key).value() == key.key);
}

TEST_CASE("learner settings: what cannot be meant is refused by name, with what is near or allowed") {
  CHECK(problem("max_dept=3") == "the learner has no setting \"max_dept\": \"max_depth\" is near it");
  CHECK(problem("gpu_platform_id=3") == "the learner has no setting \"gpu_platform_id\"");
  CHECK(problem("depth") == "\"depth\" is not KEY=VALUE, such as \"learning_rate=0.01\"");
  CHECK(problem("learning_rate=2").starts_with("\"learning_rate=2\": learner.learning_rate: "));
  CHECK(with_settings({}, {"max_depth=3", "depth=4"}).error().message == "\"depth=4\": learner.depth is set twice");
}
