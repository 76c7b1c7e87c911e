#include "model/baseline.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <cmath>

#include "core/rng.hpp"

using namespace everlearn;

namespace {

constexpr InstrumentId kA{0}, kB{1};
Timestamp at(std::int64_t minutes) { return Timestamp{minutes * 60'000'000}; }
Price price(double value) { return Price::from(value).value(); }

LabelSpec target(LabelKind kind, ReturnUnit unit = ReturnUnit::Relative) {
  LabelSpec spec;
  spec.kind = kind;
  spec.unit = unit;
  return spec;
}

double said(const Baseline& baseline, InstrumentId id = kA) {
  double out = 0;
  baseline.predict(id, {&out, 1});
  return out;
}

void feed(Baseline& baseline, const std::vector<double>& prices, InstrumentId id = kA) {
  for (std::size_t i = 0; i < prices.size(); ++i)
    baseline.observe(id, at(static_cast<std::int64_t>(i)), price(prices[i]));
}

Label known(InstrumentId id, double value) {
  Label label;
  label.instrument = id;
  label.state = LabelState::Known;
  label.value = value;
  return label;
}

}  // namespace

TEST_CASE("shrinkage momentum: nothing before the first price, no change before the first return") {
  const auto baseline = make_baseline(target(LabelKind::ForwardReturn), 4, false);
  CHECK(std::isnan(said(*baseline)));
  CHECK(baseline->no_change(kA) == 0);
  feed(*baseline, {5});
  CHECK(said(*baseline) == 0);
  CHECK(std::isnan(said(*baseline, kB)));
}

TEST_CASE("shrinkage momentum: mean return of a horizon, shrunk by n / (n + 8), n counted in horizons") {
  const auto points = make_baseline(target(LabelKind::ForwardReturn, ReturnUnit::Points), 4, false);
  feed(*points, {1, 2});
  CHECK(said(*points) == doctest::Approx(0.25 / 8.25 * 4 * 1));
  feed(*points, {1, 2, 5});  // the first two are not later than what was seen, the third is
  CHECK(said(*points) == doctest::Approx(0.5 / 8.5 * 4 * 2));
  const auto relative = make_baseline(target(LabelKind::ForwardReturn), 1, false);
  feed(*relative, {1, 2, 3});
  CHECK(said(*relative) == doctest::Approx((2.0 / 10) * 0.75));
  const auto logs = make_baseline(target(LabelKind::ForwardReturn, ReturnUnit::Log), 1, false);
  feed(*logs, {1, 2, 3});
  CHECK(said(*logs) == doctest::Approx((2.0 / 10) * std::log(3.0) / 2));
}

