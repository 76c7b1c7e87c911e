#include "venue/recording_reader.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "core/system_fs.hpp"
#include "venue/json_members.hpp"
#include "venue/made_book.hpp"
#include "venue/test_vectors.hpp"

namespace everlearn::venue {
namespace {

std::optional<std::vector<RecordedMarket>> recorded(const std::string& name) {
  SystemFs fs;
  const std::string data = shared_folder() + "/data/polymarket";
  if (!fs.exists(data)) {
    MESSAGE("skipped: no shared recordings");
    return std::nullopt;
  }
  auto markets = read_recording(fs, data, name);
  if (!markets) FAIL(markets.error().message);
  for (const RecordedMarket& market : *markets) {
    CAPTURE(market.slug);
    REQUIRE_FALSE(market.points.empty());
    REQUIRE_FALSE(market.ticks.empty());
    REQUIRE_FALSE(market.volumes.empty());
    CHECK(std::is_sorted(market.points.begin(), market.points.end(),
                         [](const auto& a, const auto& b) { return a.at < b.at; }));
    CHECK(market.condition.size() == 66);
    CHECK(market.tokens[0] != market.tokens[1]);
    CHECK_FALSE(market.id.empty());
  }
  return std::move(*markets);
}

const RecordedMarket& market_of(const std::vector<RecordedMarket>& markets, const std::string& slug) {
  const auto found = std::find_if(markets.begin(), markets.end(), [&](const auto& m) { return m.slug == slug; });
  REQUIRE(found != markets.end());
  return *found;
}

Price price(const char* text) { return *Price::parse(text); }

TEST_CASE("recordings: ten-minute prices of 142 markets, each with its outcome") {
  const auto markets = recorded("price_history_10m");
  if (!markets) return;
  CHECK(markets->size() == 142);
  CHECK(std::count_if(markets->begin(), markets->end(), [](const auto& m) { return m.payout == Price{}; }) == 102);
  const RecordedMarket& market =
      market_of(*markets, "will-trump-admin-release-any-more-epstein-related-files-by-february-13");
  CHECK(market.payout == price("1"));
  CHECK(market.price(*Timestamp::parse("2026-02-02T02:15:00Z")) == price("0.47"));
  CHECK_FALSE(market.price(*Timestamp::parse("2026-02-02T02:10:18Z")));
  CHECK(market.closes == *Timestamp::parse("2026-02-03T12:20:23Z"));
  CHECK(market.end == *Timestamp::parse("2026-02-04T00:00:00Z"));
  CHECK_FALSE(market.fresh_price(*Timestamp::parse("2026-02-03T14:00:00Z")));
  CHECK(market.category == "politics");
}

TEST_CASE("recordings: a minute scan in local time, with Gamma's own object where there is one") {
  const auto markets = recorded("live_scan_1m");
  if (!markets) return;
  CHECK(markets->size() == 3449);  // of 3740: the others stood at 0 or 1 all the time
  CHECK(std::count_if(markets->begin(), markets->end(), [](const auto& m) { return !m.raw.empty(); }) == 273);
  const RecordedMarket& market = market_of(*markets, "will-the-new-england-patriots-win-super-bowl-2026");
  CHECK(market.points.front().at == *Timestamp::parse("2026-02-03T17:49:59.942723Z"));
  CHECK(market.points.front().price == price("0.3205"));
  CHECK(market.volume(market.points.front().at).liquidity == doctest::Approx(736107.64185));
  CHECK(market.end == *Timestamp::parse("2026-02-08T12:00:00Z"));
  CHECK(market.event_slug == "pro-football-champion-2026");
  CHECK(market.ticks.front().tick == price("0.001"));
}

TEST_CASE("recordings: tops of book each second, an outcome only where the last quotes tell it, fills as trades") {
  const auto markets = recorded("updown_15m_top_of_book");
  if (!markets) return;
  CHECK(markets->size() == 66);
  const RecordedMarket& market = market_of(*markets, "btc-updown-15m-1766745000");
  CHECK(market.outcomes[1] == "Down");
  const TopAt* top = market.top(*Timestamp::parse("2025-12-26T10:34:14.5Z"));
  REQUIRE(top != nullptr);
  CHECK(top->bid == price("0.09"));
  CHECK(top->ask == price("0.11"));
  CHECK(top->bid_size == *Quantity::parse("6151.04"));
  CHECK(market.price(top->at) == price("0.1"));
  CHECK(market.trades_recorded);
  CHECK(market.trades.front().second);
  CHECK(market.trades.front().price == price("0.67"));
  CHECK(std::count_if(markets->begin(), markets->end(), [](const auto& m) { return m.payout.has_value(); }) > 40);
}

TEST_CASE("recordings: books of games replay from snapshots and changes") {
  const auto markets = recorded("book_events");
  if (!markets) return;
  CHECK(markets->size() == 18);
  const RecordedMarket& market = market_of(*markets, "mlb-cin-bos-2025-07-01");
  CHECK(market.id == "557546");
  CHECK(market.outcomes[0] == "Red Sox");
  const auto book = market.recorded_book(market.words.front().at);
  REQUIRE(book);
  CHECK(book->asks.back() == Level{price("0.99"), *Quantity::parse("3432")});
  CHECK(*book->best_bid() < *book->best_ask());
  CHECK(mirrored(mirrored(*book)) == *book);
  for (const BookWordAt& word : market.words) {
    const auto at = market.recorded_book(word.at);
    REQUIRE(at);
    if (!at->bids.empty() && !at->asks.empty()) CHECK(*at->best_bid() < *at->best_ask());
  }
}

TEST_CASE("recordings: Gamma's objects as they are, sixty full books beside them") {
  const auto markets = recorded("gamma_markets");
  if (!markets) return;
  CHECK(markets->size() == 5150);
  const RecordedMarket& market = market_of(*markets, "bitboy-convicted");
  CHECK(market.id == "531202");
  CHECK(market.price(market.begin) == price("0.268"));
  CHECK(market.tick(market.begin) == price("0.001"));
  CHECK(market.top(market.begin)->ask == price("0.284"));
  CHECK(market.raw.starts_with("{\"id\""));
  CHECK(std::count_if(markets->begin(), markets->end(), [](const auto& m) { return !m.words.empty(); }) == 10);
}

TEST_CASE("recordings: trades make the prices where nothing else does") {
  const auto fills = recorded("onchain_fills_2024");
  if (!fills) return;
  REQUIRE(fills->size() == 1);
  CHECK(fills->front().slug == "presidential-election-winner-2024");
  CHECK(fills->front().trades.size() == 846);
  const auto midterms = recorded("trades_2022_midterms");
  CHECK(midterms->size() == 27);
  const RecordedMarket& alaska = market_of(*midterms, "midterms-2022-alaska-governor");
  CHECK(alaska.outcomes[0] == "Democrat");
  CHECK(alaska.points.back().price == price("0.001"));
}

TEST_CASE("recordings: an unknown name is refused with those there are") {
  SystemFs fs;
  const auto markets = read_recording(fs, ".", "nothing");
  REQUIRE_FALSE(markets);
  CHECK(markets.error().code == Code::Usage);
  CHECK(markets.error().message.find("price_history_10m") != std::string::npos);
}

TEST_CASE("json members: one changes, the others stay as they were written") {
  const std::string text = R"({"id":"7","n":1.50,"list":"[\"Yes\", \"No\"]","o":{"a":[1, 2]},"t":"\"q\"","z":null})";
  auto members = JsonMembers::parse(text);
  REQUIRE(members);
  CHECK(members->object() == text);
  CHECK(members->texts("list") == std::vector<std::string>{"Yes", "No"});
  CHECK(members->number("n") == 1.5);
  CHECK(members->number("id") == 7);
  CHECK(members->text("t") == "\"q\"");
  CHECK_FALSE(members->text("z"));
  members->set("n", "2");
  members->set_text("new", "a\"b");
  CHECK(members->object() ==
        R"({"id":"7","n":2,"list":"[\"Yes\", \"No\"]","o":{"a":[1, 2]},"t":"\"q\"","z":null,"new":"a\"b"})");
  CHECK(list_in_text({"Yes", "No"}) == R"("[\"Yes\", \"No\"]")");
  CHECK_FALSE(JsonMembers::parse("[1]"));
}

}  // namespace
}  // namespace everlearn::venue
