#include "app/cycle_grid.hpp"

#include <doctest/doctest.h>

using namespace everlearn;

namespace {
Timestamp at(const char* text) { return Timestamp::parse(text).value(); }
}  // namespace

TEST_CASE("cycle grid: an always open market has cycles at multiples of the step since the epoch") {
  const auto calendar = make_always_open();
  const CycleGrid grid{Duration::minutes(15), *calendar};
  CHECK(grid.after(at("2026-01-03T13:00:11Z")) == at("2026-01-03T13:15:00Z"));
  CHECK(grid.after(at("2026-01-03T13:15:00Z")) == at("2026-01-03T13:30:00Z"));
  CHECK(grid.at_or_after(at("2026-01-03T13:15:00Z")) == at("2026-01-03T13:15:00Z"));
  CHECK(grid.after(at("1969-12-31T23:50:00Z")) == at("1970-01-01T00:00:00Z"));
}

TEST_CASE("cycle grid: a step of zero is one cycle a session, at its close") {
  const auto calendar = make_us_equities().value();
  const CycleGrid grid{Duration{}, *calendar};
  CHECK(grid.after(at("2025-11-26T12:00:00-05:00")) == at("2025-11-26T16:00:00-05:00"));
  // Thanksgiving is closed, the day after closes at 13:00.
  CHECK(grid.after(at("2025-11-26T16:00:00-05:00")) == at("2025-11-28T13:00:00-05:00"));
}

TEST_CASE("cycle grid: in a session the grid begins at the open and ends with the close") {
  const auto calendar = make_us_equities().value();
  const CycleGrid grid{Duration::minutes(60), *calendar};
  CHECK(grid.after(at("2025-11-26T08:00:00-05:00")) == at("2025-11-26T10:30:00-05:00"));
  CHECK(grid.after(at("2025-11-26T15:30:00-05:00")) == at("2025-11-26T16:00:00-05:00"));
  CHECK(grid.after(at("2025-11-26T16:00:00-05:00")) == at("2025-11-28T10:30:00-05:00"));
}

TEST_CASE("cycle grid: a night is no silence") {
  const auto calendar = make_us_equities().value();
  const CycleGrid grid{Duration::minutes(1), *calendar};
  CHECK(grid.open_time(at("2025-11-25T15:59:00-05:00"), at("2025-11-26T09:31:00-05:00")) == Duration::minutes(2));
  CHECK(grid.open_time(at("2025-11-25T12:00:00-05:00"), at("2025-11-25T11:00:00-05:00")) == Duration{});
}
