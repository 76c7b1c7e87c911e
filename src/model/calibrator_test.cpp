#include "model/calibrator.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace everlearn;

namespace {

struct Rows {
  std::vector<double> predictions, outcomes;
};

/// `outcome = intercept + slope * prediction` on 0, 1, ... 39.
Rows line(double intercept, double slope) {
  Rows rows;
  for (int i = 0; i < 40; ++i) {
    rows.predictions.push_back(i);
    rows.outcomes.push_back(intercept + slope * i);
  }
  return rows;
}

Calibrator fit(const Rows& rows) { return Calibrator::fit_linear(rows.predictions, rows.outcomes); }

}  // namespace

TEST_CASE("linear calibration finds slope and intercept by least squares") {
  const Calibrator calibrator = fit(line(3, 0.5));
  CHECK(calibrator.slope() == doctest::Approx(0.5));
  CHECK(calibrator.intercept() == doctest::Approx(3));
  CHECK(calibrator.apply(10.0) == doctest::Approx(8));
}

TEST_CASE("linear calibration: the slope is cut to [0, 1.5], the intercept keeps the mean") {
  const Calibrator steep = fit(line(0, 4));
  CHECK(steep.slope() == 1.5);
  CHECK(steep.apply(19.5) == doctest::Approx(78));  // mean prediction to mean outcome
  const Calibrator wrong_way = fit(line(0, -1));
  CHECK(wrong_way.slope() == 0);
  CHECK(wrong_way.apply(5.0) == doctest::Approx(-19.5));
}

TEST_CASE("linear calibration leaves out rows that are not finite; too few or constant ones change nothing") {
  Rows rows = line(3, 0.5);
  rows.predictions.push_back(std::numeric_limits<double>::quiet_NaN());
  rows.outcomes.push_back(1e9);
  CHECK(fit(rows) == fit(line(3, 0.5)));
  rows.predictions.assign(rows.outcomes.size(), 7);
  CHECK(fit(rows).kind() == Calibrator::Kind::Identity);
  CHECK(Calibrator::fit_linear(std::vector<double>(29, 1), std::vector<double>(29, 1)) == Calibrator{});
  CHECK(Calibrator{}.apply(0.1) == 0.1);
}

TEST_CASE("temperature: a model that says 0.9 and is right 3 times in 4 is cooled to 0.75") {
  std::vector<double> p, outcomes;
  for (int i = 0; i < 40; ++i) {
    p.insert(p.end(), {0.1, 0.9});
    outcomes.push_back(i % 4 == 0 ? 0 : 1);
  }
  const Calibrator calibrator = Calibrator::fit_temperature(p, 2, outcomes);
  REQUIRE(calibrator.kind() == Calibrator::Kind::Temperature);
  CHECK(calibrator.temperature() == doctest::Approx(std::log(9.0) / std::log(3.0)).epsilon(1e-6));
  std::vector<double> said{0.1, 0.9};
  calibrator.apply(said);
  CHECK(said[1] == doctest::Approx(0.75).epsilon(1e-6));
  CHECK(said[0] + said[1] == doctest::Approx(1));
}

TEST_CASE("temperature: probabilities that say nothing stay as they are, missing ones stay missing") {
  const Calibrator none = Calibrator::fit_temperature(std::vector<double>(80, 0.5), 2, std::vector<double>(40, 1.0));
  CHECK(none.kind() == Calibrator::Kind::Identity);
  const auto calibrator = Calibrator::from_json(R"({"format":1,"kind":"temperature","temperature":2.0})").value();
  std::vector<double> p{0.5, std::numeric_limits<double>::quiet_NaN()};
  calibrator.apply(p);
  CHECK(std::isnan(p[0]));
  p = {0.0, 1.0, 0.0};
  calibrator.apply(p);
  CHECK(p[1] == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("temperature does not change the order of classes") {
  CHECK(rc::check([] {
    const auto weights = *rc::gen::container<std::vector<int>>(3, rc::gen::inRange(1, 1000));
    std::vector<double> p;
    const double sum = weights[0] + weights[1] + weights[2];
    for (const int w : weights) p.push_back(w / sum);
    const double t = *rc::gen::element(0.05, 0.7, 3.0, 20.0);
    const auto calibrator =
        Calibrator::from_json(R"({"format":1,"kind":"temperature","temperature":)" + std::to_string(t) + "}").value();
    std::vector<double> q = p;
    calibrator.apply(q);
    RC_ASSERT(std::abs(q[0] + q[1] + q[2] - 1) < 1e-12);
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j)
        if (p[i] < p[j]) RC_ASSERT(q[i] <= q[j]);
  }));
}

TEST_CASE("calibrator.json reads back to the same bits") {
  CHECK(rc::check([](double unit, std::uint32_t shift) {
    Rows rows = line(unit * 1e-3, 0.1 + (shift % 1000) * 1e-3 / 3);
    rows.outcomes[7] += 0.3;
    const Calibrator calibrator = fit(rows);
    const auto again = Calibrator::from_json(calibrator.to_json());
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == calibrator);
  }));
  CHECK(Calibrator{}.to_json() == R"({"format":1,"kind":"identity"})");
}

TEST_CASE("a calibrator that makes no sense is refused") {
  const auto refused = [](const char* json) {
    const auto read = Calibrator::from_json(json);
    REQUIRE(!read);
    CHECK(read.error().code == Code::BadData);
    return read.error().message;
  };
  refused("{");
  refused(R"({"format":1,"kind":"linear","slope":1.0})");
  refused(R"({"format":1,"kind":"linear","slope":null,"intercept":0.0})");
  CHECK(refused(R"({"format":2,"kind":"identity"})") == "calibrator: format 2 is not 1");
  CHECK(refused(R"({"format":1,"kind":"isotonic"})") ==
        "calibrator: kind 'isotonic' is none of identity, linear, temperature");
  CHECK(refused(R"({"format":1,"kind":"temperature","temperature":0.0})") ==
        "calibrator: temperature 0 is not above 0");
}
