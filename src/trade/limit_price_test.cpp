#include "trade/limit_price.hpp"

#include <doctest/doctest.h>

#include "trade/win_rate.hpp"

namespace everlearn {
namespace {

Price price(const char* text) { return Price::parse(text).value(); }

TEST_CASE("limit: on the tick, so many ticks beyond, never outside the market") {
  const LimitTerms cents{.tick = 0.01, .tolerance = 2, .probability = true};
  CHECK(limit_price(price("0.48"), 1, cents) == price("0.5"));
  CHECK(limit_price(price("0.48"), -1, cents) == price("0.46"));
  CHECK(limit_price(price("0.4812"), 1, cents) == price("0.51"));   // rounded towards what is paid
  CHECK(limit_price(price("0.4812"), -1, cents) == price("0.46"));  // and towards what is taken
  CHECK(limit_price(price("0.98"), 1, cents) == price("0.99"));
  CHECK(limit_price(price("0.999"), 1, cents) == price("0.99"));
  CHECK(limit_price(price("0.02"), -1, cents) == price("0.01"));
  CHECK(limit_price(price("0.001"), -1, cents) == price("0.01"));
  const LimitTerms shares{.tick = 0.01, .tolerance = 1, .probability = false};
  CHECK(limit_price(price("101.5"), 1, shares) == price("101.51"));
  CHECK(limit_price(price("0.4812"), 1, LimitTerms{}) == price("0.4812"));
}

TEST_CASE("size: whole steps, rounded down") {
  CHECK(whole_steps(20.8399, 0.01) == 20.83);
  CHECK(whole_steps(0.29, 0.01) == 0.29);
  CHECK(whole_steps(0.0099, 0.01) == 0);
  CHECK(whole_steps(17, 5) == 15);
  CHECK(whole_steps(1.23456, 0) == 1.23456);
}

// R 4.3: prop.test(7, 10, correct = FALSE)$conf.int
TEST_CASE("win rate: Wilson's interval") {
  const auto [low, high] = wilson_interval(7, 10);
  CHECK(low == doctest::Approx(0.3967781).epsilon(1e-6));
  CHECK(high == doctest::Approx(0.8922087).epsilon(1e-6));
  CHECK(wilson_interval(0, 0) == std::pair{0.0, 1.0});
  CHECK(wilson_interval(0, 5).first == 0);
  CHECK(wilson_interval(5, 5).second == 1);
  CHECK(wilson_interval(5, 5).first > 0.5);
}

}  // namespace
}  // namespace everlearn
