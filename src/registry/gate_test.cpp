#include "registry/gate.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/rng.hpp"

using namespace everlearn;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
Timestamp day(std::int64_t n) { return Timestamp{} + Duration::days(n); }

/// Sum of twelve uniforms less six: mean 0, variance 1.
double normal(Rng& rng) {
  double x = -6;
  for (int i = 0; i < 12; ++i) x += rng.uniform();
  return x;
}

GateRules rules() {
  GateRules r;
  r.min_effective = 100;
  r.block = Duration::days(10);
  r.seed = 1;
  r.label_min = -1;
  r.label_max = 1;
  return r;
}

/// 120 days of 10 instruments at a price of 100; a move of a day is signal + noise, of 1 % each. `skill` in [0, 1] of
/// the signal is what the candidate says; the baseline says nothing.
std::vector<HoldoutRow> market(double skill, std::uint64_t seed = 5, std::uint32_t instruments = 10, int days = 120) {
  Rng rng{seed};
  std::vector<HoldoutRow> rows;
  for (int d = 0; d < days; ++d) {
    for (std::uint32_t id = 0; id < instruments; ++id) {
      const double signal = 0.01 * normal(rng), noise = 0.01 * normal(rng);
      HoldoutRow row;
      row.instrument = InstrumentId{id};
      row.event_time = day(d);
      row.label_end = day(d + 1);
      row.outcome = signal + noise;
      row.price = 100;
      row.move = 100 * row.outcome;
      row.baseline = {0};
      row.candidate = {skill * signal};
      rows.push_back(row);
    }
  }
  return rows;
}

template <class F>
std::vector<HoldoutRow> changed(std::vector<HoldoutRow> rows, F&& change) {
  for (HoldoutRow& row : rows) change(row);
  return rows;
}

Verdict review(const GateRules& r, const std::vector<HoldoutRow>& rows) {
  const auto verdict = Gate{r}.review(rows);
  REQUIRE(verdict);
  return *verdict;
}

const Check& find(const Verdict& verdict, std::string_view name) {
  const Check* found = nullptr;
  for (const Check& check : verdict.checks) {
    if (check.name != name) continue;
    REQUIRE(found == nullptr);  // each name once
    found = &check;
  }
  INFO("check ", std::string{name});
  REQUIRE(found != nullptr);
  return *found;
}

