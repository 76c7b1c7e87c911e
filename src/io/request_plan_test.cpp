#include "io/request_plan.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace everlearn {
namespace {

RequestRate of(const std::vector<RequestRate>& plan, std::string_view group) {
  const auto at = std::ranges::find_if(plan, [&](const RequestRate& one) { return one.group.starts_with(group); });
  REQUIRE(at != plan.end());
  return *at;
}

TEST_CASE("request plan: fifty markets of a list of 36,000 once a minute, by hand") {
  const auto plan = request_plan({}, {36'000, 50, 0});
  CHECK(of(plan, "gamma /markets").usual == doctest::Approx(60));  // 360 pages a minute
  CHECK(of(plan, "gamma /markets").most == 360);
  CHECK(of(plan, "gamma /markets").limit == 150);
  CHECK(of(plan, "gamma /markets").documented == 300);
  CHECK(of(plan, "clob /books").usual == 0);
  CHECK(of(plan, "clob /books").most == 1);           // 100 tokens
  CHECK(of(plan, "clob /prices-history").most == 5);  // 100 tokens, 20 at once
  CHECK(of(plan, "clob, all").most == 20 + 1 + 5);
  CHECK(std::ranges::all_of(plan, &RequestRate::fits));
}

TEST_CASE("request plan: all markets that qualify, in two tiers") {
  const auto plan = request_plan({}, {36'000, 250, 2'750});
  CHECK(of(plan, "clob /books").usual == doctest::Approx(44.0 / 90));  // 5,500 tokens: 22 batches, twice, in 15 minutes
  CHECK(of(plan, "clob /books").most == 3 + 44);
  CHECK(of(plan, "clob /prices-history").most == 300);
  CHECK(std::ranges::all_of(plan, &RequestRate::fits));
}

TEST_CASE("request plan: a list that is asked for too often does not fit, nor does a limit above the venue's") {
  VenueOptions options;
  options.refresh = Duration::seconds(10);
  CHECK_FALSE(of(request_plan(options, {36'000, 50, 0}), "gamma /markets").fits());
  options.refresh = Duration::seconds(60);
  options.limits.gamma_markets = 301;
  CHECK_FALSE(of(request_plan(options, {36'000, 50, 0}), "gamma /markets").fits());
}

}  // namespace
}  // namespace everlearn
