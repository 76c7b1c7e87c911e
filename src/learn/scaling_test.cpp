#include "learn/scaling.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

const ScalingRules kHybrid{.first = 23'000, .step = 10'000, .most = 80'000, .every = Duration::days(7)};
const Timestamp kStart = Timestamp{} + Duration::days(19'000);

TEST_CASE("scaling: 23,000 rows, 10,000 more a week, 80,000 at most") {
  const std::vector<std::int64_t> wanted{23'000, 33'000, 43'000, 53'000, 63'000, 73'000, 80'000, 80'000};
  for (std::size_t week = 0; week < wanted.size(); ++week)
    CHECK(scaling_rows(kHybrid, static_cast<std::int64_t>(week)) == wanted[week]);
  CHECK(scaling_rows(kHybrid, 1'000'000'000'000'000'000) == 80'000);
}

TEST_CASE("scaling: a week begins with its first microsecond; before the start it is week 0") {
  CHECK(scaling_period(kHybrid, kStart, kStart - Duration::days(30)) == 0);
  CHECK(scaling_period(kHybrid, kStart, kStart + Duration::days(7) - Duration{1}) == 0);
  CHECK(scaling_period(kHybrid, kStart, kStart + Duration::days(7)) == 1);
  CHECK(scaling_period(kHybrid, kStart, kStart + Duration::days(365)) == 52);
}

TEST_CASE("scaling: the timeline ends where the rows grow no more") {
  const auto steps = scaling_timeline(kHybrid, kStart);
  REQUIRE(steps.size() == 7);
  CHECK(steps[3].from == kStart + Duration::days(21));
  CHECK(steps[3].rows == 53'000);
  CHECK_FALSE(steps[5].is_last);
  CHECK(steps[6].is_last);
  CHECK(steps[6].rows == 80'000);
}

TEST_CASE("scaling: switched off it wants nothing; without a limit it goes on") {
  CHECK(scaling_rows({}, 5) == 0);
  CHECK(scaling_timeline({}, kStart).empty());
  CHECK(scaling_rows({.first = 100, .step = 10}, 5) == 150);
  CHECK(scaling_timeline({.first = 100, .step = 10}, kStart, 4).size() == 4);
  CHECK(scaling_rows({.first = 100, .most = 80}, 5) == 80);
}

}  // namespace
}  // namespace everlearn
