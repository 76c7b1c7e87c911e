#include "app/report/scale.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace everlearn;

namespace {

std::string labels(const std::vector<Tick>& ticks) {
  std::string out;
  for (const Tick& tick : ticks) out += (out.empty() ? "" : "|") + tick.label;
  return out;
}

Timestamp on(const std::string& time) { return Timestamp::parse(time).value(); }

}  // namespace

TEST_CASE("scale: values land in proportion, those outside on the edge") {
  const Scale y{0, 10, 100, 0};
  CHECK(y(2.5) == 75);
  CHECK(y(-3) == 100);
  CHECK(y(11) == 0);
  CHECK_FALSE(y.inside(11));
}

TEST_CASE("scale: values that are all alike still have a place") { CHECK(std::isfinite(Scale{3, 3, 0, 100}(3))); }

TEST_CASE("ticks stand at round numbers with just enough decimals") {
  CHECK(labels(value_ticks(-0.012, 0.021, 3, Unit::Number)) == "-0.01|0.00|0.01|0.02");
  CHECK(labels(value_ticks(0, 97, 5, Unit::Number)) == "0|20|40|60|80");
  CHECK(labels(value_ticks(0.47, 0.56, 4, Unit::Percent)) == "48 %|50 %|52 %|54 %|56 %");
  CHECK(labels(value_ticks(-0.0008, 0.0012, 2, Unit::Percent)) == "0.0 %|0.1 %");
  CHECK(labels(value_ticks(95'000, 121'000, 3, Unit::Money)) == "100,000|110,000|120,000");
}

TEST_CASE("ticks: nothing to show gives none") {
  CHECK(value_ticks(1, 1, 5, Unit::Number).empty());
  CHECK(value_ticks(std::numeric_limits<double>::quiet_NaN(), 1, 5, Unit::Number).empty());
}

TEST_CASE("ticks of time stand at starts of years, months, days or hours") {
  CHECK(labels(time_ticks(on("1990-01-02T21:00:00Z"), on("2022-12-28T21:00:00Z"), 8)) ==
        "1995|2000|2005|2010|2015|2020");
  CHECK(labels(time_ticks(on("2025-10-20T00:00:00Z"), on("2026-02-10T00:00:00Z"), 5)) ==
        "Nov 2025|Dec 2025|Jan 2026|Feb 2026");
  CHECK(labels(time_ticks(on("2026-02-27T12:00:00Z"), on("2026-03-02T12:00:00Z"), 4)) == "28 Feb|1 Mar|2 Mar");
  CHECK(labels(time_ticks(on("2026-03-01T22:30:00Z"), on("2026-03-02T01:30:00Z"), 4)) == "23:00|2 Mar|01:00");
}

TEST_CASE("ticks of time: a run without length has few and ends") {
  CHECK(std::ssize(time_ticks(Timestamp{0}, Timestamp{1}, 5)) <= 5);
  CHECK(std::ssize(time_ticks(Timestamp{0}, on("9000-01-01T00:00:00Z"), 5)) <= 5);
}

TEST_CASE("range: one wild value does not squeeze all others") {
  std::vector<double> values(20, 0.01);
  values[3] = 0.03;
  values[7] = -900;
  const Range range = robust_range(values, 0);
  CHECK(range.low > -0.1);
  CHECK(range.low <= 0);
  CHECK(range.high >= 0.01);
}

TEST_CASE("range: holds the anchor, is never empty, leaves out what is missing") {
  CHECK(robust_range({0.4, 0.5}, 0).low == 0);
  CHECK(robust_range({}, 0).high > robust_range({}, 0).low);
  CHECK(robust_range({0.0, 0.0}, 0).high > robust_range({0.0, 0.0}, 0).low);
  CHECK(robust_range({std::numeric_limits<double>::quiet_NaN(), 2.0}, 0).high < 3);
}
