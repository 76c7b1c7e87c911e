#include "core/scaled_clock.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

TEST_CASE("scaled clock: at its anchor it shows what it should, from there it runs so much faster") {
  ManualClock real{Timestamp{1'000'000}};
  const ScaledClock clock{real, {Timestamp{1'000'000}, Timestamp{50'000'000}}, 60};
  CHECK(clock.now() == Timestamp{50'000'000});
  real.set(Timestamp{2'000'000});
  CHECK(clock.now() == Timestamp{110'000'000});
  real.set(Timestamp{999'999});
  CHECK(clock.now() == Timestamp{49'999'940});
}

}  // namespace
}  // namespace everlearn
