#include <doctest/doctest.h>

#include <cmath>

#include "label/label_fixture.hpp"

using namespace everlearn;
using namespace everlearn::label_test;

namespace {

LabelSpec after_bars(int n, LabelKind kind = LabelKind::OutcomeAfterBars) {
  LabelSpec spec;
  spec.kind = kind;
  spec.bars = n;
  return spec;
}

}  // namespace

TEST_CASE("outcome after n bars: 1 if the n-th close after the decision is above the entry, else 0") {
  auto labeller = make(after_bars(2));
  REQUIRE(labeller->open(kA, at(0), price(10)));
  labeller->observe(bar(kA, 0, 60, 12, 8, 9));
  CHECK(labeller->settle(at(60)).empty());
  REQUIRE(labeller->open(kA, at(60), price(9)));
  labeller->observe(bar(kA, 60, 120, 12, 8, 10, 122));
  labeller->observe(bar(kA, 120, 180, 12, 8, 11));
  CHECK(text(labeller->settle(at(180))) ==
        std::vector<std::string>{"0 0..120 @122 = 0.000000 0", "0 60..180 @180 = 1.000000 4607182418800017408"});
  CHECK(labeller->waiting() == 0);
  CHECK(labeller->window_end(at(0)) == Timestamp::max());
}

TEST_CASE("a bar that closed by the decision but came later does not count") {
  auto labeller = make(after_bars(1));
  REQUIRE(labeller->open(kA, at(60), price(10)));
  labeller->observe(bar(kA, 0, 60, 99, 1, 99, 65));
  CHECK(labeller->settle(at(70)).empty());
  labeller->observe(bar(kA, 60, 120, 99, 1, 5));
  CHECK(labeller->settle(at(120)).front().value == 0);
}

TEST_CASE("price points are bars until the instrument has its first bar") {
  auto labeller = make(after_bars(2));
  REQUIRE(labeller->open(kA, at(0), price(10)));
  labeller->observe(point(kA, 10, 11));
  labeller->observe(bar(kA, 0, 20, 12, 8, 12));  // second
  CHECK(labeller->settle(at(20)).size() == 1);
  REQUIRE(labeller->open(kA, at(20), price(12)));
  labeller->observe(point(kA, 30, 11));  // no longer
  labeller->observe(point(kA, 35, 11));
  CHECK(labeller->settle(at(40)).empty());
}

TEST_CASE("a bar that is not later than the one before is ignored") {
  auto labeller = make(after_bars(2));
  REQUIRE(labeller->open(kA, at(0), price(10)));
  labeller->observe(bar(kA, 0, 60, 12, 8, 9));
  labeller->observe(bar(kA, 0, 60, 12, 8, 9, 61));
  labeller->observe(bar(kA, 0, 30, 12, 8, 9, 62));
  CHECK(labeller->settle(at(70)).empty());
}

TEST_CASE("returns and volatility take a horizon in bars too") {
  auto change = make(after_bars(2, LabelKind::ForwardReturn));
  auto volatility = make(after_bars(2, LabelKind::RealisedVolatility));
  for (auto* labeller : {change.get(), volatility.get()}) {
    REQUIRE(labeller->open(kA, at(0), price(10)));
    labeller->observe(bar(kA, 0, 60, 99, 1, 20));
    labeller->observe(bar(kA, 60, 120, 99, 1, 40));
  }
  CHECK(change->settle(at(120)).front().value == 3);
  CHECK(volatility->settle(at(120)).front().value == doctest::Approx(std::log(2.0)));
}

TEST_CASE("a resolution voids what waits for bars") {
  auto labeller = make(after_bars(2));
  REQUIRE(labeller->open(kA, at(0), price(0.5)));
  labeller->observe(point(kA, 10, 0.6));
  labeller->observe(resolution(kA, 15));
  labeller->observe(point(kA, 20, 1));
  CHECK(text(labeller->settle(at(20))) == std::vector<std::string>{"0 0..15 @15 void: market resolved"});
}
