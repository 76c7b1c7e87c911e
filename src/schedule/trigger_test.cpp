#include "schedule/trigger.hpp"

#include <doctest/doctest.h>

#include <limits>

namespace everlearn {
namespace {

constexpr Duration kDay = Duration::days(1);

TriggerLimits age_of(int days) { return {.age = Duration::days(days)}; }

}  // namespace

TEST_CASE("trigger: a model that is too old asks for a training") {
  TriggerInputs inputs{.model_age = Duration::hours(197)};  // 8.2 days
  const auto old = decide_training(age_of(7), inputs);
  CHECK(old.train);
  CHECK(old.reason == "model is 8.2 days old, limit 7 days");
  inputs.model_age = kDay * 7 - Duration{1};
  const auto young = decide_training(age_of(7), inputs);
  CHECK_FALSE(young.train);
  CHECK(young.reason == "model is 6.9 days old, limit 7 days");
  inputs.model_age = kDay * 7;
  CHECK(decide_training(age_of(7), inputs).train);
}

TEST_CASE("trigger: ages read in the largest unit that fits") {
  const auto reason = [](Duration age) { return decide_training({.age = kDay}, {.model_age = age}).reason; };
  CHECK(reason(Duration::hours(5) + Duration::minutes(30)) == "model is 5.5 h old, limit 1 day");
  CHECK(reason(Duration::minutes(3)) == "model is 3 min old, limit 1 day");
  CHECK(reason(Duration::seconds(30)) == "model is 30 s old, limit 1 day");
  CHECK(reason(Duration{}) == "model is 0 s old, limit 1 day");
}

TEST_CASE("trigger: a weak live Sharpe asks once it rests on enough sessions") {
  const TriggerLimits limits{.sharpe = 0.5, .sharpe_sessions = 20};
  TriggerInputs inputs{.model_age = kDay, .sharpe = 0.31, .sharpe_sessions = 30};
  CHECK(decide_training(limits, inputs).train);
  CHECK(decide_training(limits, inputs).reason == "live Sharpe is 0.31 over 30 sessions, limit 0.50");
  inputs.sharpe = 0.5;
  CHECK_FALSE(decide_training(limits, inputs).train);
  inputs.sharpe = -3.0;
  inputs.sharpe_sessions = 19;
  CHECK_FALSE(decide_training(limits, inputs).train);
  CHECK(decide_training(limits, inputs).reason == "live Sharpe has 19 of 20 sessions");
}

TEST_CASE("trigger: a Sharpe that is not known asks for nothing") {
  const TriggerLimits limits{.sharpe = 0.5, .sharpe_sessions = 0};
  CHECK_FALSE(decide_training(limits, {.model_age = kDay}).train);
  const TriggerInputs nan{.model_age = kDay, .sharpe = std::numeric_limits<double>::quiet_NaN(), .sharpe_sessions = 99};
  CHECK_FALSE(decide_training(limits, nan).train);
  CHECK(decide_training(limits, nan).reason == "live Sharpe is unknown");
}

TEST_CASE("trigger: enough new examples ask for a training") {
  const TriggerLimits limits{.new_labels = 100};
  CHECK(decide_training(limits, {.model_age = kDay, .new_labels = 42}).reason == "42 of 100 new examples");
  CHECK_FALSE(decide_training(limits, {.model_age = kDay, .new_labels = 99}).train);
  CHECK(decide_training(limits, {.model_age = kDay, .new_labels = 100}).train);
}

TEST_CASE("trigger: too few new examples hold back what asks") {
  const TriggerLimits limits{.age = kDay * 7, .new_labels_min = 100};
  const TriggerInputs inputs{.model_age = kDay * 9, .new_labels = 42};
  CHECK_FALSE(decide_training(limits, inputs).train);
  CHECK(decide_training(limits, inputs).reason == "model is 9 days old, limit 7 days, but only 42 of 100 new examples");
}

TEST_CASE("trigger: the first model needs examples and nothing else") {
  const TriggerLimits limits{.age = kDay * 7, .new_labels_min = 100};
  CHECK_FALSE(decide_training(limits, {.new_labels = 42}).train);
  CHECK(decide_training(limits, {.new_labels = 42}).reason == "there is no model yet, but only 42 of 100 new examples");
  CHECK(decide_training(limits, {.new_labels = 100}).train);
}

TEST_CASE("trigger: triggered trainings keep a distance") {
  TriggerLimits limits = age_of(7);
  limits.gap_min = Duration::hours(6);
  TriggerInputs inputs{.model_age = kDay * 9, .since_last_triggered = Duration::hours(2)};
  CHECK_FALSE(decide_training(limits, inputs).train);
  CHECK(decide_training(limits, inputs).reason ==
        "model is 9 days old, limit 7 days, but the last triggered training was 2 h ago, gap 6 h");
  inputs.since_last_triggered = Duration::hours(6);
  CHECK(decide_training(limits, inputs).train);
}

TEST_CASE("trigger: a hand goes before every limit") {
  const TriggerLimits limits{.new_labels_min = 100, .gap_min = kDay};
  const TriggerInputs inputs{.model_age = kDay, .since_last_triggered = Duration{}, .by_hand = true};
  CHECK(decide_training(limits, inputs).train);
  CHECK(decide_training(limits, inputs).reason == "asked for by hand");
}

TEST_CASE("trigger: all that asks is named, and if nothing asks, all that is missing") {
  const TriggerLimits limits{.age = kDay * 7, .sharpe = 0.5, .new_labels = 100};
  CHECK(decide_training(limits, {.model_age = kDay * 8, .sharpe = 0.9, .sharpe_sessions = 20, .new_labels = 120})
            .reason == "model is 8 days old, limit 7 days; 120 of 100 new examples");
  CHECK(decide_training(limits, {.model_age = kDay, .sharpe = 0.9, .sharpe_sessions = 20, .new_labels = 42}).reason ==
        "model is 1 day old, limit 7 days; live Sharpe is 0.90 over 20 sessions, limit 0.50; 42 of 100 new examples");
  CHECK(decide_training({}, {.model_age = kDay}).reason == "no limit is set");
}

}  // namespace everlearn