std::vector<std::string> failed(const Verdict& verdict) {
  std::vector<std::string> names;
  for (const Check& check : verdict.checks)
    if (!check.passed) names.push_back(check.name);
  return names;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("a candidate with skill is promoted over the baseline") {
  const Verdict verdict = review(rules(), market(1));
  CHECK(verdict.outcome == Outcome::Promoted);
  CHECK(failed(verdict).empty());
  CHECK(verdict.rows == 1200);
  CHECK(verdict.effective == 1200);
  CHECK(verdict.holdout_first == day(0));
  CHECK(verdict.holdout_last == day(119));
  CHECK(find(verdict, "r2").measured == doctest::Approx(0.5).epsilon(0.05));
  CHECK(find(verdict, "gain_over_baseline").measured == doctest::Approx(0.5).epsilon(0.05));
  CHECK(find(verdict, "gain_over_no_change_p05").measured > 0.4);
  CHECK(find(verdict, "direction_accuracy").measured == doctest::Approx(0.75).epsilon(0.05));
  MESSAGE(verdict.reason);
}

TEST_CASE("a candidate that says what the champion says is refused, unless not being worse is enough") {
  const auto rows = changed(market(1), [](HoldoutRow& row) { row.champion = row.candidate; });
  const Verdict verdict = review(rules(), rows);
  CHECK(verdict.outcome == Outcome::Refused);
  CHECK(failed(verdict) == Names{"gain_over_champion", "gain_over_champion_p05"});
  CHECK(verdict.reason == "refused by gain_over_champion 0 (required 0), gain_over_champion_p05 0 (required 0)");
  GateRules equal_is_fine = rules();
  equal_is_fine.comparison = Comparison::NonInferior;
  equal_is_fine.margin = 0.01;
  CHECK(review(equal_is_fine, rows).outcome == Outcome::Promoted);
}

TEST_CASE("a better candidate replaces a champion, a worse one does not") {
  const auto champion_half = changed(market(1), [](HoldoutRow& row) { row.champion = {row.candidate[0] / 2}; });
  CHECK(review(rules(), champion_half).outcome == Outcome::Promoted);
  const auto candidate_half = changed(market(1), [](HoldoutRow& row) {
    row.champion = row.candidate;
    row.candidate = {row.candidate[0] / 2};
  });
  const Verdict verdict = review(rules(), candidate_half);
  CHECK(verdict.outcome == Outcome::Refused);
  CHECK(failed(verdict) == Names{"gain_over_champion", "gain_over_champion_p05"});
  CHECK(find(verdict, "gain_over_baseline").measured > 0);  // only told: the champion is the measure
}

TEST_CASE("the first champion must beat no change too, not only a poor baseline") {
  const auto rows = changed(market(0), [](HoldoutRow& row) {
    row.baseline = {0.5};  // far off
    row.candidate = {0.02};
    row.candidate[0] += row.outcome * 1e-6;
  });
  const Verdict verdict = review(rules(), rows);
  CHECK(verdict.outcome == Outcome::Refused);
  CHECK(find(verdict, "gain_over_baseline_p05").passed);
  CHECK(failed(verdict) == Names{"r2_no_change", "gain_over_no_change", "gain_over_no_change_p05"});
}

TEST_CASE("missing predictions are refused by name") {
  auto rows = market(1);
  rows[7].candidate = {kNan};
  rows[8].candidate = {std::numeric_limits<double>::infinity()};
  const Verdict verdict = review(rules(), rows);
  CHECK(verdict.outcome == Outcome::Refused);
  CHECK(failed(verdict) == Names{"finite"});
  CHECK(verdict.reason == "refused by finite 2 (required 0)");
  const Verdict none = review(rules(), changed(market(1), [](HoldoutRow& row) { row.candidate = {kNan}; }));
  CHECK(none.outcome == Outcome::Refused);
  CHECK(find(none, "finite").measured == 1200);
}

TEST_CASE("a constant prediction is refused by name, however its sum rounds") {
  GateRules r = rules();
  r.draws = 1;
  auto rows = market(1, 5, 1, 120);
  for (int i = 1; i <= 50; ++i) {
    for (HoldoutRow& row : rows) row.candidate = {i / 97.0};
    const Verdict verdict = review(r, rows);
    CHECK(verdict.outcome == Outcome::Refused);
    CHECK(find(verdict, "not_constant").measured == 0);
    CHECK(!find(verdict, "not_constant").passed);
  }
}

TEST_CASE("a wild prediction is refused by name, unless the row's own baseline is as far out") {
  auto rows = market(1);
  rows[100].candidate = {8.7e34};
  CHECK(find(review(rules(), rows), "inside_label_range").measured == 1);
  CHECK(review(rules(), rows).outcome == Outcome::Refused);
  rows[100].candidate = {1.5};
  CHECK(!find(review(rules(), rows), "inside_label_range").passed);
  rows[100].baseline = {1.6};
  CHECK(find(review(rules(), rows), "inside_label_range").passed);
}

TEST_CASE("a gain that comes from one instrument is refused by name") {
  const auto rows = changed(market(1), [](HoldoutRow& row) {
    if (row.instrument != InstrumentId{3}) row.candidate[0] *= 0.02;
  });
  const Verdict verdict = review(rules(), rows);
  CHECK(verdict.outcome == Outcome::Refused);
  CHECK(failed(verdict) == Names{"gain_share"});
  CHECK(find(verdict, "gain_share").required == 0.25);
  CHECK(find(verdict, "gain_share").note == "instrument 3, of 10 instruments");
}

TEST_CASE("with few instruments the share may be 2 / instruments") {
  CHECK(find(review(rules(), market(1, 5, 4, 120)), "gain_share").required == 0.5);
  CHECK(find(review(rules(), market(1, 5, 1, 120)), "gain_share").required == 2);
  CHECK(review(rules(), market(1, 5, 1, 120)).outcome == Outcome::Promoted);
}

TEST_CASE("gain share by hand: 3 of 4, where what is lost elsewhere does not count") {
  std::vector<HoldoutRow> rows;
  const double candidate[] = {1, 2 - std::sqrt(3.0), 4};  // saves 3, 1 and -5 of a loss of 4 each
  for (std::uint32_t id = 0; id < 3; ++id) {
    HoldoutRow row;
    row.instrument = InstrumentId{id};
    row.event_time = day(0);
    row.label_end = day(1);
    row.outcome = 2;
    row.baseline = {0};
    row.candidate = {id == 1 ? candidate[1] : id == 0 ? candidate[0] : 5.0};
    rows.push_back(row);
  }
  const Verdict verdict = review(rules(), rows);
  CHECK(find(verdict, "gain_share").measured == doctest::Approx(3.0 / 4));
}

TEST_CASE("too few effective samples or blocks: insufficient, and the figures are still told") {
  GateRules many = rules();
  many.min_effective = 1201;
  const Verdict few = review(many, market(1));
  CHECK(few.outcome == Outcome::Insufficient);
  CHECK(few.reason == "too little to judge by: 1200 of 1201 effective samples, 12 of 5 blocks of 10d");
  CHECK(find(few, "r2").measured > 0);
  GateRules blocks = rules();
  blocks.min_blocks = 13;
  CHECK(failed(review(blocks, market(1))) == Names{"blocks"});
  CHECK(review(blocks, market(1)).outcome == Outcome::Insufficient);
  CHECK(review(rules(), {}).outcome == Outcome::Insufficient);
  CHECK(review(rules(), {}).reason == "no unseen rows");
}

TEST_CASE("labels that overlap count once") {
  const auto rows = changed(market(1), [](HoldoutRow& row) { row.label_end = row.event_time + Duration::days(5); });
  CHECK(review(rules(), rows).effective == 240);
}

TEST_CASE("r2 and its companions by hand") {
  std::vector<HoldoutRow> rows;
  const double outcome[] = {1, 2, 4, 5}, said[] = {1.5, 2, 3, 5.5}, no_change[] = {1, 1, 2, 4};
  for (int i = 0; i < 4; ++i) {
    HoldoutRow row;
    row.event_time = day(i);
    row.label_end = day(i + 1);
    row.outcome = outcome[i];
    row.no_change = no_change[i];
    row.baseline = {0};
    row.candidate = {said[i]};
    rows.push_back(row);
  }
  GateRules r = rules();
  r.label_max = 10;
  r.directional = false;
  r.min_effective = 4;
  r.min_blocks = 1;
  r.require = {{"r2", 0.8}, {"r2_no_change", 0.76}, {"r2_baseline", 0.9}, {"rmse_ratio", 5}};
  const Verdict verdict = review(r, rows);
  CHECK(find(verdict, "r2").measured == doctest::Approx(0.85));
  CHECK(find(verdict, "r2_no_change").measured == doctest::Approx(0.75));
  CHECK(find(verdict, "r2_baseline").measured == doctest::Approx(1 - 1.5 / 46));
  CHECK(find(verdict, "rmse_ratio").measured == doctest::Approx(std::sqrt(46 / 1.5)));
  CHECK(find(verdict, "gain_over_no_change").measured == doctest::Approx(0.75));
  CHECK(find(verdict, "gain_over_baseline").measured == doctest::Approx(1 - 1.5 / 46));
  CHECK(failed(verdict) == Names{"r2_no_change"});
  CHECK(verdict.reason == "refused by r2_no_change 0.75 (required 0.76)");
}

TEST_CASE("direction accuracy must beat the majority share by a hundredth, not only what is asked") {
  // 80 % of the moves go up; a candidate that mostly says up is right as often as a constant guess.
  GateRules r = rules();
  r.require = {{"direction_accuracy", 0.52}};
  auto rows = market(0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].outcome = i % 5 == 0 ? -0.01 : 0.01;
    rows[i].move = 100 * rows[i].outcome;
    rows[i].candidate = {0.006 + 1e-5 * static_cast<double>(i % 7)};
  }
  const Verdict verdict = review(r, rows);
  CHECK(verdict.outcome == Outcome::Refused);
  CHECK(failed(verdict) == Names{"direction_accuracy"});
  CHECK(find(verdict, "direction_accuracy").measured == 0.8);
  CHECK(find(verdict, "direction_accuracy").required == doctest::Approx(0.81));
  CHECK(find(verdict, "majority_direction").measured == 0.8);
}

