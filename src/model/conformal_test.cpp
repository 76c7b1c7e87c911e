#include "model/conformal.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/rng.hpp"

using namespace everlearn;

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

/// `n` rows of two classes, the outcome 1 with p = i / 10 in row i: scores 1 - i / 10.
struct Ladder {
  std::vector<double> acts, outcomes;
  explicit Ladder(int n) {
    for (int i = 1; i <= n; ++i) {
      acts.insert(acts.end(), {1 - i / 10.0, i / 10.0});
      outcomes.push_back(1);
    }
  }
  ConformalSets fit(double alpha) const { return ConformalSets::fit(acts, 2, outcomes, alpha); }
};

}  // namespace

TEST_CASE("conformal: the threshold is the ceil((n + 1) (1 - alpha))-th smallest score") {
  const Ladder nine{9};                                       // scores 0.1 ... 0.9
  CHECK(nine.fit(0.1).threshold() == doctest::Approx(0.9));   // 9th, though 10 * 0.9 may round up
  CHECK(nine.fit(0.2).threshold() == doctest::Approx(0.8));   // 8th
  CHECK(nine.fit(0.25).threshold() == doctest::Approx(0.8));  // ceil(7.5)
  CHECK(nine.fit(0.09).threshold() == 1);                     // ceil(9.1) is one more than there are: every class
  CHECK(ConformalSets::fit({}, 3, {}, 0.5).threshold() == 1);
  CHECK(nine.fit(0.2).rows() == 9);
  CHECK(nine.fit(0.2).alpha() == 0.2);
}

TEST_CASE("conformal: the set holds every class that is likely enough, the likeliest if none is") {
  const ConformalSets sets = Ladder{9}.fit(0.4);  // threshold 0.6: p >= 0.4
  using P = std::vector<double>;
  CHECK(sets.set(P{0.45, 0.45, 0.1}) == 0b011);
  CHECK(sets.set(P{0.05, 0.05, 0.9}) == 0b100);
  CHECK(sets.set(P{0.35, 0.35, 0.3}) == 0b001);  // empty: the first of the likeliest
  CHECK(sets.set(P{0.1, kNan, 0.9}) == 0);
  CHECK(sets.set(P{}) == 0);
  CHECK(ConformalSets::fit({}, 3, {}, 0.1).set(P{1, 0, 0}) == 0b111);
}

TEST_CASE("conformal: rows that say nothing are not counted") {
  Ladder rows{9};
  const ConformalSets before = rows.fit(0.2);
  rows.acts.insert(rows.acts.end(), {kNan, 0.5, 0.5, 0.5});
  rows.outcomes.insert(rows.outcomes.end(), {1, kNan});
  CHECK(rows.fit(0.2) == before);
}

TEST_CASE("conformal: of fitted rows at least the share promised is covered") {
  CHECK(rc::check([] {
    const int n = *rc::gen::inRange(1, 60);
    const double alpha = *rc::gen::inRange(1, 51) / 100.0;
    std::vector<double> acts, outcomes;
    for (int i = 0; i < n; ++i) {
      const double a = *rc::gen::inRange(1, 50), b = *rc::gen::inRange(1, 50), c = *rc::gen::inRange(1, 50);
      acts.insert(acts.end(), {a / (a + b + c), b / (a + b + c), c / (a + b + c)});
      outcomes.push_back(*rc::gen::inRange(0, 3));
    }
    const ConformalSets sets = ConformalSets::fit(acts, 3, outcomes, alpha);
    int covered = 0;
    for (int i = 0; i < n; ++i)
      covered += sets.set(std::span{acts}.subspan(static_cast<std::size_t>(i) * 3, 3)) >>
                     static_cast<int>(outcomes[static_cast<std::size_t>(i)]) &
                 1u;
    RC_ASSERT(covered >= (1 - alpha) * n - 1e-9);
  }));
}

TEST_CASE("conformal: later rows like the fitted ones are covered as promised, whatever the model says") {
  Rng random{11};
  const auto draw = [&](std::vector<double>& acts, std::vector<double>& outcomes, int n) {
    for (int i = 0; i < n; ++i) {
      const double p = random.uniform();
      acts.insert(acts.end(), {1 - p, p});
      outcomes.push_back(random.uniform() < 0.2 + 0.3 * p ? 1 : 0);  // the model is far too loud
    }
  };
  double covered = 0, rows = 0;
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> acts, outcomes, later, came;
    draw(acts, outcomes, 99);
    draw(later, came, 100);
    const ConformalSets sets = ConformalSets::fit(acts, 2, outcomes, 0.1);
    for (std::size_t i = 0; i < came.size(); ++i, ++rows)
      covered += sets.set(std::span{later}.subspan(2 * i, 2)) >> static_cast<int>(came[i]) & 1u;
  }
  // Exactly 0.9 on average over fits of 99 rows; one fit's coverage has a standard deviation of 0.03.
  CHECK(covered / rows == doctest::Approx(0.9).epsilon(0.01));
}

TEST_CASE("conformal.json reads back to the same bits; what makes no sense is refused") {
  const ConformalSets sets = Ladder{9}.fit(0.3);
  CHECK(ConformalSets::from_json(sets.to_json()).value() == sets);
  const auto refused = [](const std::string& members) {
    const auto read = ConformalSets::from_json("{" + members + "}");
    REQUIRE(!read);
    CHECK(read.error().code == Code::BadData);
    return read.error().message;
  };
  const std::string score = R"x("score":"1 - p(outcome)",)x";
  CHECK(refused(R"("format":2,)" + score + R"("alpha":0.1,"threshold":0.5,"rows":9)") ==
        "conformal sets: format 2 is not 1");
  CHECK(refused(R"("format":1,"score":"aps","alpha":0.1,"threshold":0.5,"rows":9)") ==
        "conformal sets: score 'aps' is not '1 - p(outcome)'");
  CHECK(refused(R"("format":1,)" + score + R"("alpha":1.0,"threshold":0.5,"rows":9)") ==
        "conformal sets: alpha 1 is not in (0, 1)");
  CHECK(refused(R"("format":1,)" + score + R"("alpha":0.1,"threshold":null,"rows":9)") ==
        "conformal sets: threshold nan is not in [0, 1]");
}
