#include "learn/conformal_coverage.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace everlearn;

TEST_CASE("coverage of prediction sets, by week from Monday 00:00 UTC") {
  ConformalCoverage coverage;
  const Timestamp monday = Timestamp{} + Duration::days(4 + 7 * 2800);  // 2023-09-04
  CHECK(monday.date() == "2023-09-04");
  coverage.add(monday, 0b001, 0);                      // one class, right
  coverage.add(monday + Duration::days(6), 0b011, 2);  // two, missed
  coverage.add(monday - Duration{1}, 0b111, 1);        // the week before
  coverage.add(monday + Duration::days(7), 0b100, 0);  // the week after: one class, wrong
  coverage.add(monday, 0, 0);                          // unknown
  coverage.add(monday, 0b001, std::nan(""));           // no outcome
  const auto weeks = coverage.weeks();
  REQUIRE(weeks.size() == 3);
  CHECK(weeks[0].monday == monday - Duration::days(7));
  CHECK(weeks[1].monday == monday);
  CHECK(weeks[1].count.n == 2);
  CHECK(weeks[1].count.coverage() == 0.5);
  CHECK(weeks[1].count.single_share() == 0.5);
  CHECK(weeks[1].count.single_accuracy() == 1);
  CHECK(weeks[1].count.mean_size() == 1.5);
  CHECK(weeks[1].count.standard_error() == doctest::Approx(std::sqrt(0.125)));
  CHECK(weeks[2].count.single_accuracy() == 0);
  CHECK(coverage.all().n == 4);
  CHECK(coverage.all().covered == 2);
  CHECK(std::isnan(SetCount{}.coverage()));
  CHECK(std::isnan(weeks[0].count.single_accuracy()));
}

TEST_CASE("weeks before 1970 begin on Mondays too") {
  ConformalCoverage coverage;
  coverage.add(Timestamp{} - Duration::days(1), 1, 0);  // Wednesday 1969-12-31
  CHECK(coverage.weeks().front().monday == Timestamp{} - Duration::days(3));
}
