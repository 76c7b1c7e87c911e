#include "io/venue_answers.hpp"

#include <doctest/doctest.h>

namespace everlearn {
namespace {

std::vector<HeardAsset> heard(std::string_view frame) {
  VenueAnswers answers;
  std::vector<HeardAsset> assets;
  REQUIRE(answers.frame(frame, assets));
  return assets;
}

TEST_CASE("a frame is about the assets that it names: books, changes in each shape, trades, a resolution") {
  CHECK(heard(R"([{"asset_id":"1","hash":"a","bids":[],"event_type":"book"},{"asset_id":"2","hash":"b"}])") ==
        std::vector<HeardAsset>{{"1", "a"}, {"2", "b"}});
  CHECK(heard(R"({"market":"0x","price_changes":[{"asset_id":"1","hash":"c"},{"asset_id":"2","hash":"d"}],)"
              R"("event_type":"price_change"})") == std::vector<HeardAsset>{{"1", "c"}, {"2", "d"}});
  CHECK(heard(R"({"asset_id":"1","price":"0.5","event_type":"last_trade_price"})") ==
        std::vector<HeardAsset>{{"1", ""}});
  CHECK(heard(R"({"assets_ids":["1","2"],"event_type":"market_resolved"})") ==
        std::vector<HeardAsset>{{"1", ""}, {"2", ""}});
}

TEST_CASE("news about the whole venue is about no asset of ours, and an empty list about none") {
  CHECK(heard(R"({"assets_ids":["1","2"],"event_type":"new_market"})").empty());
  CHECK(heard("[]").empty());
}

TEST_CASE("a frame that is no JSON says so") {
  VenueAnswers answers;
  std::vector<HeardAsset> assets;
  for (const char* text : {"", "{\"asset_id\":\"1\"", "PONG?", "[{]"}) CHECK_FALSE(answers.frame(text, assets));
  CHECK(assets.empty());
}

TEST_CASE("market list: tokens in either form, where there are any") {
  VenueAnswers answers;
  const auto page = answers.listed_page(
      R"({"markets":[{"clobTokenIds":"[\"1\", \"2\"]"},{"clobTokenIds":["3"]},{},{"clobTokenIds":""}]})");
  REQUIRE(page);
  CHECK(page->tokens == std::vector<std::string>{"1", "2", "3"});
}

TEST_CASE("market list: how many, where it goes on, and the last volume where the page falls in it") {
  VenueAnswers answers;
  const auto page = answers.listed_page(R"({"markets":[{"volume24hr":12.5},{"volume24hr":"7"}],"next_cursor":"abc"})");
  REQUIRE(page);
  CHECK(page->markets == 2);
  CHECK(page->last_volume_24h == 7);
  CHECK(page->next_cursor == "abc");
  CHECK(answers.listed_page(R"([{"volume24hr":1}])")->next_cursor.empty());
  CHECK_FALSE(answers.listed_page(R"([{"volume24hr":1},{"volume24hr":2}])")->last_volume_24h.has_value());
  CHECK_FALSE(answers.listed_page(R"([{"volume24hr":1},{}])")->last_volume_24h.has_value());
  CHECK(answers.listed_page(R"({"error":"no"})").error().code == Code::BadData);
}

TEST_CASE("quotes: sides and last trades, numbers as they stand; a token that never traded has no last price") {
  VenueAnswers answers;
  Quotes quotes;
  REQUIRE(answers.prices(R"({"1":{"BUY":"0.48","SELL":"0.49"},"2":{"BUY":0.1}})", quotes));
  REQUIRE(answers.last_trades(
      R"([{"token_id":"1","price":"0.48","side":"BUY"},{"token_id":"2","price":"0.5","side":""}])", quotes));
  CHECK(quotes["1"] == std::map<std::string, std::string>{{"BUY", "0.48"}, {"LAST", "0.48"}, {"SELL", "0.49"}});
  CHECK(quotes["2"] == std::map<std::string, std::string>{{"BUY", "0.1"}});
}

TEST_CASE("prices of the past: of many tokens, of one") {
  VenueAnswers answers;
  const auto many = answers.histories(R"({"history":{"1":[{"t":1, "p":0.5}],"2":[]}})");
  REQUIRE(many);
  CHECK(many->at("1") == R"([{"t":1,"p":0.5}])");
  CHECK(many->at("2") == "[]");
  CHECK(answers.history(R"({"history":[{"t":1,"p":0.515}]})").value() == R"([{"t":1,"p":0.515}])");
  CHECK(answers.history(R"({"error":"interval is too long"})").error().code == Code::BadData);
}

TEST_CASE("time: bare seconds") {
  VenueAnswers answers;
  CHECK(answers.time("1790000000\n").value() == 1'790'000'000);
  CHECK(answers.time("\"soon\"").error().code == Code::BadData);
}

}  // namespace
}  // namespace everlearn
