#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "label/label_fixture.hpp"

using namespace everlearn;
using namespace everlearn::label_test;

namespace {

/// One minute ahead, from a price in the last ten seconds of it.
LabelSpec minute_return(ReturnUnit unit = ReturnUnit::Relative) {
  LabelSpec spec;
  spec.unit = unit;
  spec.horizon = Duration::seconds(60);
  spec.tolerance = Duration::seconds(10);
  return spec;
}

Label only(std::vector<Label> labels) {
  REQUIRE(labels.size() == 1);
  return labels.front();
}

}  // namespace

TEST_CASE("forward return: the last price in (end - tolerance, end] against the price at the decision") {
  auto labeller = make(minute_return());
  REQUIRE(labeller->open(kA, at(100), price(2.0)));
  CHECK(labeller->waiting() == 1);
  labeller->observe(point(kA, 155, 2.2));
  labeller->observe(point(kA, 158, 2.5));
  CHECK(labeller->settle(at(159)).empty());
  const Label label = only(labeller->settle(at(160)));
  CHECK(label.state == LabelState::Known);
  CHECK(label.event_time == at(100));
  CHECK(label.end == at(160));
  CHECK(label.value == 0.25);
  CHECK(labeller->waiting() == 0);
}

TEST_CASE("forward return: the unit is relative, points or log") {
  for (const auto& [unit, value] :
       {std::pair{ReturnUnit::Relative, 0.5}, {ReturnUnit::Points, 0.1}, {ReturnUnit::Log, std::log(1.5)}}) {
    auto labeller = make(minute_return(unit));
    REQUIRE(labeller->open(kA, at(0), price(0.2)));
    labeller->observe(point(kA, 60, 0.3));
    CHECK(only(labeller->settle(at(60))).value == value);
  }
}

TEST_CASE("forward return: a price exactly at end - tolerance is too old, one at the end counts") {
  auto labeller = make(minute_return());
  REQUIRE(labeller->open(kA, at(0), price(1)));
  REQUIRE(labeller->open(kB, at(0), price(1)));
  labeller->observe(point(kA, 50, 2));
  labeller->observe(point(kB, 60, 3));
  const auto labels = labeller->settle(at(61));
  REQUIRE(labels.size() == 2);
  CHECK(labels[0].instrument == kB);
  CHECK(labels[0].value == 2);
  CHECK(labels[1].state == LabelState::Void);
  CHECK(labels[1].reason == "no price within 10s of the end");
  CHECK(labels[1].known_at == at(61));  // only then was it certain
}

TEST_CASE("a label is known when its price is, and never before its end") {
  auto labeller = make(minute_return());
  REQUIRE(labeller->open(kA, at(0), price(1)));
  REQUIRE(labeller->open(kB, at(0), price(1)));
  labeller->observe(point(kA, 55, 2, 56));
  labeller->observe(point(kB, 55, 2, 63));
  const auto labels = labeller->settle(at(65));
  REQUIRE(labels.size() == 2);
  CHECK(labels[0].known_at == at(60));
  CHECK(labels[1].known_at == at(63));
}

TEST_CASE("no hindsight: a late price does not change a label that was settled") {
  auto labeller = make(minute_return());
  REQUIRE(labeller->open(kA, at(0), price(1)));
  labeller->observe(point(kA, 55, 2));
  CHECK(only(labeller->settle(at(60))).value == 1);
  labeller->observe(point(kA, 59, 9, 61));
  CHECK(labeller->settle(at(70)).empty());
}

TEST_CASE("prices that arrive out of order are taken by their event time; a correction in time counts") {
  auto labeller = make(minute_return());
  REQUIRE(labeller->open(kA, at(0), price(1)));
  labeller->observe(point(kA, 58, 2, 60));
  labeller->observe(point(kA, 54, 7, 61));
  labeller->observe(point(kA, 58, 3, 62));
  CHECK(only(labeller->settle(at(70))).value == 2);
}

