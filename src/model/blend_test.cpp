#include "model/blend.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace everlearn;

namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
}

TEST_CASE("blend: weight times the model plus the rest of the baseline") {
  CHECK(blend(1.0, 2.0, 0.75) == 1.25);
  CHECK(blend(1.0, 2.0, 0) == 2.0);
}

TEST_CASE("blend: who is missing leaves the word to the other") {
  CHECK(blend(kNan, 2.0, 0.7) == 2.0);
  CHECK(blend(1.0, kNan, 0.7) == 1.0);
  CHECK(std::isnan(blend(kNan, kNan, 0.7)));
}

TEST_CASE("blend: probabilities stay probabilities; one missing class is a missing model") {
  std::vector<double> out(2);
  blend(std::vector{0.5, 0.5}, std::vector{0.25, 0.75}, 0.5, out);
  CHECK(out == std::vector{0.375, 0.625});
  blend(std::vector{0.5, kNan}, std::vector{0.25, 0.75}, 0.5, out);
  CHECK(out == std::vector{0.25, 0.75});
  blend(std::vector{0.5, 0.5}, std::vector{kNan, kNan}, 0.5, out);
  CHECK(out == std::vector{0.5, 0.5});
}

TEST_CASE("blend: the model's weight is at most 0.95") {
  CHECK(check_model_weight(0.95, "blend.weight"));
  CHECK(check_model_weight(0, "blend.weight"));
  CHECK(!check_model_weight(-0.1, "blend.weight"));
  CHECK(!check_model_weight(kNan, "blend.weight"));
  CHECK(check_model_weight(1, "blend.weight").error().message == "blend.weight = 1 is not in [0, 0.95]");
}

TEST_CASE("a change of a price in [0, 1] ends a tick inside, in every unit") {
  CHECK(change_inside(0.9, 0.5, ReturnUnit::Points, 0.01) == doctest::Approx(0.49));
  CHECK(change_inside(-0.9, 0.5, ReturnUnit::Points, 0.01) == doctest::Approx(-0.49));
  CHECK(change_inside(0.1, 0.5, ReturnUnit::Points, 0.01) == 0.1);
  CHECK(change_inside(9, 0.5, ReturnUnit::Relative, 0.01) == doctest::Approx(0.98));
  CHECK(change_inside(9, 0.5, ReturnUnit::Log, 0.01) == doctest::Approx(std::log(1.98)));
  CHECK(std::isnan(change_inside(kNan, 0.5, ReturnUnit::Points, 0.01)));
}

TEST_CASE("a price nearer to the edge than a tick is not pushed inside: no change stays no change") {
  for (const auto unit : {ReturnUnit::Points, ReturnUnit::Relative, ReturnUnit::Log}) {
    CHECK(change_inside(0, 0.005, unit, 0.01) == 0);
    CHECK(change_inside(-1, 0.005, unit, 0.01) == 0);
    CHECK(change_inside(1, 0.995, unit, 0.01) == 0);
  }
  CHECK(change_inside(1, 0, ReturnUnit::Relative, 0.01) == 0);
}
