#include "venue/venue.hpp"

#include <simdjson.h>

#include <algorithm>
#include <map>

#include "core/system_fs.hpp"
#include "venue/book.hpp"
#include "venue/json_members.hpp"
#include "venue/venue_fixture.hpp"

namespace everlearn::venue {
namespace {

int count(const std::vector<Outgoing>& out, Outgoing::Kind kind) {
  return static_cast<int>(std::count_if(out.begin(), out.end(), [&](const Outgoing& o) { return o.kind == kind; }));
}

const Outgoing& first(const std::vector<Outgoing>& out, Outgoing::Kind kind) {
  const auto found = std::find_if(out.begin(), out.end(), [&](const Outgoing& o) { return o.kind == kind; });
  REQUIRE(found != out.end());
  return *found;
}

Book read_book(simdjson::dom::element event) {
  Book book;
  for (const bool bid : {true, false})
    for (const simdjson::dom::element level : event[bid ? "bids" : "asks"])
      book.set(bid, *Price::parse(std::string_view{level["price"]}), *Quantity::parse(std::string_view{level["size"]}));
  return book;
}

/// A client's copy of one token's book, kept by what the socket says.
struct Follower {
  std::string token;
  Book book;
  int changes = 0;

  void take(const std::string& json) {
    simdjson::dom::parser parser;
    const simdjson::dom::element event = parser.parse(json);
    const std::string_view type{event["event_type"]};
    if (type == "book" && std::string_view{event["asset_id"]} == token) book = read_book(event);
    if (type != "price_change") return;
    std::string bid, ask;
    for (const simdjson::dom::element change : event["price_changes"]) {
      if (std::string_view{change["asset_id"]} != token) continue;
      ++changes;
      book.set(std::string_view{change["side"]} == "BUY", *Price::parse(std::string_view{change["price"]}),
               *Quantity::parse(std::string_view{change["size"]}));
      bid = std::string{std::string_view{change["best_bid"]}};
      ask = std::string{std::string_view{change["best_ask"]}};
    }
    CHECK(bid == (book.best_bid() ? book.best_bid()->text() : "0"));
    CHECK(ask == (book.best_ask() ? book.best_ask()->text() : "1"));
  }
};

TEST_CASE("venue: markets are listed from their first recorded price on, and told when they come") {
  TestVenue t;
  CHECK(t.venue->listed().size() == 1);
  CHECK_FALSE(t.venue->by_slug("beta"));
  const auto told = t.advance("2026-01-10T02:30:00Z");
  CHECK(t.venue->listed().size() == 2);
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == Outgoing::Kind::NewMarket);
  CHECK(told[0].at == at("2026-01-10T02:00:00Z"));
  CHECK(for_custom_only(told[0].kind));
  CHECK(has(told[0].json, R"("slug":"beta")"));
  CHECK(t.venue->by_token(t.token("beta", 1)) == t.market("beta"));
  CHECK(t.venue->by_condition(t.venue->view(t.market("beta")).condition) == t.market("beta"));
}

TEST_CASE("venue: Gamma's object has the recorded members with their types") {
  TestVenue t;
  const std::string json = t.venue->gamma_market(t.market("alpha"));
  const auto object = JsonMembers::parse(json);
  REQUIRE(object);
  CHECK(object->texts("outcomes") == std::vector<std::string>{"Yes", "No"});
  CHECK(object->json("outcomes")->starts_with("\"["));
  CHECK(object->texts("outcomePrices") == std::vector<std::string>{"0.41", "0.59"});
  CHECK(object->texts("clobTokenIds") == std::vector<std::string>{t.token("alpha", 0), t.token("alpha", 1)});
  CHECK(object->json("volume")->starts_with("\""));
  CHECK_FALSE(object->json("volumeNum")->starts_with("\""));
  CHECK(object->text("endDate") == "2026-01-11T00:00:00Z");
  CHECK(object->json("acceptingOrders") == "true");
  CHECK(object->json("orderPriceMinTickSize") == "0.01");
  CHECK(object->objects("events").size() == 1);
  const auto event = JsonMembers::parse(t.venue->gamma_event(t.venue->view(0).event_id));
  REQUIRE(event);
  REQUIRE(event->objects("markets").size() == 1);
  CHECK_FALSE(event->objects("markets").front().json("events"));
  simdjson::dom::parser parser;
  for (const std::string& text : {json, event->object(), t.venue->clob_market(0), t.venue->clob_simplified_market(0),
                                  t.venue->clob_compact_market(t.venue->view(0).condition).body})
    CHECK(parser.parse(text).error() == simdjson::SUCCESS);

  // A member that a sample of the venue's own has, ours has with the same type.
  const auto recorded = sample("rest_gamma/gamma_market.json");
  if (!recorded) return;
  const simdjson::dom::element theirs = parser.parse(*recorded);
  simdjson::dom::parser other;
  const simdjson::dom::element ours = other.parse(json);
  int same = 0;
  for (const auto [key, value] : simdjson::dom::object{theirs}) {
    simdjson::dom::element mine;
    if (ours[key].get(mine) != simdjson::SUCCESS) continue;
    CAPTURE(key);
    const auto kind = [](simdjson::dom::element e) { return e.is_number() ? 'n' : static_cast<char>(e.type()); };
    CHECK(kind(mine) == kind(value));
    ++same;
  }
  CHECK(same > 50);
}

TEST_CASE("venue: what the socket says adds up to the book that is asked for") {
  TestVenue t;
  t.venue->watch({t.token("alpha")});
  Follower yes{.token = t.token("alpha", 0), .book = {}}, no{.token = t.token("alpha", 1), .book = {}};
  for (Follower* f : {&yes, &no}) f->take(t.venue->book_event(f->token));
  simdjson::dom::parser parser;
  Timestamp last;
  for (const char* until : {"2026-01-10T01:10:00Z", "2026-01-10T01:40:03Z", "2026-01-10T03:20:00Z"}) {
    for (const Outgoing& event : t.advance(until)) {
      CHECK(event.at >= last);
      last = event.at;
      CHECK(event.made);
      for (Follower* f : {&yes, &no}) f->take(event.json);
    }
    for (Follower* f : {&yes, &no}) CHECK(f->book == read_book(parser.parse(t.venue->book(f->token).body)));
    CHECK(mirrored(yes.book) == no.book);
  }
  CHECK(yes.changes > 500);
  CHECK(*middle(yes.book) == price("0.43"));
}

TEST_CASE("venue: whether somebody listens changes nothing of what is true") {
  TestVenue watched, alone;
  watched.venue->watch({watched.token("alpha"), "no such token"});
  watched.advance("2026-01-10T03:17:21Z");
  CHECK(alone.advance("2026-01-10T03:17:21Z").size() == 1);
  CHECK(watched.venue->book(watched.token("alpha")).body == alone.venue->book(alone.token("alpha")).body);
  // In one step or in many: the same events.
  TestVenue steps;
  steps.venue->watch({steps.token("alpha")});
  std::vector<Outgoing> all;
  for (Timestamp now = at("2026-01-10T01:00:00Z"); now < at("2026-01-10T03:17:21Z"); now = now + Duration::seconds(13))
    steps.venue->advance_to(std::min(now, at("2026-01-10T03:17:21Z")), all);
  steps.venue->advance_to(at("2026-01-10T03:17:21Z"), all);
  REQUIRE(all.size() == watched.out.size());
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i].json == watched.out[i].json);
}