TEST_CASE("trades and closes are prices, books are not") {
  auto labeller = make(minute_return());
  REQUIRE(labeller->open(kA, at(0), price(1)));
  REQUIRE(labeller->open(kB, at(0), price(1)));
  labeller->observe(bar(kA, 0, 55, 9, 1, 2));
  labeller->observe({kB, at(56), at(56), Trade{price(3), 1, Side::Buy}});
  labeller->observe({kB, at(57), at(57), BookUpdate{true, {{price(8), 1}}, {{price(9), 1}}}});
  const auto labels = labeller->settle(at(60));
  REQUIRE(labels.size() == 2);
  CHECK(labels[0].value == 1);
  CHECK(labels[1].value == 2);
}

TEST_CASE("a resolution before the end makes the label void, one at the end does not") {
  auto labeller = make(minute_return());
  REQUIRE(labeller->open(kA, at(0), price(0.5)));
  REQUIRE(labeller->open(kA, at(10), price(0.5)));
  labeller->observe(point(kA, 60, 1));
  labeller->observe(resolution(kA, 60));
  const auto labels = labeller->settle(at(61));
  CHECK(text(labels) ==
        std::vector<std::string>{"0 0..60 @60 = 1.000000 4607182418800017408", "0 10..60 @60 void: market resolved"});
}

TEST_CASE("a resolution is told at once, and voids what is opened later") {
  auto labeller = make(minute_return());
  REQUIRE(labeller->open(kA, at(0), price(0.5)));
  labeller->observe(resolution(kA, 20, 25));
  CHECK(text(only(labeller->settle(at(30)))) == "0 0..20 @25 void: market resolved");
  REQUIRE(labeller->open(kA, at(30), price(0.5)));
  CHECK(text(only(labeller->settle(at(40)))) == "0 30..30 @30 void: market resolved");
  CHECK(labeller->waiting() == 0);
}

TEST_CASE("without a positive entry price a relative return is void, a change in points is not") {
  auto relative = make(minute_return());
  auto points = make(minute_return(ReturnUnit::Points));
  REQUIRE(relative->open(kA, at(0), price(0)));
  REQUIRE(points->open(kA, at(0), price(0)));
  points->observe(point(kA, 60, 0.25));
  CHECK(only(relative->settle(at(60))).reason == "price at the decision is not above zero");
  CHECK(only(points->settle(at(60))).value == 0.25);
}

TEST_CASE("a log return to a price of zero is void") {
  auto labeller = make(minute_return(ReturnUnit::Log));
  REQUIRE(labeller->open(kA, at(0), price(1)));
  labeller->observe(point(kA, 60, 0));
  CHECK(only(labeller->settle(at(60))).reason == "price at the end is not above zero");
}

TEST_CASE("directions: unchanged is not up; within `flat` is flat, its edge included") {
  LabelSpec two = minute_return();
  two.kind = LabelKind::Direction2;
  LabelSpec three = two;
  three.kind = LabelKind::Direction3;
  three.flat = 0.25;
  struct Case {
    double to, two, three;
  };
  for (const auto& c : {Case{3, 1, 2}, {2.5, 1, 1}, {2, 0, 1}, {1.5, 0, 1}, {1, 0, 0}}) {
    auto up_or_down = make(two);
    auto with_flat = make(three);
    REQUIRE(up_or_down->open(kA, at(0), price(2)));
    REQUIRE(with_flat->open(kA, at(0), price(2)));
    up_or_down->observe(point(kA, 60, c.to));
    with_flat->observe(point(kA, 60, c.to));
    CHECK(only(up_or_down->settle(at(60))).value == c.two);
    CHECK(only(with_flat->settle(at(60))).value == c.three);
  }
  CHECK(two.classes() == 2);
  CHECK(three.classes() == 3);
}

TEST_CASE("flat by volatility: each decision has its own band; without one the label is void, not flat") {
  LabelSpec spec = minute_return();
  spec.kind = LabelKind::Direction3;
  spec.flat_volatility = 0.5;
  auto labeller = make(spec);
  REQUIRE(labeller->open(kA, at(0), price(2), 0.25));
  REQUIRE(labeller->open(kB, at(0), price(2), 0.5));
  REQUIRE(labeller->open(InstrumentId{2}, at(0), price(2), std::numeric_limits<double>::quiet_NaN()));
  REQUIRE(labeller->open(InstrumentId{3}, at(0), price(2)));  // nobody said what is flat
  for (std::uint32_t i = 0; i < 4; ++i) labeller->observe(point(InstrumentId{i}, 60, 2.75));
  const auto early = labeller->settle(at(5));
  REQUIRE(early.size() == 2);
  CHECK(early[0].reason == "no trailing volatility yet");
  CHECK(early[1].reason == "no trailing volatility yet");
  const auto labels = labeller->settle(at(60));
  REQUIRE(labels.size() == 2);
  CHECK(labels[0].value == 2);
  CHECK(labels[1].value == 1);
}