TEST_CASE("shrinkage momentum: only the last 8 returns count") {
  const auto baseline = make_baseline(target(LabelKind::ForwardReturn, ReturnUnit::Points), 1, false);
  feed(*baseline, {1000, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(said(*baseline) == 0.5);  // 8 / (8 + 8) * 1
}

TEST_CASE("shrinkage momentum: a price in [0, 1] is not sent outside") {
  struct Case {
    ReturnUnit unit;
    double said;
  };
  for (const Case& c :
       {Case{ReturnUnit::Points, 0.01}, {ReturnUnit::Relative, 0.01 / 0.99}, {ReturnUnit::Log, -std::log(0.99)}}) {
    const auto up = make_baseline(target(LabelKind::ForwardReturn, c.unit), 100, true);
    feed(*up, {0.4, 0.6, 0.99});
    CHECK(said(*up) == doctest::Approx(c.said));
  }
  const auto down = make_baseline(target(LabelKind::ForwardReturn, ReturnUnit::Points), 100, true);
  feed(*down, {0.6, 0.4, 0.01});
  CHECK(said(*down) == doctest::Approx(-0.01));
}

TEST_CASE("shrinkage momentum: a return from a price of zero is left out of relative returns, not of points") {
  const auto relative = make_baseline(target(LabelKind::ForwardReturn), 1, false);
  const auto points = make_baseline(target(LabelKind::ForwardReturn, ReturnUnit::Points), 1, false);
  feed(*relative, {0, 1, 2});
  feed(*points, {0, 1, 2});
  CHECK(said(*relative) == doctest::Approx(1.0 / 9));
  CHECK(said(*points) == doctest::Approx(2.0 / 10));
}

TEST_CASE("trailing volatility: as a logarithm, which a price that does not move has not") {
  const auto baseline = make_baseline(target(LabelKind::RealisedVolatility, ReturnUnit::Log), 1, false);
  feed(*baseline, {1, 1});
  CHECK(std::isnan(said(*baseline)));
  feed(*baseline, {1, 1, std::exp(0.5)});
  CHECK(baseline->no_change(kA) == doctest::Approx(std::log(0.5)));
}

TEST_CASE("trailing volatility: no change looks back one horizon, the baseline four; both from half a horizon on") {
  const auto baseline = make_baseline(target(LabelKind::RealisedVolatility), 2, false);
  feed(*baseline, {1});
  CHECK(std::isnan(said(*baseline)));
  CHECK(std::isnan(baseline->no_change(kA)));
  const double e = std::exp(1.0);
  feed(*baseline, {1, e});
  CHECK(said(*baseline) == doctest::Approx(1));
  feed(*baseline, {1, e, e, e * e * e});  // log returns 1, 0, 2
  CHECK(baseline->no_change(kA) == doctest::Approx(std::sqrt(4.0 / 2)));
  CHECK(said(*baseline) == doctest::Approx(std::sqrt(5.0 / 3)));
  CHECK(std::isnan(said(*baseline, kB)));
}

TEST_CASE("trailing volatility: a horizon of five speaks from three returns on") {
  const auto baseline = make_baseline(target(LabelKind::RealisedVolatility), 5, false);
  feed(*baseline, {1, 2, 1});
  CHECK(std::isnan(said(*baseline)));
  feed(*baseline, {1, 2, 1, 2});
  CHECK(said(*baseline) == doctest::Approx(std::log(2.0)));
}

TEST_CASE("trailing frequencies: one pseudo-count a class, known labels of the instrument only") {
  const auto baseline = make_baseline(target(LabelKind::Direction3), 1, false);
  std::vector<double> p(3);
  baseline->predict(kA, p);
  CHECK(std::isnan(p[0]));
  CHECK(std::isnan(baseline->no_change(kA)));
  baseline->observe(known(kA, 2));
  baseline->observe(known(kA, 2));
  baseline->observe(known(kB, 0));
  Label gone = known(kA, 1);
  gone.state = LabelState::Void;
  baseline->observe(gone);
  baseline->predict(kA, p);
  CHECK(p == std::vector<double>{1.0 / 5, 1.0 / 5, 3.0 / 5});
}

TEST_CASE("trailing frequencies: labels before the last 200 are forgotten") {
  const auto baseline = make_baseline(target(LabelKind::Direction2), 1, false);
  for (int i = 0; i < 500; ++i) baseline->observe(known(kA, 0));
  for (int i = 0; i < 200; ++i) baseline->observe(known(kA, 1));
  std::vector<double> p(2);
  baseline->predict(kA, p);
  CHECK(p[1] == 201.0 / 202);
}

TEST_CASE("trailing mean: of a table's values the last 200 labels of the instrument; no change is the last one") {
  const auto baseline = make_baseline(target(LabelKind::Column), 4, true);
  CHECK(std::isnan(said(*baseline)));
  CHECK(std::isnan(baseline->no_change(kA)));
  feed(*baseline, {0.5, 0.75});  // prices say nothing about a column
  CHECK(std::isnan(said(*baseline)));
  for (int i = 0; i < 300; ++i) baseline->observe(known(kA, 1e6));
  for (int i = 0; i < 100; ++i) {
    baseline->observe(known(kA, 3));
    baseline->observe(known(kA, -5));
    baseline->observe(known(kB, 100));
  }
  Label gone = known(kA, 7);
  gone.state = LabelState::Void;
  baseline->observe(gone);
  CHECK(said(*baseline) == -1);
  CHECK(baseline->no_change(kA) == -5);
}

TEST_CASE("a baseline restarted from its state goes on with the same bits") {
  CHECK(rc::check([] {
    const auto kind = *rc::gen::element(LabelKind::ForwardReturn, LabelKind::RealisedVolatility, LabelKind::Direction3,
                                        LabelKind::Column);
    const auto unit = *rc::gen::element(ReturnUnit::Relative, ReturnUnit::Points, ReturnUnit::Log);
    const int samples = *rc::gen::inRange(1, 6);
    const int restart = *rc::gen::inRange(0, 60);
    Rng rng{*rc::gen::arbitrary<std::uint64_t>()};
    const LabelSpec spec = target(kind, unit);
    auto through = make_baseline(spec, samples, true);
    auto restarted = make_baseline(spec, samples, true);
    const auto bytes = [](const Baseline& baseline) {
      ByteWriter out;
      baseline.encode(out);
      return out.take();
    };
    for (int step = 0; step < 60; ++step) {
      if (step == restart) {
        const std::string state = bytes(*restarted);
        restarted = make_baseline(spec, samples, true);
        ByteReader in{state};
        RC_ASSERT(restarted->decode(in).has_value());
        RC_ASSERT(in.at_end());
      }
      const InstrumentId id{static_cast<std::uint32_t>(rng.below(3))};
      const Price p = price(rng.uniform());
      const Label label = known(id, static_cast<double>(rng.below(3)));
      for (Baseline* baseline : {through.get(), restarted.get()}) {
        baseline->observe(id, at(step), p);
        baseline->observe(label);
      }
      RC_ASSERT(bytes(*through) == bytes(*restarted));
      ByteWriter a, b;
      std::vector<double> out(static_cast<std::size_t>(std::max(1, spec.classes())));
      through->predict(id, out);
      a.f64s(out);
      restarted->predict(id, out);
      b.f64s(out);
      RC_ASSERT(a.bytes() == b.bytes());
    }
  }));
}

TEST_CASE("the state of another baseline is refused") {
  ByteWriter out;
  make_baseline(target(LabelKind::RealisedVolatility), 5, false)->encode(out);
  ByteReader in{out.bytes()};
  const auto decoded = make_baseline(target(LabelKind::RealisedVolatility), 6, false)->decode(in);
  REQUIRE(!decoded);
  CHECK(decoded.error().message ==
        "baseline state is of another target: 'trailing volatility v1 false 5', not 'trailing volatility v1 false 6'");
}
