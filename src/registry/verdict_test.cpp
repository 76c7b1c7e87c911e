#include "registry/verdict.hpp"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <bit>
#include <cmath>
#include <limits>

using namespace everlearn;

namespace {

Verdict example() {
  Verdict verdict;
  verdict.outcome = Outcome::Refused;
  verdict.reason = "refused by r2 0.01 (required 0.03)";
  verdict.rows = 1260;
  verdict.effective = 252;
  verdict.rows_used_before = 40;
  verdict.holdout_first = Timestamp{1'000'000};
  verdict.holdout_last = Timestamp{2'000'000};
  verdict.checks = {{"r2", 0.01, 0.03, false, "baseline \"-0.2\""},
                    {"zero_share", 0.1, std::numeric_limits<double>::quiet_NaN(), true, ""},
                    {"gain", -std::numeric_limits<double>::infinity(), 0, false, ""}};
  return verdict;
}

}  // namespace

TEST_CASE("a verdict as JSON: NaN is null, infinity a text, times are microseconds") {
  const std::string wanted =
      R"j({"outcome":"refused","reason":"refused by r2 0.01 (required 0.03)","rows":1260,"effective":252,)j"
      R"j("rows_used_before":40,"holdout_first":1000000,"holdout_last":2000000,"checks":[)j"
      R"j({"name":"r2","measured":0.01,"required":0.03,"passed":false,"note":"baseline \"-0.2\""},)j"
      R"j({"name":"zero_share","measured":0.1,"required":null,"passed":true,"note":""},)j"
      R"j({"name":"gain","measured":"-inf","required":0.0,"passed":false,"note":""}]})j";
  CHECK(example().to_json() == wanted);
}

TEST_CASE("a verdict reads back as it was written, every figure to the bit") {
  const auto again = Verdict::from_json(example().to_json());
  REQUIRE(again);
  CHECK(again->to_json() == example().to_json());
  CHECK(again->canonical() == example().canonical());
  CHECK(rc::check([](std::uint64_t bits) {
    Verdict verdict = example();
    const double value = std::bit_cast<double>(bits);
    verdict.checks[0].measured = value;
    const auto read = Verdict::from_json(verdict.to_json());
    RC_ASSERT(read.has_value());
    const double back = read->checks[0].measured;
    RC_ASSERT((std::isnan(value) ? std::isnan(back) : std::bit_cast<std::uint64_t>(back) == bits));
  }));
}

TEST_CASE("a verdict keeps the bins of reliability where there are some") {
  Verdict verdict = example();
  verdict.reliability_after.bins.resize(Reliability::kBins);
  verdict.reliability_after.bins[3] = {7, 0.25, 1.0 / 3};
  Verdict read = Verdict::from_json(verdict.to_json()).value();
  CHECK(read.reliability_after == verdict.reliability_after);
  CHECK(read.reliability_before.bins.empty());
  verdict.reliability_before = verdict.reliability_after;
  verdict.reliability_before.bins[3].n = 8;
  read = Verdict::from_json(verdict.to_json()).value();
  CHECK(read.reliability_before == verdict.reliability_before);
  CHECK(read.reliability_after == verdict.reliability_after);
  CHECK(read.canonical() == example().canonical());
}

TEST_CASE("a verdict that is not one is refused") {
  CHECK(!Verdict::from_json("{}"));
  CHECK(!Verdict::from_json("[1"));
  std::string json = example().to_json();
  json.replace(json.find("refused"), 7, "granted");
  CHECK(Verdict::from_json(json).error().message ==
        "verdict: outcome 'granted' is none of promoted, refused, insufficient, failed");
}

TEST_CASE("the canonical text has the outcome, the counts and every figure, no times and no notes") {
  CHECK(example().canonical() ==
        "refused rows 1260 effective 252 used before 40\n"
        "r2 0.01 0.029999999999999999 not passed\n"
        "zero_share 0.10000000000000001 nan passed\n"
        "gain -inf 0 not passed\n");
}
