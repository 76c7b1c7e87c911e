#include <simdjson.h>

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "venue/venue_fixture.hpp"

namespace everlearn::venue {
namespace {

std::string error_of(const Answer& answer) {
  CHECK(answer.status != 200);
  return member_of(answer.body, "error");
}

Amounts raw(const char* maker, const char* taker) { return {.maker = quantity(maker), .taker = quantity(taker)}; }

std::string best(TestVenue& t, const std::string& token, const char* side) {
  return member_of(t.venue->price(token, side).body, "price");
}

TEST_CASE("trading: a key is made once, derived as often as wanted, and opens the rest") {
  TestVenue t;
  Trader alice{t, kAddress1, kKey1};
  CHECK(error_of(alice.login("POST", "/auth/api-key")) == "Could not create api key");
  CHECK(member_of(alice.login("GET", "/auth/derive-api-key").body, "secret") == alice.secret);
  CHECK(error_of(alice.login("GET", "/auth/derive-api-key", "9")) == "Could not derive api key!");
  CHECK(has(alice.call("GET", "/auth/api-keys").body, alice.api_key));
  CHECK(t.venue->knows_key(alice.api_key, alice.secret, alice.passphrase));
  CHECK_FALSE(t.venue->knows_key(alice.api_key, alice.secret, "x"));
  CHECK(alice.dollars() == "1000000000");
  Trader forger = alice;
  forger.key = kKey2;
  CHECK(error_of(forger.login("GET", "/auth/derive-api-key")) == "Invalid L1 Request headers");
  forger.secret = "AAAA";
  CHECK(error_of(forger.call("GET", "/data/orders")) == "Unauthorized/Invalid api key");
  CHECK(alice.call("DELETE", "/auth/api-key").body == "\"OK\"");
  CHECK(alice.call("GET", "/auth/api-keys").status == 401);
}

TEST_CASE("trading: a login may have to be near the venue's clock") {
  VenueSetup setup;
  setup.login_skew = Duration::minutes(5);
  TestVenue t{setup};
  // Trader's logins are of 1768000000, the venue begins two hours later.
  Request request{.method = "POST", .path = "/auth/api-key", .query = {}, .headers = {}, .body = {}};
  request.headers = {
      {"POLY_ADDRESS", kAddress1}, {"POLY_TIMESTAMP", "1768000000"}, {"POLY_NONCE", "0"}, {"POLY_SIGNATURE", "0x"}};
  CHECK(t.venue->trading(request, t.out).status == 401);
}

TEST_CASE("trading: an order inside the spread rests, shows in both tokens' books and can be taken back") {
  TestVenue t;
  Trader alice{t, kAddress1, kKey1};
  const std::string yes = t.token("alpha"), no = t.token("alpha", 1);
  t.venue->watch({yes});
  const std::string bid = best(t, yes, "BUY");
  t.out.clear();
  const Answer placed = alice.limit(yes, OrderSide::Buy, "0.41", "10");
  CHECK(placed.status == 200);
  CHECK(member_of(placed.body, "status") == "live");
  CHECK(member_of(placed.body, "errorMsg").empty());
  const std::string id = member_of(placed.body, "orderID");
  CHECK(best(t, yes, "BUY") == "0.41");
  CHECK(best(t, no, "SELL") == "0.59");
  std::set<Outgoing::Kind> told;
  for (const Outgoing& event : t.out) told.insert(event.kind);
  CHECK(told ==
        std::set<Outgoing::Kind>{Outgoing::Kind::UserOrder, Outgoing::Kind::PriceChange, Outgoing::Kind::BestBidAsk});
  CHECK(t.out.front().owner == alice.api_key);

  const Answer open = alice.call("GET", "/data/orders", "", {{"market", t.venue->view(0).condition}});
  CHECK(has(open.body, id));
  CHECK(has(open.body, R"("original_size":"10","size_matched":"0","price":"0.41","outcome":"Yes","order_type":"GTC")"));
  CHECK(alice.call("GET", "/data/order/" + id).status == 200);
  CHECK(alice.call("DELETE", "/order", fmt::format(R"({{"orderID":"{}"}})", id)).body ==
        fmt::format(R"({{"canceled":["{}"],"not_canceled":{{}}}})", id));
  CHECK(best(t, yes, "BUY") == bid);
  CHECK(has(alice.call("DELETE", "/orders", fmt::format(R"(["{}"])", id)).body,
            "order can't be found - already canceled or matched"));
  CHECK(alice.call("DELETE", "/cancel-all").body == R"({"canceled":[],"not_canceled":{}})");
  CHECK(error_of(alice.call("DELETE", "/order", R"({"orderID":"x"})")) == "Invalid orderID");
}

TEST_CASE("trading: a marketable order takes the book's levels, pays the fee, and is told as a trade") {
  TestVenue t;
  Trader alice{t, kAddress1, kKey1};
  const std::string yes = t.token("alpha");
  t.venue->watch({yes});
  const Price ask = *Price::parse(best(t, yes, "SELL"));
  t.out.clear();
  const Answer placed = alice.limit(yes, OrderSide::Buy, ask.text().c_str(), "10");
  CHECK(member_of(placed.body, "status") == "matched");
  CHECK(has(placed.body, R"("tradeIDs":[")"));
  CHECK(alice.shares(yes) == "10000000");
  const Quantity fee = taker_fee(quantity("10"), ask, t.venue->view(0).fee_rate, 1);
  CHECK(fee > Quantity{});
  CHECK(alice.dollars() == std::to_string(1'000'000'000 - ask.nanos() / 100 - fee.micros()));
  std::vector<Outgoing::Kind> kinds;
  for (const Outgoing& event : t.out) kinds.push_back(event.kind);
  const std::vector<Outgoing::Kind> wanted{Outgoing::Kind::UserOrder, Outgoing::Kind::LastTradePrice,
                                           Outgoing::Kind::UserTrade, Outgoing::Kind::Book, Outgoing::Kind::Book};
  CHECK(std::vector(kinds.begin(), kinds.begin() + 5) == wanted);
  const std::string trades = alice.call("GET", "/data/trades").body;
  CHECK(has(trades, R"("trader_side":"TAKER")"));
  CHECK(has(trades, R"("status":"MATCHED")"));
  CHECK(member_of(t.venue->last_trade_price(yes).body, "price") == ask.text());
  t.venue->watch({});
  t.out.clear();
  t.venue->advance_to(t.venue->now() + Duration::seconds(6), t.out);
  CHECK(std::count_if(t.out.begin(), t.out.end(),
                      [](const Outgoing& o) { return o.kind == Outgoing::Kind::UserTrade; }) == 2);
  CHECK(has(alice.call("GET", "/data/trades").body, R"("status":"CONFIRMED")"));
  // What was sold back and what the market pays in the end.
  CHECK(alice.limit(yes, OrderSide::Sell, "0.02", "5").status == 200);
  CHECK(alice.shares(yes) == "5000000");
  const std::string before = alice.dollars();
  t.venue->script({.at = {}, .market = "alpha", .act = Act::Resolve, .payout = price("1"), .tick = {}});
  t.venue->advance_to(t.venue->now() + Duration::seconds(1), t.out);
  CHECK(std::stoll(alice.dollars()) == std::stoll(before) + 5'000'000);
  CHECK(alice.shares(yes) == "0");
}

TEST_CASE("trading: all or nothing, what there is, and only what rests") {
  TestVenue t;
  Trader alice{t, kAddress1, kKey1};
  const std::string yes = t.token("alpha");
  t.venue->set_balance(kAddress1, "", quantity("10000000"));
  // More than all asks up to the limit hold.
  const Amounts huge = *market_amounts(OrderSide::Buy, price("0.01"), price("0.45"), quantity("500000"));
  CHECK(error_of(alice.post(alice.order(yes, OrderSide::Buy, huge, "FOK"))) ==
        "order couldn't be fully filled. FOK orders are fully filled or killed.");
  CHECK(alice.shares(yes) == "0");
  const Amounts low = *market_amounts(OrderSide::Buy, price("0.01"), price("0.1"), quantity("5"));
  CHECK(error_of(alice.post(alice.order(yes, OrderSide::Buy, low, "FAK"))) ==
        "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.");
  const Answer some = alice.post(alice.order(yes, OrderSide::Buy, huge, "FAK"));
  CHECK(member_of(some.body, "status") == "matched");
  CHECK(std::stoll(alice.shares(yes)) > 0);
  CHECK(alice.call("GET", "/data/orders").body == R"({"data":[],"next_cursor":"LTE=","limit":500,"count":0})");
  CHECK(error_of(alice.post(alice.order(yes, OrderSide::Buy,
                                        *limit_amounts(OrderSide::Buy, price("0.01"), price("0.6"), quantity("10")),
                                        "GTC", 0, true))) == "invalid post-only order: order crosses book");
  CHECK(member_of(alice
                      .post(alice.order(yes, OrderSide::Buy,
                                        *limit_amounts(OrderSide::Buy, price("0.01"), price("0.2"), quantity("10")),
                                        "GTC", 0, true))
                      .body,
                  "status") == "live");
  // A market order spends its dollars at better prices too.
  Trader bob{t, kAddress2, kKey2};
  const std::string beta_like = t.token("alpha", 1);
  CHECK(bob.post(bob.order(beta_like, OrderSide::Buy,
                           *market_amounts(OrderSide::Buy, price("0.01"), price("0.99"), quantity("20")), "FOK"))
            .status == 200);
  const double spent = 1'000 - std::stod(bob.dollars()) / 1e6;
  CHECK(spent > 19.99);
  CHECK(spent < 21);
}

TEST_CASE("trading: every refusal has its own words") {
  TestVenue t;
  Trader alice{t, kAddress1, kKey1};
  Trader bob{t, kAddress2, kKey2};
  const std::string yes = t.token("alpha");
  const auto limit = [](const char* at_price, const char* size) {
    return *limit_amounts(OrderSide::Buy, price("0.01"), price(at_price), quantity(size));
  };
  std::vector<std::string> texts;
  const auto refused = [&](const Answer& answer) {
    texts.push_back(error_of(answer));
    return texts.back();
  };
  CHECK(has(refused(alice.post(alice.order(yes, OrderSide::Buy, raw("5.05", "10")))),
            "is invalid. Price (0.505) breaks minimum tick size rule: 0.01"));
  CHECK(has(refused(alice.post(alice.order(yes, OrderSide::Buy, limit("0.3", "1")))),
            "is invalid. Size (1) lower than the minimum: 5"));
  CHECK(refused(alice.post(alice.order(yes, OrderSide::Buy, limit("0.3", "10"), "GTC", 1'800'000'000))) ==
        "invalid expiration");
  CHECK(refused(alice.post(alice.order(yes, OrderSide::Buy, limit("0.3", "10"), "GTD", 1'768'006'850))) ==
        "invalid expiration");
  CHECK(refused(alice.post(alice.order(yes, OrderSide::Buy, limit("0.3", "9000")))) ==
        "not enough balance / allowance");
  CHECK(refused(alice.post(alice.order(yes, OrderSide::Sell, raw("10", "9")))) == "not enough balance / allowance");
  CHECK(refused(alice.post("{}")) == "Invalid order payload");
  CHECK(refused(alice.post(bob.order(yes, OrderSide::Buy, limit("0.3", "10")))) ==
        "the order owner has to be the owner of the API KEY");
  std::string stolen = bob.order(yes, OrderSide::Buy, limit("0.3", "10"));
  stolen.replace(stolen.find(bob.api_key), bob.api_key.size(), alice.api_key);
  CHECK(refused(alice.post(stolen)) == "the order signer address has to be the address of the API KEY");
  std::string changed = alice.order(yes, OrderSide::Buy, limit("0.3", "10"));
  changed.replace(changed.find("\"BUY\""), 5, "\"SELL\"");
  CHECK(error_of(alice.post(changed)) == "invalid signature");
  const std::string good = alice.order(yes, OrderSide::Buy, limit("0.3", "10"));
  CHECK(alice.post(good).status == 200);
  const Answer twice = alice.post(good);
  CHECK(has(refused(twice), "is invalid. Duplicated."));
  CHECK(member_of(twice.body, "code") == "INVALID_ORDER_DUPLICATED");
  CHECK(has(error_of(alice.post(alice.order(yes, OrderSide::Buy, raw("0.45", "1"), "FAK"))), "min size: $1"));
  CHECK(error_of(alice.post(alice.order("123", OrderSide::Buy, limit("0.3", "10")))) ==
        "No orderbook exists for the requested token id");
  std::string sixteen = "[";
  for (int i = 0; i < 16; ++i) sixteen += (i == 0 ? "" : ",") + good;
  CHECK(refused(alice.call("POST", "/orders", sixteen + "]")) == "Too many orders in payload: 16, max allowed: 15");

  // Signed for the exchange of before: the client has to ask for the version and sign again.
  if (const auto vectors = sample("signing_vectors.json")) {
    simdjson::dom::parser parser;
    const simdjson::dom::element root = parser.parse(*vectors);
    for (const simdjson::dom::element vector : root["orders_v1"]) {
      std::string body{std::string_view{vector["post_body"]}};
      const std::string theirs{std::string_view{root["api_credentials_used"]["api_key"]}};
      body.replace(body.find(theirs), theirs.size(), alice.api_key);
      CHECK(error_of(alice.post(body)) == "order_version_mismatch");
      break;
    }
  }
  t.venue->script({.at = {}, .market = "alpha", .act = Act::StopOrders, .payout = {}, .tick = {}});
  t.venue->advance_to(t.venue->now() + Duration::seconds(1), t.out);
  CHECK(refused(alice.post(alice.order(yes, OrderSide::Buy, limit("0.3", "10")))) ==
        "the market is not yet ready to process new orders");
  CHECK(alice.call("GET", "/data/orders").body == R"({"data":[],"next_cursor":"LTE=","limit":500,"count":0})");
  REQUIRE(t.venue->set_mode("cancel-only"));
  CHECK(refused(alice.post(good)) ==
        "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.");
  REQUIRE(t.venue->set_mode("paused"));
  CHECK(refused(alice.post(good)) == "Trading is currently disabled. Check polymarket.com for updates");
  CHECK_FALSE(t.venue->set_mode("asleep"));

  // All of them are among the documented ones, but for ids.
  const auto documented = sample("error_bodies.json");
  if (!documented) return;
  for (std::string text : texts) {
    const auto id = text.find("0x");
    if (id != std::string::npos) text.replace(id, 66, "0x…");
    CAPTURE(text);
    CHECK(has(*documented, "\"" + text + "\""));
  }
}

TEST_CASE("trading: in a batch a refusal is a success without an id") {
  TestVenue t;
  Trader alice{t, kAddress1, kKey1};
  const std::string yes = t.token("alpha");
  const auto body = [&](const char* size) {
    return alice.order(yes, OrderSide::Buy,
                       *limit_amounts(OrderSide::Buy, price("0.01"), price("0.3"), quantity(size)));
  };
  const std::string answer = alice.call("POST", "/orders", "[" + body("10") + "," + body("9000") + "]").body;
  CHECK(has(
      answer,
      R"("status":"live","success":true},{"errorMsg":"not enough balance / allowance","orderID":"","takingAmount":"","makingAmount":"","status":"","success":true}])"));
}

TEST_CASE("trading: what rests is filled when the book moves through it, at its own price") {
  TestVenue t;
  Trader alice{t, kAddress1, kKey1};
  const std::string no = t.token("alpha", 1);
  // The first outcome rises by a cent an hour from 0.41, so the second falls from 0.59.
  t.venue->advance_to(at("2026-01-10T01:30:00Z"), t.out);
  CHECK(member_of(alice.limit(no, OrderSide::Buy, "0.55", "50").body, "status") == "live");
  t.out.clear();
  t.venue->advance_to(at("2026-01-10T06:05:00Z"), t.out);
  CHECK(alice.shares(no) == "50000000");
  CHECK(alice.dollars() == std::to_string(1'000'000'000 - 27'500'000));  // no fee for the maker
  const std::string trades = alice.call("GET", "/data/trades").body;
  CHECK(has(trades, R"("trader_side":"MAKER")"));
  CHECK(has(trades, R"("price":"0.55","fee_rate_bps":"","asset_id":")"));
  CHECK(std::any_of(t.out.begin(), t.out.end(), [&](const Outgoing& o) {
    return o.kind == Outgoing::Kind::UserOrder && has(o.json, R"("type":"UPDATE","status":"MATCHED")");
  }));
}

TEST_CASE("trading: two accounts meet each other; an order stops a minute before it expires") {
  TestVenue t;
  Trader alice{t, kAddress1, kKey1};
  Trader bob{t, kAddress2, kKey2};
  const std::string yes = t.token("alpha"), no = t.token("alpha", 1);
  CHECK(alice.limit(yes, OrderSide::Buy, "0.41", "10").status == 200);
  // Buying the other outcome at 0.59 is selling this one at 0.41.
  const Answer met = bob.limit(no, OrderSide::Buy, "0.59", "10");
  CHECK(member_of(met.body, "status") == "matched");
  CHECK(alice.shares(yes) == "10000000");
  CHECK(bob.shares(no) == "10000000");
  CHECK(has(bob.call("GET", "/data/trades").body, alice.api_key));

  const std::int64_t expiration = t.venue->now().us() / 1'000'000 + 180;
  const Answer dated = alice.post(
      alice.order(yes, OrderSide::Buy, *limit_amounts(OrderSide::Buy, price("0.01"), price("0.3"), quantity("10")),
                  "GTD", expiration));
  CHECK(dated.status == 200);
  t.venue->advance_to(t.venue->now() + Duration::seconds(119), t.out);
  CHECK(has(alice.call("GET", "/data/orders").body, R"("count":1)"));
  t.venue->advance_to(t.venue->now() + Duration::seconds(1), t.out);
  CHECK(has(alice.call("GET", "/data/orders").body, R"("count":0)"));
}

TEST_CASE("trading: who once sent a heartbeat and stops loses the orders") {
  TestVenue t;
  Trader alice{t, kAddress1, kKey1};
  CHECK(alice.limit(t.token("alpha"), OrderSide::Buy, "0.3", "10").status == 200);
  const std::string beat =
      member_of(alice.call("POST", "/v1/heartbeats", R"({"heartbeat_id":""})").body, "heartbeat_id");
  const Answer wrong = alice.call("POST", "/v1/heartbeats", R"({"heartbeat_id":"other"})");
  CHECK(wrong.status == 400);
  CHECK(member_of(wrong.body, "heartbeat_id") == beat);
  t.venue->advance_to(t.venue->now() + Duration::seconds(8), t.out);
  CHECK(alice.call("POST", "/v1/heartbeats", fmt::format(R"({{"heartbeat_id":"{}"}})", beat)).status == 200);
  t.venue->advance_to(t.venue->now() + Duration::seconds(10), t.out);
  CHECK(has(alice.call("GET", "/data/orders").body, R"("count":1)"));
  t.venue->advance_to(t.venue->now() + Duration::seconds(1), t.out);
  CHECK(has(alice.call("GET", "/data/orders").body, R"("count":0)"));
}

}  // namespace
}  // namespace everlearn::venue
