#include "venue/order_rules.hpp"

#include <simdjson.h>

#include <doctest/doctest.h>

#include "venue/test_vectors.hpp"

namespace everlearn::venue {
namespace {

using simdjson::dom::element;

std::string_view text(element e, std::string_view key) { return std::string_view{e[key]}; }

Quantity units(std::string_view text) {
  Quantity q;
  for (const char c : text) q = Quantity::from_micros(q.micros() * 10 + (c - '0'));
  return q;
}

PostedOrder posted(OrderSide side, OrderType type, Amounts amounts) {
  PostedOrder order;
  order.side = side;
  order.type = type;
  order.maker_amount = amounts.maker;
  order.taker_amount = amounts.taker;
  return order;
}

TEST_CASE("order rules: amounts of a thousand orders are the exact ones, and the price is found again from them") {
  const auto json = sample("amount_vectors.json");
  if (!json) return;
  simdjson::dom::parser parser;
  const element root = parser.parse(*json);
  int seen = 0;
  for (const std::string_view kind : {"limit", "market"}) {
    for (const element row : root[kind]) {
      const OrderSide side = text(row, "side") == "BUY" ? OrderSide::Buy : OrderSide::Sell;
      const Price tick = *Price::parse(text(row, "tick")), price = *Price::parse(text(row, "price"));
      const Quantity size = *Quantity::parse(text(row, kind == "limit" ? "size" : "amount"));
      const auto made =
          kind == "limit" ? limit_amounts(side, tick, price, size) : market_amounts(side, tick, price, size);
      CAPTURE(simdjson::minify(row));
      REQUIRE(made);
      CHECK(made->maker == units(text(row, "maker")));
      CHECK(made->taker == units(text(row, "taker")));
      ++seen;
      const auto again =
          order_price(posted(side, kind == "limit" ? OrderType::Gtc : OrderType::Fok, *made), tick, "0x1");
      REQUIRE(again);
      CHECK(*again == price);
    }
  }
  CHECK(seen == 1000);
}

TEST_CASE("order rules: the fee is the table's") {
  const auto json = sample("fee_vectors.json");
  if (!json) return;
  simdjson::dom::parser parser;
  const element root = parser.parse(*json);
  int seen = 0;
  for (const element row : root["rows"]) {
    CAPTURE(simdjson::minify(row));
    const double rate = Quantity::parse(text(row, "fee_rate"))->value();
    const Quantity fee = taker_fee(*Quantity::parse(text(row, "shares")), *Price::parse(text(row, "price")), rate,
                                   static_cast<double>(std::int64_t{row["exponent"]}));
    CHECK(fee == *Quantity::parse(text(row, "fee_5dp")));
    ++seen;
  }
  CHECK(seen == 49);
  CHECK(taker_fee(*Quantity::parse("100"), *Price::parse("0.5"), 0.25, 2) == *Quantity::parse("1.5625"));
  CHECK(taker_fee(*Quantity::parse("100"), *Price::parse("0.5"), 0.25, 1.5) == *Quantity::parse("3.125"));
}

TEST_CASE("order rules: posted bodies of the vectors are read") {
  const auto json = sample("signing_vectors.json");
  if (!json) return;
  simdjson::dom::parser parser;
  const element root = parser.parse(*json);
  for (const element vector : root["orders_v2"]) {
    for (const std::string_view which : {"post_body", "post_body_from_python_sdk"}) {
      CAPTURE(text(vector, "name"));
      const auto order = read_order(text(vector, which));
      REQUIRE(order);
      CHECK_FALSE(order->retired);
      const Domain exchange{.name = std::string{text(vector["domain"], "name")},
                            .version = std::string{text(vector["domain"], "version")},
                            .chain = std::uint64_t{vector["domain"]["chainId"]},
                            .contract = *parse_address(text(vector["domain"], "verifyingContract"))};
      CHECK(hex_text(order_digest(order->fields, exchange)) == text(vector, "digest_is_order_id"));
      CHECK(order->type == (text(vector, "order_type") == "GTD" ? OrderType::Gtd : OrderType::Gtc));
    }
  }
  for (const element vector : root["orders_v1"]) {
    const auto order = read_order(text(vector, "post_body"));
    REQUIRE(order);
    CHECK(order->retired);
  }
  CHECK_FALSE(read_order("[]"));
  CHECK_FALSE(read_order(R"({"owner":"x","orderType":"GTC","order":{}})"));
}

TEST_CASE("order rules: refusals are in the exchange's words") {
  const Price tick = *Price::parse("0.01");
  const auto problem = [&](PostedOrder order) {
    const auto price = order_price(order, tick, "0xab");
    REQUIRE_FALSE(price);
    return price.error().message;
  };
  CHECK(problem(posted(OrderSide::Buy, OrderType::Gtc, {units("5050000"), units("10000000")})) ==
        "order 0xab is invalid. Price (0.505) breaks minimum tick size rule: 0.01");
  CHECK(problem(posted(OrderSide::Buy, OrderType::Gtc, {units("10000000"), units("10000000")})) ==
        "invalid price (1), min: 0.01 - max: 0.99");
  CHECK(problem(posted(OrderSide::Sell, OrderType::Gtc, {units("10001000"), units("5000500")})) ==
        "invalid amounts, the limit sell orders maker amount supports a max accuracy of 2 decimals, taker amount a max "
        "of 4 decimals");
  CHECK(*order_price(posted(OrderSide::Sell, OrderType::Gtc, {units("10000000"), units("4800000")}), tick, "0xab") ==
        *Price::parse("0.48"));
}

}  // namespace
}  // namespace everlearn::venue
