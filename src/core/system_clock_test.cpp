#include "core/system_clock.hpp"

#include <doctest/doctest.h>

using namespace everlearn;

TEST_CASE("system clock: it is after this file was written and before our formats end") {
  const Timestamp now = SystemClock{}.now();
  CHECK(now > Timestamp::parse("2024-01-01T00:00:00Z").value());
  CHECK(now < Timestamp::parse("2200-01-01T00:00:00Z").value());
}

TEST_CASE("stopwatch: never runs backwards") {
  Stopwatch watch;
  const double first = watch.seconds();
  const double second = watch.seconds();
  CHECK(first >= 0.0);
  CHECK(second >= first);
}

TEST_CASE("manual clock: stands where it is put") {
  ManualClock clock{Timestamp{5}};
  CHECK(clock.now() == Timestamp{5});
  clock.set(Timestamp{3});
  CHECK(clock.now() == Timestamp{3});
}
