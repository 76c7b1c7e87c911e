#include "serve/predictor.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "forest/fixtures.hpp"
#include "forest/lightgbm.hpp"

using namespace everlearn;

namespace {

Bundle bundle() {
  Bundle b{Card{}, forest_from_lightgbm(small_model()).value(), Calibrator{}};
  b.card.id = std::string(64, 'a');
  b.card.columns = {"a", "b", "c"};
  b.card.range_low = {0.F, 0.F, 3.F};
  b.card.range_high = {1.F, 1.F, 7.F};
  return b;
}

double said(const Predictor& predictor, std::vector<float> row) {
  std::vector<float> scratch(3);
  std::vector<double> out(1);
  predictor.predict(row, scratch, out);
  return out.front();
}

}  // namespace

TEST_CASE("predictor: finds its columns wherever the running feature set has them") {
  const auto straight = Predictor::bind(bundle(), {"a", "b", "c"}).value();
  const auto shuffled = Predictor::bind(bundle(), {"x", "c", "a", "y", "b"}).value();
  CHECK(said(*straight, {0.F, 0.F, 7.F}) == said(*shuffled, {9.F, 7.F, 0.F, 9.F, 0.F}));
  CHECK(said(*straight, {0.F, 0.F, 7.F}) != said(*straight, {0.F, 0.F, 3.F}));
}

TEST_CASE("predictor: a column that is missing, or of another definition, is refused by name") {
  const auto refused = Predictor::bind(bundle(), {"a", "b"});
  REQUIRE(!refused);
  CHECK(refused.error().code == Code::Model);
  CHECK(refused.error().message.find("needs column c") != std::string::npos);
}

TEST_CASE("predictor: the share of known features outside the trained range") {
  const auto predictor = Predictor::bind(bundle(), {"a", "b", "c"}).value();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(predictor->outside_share(std::vector{0.5F, 0.5F, 5.F}) == 0.0);
  CHECK(predictor->outside_share(std::vector{2.F, 0.5F, 8.F}) == doctest::Approx(2.0 / 3));
  CHECK(predictor->outside_share(std::vector{nan, nan, 8.F}) == 1.0);
  CHECK(predictor->outside_share(std::vector{nan, nan, nan}) == 1.0);
}

