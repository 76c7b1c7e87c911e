#include "app/holdout.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <set>

#include "core/clock.hpp"
#include "core/rng.hpp"
#include "core/sim_proc.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"
#include "forest/fixtures.hpp"
#include "forest/tables.hpp"

using namespace everlearn;

namespace {

Timestamp step(int n) { return Timestamp{} + Duration::hours(n); }

// Twenty decisions an hour apart, each with a label two hours later.
class Past {
 public:
  Past() {
    store_ = Store::open({clock_, rng_, fs_, proc_}, directory_ / "data", {}).value();
    REQUIRE(store_->put_state("columns", "x@1\n"));
    for (int n = 0; n < 20; ++n) {
      ExampleRow example{.event_time = step(n), .known_at = step(n)};
      example.price = 1;
      example.baseline = {0};
      example.no_change = {0};
      example.features = {0.5F};
      REQUIRE(store_->append(example));
      LabelRow label{.event_time = step(n), .known = true, .value = 0.1};
      label.end = label.known_at = step(n + 2);
      REQUIRE(store_->append(label));
    }
    REQUIRE(store_->commit(""));
    TargetProfile target;
    target.name = "ret";
    target.acts = true;
    profile_.targets = {target};
  }

  Profile& profile() { return profile_; }
  std::set<int> judged(const Predictor& candidate, const Predictor* champion) {
    const HoldoutQuery query{.target = 0, .range = {}, .as_of = Timestamp::max()};
    const auto rows = assemble_holdout(*store_, profile_, query, candidate, champion).value();
    std::set<int> hours;
    for (const HoldoutRow& row : rows)
      hours.insert(static_cast<int>((row.event_time - Timestamp{}) / Duration::hours(1)));
    return hours;
  }

 private:
  TestDirectory directory_;
  ManualClock clock_;
  Rng rng_{1};
  SystemFs fs_;
  FakeProc proc_{[](const ProcessSpec&) -> Result<ProcessExit> { return ProcessExit{}; }};
  std::unique_ptr<Store> store_;
  Profile profile_;
};

std::shared_ptr<const Predictor> model(TrainingIntervals intervals, int seen_until) {
  Bundle bundle{Card{}, Forest::build(stump(0.0)).value(), Calibrator{}};
  bundle.card.id = std::string(64, 'a');
  bundle.card.columns = {"x@1"};
  bundle.card.range_low = {0.F};
  bundle.card.range_high = {1.F};
  bundle.card.intervals = std::move(intervals);
  bundle.card.seen_until = step(seen_until);
  return Predictor::bind(std::move(bundle), {"x@1"}).value();
}

std::set<int> hours(int first, int last) {
  std::set<int> all;
  for (int n = first; n <= last; ++n) all.insert(n);
  return all;
}

}  // namespace

TEST_CASE("hold-out: a row inside an interval a model was trained on does not judge it") {
  Past past;
  // Trained on hours 5 to 8: rows 3..8 share a moment with it, each row's window being two hours long.
  CHECK(past.judged(*model({{step(5), step(8)}}, 8), nullptr) ==
        std::set<int>{0, 1, 2, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
  // The champion's training counts as well.
  const auto champion = model({{step(0), step(2)}, {step(15), step(16)}}, 16);
  CHECK(past.judged(*model({{step(5), step(8)}}, 8), champion.get()) == std::set<int>{9, 10, 11, 12, 17, 18, 19});
  // An embargo lengthens an interval at its end.
  past.profile().embargo = Duration::hours(2);
  CHECK(past.judged(*model({{step(5), step(8)}}, 8), nullptr) ==
        std::set<int>{0, 1, 2, 11, 12, 13, 14, 15, 16, 17, 18, 19});
}

TEST_CASE("hold-out: a card from before intervals were kept has seen everything up to its last label") {
  Past past;
  CHECK(past.judged(*model({}, 8), nullptr) == hours(9, 19));
}

TEST_CASE("hold-out: a tune has seen what its base has seen and its own rows") {
  Past past;
  const auto base = model({{step(0), step(4)}}, 4);
  Tune tune{TuneCard{}, std::monostate{}};
  tune.card.id = std::string(64, 'd');
  tune.card.base = base->id();
  tune.card.intervals = {{step(0), step(4)}, {step(12), step(13)}};
  tune.card.seen_until = step(13);
  const auto tuned = Predictor::tuned(base, std::move(tune)).value();
  std::set<int> expected = hours(5, 9);
  expected.merge(hours(14, 19));
  CHECK(past.judged(*tuned, nullptr) == expected);
  CHECK(past.judged(*base, tuned.get()) == expected);
}
