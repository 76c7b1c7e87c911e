#include "schedule/rule.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

Timestamp at(const char* text) { return Timestamp::parse(text).value(); }

}  // namespace

TEST_CASE("rule: fields and shorthands are a Cron in its zone") {
  const Rule rule = Rule::parse("30 2 * * *", "America/New_York").value();
  CHECK(rule.next(at("2026-01-05T00:00:00Z")) == at("2026-01-05T07:30:00Z"));
  CHECK(rule.previous(at("2026-01-05T07:30:00Z")) == at("2026-01-05T07:30:00Z"));
  CHECK(rule.text() == "30 2 * * * (America/New_York)");
  CHECK(Rule::parse("@daily").value().text() == "@daily (UTC)");
}

TEST_CASE("rule: a length and a calendar step are an Interval") {
  for (const char* text : {"6h", "every 6h"}) {
    const Rule rule = Rule::parse(text, "America/New_York").value();
    CHECK(rule.next(at("2026-01-05T00:00:00Z")) == at("2026-01-05T06:00:00Z"));
    CHECK(rule.previous(at("2026-01-05T05:00:00Z")) == at("2026-01-05T00:00:00Z"));
    CHECK(rule.text() == "every 6h");
  }
  CHECK(Rule::parse("quarterly").value().next(at("2026-01-05T00:00:00Z")) == at("2026-04-01T00:00:00Z"));
}

TEST_CASE("rule: starts are counted up to a limit") {
  const Rule hourly = Rule::parse("@hourly").value();
  CHECK(hourly.starts_between(at("2026-01-05T00:00:00Z"), at("2026-01-05T05:00:00Z"), 100) == 5);
  CHECK(hourly.starts_between(at("2026-01-05T00:00:00Z"), at("2026-01-15T05:00:00Z"), 100) == 100);
  const Rule interval = Rule::parse("1h").value();
  CHECK(interval.starts_between(at("2026-01-05T00:00:00Z"), at("2026-01-05T05:00:00Z"), 100) == 5);
  CHECK(interval.starts_between(at("2026-01-05T00:00:00Z"), at("2026-01-15T05:00:00Z"), 100) == 100);
}

TEST_CASE("rule: neither one nor the other is refused") {
  CHECK_FALSE(Rule::parse("often"));
  CHECK_FALSE(Rule::parse("every now and then"));
  CHECK_FALSE(Rule::parse(""));
  CHECK_FALSE(Rule::parse("0 0 * * *", "Mars/Olympus"));
}

}  // namespace everlearn
