#include "serve/ensemble.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "forest/fixtures.hpp"

using namespace everlearn;

namespace {

/// Says `left` up to 0.5 of its one column, else `right`.
Bundle stump_bundle(char name, double left, double right, double gain) {
  ForestTables tables = stump(0.5);
  tables.leaf = {left, right};
  Bundle bundle{Card{}, Forest::build(std::move(tables)).value(), Calibrator{}};
  bundle.card.id = std::string(64, name);
  bundle.card.target = "change_1h";
  bundle.card.columns = {"x"};
  bundle.card.range_low = {0.F};
  bundle.card.range_high = {1.F};
  bundle.card.expires_at = Timestamp{1000 + name};
  bundle.card.seen_until = Timestamp{name};
  bundle.card.intervals = {{Timestamp{name - 1}, Timestamp{name}}};
  if (!std::isnan(gain)) bundle.card.verdict.checks.push_back({"gain_over_baseline", gain, 0, true, ""});
  return bundle;
}

std::shared_ptr<const Predictor> model(char name, double left, double right, double gain) {
  return Predictor::bind(stump_bundle(name, left, right, gain), {"x"}).value();
}

double said(const Ensemble& ensemble, float x) {
  std::vector<float> scratch(1);
  std::vector<double> out(1);
  ensemble.predict(std::vector{x}, scratch, out);
  return out.front();
}

const double kNone = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("ensemble: the mean of what its members say, weighted by what each saved of the baseline's loss") {
  const auto ensemble = Ensemble::make({model('a', 0.1, 0.2, 0.03), model('b', 0.5, 0.6, 0.01)}).value();
  REQUIRE(ensemble->members().size() == 2);
  CHECK(ensemble->members()[0].weight == doctest::Approx(0.75));
  CHECK(ensemble->members()[1].weight == doctest::Approx(0.25));
  CHECK(said(*ensemble, 0.F) == doctest::Approx(0.75 * 0.1 + 0.25 * 0.5));
  CHECK(said(*ensemble, 1.F) == doctest::Approx(0.75 * 0.2 + 0.25 * 0.6));
  CHECK(ensemble->text() == "2 models: aaaaaaaaaaaa 0.75, bbbbbbbbbbbb 0.25");
}

TEST_CASE("ensemble: a model that saved nothing, or whose card does not say, is no member") {
  const auto ensemble =
      Ensemble::make({model('a', 1, 1, 0.02), model('b', 9, 9, -0.01), model('c', 9, 9, kNone), model('d', 3, 3, 0.02)})
          .value();
  REQUIRE(ensemble->members().size() == 2);
  CHECK(said(*ensemble, 0.F) == doctest::Approx(2));
}

TEST_CASE("ensemble: where no model saved anything the champion speaks alone, bit for bit and under its own id") {
  const auto champion = model('a', 0.1, 0.2, 0);
  const auto ensemble = Ensemble::make({champion, model('b', 9, 9, -0.5)}).value();
  CHECK(ensemble->members().size() == 1);
  CHECK(ensemble->id() == champion->id());
  std::vector<float> scratch(1);
  std::vector<double> alone(1);
  champion->predict(std::vector{0.F}, scratch, alone);
  CHECK(std::bit_cast<std::uint64_t>(said(*ensemble, 0.F)) == std::bit_cast<std::uint64_t>(alone[0]));
}

TEST_CASE("ensemble: the id follows members and weights, and nothing else") {
  const auto id = [](double second, char name = 'b') {
    return Ensemble::make({model('a', 0.1, 0.2, 0.03), model(name, 0.5, 0.6, second)}).value()->id();
  };
  CHECK(id(0.01) == id(0.01));
  CHECK(id(0.01) != id(0.02));
  CHECK(id(0.01) != id(0.01, 'c'));
  CHECK(id(0.01) ==
        "2ba9587a9a18e711d51d87a78ba0ffb6a561be0acabe6bb682350b84a1c2774f");  // stored with every prediction
}

TEST_CASE("ensemble: it acts until the first of its members expires, and has seen what any of them has") {
  const auto ensemble = Ensemble::make({model('c', 1, 1, 0.02), model('a', 1, 1, 0.02)}).value();
  CHECK(ensemble->expires_at() == Timestamp{1000 + 'a'});
  CHECK(ensemble->seen_until() == Timestamp{'c'});
  CHECK(ensemble->seen() == TrainingIntervals{{Timestamp{'a' - 1}, Timestamp{'a'}}, {Timestamp{'b'}, Timestamp{'c'}}});
  CHECK(ensemble->outside_share(std::vector{2.F}) == 1.0);
  CHECK(ensemble->outside_share(std::vector{0.5F}) == 0.0);
}

TEST_CASE("ensemble: a member that says nothing makes all of it missing") {
  Bundle wild = stump_bundle('b', 1e308, 0.1, 0.02);
  wild.calibrator = Calibrator::from_json(R"({"format":1,"kind":"linear","slope":10,"intercept":0})").value();
  const auto ensemble =
      Ensemble::make({model('a', 1, 1, 0.02), Predictor::bind(std::move(wild), {"x"}).value()}).value();
  CHECK(std::isnan(said(*ensemble, 0.F)));
  CHECK(said(*ensemble, 1.F) == 1);
}

TEST_CASE("ensemble: what does not belong together is refused by name") {
  CHECK(Ensemble::make({}).error().code == Code::Usage);
  const auto a = model('a', 1, 1, 0.02);
  CHECK(Ensemble::make({a, a}).error().message == "ensemble: aaaaaaaaaaaa is in it twice");
  Bundle other = stump_bundle('b', 1, 1, 0.02);
  other.card.target = "volatility";
  CHECK(Ensemble::make({a, Predictor::bind(std::move(other), {"x"}).value()}).error().code == Code::Model);
}

TEST_CASE("ensemble: its candidates are the champion and those before it, whole, never a refused or withdrawn one") {
  Registry registry;
  const auto add = [&](char name, ModelState state) {
    registry.add({.id = std::string(64, name),
                  .target = "t",
                  .state = state,
                  .trained_at = {},
                  .seen_until = {},
                  .promoted_at = {},
                  .retired_at = {},
                  .summary = ""});
  };
  CHECK(ensemble_candidates(registry, "t", 5).empty());
  for (const char name : {'a', 'b', 'c', 'd', 'e'}) add(name, ModelState::Candidate);
  add('f', ModelState::Refused);
  std::int64_t hour = 0;
  for (const char name : {'a', 'b', 'c', 'd', 'e'})
    REQUIRE(registry.promote(std::string(64, name), Timestamp{++hour}, false).has_value());
  registry.edit(std::string(64, 'b'))->whole = false;
  const auto names = [&](std::size_t size) {
    std::string all;
    for (const std::string& id : ensemble_candidates(registry, "t", size)) all += id.front();
    return all;
  };
  CHECK(names(5) == "edca");
  CHECK(names(2) == "ed");
  REQUIRE(registry.rollback("t", "", Timestamp{9}).has_value());
  CHECK(names(5) == "dca");
}