TEST_CASE("flat by volatility: the band of a decision survives a restart") {
  LabelSpec spec = minute_return();
  spec.kind = LabelKind::Direction3;
  spec.flat_volatility = 0.5;
  auto labeller = make(spec);
  REQUIRE(labeller->open(kA, at(0), price(2), 0.5));
  ByteWriter out;
  labeller->encode(out);
  auto again = make(spec);
  ByteReader in{out.bytes()};
  REQUIRE(again->decode(in));
  again->observe(point(kA, 60, 2.75));
  CHECK(only(again->settle(at(60))).value == 1);
}

TEST_CASE("a second label of the same instrument and time, and one in the past, are refused") {
  auto labeller = make(minute_return());
  REQUIRE(labeller->open(kA, at(100), price(1)));
  const auto twice = labeller->open(kA, at(100), price(1));
  REQUIRE(!twice);
  CHECK(twice.error().code == Code::BadData);
  CHECK(twice.error().message == "second label of instrument 0 at 1970-01-01T00:01:40.000000Z");
  REQUIRE(labeller->open(kB, at(100), price(1)));
  CHECK(!labeller->open(kB, at(99), price(1)));
  CHECK(labeller->settle(at(120)).empty());
  CHECK(!labeller->open(kA, at(110), price(1)));
  CHECK(labeller->waiting() == 2);
}

TEST_CASE("n sessions: the close of the n-th session after the decision's, over weekends and half days") {
  const auto us = std::move(make_us_equities()).value();
  LabelSpec spec;
  spec.sessions = 1;
  spec.tolerance = Duration::days(1);
  const auto labeller = make(spec, *us);
  const auto time = [](const char* iso) { return Timestamp::parse(iso).value(); };
  // Friday's close to Monday's; Friday before the close is the same session; Saturday belongs to Friday.
  CHECK(labeller->window_end(time("2022-12-16T21:00:00Z")) == time("2022-12-19T21:00:00Z"));
  CHECK(labeller->window_end(time("2022-12-16T15:00:00Z")) == time("2022-12-19T21:00:00Z"));
  CHECK(labeller->window_end(time("2022-12-17T12:00:00Z")) == time("2022-12-19T21:00:00Z"));
  // The day after Thanksgiving closes at 13:00 in New York.
  CHECK(labeller->window_end(time("2022-11-23T21:00:00Z")) == time("2022-11-25T18:00:00Z"));
  spec.sessions = 5;
  CHECK(make(spec, *us)->window_end(time("2022-12-16T21:00:00Z")) == time("2022-12-23T21:00:00Z"));
}

TEST_CASE("where the calendar ends, opening a label is an error, not a crash") {
  const auto us = std::move(make_us_equities()).value();
  LabelSpec spec;
  spec.sessions = 5;
  spec.tolerance = Duration::days(1);
  auto labeller = make(spec, *us);
  const Timestamp far = Timestamp::parse("2050-01-03T12:00:00Z").value();
  const auto opened = labeller->open(kA, far, price(1));
  REQUIRE(!opened);
  CHECK(opened.error().code == Code::OutOfRange);
  CHECK(labeller->window_end(far) == Timestamp::max());
}

TEST_CASE("realised volatility over sessions: root mean square of the log returns from close to close") {
  LabelSpec spec;
  spec.kind = LabelKind::RealisedVolatility;
  spec.sessions = 3;
  spec.tolerance = Duration::hours(1);
  auto labeller = make(spec);  // a session is a UTC day
  const std::int64_t day = 86'400;
  REQUIRE(labeller->open(kA, at(day), price(1)));
  labeller->observe(point(kA, 2 * day - 60, 2));
  labeller->observe(point(kA, 2 * day, 4));
  CHECK(labeller->settle(at(2 * day)).empty());
  labeller->observe(point(kA, 3 * day, 2));
  labeller->observe(point(kA, 4 * day, 2, 4 * day + 5));
  const Label label = only(labeller->settle(at(4 * day + 10)));
  const double up = std::log(4.0), down = std::log(0.5);
  CHECK(label.value == doctest::Approx(std::sqrt((up * up + down * down + 0) / 3)).epsilon(1e-15));
  CHECK(label.end == at(4 * day));
  CHECK(label.known_at == at(4 * day + 5));
}

