#include "app/report/live_scorer.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace everlearn;

namespace {

TargetProfile relative_return() {
  TargetProfile target;
  target.name = "ret";
  target.label.kind = LabelKind::ForwardReturn;
  target.label.unit = ReturnUnit::Relative;
  target.label.sessions = 5;
  return target;
}

PredictionRow said(double blended, double baseline, const std::string& day = "2020-03-02", double price = 10) {
  PredictionRow row;
  row.event_time = Timestamp::parse(day + "T21:00:00Z").value();
  row.bundle = "b";
  row.blended = blended;
  row.baseline = baseline;
  row.no_change = 0;
  row.price = price;
  return row;
}

}  // namespace

TEST_CASE("live score: what acts is scored, and the baseline on the same rows") {
  const TargetProfile target = relative_return();
  LiveScorer scorer{target, 0, Period::Year};
  scorer.add(said(0.1, 0), 0.1);
  scorer.add(said(-0.1, 0), -0.1);
  const LiveScore live = scorer.result();
  CHECK(live.served.n == 2);
  CHECK(live.served.r2 == 1);
  CHECK(live.baseline.r2 == 0);
  CHECK(live.baseline.n == 2);
  CHECK(live.served.direction_accuracy == 1);
  CHECK(live.served.majority_direction == 0.5);
  CHECK(live.baseline.direction_accuracy == 0);
}

TEST_CASE("live score: a move under half a tick has no direction") {
  const TargetProfile target = relative_return();
  LiveScorer scorer{target, 0.5, Period::Year};
  scorer.add(said(0.1, 0), 0.02);   // 0.2 at a price of 10: under 0.25
  scorer.add(said(-0.1, 0), 0.03);  // 0.3
  CHECK(scorer.result().served.direction_accuracy == 0);
  CHECK(scorer.result().served.zero_share == 0.5);
}

TEST_CASE("live score: points are a move as they stand, whatever the price") {
  TargetProfile target = relative_return();
  target.label.unit = ReturnUnit::Points;
  LiveScorer scorer{target, 0.5, Period::Year};
  scorer.add(said(0.1, 0, "2020-03-02", 1000), 0.2);
  CHECK(std::isnan(scorer.result().served.direction_accuracy));
}

TEST_CASE("live score: volatility has no direction") {
  TargetProfile target = relative_return();
  target.label.kind = LabelKind::RealisedVolatility;
  LiveScorer scorer{target, 0, Period::Year};
  scorer.add(said(0.1, 0.2), 0.1);
  CHECK_FALSE(scorer.result().directional);
  CHECK(std::isnan(scorer.result().served.direction_accuracy));
}

TEST_CASE("live score: by period of the decision") {
  const TargetProfile target = relative_return();
  LiveScorer scorer{target, 0, Period::Month};
  scorer.add(said(0.1, 0, "2020-03-31"), 0.1);
  scorer.add(said(0.1, 0, "2020-03-02"), 0.2);
  scorer.add(said(0.1, 0, "2020-04-01"), 0.1);
  const LiveScore live = scorer.result();
  REQUIRE(live.periods.size() == 2);
  CHECK(live.periods[0].period == "2020-03");
  CHECK(live.periods[0].served.n == 2);
  CHECK(live.first->date() == "2020-03-02");
  CHECK(live.last->date() == "2020-04-01");
}

TEST_CASE("period names: also before 1970") {
  CHECK(period_name(Timestamp{-1}, Period::Year) == "1969");
  CHECK(period_name(Timestamp{0}, Period::Month) == "1970-01");
  CHECK(period_name(Timestamp{-1}, Period::Day) == "1969-12-31");
}

TEST_CASE("live score: tenths of the rows in order of what was predicted") {
  const TargetProfile target = relative_return();
  LiveScorer scorer{target, 0, Period::Year};
  for (int i = 99; i >= 0; --i) scorer.add(said(i, 0), 2 * i);
  const LiveScore live = scorer.result();
  REQUIRE(live.deciles.size() == 10);
  CHECK(live.deciles[0].n == 10);
  CHECK(live.deciles[0].predicted == doctest::Approx(4.5));
  CHECK(live.deciles[9].outcome == doctest::Approx(189));
}

TEST_CASE("live score: too few rows have no tenths") {
  const TargetProfile target = relative_return();
  LiveScorer scorer{target, 0, Period::Year};
  scorer.add(said(1, 0), 1);
  CHECK(scorer.result().deciles.empty());
}

TEST_CASE("live score: classes by accuracy; of the baseline only the winner is known") {
  TargetProfile target = relative_return();
  target.label.kind = LabelKind::Direction2;
  target.task = Task::Binary;
  LiveScorer scorer{target, 0, Period::Year};
  PredictionRow row = said(1, 0);
  row.probabilities = {0.25, 0.75};
  scorer.add(row, 1);
  scorer.add(row, 0);
  row.probabilities.clear();  // not scored
  row.baseline = std::nan("");
  scorer.add(row, 0);
  const LiveScore live = scorer.result();
  CHECK(live.served.n == 2);
  CHECK(live.served.accuracy == 0.5);
  CHECK(live.served.log_loss == doctest::Approx(-(std::log(0.75) + std::log(0.25)) / 2));
  CHECK(live.baseline.n == 2);
  CHECK(live.baseline.accuracy == 0.5);
  CHECK(std::isnan(live.baseline.log_loss));
}

TEST_CASE("live score: prediction sets against what came, where they were served") {
  TargetProfile target;
  target.name = "up";
  target.label.kind = LabelKind::Direction3;
  target.task = Task::Multiclass;
  LiveScorer scorer{target, 0, Period::Year};
  PredictionRow row = said(0, 0);
  row.probabilities = {0.2, 0.3, 0.5};
  scorer.add(row, 2);
  CHECK(scorer.result().sets.all().n == 0);
  row.set = 0b110;
  scorer.add(row, 2);
  scorer.add(row, 0);
  CHECK(scorer.result().sets.all().n == 2);
  CHECK(scorer.result().sets.all().coverage() == 0.5);
}