TEST_CASE("venue: a recorded outcome is proposed, then resolves the market") {
  TestVenue t;
  t.venue->watch({t.token("alpha")});
  t.advance("2026-01-10T06:09:59Z");
  CHECK(t.venue->view(t.market("alpha")).stage == Stage::Trading);
  t.advance("2026-01-10T06:10:00Z");
  const MarketView proposed = t.venue->view(t.market("alpha"));
  CHECK(proposed.stage == Stage::Proposed);
  CHECK_FALSE(proposed.accepting_orders);
  CHECK(has(t.venue->gamma_market(t.market("alpha")), R"("umaResolutionStatus":"proposed")"));
  CHECK_FALSE(t.venue->outcome(t.market("alpha")));
  const auto told = t.advance("2026-01-10T09:00:00Z");
  CHECK(count(told, Outgoing::Kind::MarketResolved) == 2);
  const Outgoing& event = first(told, Outgoing::Kind::MarketResolved);
  CHECK(event.at == at("2026-01-10T08:10:00Z"));
  CHECK(has(event.json, fmt::format(R"("winning_asset_id":"{}","winning_outcome":"Yes")", t.token("alpha"))));
  CHECK(t.venue->outcome(t.market("alpha"))->payout == price("1"));
  CHECK(t.venue->outcome(t.market("beta"))->payout == Price{});
  CHECK(t.venue->true_price(t.market("beta"), t.venue->now()) == Price{});
  const auto gamma = JsonMembers::parse(t.venue->gamma_market(t.market("alpha")));
  CHECK(gamma->json("closed") == "true");
  CHECK(gamma->texts("outcomePrices") == std::vector<std::string>{"1", "0"});
  CHECK(gamma->text("closedTime") == "2026-01-10T08:10:00Z");
  CHECK(has(t.venue->clob_market(t.market("alpha")), R"("outcome":"Yes","price":1,"winner":true)"));
  CHECK(t.venue->book(t.token("alpha")).status == 404);
  CHECK(t.venue->book_event(t.token("alpha")).empty());
  CHECK(has(t.venue->data_resolutions_v2({t.venue->view(0).condition}).body, R"("status":"resolved")"));
}

