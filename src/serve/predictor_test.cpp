#include "serve/predictor.hpp"

#include <doctest/doctest.h>

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

TEST_CASE("hot slot: a copy taken before a swap stays whole") {
  HotSlot slot;
  CHECK(slot.get() == nullptr);
  slot.swap(Predictor::bind(bundle(), {"a", "b", "c"}).value());
  const auto before = slot.get();
  slot.swap(nullptr);
  CHECK(slot.get() == nullptr);
  CHECK(said(*before, {0.F, 0.F, 7.F}) == 1.75);
}
