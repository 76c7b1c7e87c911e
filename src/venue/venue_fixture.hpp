// A small venue of two written recordings, and somebody who trades on it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "core/json.hpp"
#include "core/sim_fs.hpp"
#include "venue/order_rules.hpp"
#include "venue/test_vectors.hpp"
#include "venue/venue.hpp"

namespace everlearn::venue {

inline Price price(const char* text) { return *Price::parse(text); }
inline Quantity quantity(const char* text) { return *Quantity::parse(text); }
inline Timestamp at(const char* text) { return *Timestamp::parse(text); }

/// Two markets: "alpha" from 00:00 to 06:00, rising from 0.40 by a cent an hour, won; "beta" from 02:00, at 0.205,
/// lost.
inline std::string two_markets() {
  std::string csv = "timestamp,market_slug,question,price,outcome,category\n";
  for (int i = 0; i <= 36; ++i) {
    const int hour = i / 6, minute = i % 6 * 10;
    const std::string time = fmt::format("2026-01-10 {:02}:{:02}:00+00:00", hour, minute);
    csv +=
        fmt::format("{},alpha,Will alpha happen?,{:.2f},{},general\n", time, 0.40 + 0.01 * hour, i == 36 ? "1.0" : "");
    if (hour >= 2) csv += fmt::format("{},beta,Will beta happen?,0.205,{},general\n", time, i == 36 ? "0.0" : "");
  }
  return csv;
}

struct TestVenue {
  SimFs fs;
  std::unique_ptr<Venue> venue;
  std::vector<Outgoing> out;

  explicit TestVenue(VenueSetup setup = {}) {
    REQUIRE(fs.make_directories("data/price_history_10m"));
    auto file = fs.create("data/price_history_10m/resolved_markets.csv.gz");
    REQUIRE(file);
    REQUIRE((*file)->append(two_markets()));
    REQUIRE((*file)->close());
    setup.data = "data";
    if (setup.recordings.empty()) setup.recordings = {"price_history_10m"};
    if (setup.begin == Timestamp{}) setup.begin = at("2026-01-10T01:00:00Z");
    auto opened = Venue::open(fs, setup);
    if (!opened) FAIL(opened.error().message);
    venue = std::move(*opened);
  }

  MarketIndex market(const char* slug) const { return *venue->by_slug(slug); }
  std::string token(const char* slug, int outcome = 0) const { return venue->view(market(slug)).tokens[outcome]; }
  std::vector<Outgoing> advance(const char* time) {
    out.clear();
    venue->advance_to(at(time), out);
    return out;
  }
};

/// An account with a key, that signs.
struct Trader {
  TestVenue& where;
  std::string address, key;  // private key
  std::string api_key, secret, passphrase;
  std::uint64_t salt = 1;

  Trader(TestVenue& venue, std::string of, std::string private_key)
      : where{venue}, address{std::move(of)}, key{std::move(private_key)} {
    const Answer made = login("POST", "/auth/api-key");
    REQUIRE(made.status == 200);
    JsonIn in = *JsonIn::parse(made.body);
    in.get("apiKey", api_key);
    in.get("secret", secret);
    in.get("passphrase", passphrase);
  }

  Answer login(const char* method, const char* path, const char* nonce = "0") {
    const Domain domain{.name = "ClobAuthDomain", .version = "1", .chain = 137, .contract = std::nullopt};
    const std::vector<Word> fields{word_from(*parse_address(address)), keccak256("1768000000"),
                                   *word_from_decimal(nonce),
                                   keccak256("This message attests that I control the given wallet")};
    const Word hash = struct_hash("ClobAuth(address address,string timestamp,uint256 nonce,string message)", fields);
    Request request{.method = method, .path = path, .query = {}, .headers = {}, .body = {}};
    request.headers = {{"POLY_ADDRESS", address},
                       {"POLY_TIMESTAMP", "1768000000"},
                       {"POLY_NONCE", nonce},
                       {"POLY_SIGNATURE", sign(typed_digest(domain_separator(domain), hash), key)}};
    return where.venue->trading(request, where.out);
  }

  Answer call(const char* method, const std::string& path, std::string body = "",
              std::multimap<std::string, std::string> query = {}) {
    Request request{.method = method, .path = path, .query = std::move(query), .headers = {}, .body = std::move(body)};
    request.headers = {{"poly_address", address},
                       {"poly_timestamp", "1768000000"},
                       {"poly_api_key", api_key},
                       {"poly_passphrase", passphrase},
                       {"poly_signature", *request_signature(secret, "1768000000", method, path, request.body)}};
    return where.venue->trading(request, where.out);
  }

  /// What the order's maker and taker amounts are is the test's affair.
  std::string order(const std::string& token, OrderSide side, Amounts amounts, const char* type = "GTC",
                    std::int64_t expiration = 0, bool post_only = false, bool again = false) {
    if (!again) ++salt;
    OrderFields fields;
    fields.salt = word_from(salt);
    fields.maker = fields.signer = *parse_address(address);
    fields.token = *word_from_decimal(token);
    fields.maker_amount = word_from(static_cast<std::uint64_t>(amounts.maker.micros()));
    fields.taker_amount = word_from(static_cast<std::uint64_t>(amounts.taker.micros()));
    fields.side = side == OrderSide::Buy ? 0 : 1;
    fields.timestamp = word_from(1768000000000u);
    const Word digest = order_digest(fields, exchange_domain(fields.token, false, 137));
    const std::string zero = hex_text(Word{});
    return fmt::format(
        R"({{"deferExec":false,"postOnly":{},"order":{{"salt":{},"maker":"{}","signer":"{}","tokenId":"{}","makerAmount":"{}",)"
        R"("takerAmount":"{}","side":"{}","signatureType":0,"timestamp":"1768000000000","expiration":"{}","metadata":"{}",)"
        R"("builder":"{}","signature":"{}"}},"owner":"{}","orderType":"{}"}})",
        post_only, salt, address, address, token, amounts.maker.micros(), amounts.taker.micros(), text_of(side),
        expiration, zero, zero, sign(digest, key), api_key, type);
  }
  Answer post(const std::string& body) { return call("POST", "/order", body); }
  Answer limit(const std::string& token, OrderSide side, const char* at_price, const char* size,
               const char* type = "GTC") {
    return post(order(token, side, *limit_amounts(side, price("0.01"), price(at_price), quantity(size)), type));
  }
  std::string dollars() {
    std::string balance;
    JsonIn in = *JsonIn::parse(call("GET", "/balance-allowance", "", {{"asset_type", "COLLATERAL"}}).body);
    in.get("balance", balance);
    return balance;
  }
  std::string shares(const std::string& token) {
    std::string balance;
    JsonIn in = *JsonIn::parse(
        call("GET", "/balance-allowance", "", {{"asset_type", "CONDITIONAL"}, {"token_id", token}}).body);
    in.get("balance", balance);
    return balance;
  }
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The text of a member.
inline std::string member_of(const std::string& json, const char* key) {
  std::string value;
  JsonIn in = *JsonIn::parse(json);
  in.get(key, value);
  return value;
}

}  // namespace everlearn::venue