TEST_CASE("moves under half a tick are no directions; where none is left the verdict is insufficient") {
  GateRules r = rules();
  r.require = {{"direction_accuracy", 0.52}};
  r.half_tick = 1e6;
  const Verdict verdict = review(r, market(1));
  CHECK(verdict.outcome == Outcome::Insufficient);
  CHECK(find(verdict, "zero_share").measured == 1);
  CHECK(verdict.reason.starts_with("too little to judge by: direction_accuracy not measurable"));
}

TEST_CASE("Sharpe of following the sign, one position an instrument at a time, after costs") {
  // Two instruments, 40 days; each label lasts two days, so every other row finds its instrument busy.
  GateRules r = rules();
  r.require = {{"sharpe", 0.5}};
  r.cost_relative = 0.001;
  r.min_effective = 1;
  r.min_blocks = 1;
  std::vector<HoldoutRow> rows;
  for (int d = 0; d < 40; ++d) {
    for (std::uint32_t id = 0; id < 2; ++id) {
      HoldoutRow row;
      row.instrument = InstrumentId{id};
      row.event_time = day(d);
      row.label_end = day(d + 2);
      row.outcome = id == 0 ? (d % 4 == 0 ? 0.011 : 0.005) : -0.021;
      row.price = 10;
      row.move = 10 * row.outcome;
      row.baseline = {0};
      row.candidate = {id == 0 ? 0.002 : -0.0010001};
      rows.push_back(row);
    }
  }
  const Verdict verdict = review(r, rows);
  // Decided on even days, booked two days later: of 42 days 10 earn (0.010 + 0.020) / 2, 10 (0.004 + 0.020) / 2.
  const double mean = (10 * 0.015 + 10 * 0.012) / 42;
  const auto square = [mean](double x) { return (x - mean) * (x - mean); };
  const double variance = (10 * square(0.015) + 10 * square(0.012) + 22 * square(0)) / 41;
  CHECK(find(verdict, "sharpe").measured == doctest::Approx(mean / std::sqrt(variance) * std::sqrt(252.0)));
  CHECK(find(verdict, "sharpe").note.starts_with("42 days, 40 trades, standard error "));
  // A promise that does not pay its costs opens nothing: too few trades to measure.
  r.cost_relative = 0.0011;
  const Verdict fewer = review(r, rows);
  CHECK(!find(fewer, "sharpe").passed);
  CHECK(find(fewer, "sharpe").note.starts_with("insufficient: 42 of 20 days, 20 of 30 trades"));
}

