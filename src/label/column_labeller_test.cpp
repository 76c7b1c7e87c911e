#include <doctest/doctest.h>

#include <limits>

#include "label/label_fixture.hpp"

using namespace everlearn;
using namespace everlearn::label_test;

namespace {

/// Class of a row, one minute after it, or up to ten seconds later.
LabelSpec outcome_of_row(int classes = 3) {
  LabelSpec spec;
  spec.kind = LabelKind::Column;
  spec.column_classes = classes;
  spec.horizon = Duration::seconds(60);
  spec.tolerance = Duration::seconds(10);
  return spec;
}

std::vector<std::string> none() { return {}; }

}  // namespace

TEST_CASE("column: an outcome that the table holds from the start is known when the row's horizon is over") {
  auto labeller = make(outcome_of_row());
  labeller->observe(fields(kA, 95, 2));
  REQUIRE(labeller->open(kA, at(100), Price{}));
  CHECK(labeller->waiting() == 1);
  CHECK(text(labeller->settle(at(154))) == none());
  const auto labels = labeller->settle(at(170));
  REQUIRE(labels.size() == 1);
  CHECK(labels[0].state == LabelState::Known);
  CHECK(labels[0].value == 2);
  CHECK(labels[0].event_time == at(100));
  CHECK(labels[0].end == at(155));
  CHECK(labels[0].known_at == at(155));
  CHECK(labeller->waiting() == 0);
}

TEST_CASE("column: an outcome that comes with a later version of the row is known then") {
  auto labeller = make(outcome_of_row());
  labeller->observe(fields(kA, 95, std::nullopt));
  REQUIRE(labeller->open(kA, at(100), Price{}));
  CHECK(text(labeller->settle(at(160))) == none());
  labeller->observe(fields(kA, 95, 1, 163));
  const auto labels = labeller->settle(at(170));
  REQUIRE(labels.size() == 1);
  CHECK(labels[0].value == 1);
  CHECK(labels[0].end == at(155));
  CHECK(labels[0].known_at == at(163));
}

TEST_CASE("column: of corrections the last before the end counts, after it the first word") {
  auto labeller = make(outcome_of_row());
  labeller->observe(fields(kA, 95, 0));
  labeller->observe(fields(kB, 95, 0));
  REQUIRE(labeller->open(kA, at(100), Price{}));
  REQUIRE(labeller->open(kB, at(100), Price{}));
  CHECK(text(labeller->settle(at(105))) == none());
  labeller->observe(fields(kA, 95, 2, 150));
  labeller->observe(fields(kB, 95, std::nullopt, 150));  // withdrawn
  labeller->observe(fields(kA, 95, 1, 156));
  labeller->observe(fields(kB, 95, 1, 157));
  labeller->observe(fields(kB, 95, 2, 158));
  const auto labels = labeller->settle(at(160));
  REQUIRE(labels.size() == 2);
  CHECK(labels[0].value == 2);
  CHECK(labels[0].known_at == at(155));
  CHECK(labels[1].value == 1);
  CHECK(labels[1].known_at == at(157));
}

TEST_CASE("column: without an outcome within the tolerance the label is void, whatever comes later") {
  auto labeller = make(outcome_of_row());
  labeller->observe(fields(kA, 95, std::nullopt));
  REQUIRE(labeller->open(kA, at(100), Price{}));
  labeller->observe(fields(kA, 95, std::numeric_limits<double>::quiet_NaN(), 160));
  CHECK(text(labeller->settle(at(164))) == none());
  labeller->observe(fields(kA, 95, 1, 166));
  CHECK(text(labeller->settle(at(170))) ==
        std::vector<std::string>{"0 100..155 @165 void: no outcome within 10s after the horizon"});
  CHECK(labeller->waiting() == 0);
}

TEST_CASE("column: the row that was newest at the decision counts, not one that comes later") {
  auto labeller = make(outcome_of_row());
  labeller->observe(fields(kA, 95, 0));
  REQUIRE(labeller->open(kA, at(100), Price{}));
  labeller->observe(fields(kA, 99, 1, 101));  // late
  REQUIRE(labeller->open(kA, at(110), Price{}));
  labeller->observe(fields(kA, 98, 2, 111));  // older than what is there: nobody asks for it
  REQUIRE(labeller->open(kA, at(120), Price{}));
  const auto labels = labeller->settle(at(160));
  REQUIRE(labels.size() == 3);
  CHECK(labels[0].value == 0);
  CHECK(labels[0].end == at(155));
  CHECK(labels[1].value == 1);
  CHECK(labels[2].value == 1);  // two decisions, one row
  CHECK(labels[2].end == at(159));
}

TEST_CASE("column: no row, and a row whose time is up, make void labels") {
  auto labeller = make(outcome_of_row());
  REQUIRE(labeller->open(kA, at(100), Price{}));
  labeller->observe(fields(kB, 40, 1, 101));
  REQUIRE(labeller->open(kB, at(101), Price{}));
  CHECK(text(labeller->settle(at(101))) ==
        std::vector<std::string>{"0 100..100 @100 void: no row of the table by the decision",
                                 "1 101..101 @101 void: the newest row's horizon was over at the decision"});
}

TEST_CASE("column: what is no class makes a void label; a value may be anything finite") {
  for (const double outcome : {3.0, -1.0, 0.5}) {
    auto labeller = make(outcome_of_row());
    auto values = make(outcome_of_row(0));
    for (auto* one : {labeller.get(), values.get()}) {
      one->observe(fields(kA, 100, outcome));
      REQUIRE(one->open(kA, at(100), Price{}));
    }
    const auto labels = labeller->settle(at(160));
    REQUIRE(labels.size() == 1);
    CHECK(labels[0].reason == "outcome " +
                                  std::string{outcome == 3    ? "3"
                                              : outcome == -1 ? "-1"
                                                              : "0.5"} +
                                  " is none of the classes 0..2");
    CHECK(values->settle(at(160)).front().value == outcome);
  }
  CHECK(outcome_of_row().is_class());
  CHECK(outcome_of_row().classes() == 3);
  CHECK_FALSE(outcome_of_row(0).is_class());
}

TEST_CASE("column: prices and resolutions change nothing") {
  auto labeller = make(outcome_of_row());
  labeller->observe(fields(kA, 100, 1));
  REQUIRE(labeller->open(kA, at(100), price(1)));
  labeller->observe(point(kA, 120, 9));
  labeller->observe(resolution(kA, 130));
  CHECK(labeller->settle(at(160)).front().value == 1);
}