TEST_CASE("venue: scripts stop, dispute, split, annul and change the tick") {
  VenueSetup setup;
  setup.script = {
      {.at = at("2026-01-10T02:00:00Z"), .market = "alpha", .act = Act::Propose, .payout = price("1"), .tick = {}},
      {.at = at("2026-01-10T02:10:00Z"), .market = "alpha", .act = Act::Dispute, .payout = {}, .tick = {}},
      {.at = at("2026-01-10T03:00:00Z"), .market = "beta", .act = Act::TickSize, .payout = {}, .tick = price("0.001")}};
  TestVenue t{setup};
  t.venue->watch({t.token("alpha")});
  t.advance("2026-01-10T02:05:00Z");
  CHECK(t.venue->view(t.market("alpha")).stage == Stage::Proposed);
  CHECK(t.venue->view(t.market("alpha")).accepting_orders);
  t.advance("2026-01-10T02:15:00Z");
  CHECK(t.venue->view(t.market("alpha")).stage == Stage::Disputed);
  const auto ticked = t.advance("2026-01-10T03:00:00Z");
  CHECK(count(ticked, Outgoing::Kind::TickSizeChange) == 2);
  CHECK(has(first(ticked, Outgoing::Kind::TickSizeChange).json, R"("old_tick_size":"0.01","new_tick_size":"0.001")"));
  CHECK(t.venue->tick_size(t.token("beta")).body == R"({"minimum_tick_size":0.001})");
  // The recorded outcome would come at 06:10 and 08:10: a disputed market waits.
  t.advance("2026-01-10T09:00:00Z");
  CHECK(t.venue->view(t.market("alpha")).stage == Stage::Disputed);
  t.venue->script({.at = t.venue->now(), .market = "alpha", .act = Act::Resolve, .payout = price("0.5"), .tick = {}});
  const auto told = t.advance("2026-01-10T09:00:01Z");
  CHECK(has(first(told, Outgoing::Kind::MarketResolved).json, R"("winning_asset_id":"","winning_outcome":"")"));
  CHECK(t.venue->outcome(t.market("alpha"))->scripted);
  CHECK(has(t.venue->gamma_market(t.market("alpha")), R"("outcomePrices":"[\"0.5\", \"0.5\"]")"));

  TestVenue other;
  other.venue->script({.at = {}, .market = "alpha", .act = Act::StopOrders, .payout = {}, .tick = {}});
  other.advance("2026-01-10T01:00:01Z");
  CHECK_FALSE(other.venue->view(0).accepting_orders);
  CHECK(has(other.venue->book(other.token("alpha")).body, R"("bids":[],"asks":[])"));
  other.venue->script({.at = {}, .market = "alpha", .act = Act::Annul, .payout = {}, .tick = {}});
  other.advance("2026-01-10T01:00:02Z");
  CHECK(has(other.venue->gamma_market(0), R"("outcomePrices":"[\"0\", \"0\"]")"));

  setup.script = {{.at = {}, .market = "gamma", .act = Act::Resolve, .payout = {}, .tick = {}}};
  SimFs& fs = t.fs;
  setup.data = "data";
  setup.recordings = {"price_history_10m"};
  const auto wrong = Venue::open(fs, setup);
  REQUIRE_FALSE(wrong);
  CHECK(has(wrong.error().message, "script: market 'gamma' is not among the 2"));
}

TEST_CASE("venue: prices of the past at the resolution that is asked for, and never where nothing is recorded") {
  TestVenue t;
  t.advance("2026-01-10T05:00:00Z");
  const auto ask = [&](PriceQuery query) { return t.venue->prices_history(query); };
  const std::int64_t now = at("2026-01-10T05:00:00Z").us() / 1'000'000;
  const Answer eight =
      ask({.token = t.token("alpha"), .from_s = now - 4 * 3'600 + 1, .to_s = now, .interval = "", .fidelity = 15});
  CHECK(eight.status == 200);
  CHECK(std::count(eight.body.begin(), eight.body.end(), 't') == 17);  // 16 points and the t of "history"
  CHECK(has(eight.body, fmt::format(R"({{"t":{},"p":0.45}}]}})", now)));
  CHECK(has(ask({.token = t.token("alpha", 1), .from_s = now, .to_s = now, .interval = "", .fidelity = {}}).body,
            fmt::format(R"({{"history":[{{"t":{},"p":0.55}}]}})", now)));
  CHECK(ask({.token = "1", .from_s = now, .to_s = {}, .interval = "", .fidelity = {}}).body == R"({"history":[]})");
  CHECK(has(ask({.token = t.token("alpha"), .from_s = 0, .to_s = now, .interval = "", .fidelity = {}}).body,
            "interval is too long"));
  CHECK(ask({.token = t.token("alpha"), .from_s = {}, .to_s = {}, .interval = "1w", .fidelity = 1}).status == 400);
  CHECK(ask({.token = t.token("alpha"), .from_s = now, .to_s = {}, .interval = "1d", .fidelity = 1}).status == 400);
  CHECK(ask({.token = t.token("alpha"), .from_s = {}, .to_s = {}, .interval = "1h", .fidelity = 1}).status == 200);
  const Answer batch =
      t.venue->batch_prices_history(fmt::format(R"({{"markets":["{}","{}"],"start_ts":{},"end_ts":{},"fidelity":60}})",
                                                t.token("alpha"), t.token("beta"), now - 7'200, now));
  CHECK(has(batch.body, fmt::format(R"("{}":[{{"t":{},"p":0.205}})", t.token("beta"), now - 7'200)));
  CHECK(has(t.venue
                ->data_prices_v2({.token = t.token("alpha"), .from_s = {}, .to_s = {}, .interval = "", .fidelity = {}},
                                 now, 60)
                .body,
            fmt::format(R"({{"timestamp":{},"price":0.45,"resolution_seconds":60}})", now)));

  t.advance("2026-01-10T12:00:00Z");
  // The last recorded price is of 06:00 and holds for 25 minutes.
  const std::int64_t noon = now + 7 * 3'600;
  const Answer after = ask({.token = t.token("alpha"), .from_s = now, .to_s = noon, .interval = "", .fidelity = 10});
  CHECK(has(after.body, fmt::format(R"({{"t":{},"p":0.46}}]}})", now + 3'600 + 1'200)));
  CHECK(ask({.token = t.token("alpha"), .from_s = {}, .to_s = {}, .interval = "max", .fidelity = 10}).body ==
        R"({"history":[]})");
  CHECK(has(ask({.token = t.token("alpha"), .from_s = {}, .to_s = {}, .interval = "max", .fidelity = 720}).body,
            R"("p":0.4)"));
}

TEST_CASE("venue: books of the past are the books that stood then") {
  TestVenue t;
  t.advance("2026-01-10T02:00:00Z");
  const std::string token = t.token("alpha", 1);
  simdjson::dom::parser parser;
  const simdjson::dom::element then = parser.parse(t.venue->book(token).body);
  const Book stood = read_book(then);
  t.advance("2026-01-10T04:00:00Z");
  const std::int64_t from = at("2026-01-10T01:59:30Z").us() / 1'000, to = at("2026-01-10T02:00:00Z").us() / 1'000;
  const Answer history = t.venue->book_history(
      {.token = token, .condition = "", .from_ms = from, .to_ms = to, .limit = 1'000, .offset = 0});
  simdjson::dom::parser other;
  const simdjson::dom::element root = other.parse(history.body);
  REQUIRE(std::int64_t{root["count"]} >= 3);
  simdjson::dom::element last;
  for (const simdjson::dom::element book : root["data"]) last = book;
  CHECK(read_book(last) == stood);
  const Answer paged =
      t.venue->book_history({.token = token, .condition = "", .from_ms = from, .to_ms = to, .limit = 1, .offset = 1});
  CHECK(has(paged.body, fmt::format(R"({{"count":{},)", std::int64_t{root["count"]})));
  CHECK(t.venue->book_history({.token = "", .condition = "", .from_ms = {}, .to_ms = {}}).body ==
        R"({"error":"either market or asset_id must be provided"})");
  CHECK(has(t.venue->book_history({.token = token, .condition = "", .from_ms = {}, .to_ms = {}, .limit = 1'001}).body,
            "limit cannot exceed 1000"));
  CHECK(t.venue->book_history({.token = "7", .condition = "", .from_ms = {}, .to_ms = {}}).body ==
        R"({"count":0,"data":[]})");
}

TEST_CASE("venue: one token asked for in all ways says the same, best level last") {
  TestVenue t;
  const std::string token = t.token("alpha");
  simdjson::dom::parser parser;
  const std::string body = t.venue->book(token).body;
  const Book book = read_book(parser.parse(body));
  // The hash is that of the text without it.
  const std::string hash = member_of(body, "hash");
  std::string without = body;
  without.erase(without.find(hash), hash.size());
  CHECK(sha1_hex(without) == hash);
  CHECK(body.find(fmt::format(R"({{"price":"{}",)", book.best_bid()->text())) > body.find(R"("bids":[{"price":"0.)"));
  CHECK(t.venue->price(token, "BUY").body == fmt::format(R"({{"price":"{}"}})", book.best_bid()->text()));
  CHECK(t.venue->price(token, "SELL").body == fmt::format(R"({{"price":"{}"}})", book.best_ask()->text()));
  CHECK(t.venue->midpoint(token).body == R"({"mid":"0.41"})");
  CHECK(t.venue->neg_risk(token).body == R"({"neg_risk":false})");
  const std::string ask = fmt::format(R"([{{"token_id":"{}","side":"BUY"}},{{"token_id":"1","side":"SELL"}}])", token);
  CHECK(t.venue->books(ask).body == "[" + body + "]");
  CHECK(t.venue->midpoints(ask).body == fmt::format(R"({{"{}":"0.41"}})", token));
  CHECK(t.venue->prices(ask).body == fmt::format(R"({{"{}":{{"BUY":"{}"}}}})", token, book.best_bid()->text()));
  CHECK(t.venue->spreads(ask).body ==
        fmt::format(R"({{"{}":"{}"}})", token, member_of(t.venue->spread(token).body, "spread")));
  CHECK(has(t.venue->last_trades_prices(ask).body, fmt::format(R"([{{"token_id":"{}","price":"0.)", token)));
  CHECK(t.venue->market_by_token(token).body ==
        fmt::format(R"({{"condition_id":"{}","primary_token_id":"{}","secondary_token_id":"{}"}})",
                    t.venue->view(0).condition, token, t.token("alpha", 1)));
  CHECK(t.venue->server_time().body == "1768006800");
  CHECK(t.venue->book("1").body == R"({"error":"No orderbook exists for the requested token id"})");
  CHECK(t.venue->book("x").body == R"({"error":"Invalid token id"})");
  CHECK(t.venue->price(token, "BID").body == R"({"error":"Invalid side"})");
  CHECK(t.venue->books("{").body == R"({"error":"Invalid payload"})");
}

TEST_CASE("venue: the hash of a book is the vectors'") {
  const auto json = sample("book_hash_vectors.json");
  if (!json) return;
  simdjson::dom::parser parser;
  int seen = 0;
  const simdjson::dom::element root = parser.parse(*json);
  for (const simdjson::dom::element vector : root["vectors"]) {
    CHECK(sha1_hex(std::string_view{vector["hash_input"]}) == std::string_view{vector["sha1"]});
    ++seen;
  }
  CHECK(seen == 3);
}

TEST_CASE("venue: made trades are told, listed newest first, and can be asked for page by page") {
  TestVenue t;
  t.venue->watch({t.token("alpha")});
  const auto told = t.advance("2026-01-10T04:00:00Z");
  const int trades = count(told, Outgoing::Kind::LastTradePrice);
  CHECK(trades > 5);
  const std::string condition = t.venue->view(0).condition;
  simdjson::dom::parser parser;
  const auto listed = [&](TradeQuery query) {
    query.conditions = {condition};
    return simdjson::dom::array{parser.parse(t.venue->data_trades(query).body)}.size();
  };
  CHECK(listed({.conditions = {},
                .user = "",
                .side = "",
                .from_s = at("2026-01-10T01:00:01Z").us() / 1'000'000,
                .to_s = {},
                .limit = 1'000}) == static_cast<std::size_t>(trades));
  CHECK(listed({.conditions = {}, .user = "", .side = "", .from_s = {}, .to_s = {}, .limit = 3, .offset = 1}) == 3);
  const Outgoing& event = first(told, Outgoing::Kind::LastTradePrice);
  CHECK(event.made);
  const std::string v2 =
      t.venue->data_trades_v2({.conditions = {condition}, .user = "", .side = "", .from_s = {}, .to_s = {}, .limit = 2})
          .body;
  CHECK(has(v2, R"("pagination":{"has_more":true,"next_cursor":"2"})"));
  CHECK(t.venue
            ->data_trades(
                {.conditions = {}, .user = "", .side = "", .from_s = {}, .to_s = {}, .limit = 1, .offset = 10'001})
            .status == 400);
}

TEST_CASE("venue: the log knows what was true and what was told") {
  TestVenue t;
  t.venue->watch({t.token("alpha")});
  t.advance("2026-01-10T03:30:00Z");
  t.venue->note("sent", t.token("alpha"), R"({"frames":3})");
  const auto entries = t.venue->log(0, 100'000);
  CHECK(t.venue->log_size() == entries.size());
  std::vector<std::string> prices;
  for (const OracleEntry& entry : entries)
    if (entry.what == "price" && entry.market == t.market("alpha")) prices.push_back(entry.detail);
  CHECK(prices == std::vector<std::string>{R"({"price":"0.42"})", R"({"price":"0.43"})"});
  CHECK(
      Venue::log_line(entries.back(), "alpha") ==
      fmt::format(
          R"({{"at":"2026-01-10T03:30:00.000000Z","what":"sent","market":"alpha","token":"{}","detail":{{"frames":3}}}})",
          t.token("alpha")));
  CHECK(t.venue->true_price(t.market("alpha"), at("2026-01-10T03:15:00Z")) == price("0.43"));
  CHECK_FALSE(t.venue->true_price(t.market("beta"), at("2026-01-10T01:00:00Z")));
}

TEST_CASE("venue: a recorded book moves by its recorded words; made trades come beside it and change nothing of it") {
  SystemFs fs;
  VenueSetup setup;
  setup.data = shared_folder() + "/data/polymarket";
  if (!fs.exists(setup.data)) {
    MESSAGE("skipped: no shared recordings");
    return;
  }
  setup.recordings = {"book_events"};
  setup.only = {"mlb-cin-bos-2025-07-01"};
  auto opened = Venue::open(fs, setup);
  if (!opened) FAIL(opened.error().message);
  Venue& venue = **opened;
  const std::string token = venue.view(0).tokens[0];
  CHECK_FALSE(venue.view(0).made_book);
  venue.watch({token});
  Follower follower{.token = token, .book = {}};
  follower.take(venue.book_event(token));
  std::vector<Outgoing> out;
  venue.advance_to(at("2025-07-02T01:00:00Z"), out);
  for (const Outgoing& event : out) {
    CHECK(event.made == (event.kind == Outgoing::Kind::LastTradePrice));
    follower.take(event.json);
  }
  simdjson::dom::parser parser;
  CHECK(follower.book == read_book(parser.parse(venue.book(token).body)));
  CHECK(count(out, Outgoing::Kind::LastTradePrice) > 0);
  CHECK(follower.changes > 1'000);
}

TEST_CASE("venue: real recordings open together") {
  SystemFs fs;
  VenueSetup setup;
  setup.data = shared_folder() + "/data/polymarket";
  if (!fs.exists(setup.data)) {
    MESSAGE("skipped: no shared recordings");
    return;
  }
  setup.recordings = known_recordings();
  setup.begin = at("2026-03-11T21:00:00Z");
  auto opened = Venue::open(fs, setup);
  if (!opened) FAIL(opened.error().message);
  Venue& venue = **opened;
  CHECK(venue.listed().size() > 8'000);
  const MarketIndex bitboy = *venue.by_slug("bitboy-convicted");
  // Word for word, as long as nothing was done to it.
  CHECK(JsonMembers::parse(venue.gamma_market(bitboy))->text("slug") == "bitboy-convicted");
  CHECK(venue.price(venue.view(bitboy).tokens[0], "SELL").body == R"({"price":"0.284"})");
  CHECK_FALSE(venue.view(bitboy).payout);
  std::vector<Outgoing> out;
  venue.script({.at = {}, .market = "bitboy-convicted", .act = Act::Resolve, .payout = Price{}, .tick = {}});
  venue.advance_to(at("2026-03-11T21:00:01Z"), out);
  CHECK(JsonMembers::parse(venue.gamma_market(bitboy))->json("closed") == "true");
}

}  // namespace
}  // namespace everlearn::venue
