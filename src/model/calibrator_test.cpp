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

TEST_CASE("isotonic: one curve for two classes, through the share that came true") {
  // Says 0.1, 0.4 and 0.9; one in five, half and four in five come true.
  std::vector<double> p, outcomes;
  for (int i = 0; i < 300; ++i) {
    const double said = i % 3 == 0 ? 0.1 : i % 3 == 1 ? 0.4 : 0.9;
    const int turn = i / 3 % 10;
    p.insert(p.end(), {1 - said, said});
    outcomes.push_back(turn < (i % 3 == 0 ? 2 : i % 3 == 1 ? 5 : 8) ? 1 : 0);
  }
  const Calibrator calibrator = Calibrator::fit_isotonic(p, 2, outcomes);
  REQUIRE(calibrator.kind() == Calibrator::Kind::Isotonic);
  REQUIRE(calibrator.curves().size() == 1);
  CHECK(calibrator.curves().front().x == std::vector{0.1, 0.4, 0.9});
  const auto at = [&](double said) {
    std::vector<double> both{1 - said, said};
    calibrator.apply(both);
    CHECK(both[0] + both[1] == 1);
    return both[1];
  };
  CHECK(at(0.1) == doctest::Approx(0.2));
  CHECK(at(0.9) == doctest::Approx(0.8));
  CHECK(at(0.25) == doctest::Approx(0.35));  // a straight line between knots
  CHECK(at(0.0) == doctest::Approx(0.2));    // constant beyond them
  CHECK(at(1.0) == doctest::Approx(0.8));
}

namespace {

/// Rows of three classes; the model says the truth's probabilities raised to `power` and normalised.
struct ThreeClasses {
  std::vector<double> said, truth, outcomes;

  ThreeClasses(int rows, double power, unsigned seed) {
    std::uint64_t state = seed;
    const auto uniform = [&] {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      return static_cast<double>(state >> 11) / 9007199254740992.0;
    };
    for (int i = 0; i < rows; ++i) {
      double p[3], sum = 0, warped = 0;
      for (double& x : p) sum += x = 0.1 + uniform();
      for (double& x : p) warped += std::pow(x /= sum, power);
      const double u = uniform();
      outcomes.push_back(u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2);
      for (const double x : p) {
        truth.push_back(x);
        said.push_back(std::pow(x, power) / warped);
      }
    }
  }
};

}  // namespace

TEST_CASE("isotonic: a model that is too loud is brought near the truth, class by class") {
  const ThreeClasses rows{20'000, 3, 1}, later{2'000, 3, 2};
  const Calibrator calibrator = Calibrator::fit_isotonic(rows.said, 3, rows.outcomes);
  REQUIRE(calibrator.kind() == Calibrator::Kind::Isotonic);
  CHECK(calibrator.curves().size() == 3);
  double before = 0, after = 0;
  for (std::size_t i = 0; i < later.said.size(); i += 3) {
    std::vector<double> p(later.said.begin() + static_cast<std::ptrdiff_t>(i),
                          later.said.begin() + static_cast<std::ptrdiff_t>(i) + 3);
    for (std::size_t k = 0; k < 3; ++k) before += std::abs(p[k] - later.truth[i + k]);
    calibrator.apply(p);
    CHECK(p[0] + p[1] + p[2] == doctest::Approx(1));
    for (std::size_t k = 0; k < 3; ++k) after += std::abs(p[k] - later.truth[i + k]);
  }
  CHECK(after < before / 3);
}

TEST_CASE("isotonic does no harm: too few rows, or a model that means what it says, stay as they are") {
  const ThreeClasses loud{199, 3, 1};
  CHECK(Calibrator::fit_isotonic(loud.said, 3, loud.outcomes) == Calibrator{});
  // Curves of 500 rows follow the noise and lose on the other 500, but for a stroke of luck.
  int taken = 0;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    const ThreeClasses honest{1000, 1, seed * 977};
    if (Calibrator::fit_isotonic(honest.said, 3, honest.outcomes) != Calibrator{}) ++taken;
  }
  CHECK(taken <= 1);
}

TEST_CASE("isotonic: rows with a missing probability or outcome are left out, and stay missing") {
  ThreeClasses rows{2'000, 3, 1};
  const Calibrator calibrator = Calibrator::fit_isotonic(rows.said, 3, rows.outcomes);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  rows.said.insert(rows.said.end(), {nan, 0.5, 0.5, 0.2, 0.3, 0.5});
  rows.outcomes.insert(rows.outcomes.end(), {1, nan});
  CHECK(Calibrator::fit_isotonic(rows.said, 3, rows.outcomes) == calibrator);
  std::vector<double> p{0.1, nan, 0.9};
  calibrator.apply(p);
  CHECK(std::isnan(p[0]));
}

TEST_CASE("isotonic: at most 256 knots a curve, however many rows, and it reads back to the same bits") {
  const ThreeClasses rows{200'000, 2, 5};
  const Calibrator calibrator = Calibrator::fit_isotonic(rows.said, 3, rows.outcomes);
  REQUIRE(calibrator.kind() == Calibrator::Kind::Isotonic);
  std::size_t most = 0;
  for (const Calibrator::Curve& curve : calibrator.curves()) {
    most = std::max(most, curve.x.size());
    CHECK(curve.y.front() > 0);
    CHECK(curve.y.back() < 1);
  }
  CHECK(most <= 256);
  CHECK(most > 100);
  CHECK(calibrator.to_json().starts_with(R"({"format":2,"kind":"isotonic")"));
  CHECK(Calibrator::from_json(calibrator.to_json()).value() == calibrator);
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
  CHECK(refused(R"({"format":3,"kind":"identity"})") == "calibrator: format 3 is none of 1, 2");
  CHECK(refused(R"({"format":1,"kind":"platt"})") ==
        "calibrator: kind 'platt' is none of identity, linear, temperature, isotonic");
  const auto curve = [&](const std::string& x, const std::string& y) {
    return refused((R"({"format":2,"kind":"isotonic","curves":[{"x":)" + x + R"(,"y":)" + y + "}]}").c_str());
  };
  CHECK(curve("[]", "[]") == "calibrator: a curve of 0 places and 0 values, 1 to 256 of each wanted");
  CHECK(curve("[0.1,0.2]", "[0.1]") == "calibrator: a curve of 2 places and 1 values, 1 to 256 of each wanted");
  CHECK(curve("[0.1]", "[0.0]") == "calibrator: knot 0 at 0.1 with value 0 is not in (0, 1)");
  CHECK(curve("[0.1,0.2]", "[0.5,0.4]") ==
        "calibrator: knot 1 at 0.2 with value 0.4 does not follow 0.1 with value 0.5");
  CHECK(curve("[0.1,0.1]", "[0.5,0.6]") ==
        "calibrator: knot 1 at 0.1 with value 0.6 does not follow 0.1 with value 0.5");
  CHECK(refused(R"({"format":2,"kind":"isotonic","curves":[]})") == "calibrator: 0 curves are those of no classes");
  CHECK(refused(R"({"format":1,"kind":"temperature","temperature":0.0})") ==
        "calibrator: temperature 0 is not above 0");
}
