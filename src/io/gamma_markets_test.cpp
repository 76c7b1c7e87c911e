#include "io/gamma_markets.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include "io/test_shared.hpp"

namespace everlearn {
namespace {

using Oracle = GammaMarket::Oracle;

const std::string kCondition = "0x" + std::string(64, 'a');

/// A market with these members besides its condition id.
std::string object(const std::string& members) {
  return R"({"conditionId":")" + kCondition + "\"" + (members.empty() ? "" : "," + members) + "}";
}

GammaPage page(const std::string& body) {
  GammaReader reader;
  auto read = reader.read(body);
  REQUIRE(read);
  return *std::move(read);
}

GammaMarket one(const std::string& members) {
  const GammaPage read = page("[" + object(members) + "]");
  REQUIRE(read.markets.size() == 1);
  return read.markets.front();
}

TEST_CASE("gamma: lists stand inside texts or as lists, numbers as texts or as numbers") {
  const GammaMarket inside = one(R"("outcomes":"[\"Up\", \"Down\"]","outcomePrices":"[\"0.505\", \"0.495\"]",)"
                                 R"("clobTokenIds":"[\"11\", \"22\"]","volume":"9.5","liquidity":"7")");
  const GammaMarket plain =
      one(R"("outcomes":["Up","Down"],"outcomePrices":[0.505,"0.495"],"clobTokenIds":["11","22"],)"
          R"("volumeNum":9.5,"liquidityNum":7)");
  for (const GammaMarket& market : {inside, plain}) {
    CHECK(market.outcomes == std::vector<std::string>{"Up", "Down"});
    CHECK(market.outcome_prices == std::vector<double>{0.505, 0.495});
    CHECK(market.tokens == std::vector<std::string>{"11", "22"});
    CHECK(market.volume == 9.5);
    CHECK(market.liquidity == 7);
  }
}

TEST_CASE("gamma: what is absent, empty, null or of another kind is absent") {
  for (const char* members :
       {"", R"("clobTokenIds":"","outcomes":null,"volume24hr":null,"bestBid":null,"endDate":"")",
        R"("clobTokenIds":"[\"1\"","outcomes":7,"volume24hr":"much","bestBid":0,"endDate":"soon")"}) {
    const GammaMarket market = one(members);
    CHECK(market.tokens.empty());
    CHECK(market.outcomes.empty());
    CHECK_FALSE(market.volume_24h);
    CHECK_FALSE(market.bid);
    CHECK_FALSE(market.mid());
    CHECK_FALSE(market.end_time);
    CHECK_FALSE(market.trades());
    CHECK(market.oracle == Oracle::None);
  }
}

TEST_CASE("gamma: dates in each form that was seen") {
  const auto end = [](const std::string& text) {
    const auto time = one(R"("endDate":")" + text + "\"").end_time;
    return time ? time->iso() : std::string{"none"};
  };
  CHECK(end("2026-03-12T09:25:00Z") == "2026-03-12T09:25:00.000000Z");
  CHECK(end("2026-03-11T09:29:01.328428Z") == "2026-03-11T09:29:01.328428Z");
  CHECK(end("2026-04-01T18:24:05.41Z") == "2026-04-01T18:24:05.410000Z");
  CHECK(end("2021-01-02 21:45:52+00") == "2021-01-02T21:45:52.000000Z");
  CHECK(end("2021-01-02 21:45:52-05") == "2021-01-03T02:45:52.000000Z");
  CHECK(end("2026-03-12") == "2026-03-12T00:00:00.000000Z");
  CHECK(end("12 March") == "none");
  CHECK(one(R"("endDateIso":"2026-03-12")").end_time == std::nullopt);  // a day, not when it closes
}

TEST_CASE("gamma: recurring markets by their series and by their name, the shortest counts") {
  const auto of = [](const std::string& members) {
    const auto length = one(members).recurrence;
    return length ? length->text() : std::string{"none"};
  };
  CHECK(of(R"("slug":"btc-updown-5m-1773307200")") == "5m");
  CHECK(of(R"("slug":"eth-updown-4h-1773307200")") == "4h");
  CHECK(of(R"("slug":"will-it-rain")") == "none");
  CHECK(of(R"("events":[{"series":[{"recurrence":"daily"},{"recurrence":"hourly"}]}])") == "1h");
  CHECK(of(R"("events":[{"series":[{"recurrence":""}]}])") == "none");
}

TEST_CASE("gamma: a game is one by its sport or its number; a date of another market is no kick-off") {
  CHECK(one(R"("sportsMarketType":"moneyline","gameStartTime":"2026-04-05 15:00:00+00")").game);
  CHECK(one(R"("events":[{"gameId":1427074}])").game);
  CHECK(one(R"("events":[{"gameId":1,"live":true}])").live);
  CHECK_FALSE(one(R"("events":[{"gameId":1,"live":true,"ended":true}])").live);
  const GammaMarket other = one(R"("gameStartTime":"2025-12-19 23:40:00+00")");
  CHECK(other.game_start);
  CHECK_FALSE(other.game);
}

TEST_CASE("gamma: the fee that is charged; where its rate is not told, the highest documented") {
  CHECK(one(R"("feesEnabled":false,"takerBaseFee":1000)").fee_rate == 0);
  CHECK(one(R"("feesEnabled":true,"feeType":"crypto_fees")").fee_rate == 0.07);
  const GammaMarket told = one(R"("feesEnabled":true,"feeSchedule":{"exponent":2,"rate":0.03,"takerOnly":true})");
  CHECK(told.fee_rate == 0.03);
  CHECK(told.fee_exponent == 2);
}

TEST_CASE("gamma: where the oracle stands, by its word or by the last of its history") {
  CHECK(one(R"("umaResolutionStatus":"proposed")").oracle == Oracle::Proposed);
  CHECK(one(R"("umaResolutionStatus":"resolved","umaResolutionStatuses":"[\"proposed\"]")").oracle == Oracle::Resolved);
  CHECK(one(R"("umaResolutionStatuses":"[\"proposed\", \"disputed\"]")").oracle == Oracle::Disputed);
  CHECK(one(R"("umaResolutionStatuses":"[]")").oracle == Oracle::None);
  CHECK(one(R"("umaResolutionStatus":"something new")").oracle == Oracle::None);
}

TEST_CASE("gamma: pages of both kinds of paging, single markets, events with their markets inside") {
  const std::string market = object(R"("slug":"a")");
  CHECK(page("[" + market + "," + market + "]").markets.size() == 2);
  const GammaPage keyset = page(R"({"markets":[)" + market + R"(],"next_cursor":"abc"})");
  CHECK(keyset.markets.size() == 1);
  CHECK(keyset.next_cursor == "abc");
  CHECK(page(R"({"markets":[)" + market + "]}").next_cursor.empty());
  CHECK(page(market).markets.size() == 1);
  const std::string event = R"({"series":[{"recurrence":"15m"}],"markets":[)" + market + "]}";
  CHECK(page("[" + event + "]").markets.at(0).recurrence == Duration::minutes(15));
  CHECK(page(R"({"events":[)" + event + R"(],"next_cursor":"x"})").markets.size() == 1);
  CHECK(page("[]").markets.empty());
}

TEST_CASE("gamma: a market that cannot be read is counted, a body that is no answer is refused") {
  const GammaPage mixed = page("[" + object("") + R"(,{"slug":"x"},7,)" + object(R"("clobTokenIds":"[\"x1\"]")") + "," +
                               object(R"("clobTokenIds":"[\"1\",\"1\"]")") + "]");
  CHECK(mixed.markets.size() == 1);
  CHECK(mixed.refused.at("market without a condition id") == 1);
  CHECK(mixed.refused.at("market that is no object") == 1);
  CHECK(mixed.refused.at("market with an unreadable token id") == 1);
  CHECK(mixed.refused.at("market with a token twice") == 1);
  GammaReader reader;
  for (const char* body : {"", "7", "<html>", R"({"type":"validation error","error":"limit"})", R"([{"conditionId")"}) {
    CHECK_FALSE(reader.read(body));
  }
}

/// "1 0", "annulled", or "open".
std::string outcome(const std::string& members) {
  const auto end = settlement(one(R"("outcomes":["Yes","No"],)" + members));
  if (!end) return "open";
  if (end->annulled) return "annulled";
  return fmt::format("{} {}", end->payouts.at(0), end->payouts.at(1));
}

TEST_CASE("gamma: an outcome is one once the market is closed and its prices are final") {
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"1\", \"0\"]")") == "1 0");
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"0\", \"1\"]","umaResolutionStatus":"resolved")") == "0 1");
  CHECK(outcome(R"("closed":false,"outcomePrices":"[\"1\", \"0\"]")") == "open");
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"0.9995\", \"0.0005\"]")") == "open");
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"1\", \"0\"]","umaResolutionStatus":"disputed")") == "open");
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"1\", \"1\"]","umaResolutionStatus":"resolved")") == "open");
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"1\"]")") == "open");
  CHECK(outcome(R"("closed":true)") == "open");
}

TEST_CASE("gamma: a split and a void need the oracle's word: a market closed without a trade shows the same prices") {
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"0.5\", \"0.5\"]")") == "open");
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"0.5\", \"0.5\"]","umaResolutionStatus":"resolved")") == "0.5 0.5");
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"0\", \"0\"]")") == "open");
  CHECK(outcome(R"("closed":true,"outcomePrices":"[\"0\", \"0\"]","umaResolutionStatus":"resolved")") == "annulled");
}

TEST_CASE("gamma: the recorded samples") {
  const auto sample = [](const std::string& name) {
    return shared_file("protocols/samples/polymarket/rest_gamma/gamma_" + name + ".json");
  };
  const std::string recurring = sample("market");
  if (recurring.empty()) return;
  const GammaMarket market = page(recurring).markets.at(0);
  CHECK(market.recurrence == Duration::minutes(5));
  CHECK(market.tokens.size() == 2);
  CHECK(market.trades());
  CHECK(market.tick_size == Price::from_nanos(10'000'000));
  CHECK(market.min_size == 5);
  CHECK(market.end_time->iso() == "2026-03-12T09:25:00.000000Z");

  const GammaMarket no = page(sample("market_closed_binary_accepting_false")).markets.at(0);
  CHECK(settlement(no)->payouts == std::vector<double>{0, 1});
  const GammaMarket yes = page(sample("market_closed_binary_accepting_true")).markets.at(0);
  CHECK(yes.accepting_orders);
  CHECK_FALSE(yes.trades());
  CHECK(settlement(yes)->payouts == std::vector<double>{1, 0});
  CHECK_FALSE(settlement(page(sample("market_closed_nonbinary_legacy")).markets.at(0)));
  CHECK_FALSE(settlement(page(sample("market_closed_zero_zero_legacy")).markets.at(0)));
  CHECK(page(sample("market_sports_market_money_line")).markets.at(0).game);
  CHECK(page(sample("market_sports_market_map_handicap")).markets.at(0).game);
  CHECK_FALSE(page(sample("event")).markets.empty());
}

TEST_CASE("gamma: all 5,150 recorded markets are read") {
  const auto lines = shared_lines("data/polymarket/gamma_markets/markets_2026-03-11.jsonl.gz");
  if (lines.empty()) return;
  REQUIRE(lines.size() == 5'150);
  std::int64_t with_end = 0, with_bid = 0, games = 0, proposed = 0, disputed = 0, with_fee = 0, recurring = 0, live = 0;
  for (const std::string& line : lines) {
    const GammaPage read = page("[" + line + "]");
    REQUIRE(read.markets.size() == 1);
    const GammaMarket& market = read.markets.front();
    CHECK(market.tokens.size() == 2);
    CHECK(market.outcomes.size() == 2);
    CHECK(market.outcome_prices.size() == 2);
    CHECK(market.trades());
    CHECK(market.tick_size);
    CHECK_FALSE(settlement(market));
    with_end += market.end_time.has_value();
    with_bid += market.bid.has_value();
    games += market.game;
    live += market.live;
    proposed += market.oracle == Oracle::Proposed;
    disputed += market.oracle == Oracle::Disputed;
    with_fee += market.fee_rate > 0;
    recurring += market.recurrence.has_value();
  }
  CHECK(with_end == 5'093);
  CHECK(with_bid == 4'882);
  CHECK(proposed == 46);
  CHECK(disputed == 29);
  CHECK(with_fee == 429);
  CHECK(games > 2'200);
  CHECK(live > 0);
  CHECK(recurring > 3'000);
}

}  // namespace
}  // namespace everlearn