TEST_CASE("a ratio to the champion's Sharpe applies only where that is above 0") {
  GateRules r = rules();
  r.require = {{"sharpe_ratio", 0.9}};
  const auto good = changed(market(1), [](HoldoutRow& row) { row.champion = {row.candidate[0] * 0.5}; });
  CHECK(find(review(r, good), "sharpe_ratio").measured == doctest::Approx(1));  // the same signs
  const auto bad = changed(market(1), [](HoldoutRow& row) { row.champion = {-row.candidate[0]}; });
  CHECK(std::isnan(find(review(r, bad), "sharpe_ratio").required));
  CHECK(review(r, bad).outcome == Outcome::Promoted);
  CHECK(review(r, market(1)).outcome == Outcome::Promoted);
}

TEST_CASE("classes are compared by log loss") {
  GateRules r = rules();
  r.task = Task::Binary;
  r.classes = 2;
  r.require = {{"accuracy", 0.7}, {"accuracy_recent_200", 0.6}, {"log_loss_gain", 0.05}, {"brier_gain", 0.05}};
  const auto rows = changed(market(1), [](HoldoutRow& row) {
    const bool up = row.candidate[0] > 0;
    row.outcome = row.outcome > 0 ? 1 : 0;
    row.baseline = {0.5, 0.5};
    row.candidate = {up ? 0.25 : 0.75, up ? 0.75 : 0.25};
    row.no_change = kNan;
  });
  const Verdict verdict = review(r, rows);
  CHECK(verdict.outcome == Outcome::Promoted);
  CHECK(find(verdict, "accuracy").measured == doctest::Approx(0.75).epsilon(0.05));
  CHECK(find(verdict, "log_loss_gain").measured == doctest::Approx(find(verdict, "gain_over_baseline").measured));
  CHECK(find(verdict, "direction_accuracy").measured == find(verdict, "accuracy").measured);
  for (const auto& no_distribution : {std::vector{0.9, 0.9}, {-0.1, 1.1}, {kNan, 1.0}}) {
    auto broken = rows;
    broken[0].candidate = no_distribution;
    CHECK(failed(review(r, broken)) == Names{"finite"});
  }
}

TEST_CASE("three classes: saying flat is no direction") {
  GateRules r = rules();
  r.task = Task::Multiclass;
  r.classes = 3;
  r.min_blocks = 1;
  r.min_effective = 1;
  auto rows = market(1, 5, 1, 3);
  for (HoldoutRow& row : rows) {
    row.baseline = {1.0 / 3, 1.0 / 3, 1.0 / 3};
    row.outcome = 2;
    row.move = 1;
  }
  rows[0].candidate = {0.1, 0.2, 0.7};
  rows[1].candidate = {0.2, 0.5, 0.3};
  rows[2].candidate = {0.7, 0.2, 0.1};
  CHECK(find(review(r, rows), "direction_accuracy").measured == doctest::Approx(1.0 / 3));
}

