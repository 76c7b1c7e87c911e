#include "io/venue_replies.hpp"

#include <doctest/doctest.h>

#include <cstdlib>

#include "core/system_fs.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kFrom = 1'770'000'000;  // seconds
const Duration kStep = Duration::minutes(15);

Timestamp second(std::int64_t s) { return Timestamp{s * 1'000'000}; }

/// A hole of `hours` whose answer has a point each `every` from the first one on.
HistoryReply series(std::int64_t hours, Duration every, Duration first) {
  HistoryReply answer{"1", second(kFrom), second(kFrom + hours * 3'600), {}, ""};
  for (Timestamp at = answer.from + first; at <= answer.to; at = at + every) {
    answer.points.emplace_back(at, Price::from_nanos(500'000'000));
  }
  return answer;
}

TEST_CASE("prices of the past: eight hours of a fifteen minute series are 32 points") {
  const PastPrices past = past_prices(series(8, kStep, kStep), kStep);
  CHECK(past.problem.empty());
  CHECK(past.prices.size() == 32);
  CHECK(past.prices.front().first == past.from + kStep);
  CHECK(past.prices.back().first == past.to);
}

TEST_CASE("prices of the past: a finer series is good, and so is one with a hole in it, which stays one") {
  CHECK(past_prices(series(8, Duration::minutes(1), Duration::minutes(1)), kStep).prices.size() == 480);
  HistoryReply holed = series(8, kStep, kStep);
  holed.points.erase(holed.points.begin() + 8, holed.points.begin() + 16);
  CHECK(past_prices(holed, kStep).prices.size() == 24);
}

TEST_CASE("prices of the past: a coarser series fills nothing, be it one point in the middle of the hole") {
  for (const Duration every : {Duration::minutes(30), Duration::hours(1), Duration::hours(4), Duration::hours(12)}) {
    const PastPrices past = past_prices(series(8, every, Duration::minutes(7)), kStep);
    CHECK(past.prices.empty());
    CHECK(past.problem.find("coarser than 15m") != std::string::npos);
  }
  // For a hole of half a day in a history of such steps it is just right.
  CHECK(past_prices(series(48, Duration::hours(12), Duration::hours(12)), Duration::hours(12)).prices.size() == 4);
}

TEST_CASE("prices of the past: a hole of one step takes one point") {
  HistoryReply one = series(1, Duration::hours(2), Duration::minutes(3));
  one.to = one.from + kStep;
  CHECK(past_prices(one, kStep).prices.size() == 1);
}

TEST_CASE(
    "prices of the past: points outside the hole are no points of it, order does not matter, the later word counts") {
  HistoryReply answer{"1", second(kFrom), second(kFrom + 1'800), {}, ""};
  const auto point = [](std::int64_t s, std::int64_t cents) {
    return std::pair{second(kFrom + s), Price::from_nanos(cents * 10'000'000)};
  };
  answer.points = {point(1'800, 52), point(900, 51), point(0, 40), point(900, 50), point(2'700, 60)};
  const PastPrices past = past_prices(answer, kStep);
  REQUIRE(past.prices.size() == 2);
  CHECK(past.prices[0] == point(900, 50));
  CHECK(past.prices[1] == point(1'800, 52));
}

TEST_CASE("prices of the past: no points and no answer are told apart") {
  HistoryReply none = series(8, Duration::hours(9), Duration::hours(9));
  CHECK(past_prices(none, kStep).problem == "the venue has no prices of this time");
  none.problem = "HTTP 500";
  CHECK(past_prices(none, kStep).problem == "HTTP 500");
  HistoryReply refused = series(8, kStep, kStep);
  refused.problem = "half of it did not come";
  CHECK(past_prices(refused, kStep).prices.empty());
}

TEST_CASE("history: as the feed composes it; prices that are none are left out") {
  VenueReplies replies;
  const auto read = replies.history(
      R"({"token":"12","from":1770000000,"to":1770001800,"history":[{"t":1770000900,"p":0.515},{"t":1770001800,"p":0},)"
      R"({"t":1770001800,"p":1.5},{"p":0.5}],"problem":""})");
  REQUIRE(read);
  CHECK(read->token == "12");
  REQUIRE(read->points.size() == 1);
  CHECK(read->points[0].second == Price::from_nanos(515'000'000));
  CHECK_FALSE(replies.history(R"({"token":"12","from":5,"to":1770001800,"history":[]})"));
  CHECK_FALSE(replies.history(R"({"token":"12","from":1770001800,"to":1770001800,"history":[]})"));
  CHECK_FALSE(replies.history("[]"));
}

TEST_CASE("quotes: an empty side is none, however it is written") {
  VenueReplies replies;
  const auto quotes = replies.quotes(
      R"({"1":{"BUY":"0.48","SELL":"0.49","LAST":"0.48"},"2":{"BUY":"0","SELL":"1","LAST":""},"3":{"SELL":0.2},"4":7})");
  REQUIRE(quotes);
  REQUIRE(quotes->size() == 3);
  CHECK((*quotes)[0].bid == Price::from_nanos(480'000'000));
  CHECK((*quotes)[0].ask == Price::from_nanos(490'000'000));
  CHECK((*quotes)[0].last_trade == Price::from_nanos(480'000'000));
  CHECK_FALSE((*quotes)[1].bid);
  CHECK_FALSE((*quotes)[1].ask);
  CHECK_FALSE((*quotes)[1].last_trade);
  CHECK((*quotes)[2].ask == Price::from_nanos(200'000'000));
}

TEST_CASE("market info: who won, or that each gets half") {
  VenueReplies replies;
  const auto won = replies.market(
      R"({"condition_id":"0xAB","closed":true,"accepting_orders":true,"tokens":[{"token_id":"1","winner":false},)"
      R"({"token_id":"2","winner":true}]})");
  REQUIRE(won);
  CHECK(won->condition == "0xab");
  CHECK(won->closed);
  CHECK(won->winner == 1);
  CHECK(won->tokens == std::vector<std::string>{"1", "2"});
  CHECK(replies.market(R"({"condition_id":"0xab","closed":true,"is_50_50_outcome":true,"tokens":[]})")->split);
  CHECK_FALSE(replies.market(R"({"error":"market not found"})"));
}

std::string sample(const std::string& name) {
  const char* shared = std::getenv("EVERLEARN_SHARED");
  const std::string root = shared != nullptr ? shared : EVERLEARN_SOURCE_DIR "/../shared";
  SystemFs fs;
  const auto bytes = read_file(fs, root + "/protocols/samples/polymarket/" + name);
  return bytes ? *bytes : "";
}

TEST_CASE("recorded answers: trades of both versions, markets that are over") {
  const std::string first = sample("rest_data/trades_v1.json");
  if (first.empty()) {
    MESSAGE("skipped: no shared samples");
    return;
  }
  VenueReplies replies;
  std::int64_t refused = 0;
  const auto one = replies.trades(first, refused);
  REQUIRE(one);
  REQUIRE(one->size() >= 2);
  CHECK(one->front().time == second(1'729'000'060));  // third in the answer
  CHECK(one->front().trade.side == Side::Buy);
  CHECK(one->back().trade.price == Price::from_nanos(998'000'000));
  const auto two = replies.trades(sample("rest_data_v2/trades.json"), refused);
  REQUIRE(two);
  CHECK(two->size() > 0);
  CHECK(two->front().trade.size > 0);
  CHECK(refused == 0);
  CHECK(replies.trades(R"([{"asset":"1","price":"x"}])", refused)->empty());
  CHECK(refused == 1);
  for (const char* name :
       {"clob_market_closed_binary_accepting_false.json", "clob_market_closed_binary_accepting_true.json"}) {
    const auto market = replies.market(sample(std::string{"rest_clob/"} + name));
    REQUIRE(market);
    CHECK(market->closed);
    CHECK(market->tokens.size() == 2);
    CHECK(market->winner);
  }
}

}  // namespace
}  // namespace everlearn