TEST_CASE("predictor: a tune's trees give the bits of one forest that has them behind the base's") {
  ForestTables base = stump(0.5), more = stump(-0.25), whole = base;
  base.leaf = {0.1, 1e16};
  more.leaf = {0.7, -0.30000000000000004};
  whole.leaves_of_tree = {2, 2};
  whole.left = {~0, ~2};
  whole.right = {~1, ~3};
  whole.feature = {0, 0};
  whole.threshold = {0.5, -0.25};
  whole.flags = {0, 0};
  whole.gain = {1.0F, 1.0F};
  whole.leaf = {0.1, 1e16, 0.7, -0.30000000000000004};
  const auto bound = [](ForestTables tables) {
    Bundle b{Card{}, Forest::build(std::move(tables)).value(), Calibrator{}};
    b.card.id = std::string(64, 'a');
    b.card.columns = {"x"};
    b.card.range_low = {0.F};
    b.card.range_high = {1.F};
    return Predictor::bind(std::move(b), {"x"}).value();
  };
  Tune tune{TuneCard{}, Forest::build(more).value()};
  tune.card.base = std::string(64, 'a');
  const auto tuned = Predictor::tuned(bound(base), std::move(tune)).value(), one = bound(whole);
  for (const float x : {-1.0F, 0.0F, 0.5F, 1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    std::vector<float> scratch(1);
    std::vector<double> a(1), b(1);
    tuned->predict(std::vector{x}, scratch, a);
    one->predict(std::vector{x}, scratch, b);
    CHECK(std::bit_cast<std::uint64_t>(a[0]) == std::bit_cast<std::uint64_t>(b[0]));
  }
}

TEST_CASE("predictor: moved leaves, another calibrator, or nothing at all; the base stays as it was") {
  const auto base = Predictor::bind(bundle(), {"a", "b", "c"}).value();
  const auto tuned = [&](TuneDifference difference) {
    Tune tune{TuneCard{}, std::move(difference)};
    tune.card.id = std::string(64, 'd');
    tune.card.base = base->id();
    tune.card.seen_until = Timestamp{77};
    tune.card.intervals = {{Timestamp{1}, Timestamp{77}}};
    return Predictor::tuned(base, std::move(tune)).value();
  };
  const std::vector<float> row{0.F, 0.F, 7.F};
  const double before = said(*base, row);
  CHECK(said(*tuned(std::monostate{}), row) == before);
  const auto line = Calibrator::from_json(R"({"format":1,"kind":"linear","slope":0.5,"intercept":1})").value();
  CHECK(said(*tuned(line), row) == 1 + 0.5 * before);
  const std::size_t leaves = forest_from_lightgbm(small_model()).value().leaf_values().size();
  std::vector<LeafStep> steps;
  for (std::uint32_t leaf = 0; leaf < leaves; ++leaf) steps.push_back({leaf, 0.25F});
  const auto moved = tuned(steps);
  CHECK(said(*moved, row) == before + 2 * 0.25);  // two trees
  CHECK(said(*base, row) == before);

  CHECK(moved->id() == std::string(64, 'd'));
  CHECK(moved->card().id == base->id());
  CHECK(moved->tune() != nullptr);
  CHECK(base->tune() == nullptr);
  CHECK(moved->seen_until() == Timestamp{77});
  CHECK(moved->seen().size() == 1);
  CHECK(moved->outside_share(row) == base->outside_share(row));
}

TEST_CASE("predictor: only a base is tuned, and only by what fits it") {
  const auto base = Predictor::bind(bundle(), {"a", "b", "c"}).value();
  const auto tune_of = [](const std::string& id, TuneDifference difference) {
    Tune tune{TuneCard{}, std::move(difference)};
    tune.card.id = std::string(64, 'd');
    tune.card.base = id;
    return tune;
  };
  const auto once = Predictor::tuned(base, tune_of(base->id(), std::monostate{})).value();
  const auto twice = Predictor::tuned(once, tune_of(base->id(), std::monostate{}));
  REQUIRE(!twice);
  CHECK(twice.error().code == Code::Usage);
  CHECK(twice.error().message.find("only a base is tuned") != std::string::npos);
  CHECK(Predictor::tuned(base, tune_of(std::string(64, 'e'), std::monostate{})).error().code == Code::Model);
  const Forest other = Forest::build(stump(0.5)).value();
  CHECK(Predictor::tuned(base, tune_of(base->id(), other)).error().code == Code::Model);
  CHECK(Predictor::tuned(base, tune_of(base->id(), std::vector<LeafStep>{{999, 1.F}})).error().code == Code::Model);
}

TEST_CASE("predictor: before calibration, and the classes that a bundle with prediction sets does not rule out") {
  Bundle calibrated = bundle();
  calibrated.calibrator = Calibrator::from_json(R"({"format":1,"kind":"linear","slope":0.5,"intercept":1})").value();
  const auto plain = Predictor::bind(bundle(), {"a", "b", "c"}).value();
  const std::vector<double> acts{0.7, 0.2, 0.1};
  CHECK(plain->prediction_set(acts) == 0);
  const std::string sets = R"x({"format":1,"score":"1 - p(outcome)","alpha":0.1,"threshold":0.8,"rows":99})x";
  calibrated.sets = ConformalSets::from_json(sets).value();
  const auto predictor = Predictor::bind(calibrated, {"a", "b", "c"}).value();
  CHECK(predictor->prediction_set(acts) == 0b011);
  CHECK(predictor->prediction_set(std::vector{0.7, std::nan(""), 0.1}) == 0);
  std::vector<float> scratch(3);
  std::vector<double> out(1);
  const std::vector<float> row{0.F, 0.F, 7.F};
  predictor->predict_uncalibrated(row, scratch, out);
  CHECK(out.front() == said(*plain, row));
  CHECK(said(*predictor, row) == 1 + 0.5 * out.front());
}

TEST_CASE("hot slot: a copy taken before a swap stays whole") {
  HotSlot slot;
  CHECK(slot.get() == nullptr);
  slot.swap(Predictor::bind(bundle(), {"a", "b", "c"}).value());
  const auto before = slot.get();
  slot.swap(nullptr);
  CHECK(slot.get() == nullptr);
  CHECK(said(*before, {0.F, 0.F, 7.F}) == 1.75);
}
