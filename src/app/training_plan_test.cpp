#include "app/training_plan.hpp"

#include <doctest/doctest.h>

#include "core/clock.hpp"
#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"

using namespace everlearn;

namespace {

Timestamp day(int n) { return Timestamp{} + Duration::days(n); }

}  // namespace

TEST_CASE("training plan: the newest rows are as many as wanted, wherever a stretch of reading ends") {
  TestDirectory directory;
  ManualClock clock;
  Rng rng{1};
  SystemFs fs;
  FakeProc proc{[](const ProcessSpec&) -> Result<ProcessExit> { return ProcessExit{}; }};
  const auto store = Store::open({clock, rng, fs, proc}, directory / "data", {}).value();
  constexpr int kDays = 60;
  for (int n = 0; n < kDays; ++n) {
    LabelRow label{.event_time = day(n), .known = true, .value = 0};
    label.end = label.known_at = day(n + 1);
    REQUIRE(store->append(label));
  }
  REQUIRE(store->commit(""));
  // The first stretches reach back 14 and 28 days and hold 15 and 29 rows.
  for (const int wanted : {1, 14, 15, 16, 28, 29, 30, 59, 60}) {
    CAPTURE(wanted);
    const auto newest = newest_labelled(*store, 0, day(kDays), day(0), day(kDays - 1), wanted).value();
    CHECK(newest.rows == wanted);
    CHECK(newest.from == day(kDays - wanted));
  }
  const auto all = newest_labelled(*store, 0, day(kDays), day(0), day(kDays - 1), 100).value();
  CHECK(all.rows == kDays);
  CHECK(all.from == day(0));
}

TEST_CASE("training plan: shares of the window, each no longer than it may be") {
  Profile profile;
  profile.stop_share = 0.1;
  profile.holdout_share = 0.2;
  const TrainingPlan whole = plan_training(profile, day(1001), day(0), day(1000));
  CHECK(whole.stop_until == day(800));
  CHECK(whole.stop_from == day(700));
  profile.holdout_most = Duration::days(14);
  profile.stop_most = Duration::days(7);
  const TrainingPlan limited = plan_training(profile, day(1001), day(0), day(1000));
  CHECK(limited.stop_until == day(986));
  CHECK(limited.stop_from == day(979));
  const TrainingPlan young = plan_training(profile, day(11), day(0), day(10));
  CHECK(young.stop_until == day(8));
  CHECK(young.stop_from == day(7));
}
