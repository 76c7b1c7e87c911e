#include <doctest/doctest.h>

#include "label/label_fixture.hpp"

using namespace everlearn;
using namespace everlearn::label_test;

namespace {

/// Profit at +2 %, loss at -1 %.
LabelSpec barriers(int bars) {
  LabelSpec spec;
  spec.kind = LabelKind::TripleBarrier;
  spec.profit = 0.02;
  spec.loss = 0.01;
  spec.bars = bars;
  return spec;
}

Label after(std::vector<Event> events, const LabelSpec& spec, std::int64_t now) {
  auto labeller = make(spec);
  REQUIRE(labeller->open(kA, at(0), price(100)));
  for (const Event& event : events) labeller->observe(event);
  const auto labels = labeller->settle(at(now));
  REQUIRE(labels.size() == 1);
  return labels.front();
}

}  // namespace

TEST_CASE("triple barrier: the first touch decides") {
  CHECK(after({bar(kA, 0, 60, 101, 99.5, 100), bar(kA, 60, 120, 102, 99.5, 100)}, barriers(5), 120).value == 2);
  CHECK(after({bar(kA, 0, 60, 101, 99, 100), bar(kA, 60, 120, 105, 99.5, 104)}, barriers(5), 120).value == 0);
}

TEST_CASE("triple barrier: loss wins when one bar touches both barriers") {
  const Label label = after({bar(kA, 0, 60, 100, 100, 100), bar(kA, 60, 120, 103, 98, 101, 125)}, barriers(5), 130);
  CHECK(label.value == 0);
  CHECK(label.end == at(120));  // the touch ends the window
  CHECK(label.known_at == at(125));
}

TEST_CASE("triple barrier: a touch is exact, one unit short is none") {
  CHECK(after({bar(kA, 0, 60, 102, 99.000000001, 100)}, barriers(1), 60).value == 2);
  CHECK(after({bar(kA, 0, 60, 101.999999999, 99.000000001, 100)}, barriers(1), 60).value == 1);
}

TEST_CASE("triple barrier: time after the n-th bar") {
  const Label label = after({bar(kA, 0, 60, 101, 99.5, 101), bar(kA, 60, 120, 101, 99.5, 101)}, barriers(2), 120);
  CHECK(label.value == 1);
  CHECK(label.end == at(120));
}

TEST_CASE("triple barrier: of a bar that began before the decision only the close counts") {
  auto labeller = make(barriers(2));
  REQUIRE(labeller->open(kA, at(30), price(100)));
  labeller->observe(bar(kA, 0, 60, 150, 50, 100));
  CHECK(labeller->settle(at(60)).empty());
  labeller->observe(bar(kA, 60, 120, 103, 99.5, 103));
  CHECK(labeller->settle(at(120)).front().value == 2);
}

TEST_CASE("triple barrier by the clock: time needs a price near the end") {
  LabelSpec spec = barriers(0);
  spec.horizon = Duration::seconds(100);
  spec.tolerance = Duration::seconds(30);
  CHECK(after({point(kA, 50, 101), point(kA, 80, 101)}, spec, 100).value == 1);
  CHECK(after({point(kA, 50, 101), point(kA, 101, 90)}, spec, 120).reason == "no price within 30s of the end");
  CHECK(after({point(kA, 50, 102)}, spec, 50).end == at(50));
}

TEST_CASE("triple barrier: a resolution voids what waits") {
  CHECK(after({point(kA, 10, 100), resolution(kA, 20)}, barriers(5), 30).reason == "market resolved");
}
