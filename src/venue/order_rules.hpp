// An order as it is posted, and the arithmetic it must obey: tick, amounts, fee. Exact decimals throughout.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/price.hpp"
#include "core/result.hpp"
#include "venue/signing.hpp"

namespace everlearn::venue {

enum class OrderSide : std::uint8_t { Buy, Sell };
enum class OrderType : std::uint8_t { Gtc, Gtd, Fok, Fak };

std::string_view text_of(OrderSide side);  // "BUY"
std::string_view text_of(OrderType type);  // "GTC"

/// How many decimals price, size and the other amount may have at a tick.
struct TickRules {
  int price = 2, size = 2, amount = 4;
};
/// Errors: OutOfRange for a tick that the exchange has not.
Result<TickRules> rules_of(Price tick);

struct Amounts {
  Quantity maker, taker;  // what the order gives and what it gets
  bool operator==(const Amounts&) const = default;
};

/// Of a limit order: price rounded half up, size floored to their decimals, dollars = size * price.
Result<Amounts> limit_amounts(OrderSide side, Price tick, Price price, Quantity size);
/// Of a market order at the worst price `price`: BUY spends `amount` dollars, SELL sells `amount` shares.
Result<Amounts> market_amounts(OrderSide side, Price tick, Price price, Quantity amount);

/// What the taker pays in dollars: shares * rate * (p (1 - p))^exponent, half up to 5 decimals.
Quantity taker_fee(Quantity shares, Price price, double rate, double exponent);

/// The body of POST /order.
struct PostedOrder {
  OrderFields fields;
  std::string maker, signer;  // as written
  std::string token;
  OrderSide side = OrderSide::Buy;
  Quantity maker_amount, taker_amount;
  std::int64_t expiration_s = 0;  // 0: none
  std::string signature;          // bytes
  std::string owner;
  OrderType type = OrderType::Gtc;
  bool post_only = false;
  bool retired = false;  // of exchange V1

  Quantity shares() const { return side == OrderSide::Buy ? taker_amount : maker_amount; }
  Quantity dollars() const { return side == OrderSide::Buy ? maker_amount : taker_amount; }
};

/// Errors: BadData naming the member.
Result<PostedOrder> read_order(std::string_view json);

/// The price that the amounts of an order mean at a tick. Errors, in the exchange's words: a price off the tick or its
/// range, amounts with too many decimals. `id` is the order's.
Result<Price> order_price(const PostedOrder& order, Price tick, std::string_view id);

}  // namespace everlearn::venue