TEST_CASE("realised volatility: a missing step is left out, with fewer than half the label is void") {
  LabelSpec spec;
  spec.kind = LabelKind::RealisedVolatility;
  spec.horizon = Duration::seconds(40);
  spec.step = Duration::seconds(10);
  spec.tolerance = Duration::seconds(5);
  auto labeller = make(spec);
  REQUIRE(labeller->open(kA, at(0), price(1)));
  REQUIRE(labeller->open(kB, at(0), price(1)));
  labeller->observe(point(kA, 10, 2));
  labeller->observe(point(kA, 40, 4));
  labeller->observe(point(kB, 24, 4));  // too old for the step at 30
  labeller->observe(point(kB, 40, 4));
  const auto labels = labeller->settle(at(40));
  REQUIRE(labels.size() == 2);
  CHECK(labels[0].value == doctest::Approx(std::log(2.0)));  // twice the same return
  CHECK(labels[1].reason == "prices at 1 of 4 steps, fewer than half");
}

TEST_CASE("a spec needs exactly one horizon, and sensible limits") {
  const auto refused = [](auto change) {
    LabelSpec spec = minute_return();
    change(spec);
    const auto made = make_labeller(spec, always_open());
    REQUIRE(!made);
    CHECK(made.error().code == Code::Config);
    return made.error().message;
  };
  CHECK(refused([](LabelSpec& s) { s.horizon = Duration{}; }) ==
        "label: 0 horizons given (time, sessions, bars); exactly one is needed");
  CHECK(refused([](LabelSpec& s) { s.bars = 3; }) ==
        "label: 2 horizons given (time, sessions, bars); exactly one is needed");
  CHECK(refused([](LabelSpec& s) { s.tolerance = Duration{}; }) == "label: tolerance 0s is not above 0");
  CHECK(refused([](LabelSpec& s) { s.kind = LabelKind::OutcomeAfterBars; }) ==
        "label: outcome after bars needs a horizon in bars");
  CHECK(refused([](LabelSpec& s) {
          s.kind = LabelKind::RealisedVolatility;
          s.step = Duration::seconds(7);
        }) == "label: volatility step 7s is not a whole fraction of the horizon 1m");
  CHECK(refused([](LabelSpec& s) {
          s.kind = LabelKind::TripleBarrier;
          s.loss = 0.1;
        }) == "label: profit barrier 0 is not above 0");
  CHECK(refused([](LabelSpec& s) {
          s.kind = LabelKind::TripleBarrier;
          s.profit = 0.1;
          s.loss = 1;
        }) == "label: loss barrier 1 is not in (0, 1)");
  CHECK(refused([](LabelSpec& s) {
          s.kind = LabelKind::Direction3;
          s.flat = -1;
        }) == "label: flat -1 is not at least 0");
  CHECK(refused([](LabelSpec& s) {
          s.kind = LabelKind::Direction3;
          s.flat_volatility = -1;
        }) == "label: flat_volatility -1 is not at least 0");
  CHECK(refused([](LabelSpec& s) {
          s.kind = LabelKind::Direction3;
          s.flat = 0.01;
          s.flat_volatility = 0.5;
        }) == "label: flat 0.01 and flat_volatility 0.5 are both given");
  CHECK(refused([](LabelSpec& s) { s.flat_volatility = 0.5; }) == "label: flat_volatility is of direction_3 only");
  CHECK(refused([](LabelSpec& s) {
          s.kind = LabelKind::Column;
          s.column_classes = 1;
        }) == "label: 1 classes of a column: 0 for a value, or 2..32");
  CHECK(refused([](LabelSpec& s) {
          s.kind = LabelKind::Column;
          s.horizon = Duration{};
          s.bars = 2;
        }) == "label: a column needs a horizon in time or sessions: its rows are no bars");
}