TEST_CASE("classes: reliability before and after calibration, and what prediction sets hold; it only informs") {
  GateRules r = rules();
  r.task = Task::Binary;
  r.classes = 2;
  // Three in four right: says 0.75 after calibration, 0.95 before it; every second set has one class.
  std::size_t n = 0;
  const auto rows = changed(market(1), [&](HoldoutRow& row) {
    const bool up = n % 2 == 0, right = n % 8 < 6;
    row.outcome = up == right ? 1 : 0;
    row.move = up == right ? 1 : -1;
    row.baseline = {0.5, 0.5};
    row.candidate = {up ? 0.25 : 0.75, up ? 0.75 : 0.25};
    row.candidate_uncalibrated = {up ? 0.05 : 0.95, up ? 0.95 : 0.05};
    row.set = n % 16 < 8 ? 0b11 : up ? 0b10 : 0b01;
    row.no_change = kNan;
    ++n;
  });
  const Verdict verdict = review(r, rows);
  CHECK(verdict.outcome == Outcome::Promoted);
  CHECK(find(verdict, "ece_before").measured == doctest::Approx(0.2));
  CHECK(find(verdict, "ece_after").measured == doctest::Approx(0).epsilon(1e-12));
  CHECK(find(verdict, "class_ece_before").measured == doctest::Approx(0.2));
  CHECK(find(verdict, "class_ece_after").measured == doctest::Approx(0).epsilon(1e-12));
  CHECK(find(verdict, "log_loss_before").measured == doctest::Approx(-0.75 * std::log(0.95) - 0.25 * std::log(0.05)));
  CHECK(find(verdict, "conformal_coverage").measured == 0.875);  // of the rows with one class a quarter is missed
  CHECK(find(verdict, "conformal_coverage").note ==
        "1200 rows, standard error 0.0095 were they independent; 1.50 classes a set");
  CHECK(find(verdict, "conformal_single_share").measured == 0.5);
  for (const char* name : {"ece_before", "ece_after", "conformal_coverage"})
    CHECK(std::isnan(find(verdict, name).required));
  CHECK(verdict.reliability_before.bins[14].n == 1200);
  CHECK(verdict.reliability_after.bins[11].share == 0.75);

  const Verdict without = review(r, changed(rows, [](HoldoutRow& row) {
                                   row.set = 0;
                                   row.candidate_uncalibrated.clear();
                                 }));
  for (const Check& check : without.checks) {
    CHECK(!check.name.ends_with("_before"));
    CHECK(!check.name.starts_with("conformal"));
  }
  CHECK(without.reliability_before.bins.empty());
  auto some = rows;
  some[3].candidate_uncalibrated.clear();
  CHECK(Gate{r}.review(some).error().message.ends_with("0 values before calibration, not 2"));
}

TEST_CASE("superior asks for a lower bound above 0, better for one above minus the margin") {
  // A small gain that luck could explain.
  auto rows = market(0, 9);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].candidate = {i % 2 == 0 ? 0.00001 : -0.00001};
  double gain = 0;
  for (HoldoutRow& row : rows) gain += row.outcome * row.candidate[0];
  if (gain < 0)
    for (HoldoutRow& row : rows) row.candidate[0] = -row.candidate[0];
  GateRules r = rules();
  r.max_gain_share = 1;
  r.margin = 0.02;
  CHECK(review(r, rows).outcome == Outcome::Promoted);
  r.comparison = Comparison::Superior;
  CHECK(review(r, rows).outcome == Outcome::Refused);
  CHECK(failed(review(r, rows)) == Names{"gain_over_baseline_p05", "gain_over_no_change_p05"});
}

