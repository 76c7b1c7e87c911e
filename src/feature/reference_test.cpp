// Each feature against its plain two-pass formula over the stored history, on pleasant and on nasty markets.
#include <doctest/doctest.h>

#include "feature/testing/compare.hpp"

using namespace everlearn;
using namespace everlearn::testing;

namespace {

Comparison check(TapeOptions options, const Calendar& calendar, std::uint64_t seed,
                 const std::vector<int>& windows = {1, 7, 20, 61}) {
  const Comparison result = compare(make_tape(options, calendar, seed), every_family(windows));
  CHECK_MESSAGE(result.worst <= 1, result.where);
  return result;
}

}  // namespace

TEST_CASE("every feature equals its plain formula on a random walk") {
  const auto calendar = make_always_open();
  const Comparison result = check({.path = Path::RandomWalk, .steps = 260}, *calendar, 1);
  for (const std::string& name : every_family({1, 7, 20, 61})) {
    CAPTURE(name);
    // Of probabilities; and four standard deviations do not happen on this walk.
    const bool elsewhere =
        name.starts_with("logit") || name.starts_with("binary") || name == "edge" || name == "steps_since_jump";
    CHECK(result.known.contains(name) != elsewhere);
  }
}
TEST_CASE("every feature equals its plain formula on prices that hardly move") {
  check({.path = Path::Constant, .steps = 220}, *make_always_open(), 2);
}
TEST_CASE("every feature equals its plain formula across jumps by a factor of three") {
  const Comparison result = check({.path = Path::Jumps, .steps = 260}, *make_always_open(), 3);
  CHECK(result.known.contains("steps_since_jump"));
}
TEST_CASE("every feature equals its plain formula at a price of 1e8 that moves by 1") {
  check({.path = Path::Offset, .steps = 220}, *make_always_open(), 4);
}
TEST_CASE("every feature equals its plain formula on a straight line") {
  check({.path = Path::Trend, .steps = 220, .bars = false, .trades = false, .books = false}, *make_always_open(), 5);
}
TEST_CASE("every feature equals its plain formula on probabilities in steps of 0.01") {
  const Comparison result = check({.path = Path::Probability, .steps = 220}, *make_always_open(), 6);
  CHECK(result.known.contains("edge"));
  CHECK(result.known.contains("binary_sd"));
  CHECK(result.known.contains("logit_7"));
  CHECK(result.known.contains("binary_move_7"));
}
TEST_CASE("every feature equals its plain formula with gaps, a stale spell, a late starter and a resolution") {
  check({.path = Path::RandomWalk, .steps = 900, .step = Duration::hours(1), .gaps = true}, *make_always_open(), 7,
        {20});
}
TEST_CASE("every feature equals its plain formula on daily sessions of US equities") {
  check({.path = Path::RandomWalk, .steps = 220, .step = Duration::days(1), .gaps = true}, *make_us_equities().value(),
        8);
}
TEST_CASE("every feature equals its plain formula on minutes of US equities, half day and holiday included") {
  check({.path = Path::RandomWalk, .steps = 600, .instruments = 1, .step = Duration::minutes(30)},
        *make_us_equities().value(), 9, {13});
}
TEST_CASE("every feature equals its plain formula with windows in which sums are made anew many times over") {
  check({.path = Path::Jumps, .steps = 1200, .instruments = 1}, *make_always_open(), 10, {150});
}
