#include "app/history_facts.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

constexpr Duration kStep = Duration::minutes(15);
const Timestamp kNoon = Timestamp::parse("2026-01-03T12:00:00Z").value();

Timestamp after(std::int64_t steps) { return kNoon + kStep * steps; }

/// Points of one instrument from one step to another.
void seen(Coverage& coverage, std::uint32_t instrument, std::int64_t from, std::int64_t to) {
  for (std::int64_t i = from; i <= to; ++i)
    coverage.add(InstrumentId{instrument}, after(i), i == from && from > 0 ? kStep * 32 : kStep, kStep * 2);
}

TEST_CASE("history facts: of nothing there is nothing to say") {
  const HistoryFacts facts = history_facts({}, 0, kStep);
  CHECK(facts.points == 0);
  CHECK(facts.tokens == 0);
  CHECK(facts.days == 0);
  CHECK(!facts.interval_minutes);
}

TEST_CASE("history facts: points, instruments, days and the mean interval") {
  Coverage coverage;
  seen(coverage, 0, 0, 96);
  seen(coverage, 1, 0, 48);
  const HistoryFacts facts = history_facts(coverage, 0, kStep);
  CHECK(facts.points == 97 + 49);
  CHECK(facts.tokens == 2);
  CHECK(facts.days == 1);
  CHECK(facts.interval_minutes == 15);
  CHECK(facts.open_holes == 0);
}

TEST_CASE("history facts: a hole of eight hours stretches the interval until it is filled") {
  Coverage coverage;
  seen(coverage, 0, 0, 8);
  seen(coverage, 0, 40, 48);
  const HistoryFacts open = history_facts(coverage, 0, kStep);
  CHECK(open.open_holes == 1);
  CHECK(open.interval_minutes == doctest::Approx(15.0 * 48 / 17));
  REQUIRE(coverage.fill(InstrumentId{0}, after(8), after(40), "price history", after(49)));
  const HistoryFacts filled = history_facts(coverage, 31, kStep);
  CHECK(filled.points == 9 + 9 + 31);
  CHECK(filled.open_holes == 0);
  CHECK(filled.interval_minutes == 15);
}

}  // namespace
}  // namespace everlearn