TEST_CASE("rules and rows that make no sense are errors, not verdicts") {
  const auto refused = [](auto change) {
    GateRules r = rules();
    auto rows = market(1, 5, 2, 3);
    change(r, rows);
    const auto verdict = Gate{r}.review(rows);
    REQUIRE(!verdict);
    return verdict.error().message;
  };
  using Rows = std::vector<HoldoutRow>;
  CHECK(refused([](GateRules& r, Rows&) { r.draws = 0; }) == "gate: 0 bootstrap draws are not in 1..1000000");
  CHECK(refused([](GateRules& r, Rows&) { r.block = Duration{}; }) == "gate: block 0s is not above 0");
  CHECK(refused([](GateRules& r, Rows&) {
          r.require = {{"r3", 1}};
        }) == "gate: requirement \"r3\" does not fit this target");
  CHECK(refused([](GateRules& r, Rows&) {
          r.require = {{"accuracy", 1}};
        }) == "gate: requirement \"accuracy\" does not fit this target");
  CHECK(refused([](GateRules& r, Rows&) {
          r.directional = false;
          r.require = {{"sharpe", 1}};
        }) == "gate: requirement \"sharpe\" does not fit this target");
  CHECK(refused([](GateRules& r, Rows&) { r.task = Task::Binary; }) == "gate: 0 classes in a binary task");
  CHECK(refused([](GateRules&, Rows& rows) { std::swap(rows[0], rows[1]); }) ==
        "hold-out row of instrument 0 at 1970-01-01T00:00:00.000000Z: not after the row before");
  CHECK(refused([](GateRules&, Rows& rows) {
          rows[3].candidate = {1, 2};
        }) == "hold-out row of instrument 1 at 1970-01-02T00:00:00.000000Z: 2 values, not 1");
  CHECK(refused([](GateRules&, Rows& rows) { rows[3].champion = {1}; }) ==
        "hold-out row of instrument 1 at 1970-01-02T00:00:00.000000Z: a champion on some rows only");
  CHECK(refused([](GateRules&, Rows& rows) { rows[0].outcome = kNan; }).find("outcome nan") != std::string::npos);
}

TEST_CASE("the same rows and seed give the same verdict; another seed draws other blocks") {
  GateRules r = rules();
  const auto rows = market(0.3);
  CHECK(review(r, rows).canonical() == review(r, rows).canonical());
  const double low = find(review(r, rows), "gain_over_baseline_p05").measured;
  r.seed = 2;
  CHECK(find(review(r, rows), "gain_over_baseline_p05").measured != low);
}

TEST_CASE("which number an instrument has does not change the verdict") {
  CHECK(rc::check([](std::uint64_t seed) {
    GateRules r = rules();
    r.draws = 200;
    r.require = {{"r2", 0.01}, {"direction_accuracy", 0.5}, {"sharpe", 0.1}};
    const double skill = *rc::gen::element(0.0, 0.1, 0.5);
    const auto rows = market(skill, seed, 5, 60);
    std::vector<std::uint32_t> order(5);
    std::iota(order.begin(), order.end(), 0u);
    Rng shuffle{seed};
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[shuffle.below(i)]);
    auto renamed = changed(rows, [&](HoldoutRow& row) { row.instrument = InstrumentId{order[index(row.instrument)]}; });
    std::ranges::sort(renamed, {}, [](const HoldoutRow& row) {
      return std::pair{row.event_time, index(row.instrument)};
    });
    const auto a = Gate{r}.review(rows), b = Gate{r}.review(renamed);
    RC_ASSERT(a.has_value());
    RC_ASSERT(b.has_value());
    RC_ASSERT(a->outcome == b->outcome);
    RC_ASSERT(a->checks.size() == b->checks.size());
    for (std::size_t i = 0; i < a->checks.size(); ++i) {
      const double x = a->checks[i].measured, y = b->checks[i].measured;
      RC_ASSERT((std::isnan(x) && std::isnan(y)) || std::abs(x - y) <= 1e-9 * (1 + std::abs(x)));
    }
  }));
}

TEST_CASE("candidates without skill are seldom promoted") {
  GateRules r = rules();
  r.draws = 300;
  int promoted = 0, any_share = 0, with_margin = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    Rng rng{1000 + i};
    // Small random words: large ones would lose at once, these are the hardest to tell from skill.
    const auto rows =
        changed(market(0, 5000 + i, 10, 240), [&rng](HoldoutRow& row) { row.candidate = {2e-4 * normal(rng)}; });
    const auto promotes = [&](double max_gain_share, double margin) {
      r.max_gain_share = max_gain_share;
      r.margin = margin;
      return review(r, rows).outcome == Outcome::Promoted ? 1 : 0;
    };
    promoted += promotes(0.25, 0);
    any_share += promotes(1, 0);
    with_margin += promotes(1, 0.01);
  }
  MESSAGE("promoted of 200 without skill: ", promoted, "; without the limit on one instrument's share: ", any_share,
          "; and with a margin of 1 %: ", with_margin);
  CHECK(promoted <= 20);
  CHECK(any_share <= 20);
}
