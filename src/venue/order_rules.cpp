#include "venue/order_rules.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace everlearn::venue {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kMicro = Quantity::kScale;  // base units of a dollar and of a share

constexpr std::int64_t power_of_ten(int n) {
  std::int64_t power = 1;
  for (int i = 0; i < n; ++i) power *= 10;
  return power;
}

Wide wide_power_of_ten(int n) {
  Wide power = 1;
  for (int i = 0; i < n; ++i) power *= 10;
  return power;
}

std::int64_t floored(std::int64_t value, std::int64_t unit) { return value / unit * unit; }
std::int64_t rounded_half_up(std::int64_t value, std::int64_t unit) { return (value + unit / 2) / unit * unit; }

/// micros with at most `places` decimals?
bool has_places(Quantity amount, int places) { return amount.micros() % power_of_ten(6 - places) == 0; }

Result<std::int64_t> micros(Wide value, std::string_view what) {
  if (value > Wide{9'000'000'000'000} * kMicro) return fail(Code::OutOfRange, fmt::format("{}: beyond 9e12", what));
  return static_cast<std::int64_t>(value);
}

/// dollars = shares * price, never inexact at these decimals beyond `amount` places; floored there if it is.
Result<std::int64_t> dollars_of(std::int64_t shares, std::int64_t price_nanos, int places) {
  const Wide exact = Wide{shares} * price_nanos;  // 1e-15 dollars
  const Wide fine = wide_power_of_ten(15 - std::min(places + 4, 15));
  const Wide up = (exact + fine - 1) / fine * fine;
  const Wide unit = wide_power_of_ten(15 - places);
  return micros(up / unit * unit / wide_power_of_ten(9), "dollars");
}

/// shares = dollars / price: up at `places` + 4 decimals, then down at `places`.
Result<std::int64_t> shares_of(std::int64_t dollars, std::int64_t price_nanos, int places) {
  const int fine_places = places + 4;
  // dollars 1e-6, price 1e-9: the quotient in units of 10^-fine_places.
  const Wide numerator = Wide{dollars} * wide_power_of_ten(fine_places + 3);
  const Wide up = (numerator + price_nanos - 1) / price_nanos;
  const Wide floored_up = up / wide_power_of_ten(4);  // units of 10^-places
  return micros(floored_up * wide_power_of_ten(6 - places), "shares");
}

Amounts amounts(OrderSide side, std::int64_t dollars, std::int64_t shares) {
  const Quantity d = Quantity::from_micros(dollars), s = Quantity::from_micros(shares);
  return side == OrderSide::Buy ? Amounts{.maker = d, .taker = s} : Amounts{.maker = s, .taker = d};
}

struct Member {
  simdjson::dom::object object;
  std::string_view where;

  Result<simdjson::dom::element> get(std::string_view key) const {
    simdjson::dom::element element;
    if (object[key].get(element) != simdjson::SUCCESS)
      return fail(Code::BadData, fmt::format("{}{}: absent", where, key));
    return element;
  }
  /// A text, or a whole number as text.
  Result<std::string> text(std::string_view key) const {
    EL_TRY(const simdjson::dom::element element, get(key));
    std::string_view text;
    if (element.get(text) == simdjson::SUCCESS) return std::string{text};
    std::uint64_t number = 0;
    if (element.get(number) == simdjson::SUCCESS) return std::to_string(number);
    return fail(Code::BadData, fmt::format("{}{}: neither text nor a whole number", where, key));
  }
  Result<bool> flag(std::string_view key) const {
    bool value = false;
    simdjson::dom::element element;
    if (object[key].get(element) != simdjson::SUCCESS || element.is_null()) return false;
    if (element.get(value) != simdjson::SUCCESS) return fail(Code::BadData, fmt::format("{}{}: no bool", where, key));
    return value;
  }
  bool has(std::string_view key) const { return object[key].error() == simdjson::SUCCESS; }
};

Result<std::uint64_t> whole(std::string_view text, std::string_view what) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || end != text.data() + text.size())
    return fail(Code::BadData, fmt::format("{} '{}': no whole number below 2^64", what, text));
  return value;
}

Result<Quantity> base_units(std::string_view text, std::string_view what) {
  EL_TRY(const std::uint64_t units, whole(text, what));
  if (units > 9'000'000'000'000'000'000u) return fail(Code::OutOfRange, fmt::format("{} {}: too large", what, units));
  return Quantity::from_micros(static_cast<std::int64_t>(units));
}

}  // namespace

std::string_view text_of(OrderSide side) { return side == OrderSide::Buy ? "BUY" : "SELL"; }

std::string_view text_of(OrderType type) {
  switch (type) {
    case OrderType::Gtc:
      return "GTC";
    case OrderType::Gtd:
      return "GTD";
    case OrderType::Fok:
      return "FOK";
    case OrderType::Fak:
      return "FAK";
  }
  return "";
}

Result<TickRules> rules_of(Price tick) {
  switch (tick.nanos()) {
    case 100'000'000:
      return TickRules{.price = 1, .size = 2, .amount = 3};
    case 10'000'000:
      return TickRules{.price = 2, .size = 2, .amount = 4};
    case 5'000'000:
      return TickRules{.price = 3, .size = 2, .amount = 5};
    case 2'500'000:
      return TickRules{.price = 4, .size = 2, .amount = 6};
    case 1'000'000:
      return TickRules{.price = 3, .size = 2, .amount = 5};
    case 100'000:
      return TickRules{.price = 4, .size = 2, .amount = 6};
    default:
      return fail(Code::OutOfRange,
                  fmt::format("tick {}: not one of 0.1, 0.01, 0.005, 0.0025, 0.001, 0.0001", tick.text()));
  }
}

Result<Amounts> limit_amounts(OrderSide side, Price tick, Price price, Quantity size) {
  EL_TRY(const TickRules rules, rules_of(tick));
  const std::int64_t p = rounded_half_up(price.nanos(), power_of_ten(9 - rules.price));
  const std::int64_t shares = floored(size.micros(), power_of_ten(6 - rules.size));
  EL_TRY(const std::int64_t dollars, dollars_of(shares, p, rules.amount));
  return amounts(side, dollars, shares);
}

Result<Amounts> market_amounts(OrderSide side, Price tick, Price price, Quantity amount) {
  EL_TRY(const TickRules rules, rules_of(tick));
  const std::int64_t p = floored(price.nanos(), power_of_ten(9 - rules.price));
  if (p <= 0)
    return fail(Code::OutOfRange, fmt::format("price {} at tick {}: nothing left", price.text(), tick.text()));
  const std::int64_t given = floored(amount.micros(), power_of_ten(6 - rules.size));
  if (side == OrderSide::Sell) {
    EL_TRY(const std::int64_t dollars, dollars_of(given, p, rules.amount));
    return amounts(side, dollars, given);
  }
  EL_TRY(const std::int64_t shares, shares_of(given, p, rules.amount));
  return amounts(side, given, shares);
}

Quantity taker_fee(Quantity shares, Price price, double rate, double exponent) {
  constexpr std::int64_t kFeeUnit = 10;  // 1e-5 dollars in base units
  const std::int64_t p = price.nanos();
  // With a whole exponent of 1 or 2 every factor is a decimal: rate 1e-6, p (1 - p) 1e-8 of prices with 4 decimals.
  const auto rate_micros = static_cast<std::int64_t>(std::llround(rate * 1e6));
  if (p % 100'000 == 0 && (exponent == 1.0 || exponent == 2.0)) {
    const std::int64_t q = p / 100'000;
    const Wide spread = Wide{q} * (10'000 - q);
    Wide fee = Wide{shares.micros()} * rate_micros * spread;  // 1e-20 dollars
    Wide unit = wide_power_of_ten(15);                        // 1e-5 dollars
    if (exponent == 2.0) {
      // Ten decimals less first: 128 bits would not hold the product; what is cut is below 1e-18 dollars.
      fee = fee / wide_power_of_ten(6) * spread;
      unit = wide_power_of_ten(17);
    }
    return Quantity::from_micros(static_cast<std::int64_t>((fee + unit / 2) / unit) * kFeeUnit);
  }
  const double fee = shares.value() * rate * std::pow(price.value() * (1 - price.value()), exponent);
  return Quantity::from_micros(static_cast<std::int64_t>(std::floor(fee * 1e5 + 0.5)) * kFeeUnit);
}

Result<PostedOrder> read_order(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  Member body{.object = {}, .where = ""}, order{.object = {}, .where = "order."};
  if (parser.parse(json.data(), json.size()).get(root) != simdjson::SUCCESS ||
      root.get(body.object) != simdjson::SUCCESS)
    return fail(Code::BadData, "not a JSON object");
  EL_TRY(const simdjson::dom::element inner, body.get("order"));
  if (inner.get(order.object) != simdjson::SUCCESS) return fail(Code::BadData, "order: not an object");

  PostedOrder posted;
  posted.retired = order.has("nonce") || order.has("feeRateBps");
  EL_TRY(posted.owner, body.text("owner"));
  EL_TRY(const std::string type, body.text("orderType"));
  const std::array<OrderType, 4> types{OrderType::Gtc, OrderType::Gtd, OrderType::Fok, OrderType::Fak};
  const auto* const found = std::find_if(types.begin(), types.end(), [&](OrderType t) { return text_of(t) == type; });
  if (found == types.end()) return fail(Code::BadData, fmt::format("orderType '{}': not GTC, GTD, FOK, FAK", type));
  posted.type = *found;
  EL_TRY(posted.post_only, body.flag("postOnly"));

  EL_TRY(const std::string salt, order.text("salt"));
  EL_TRY(posted.fields.salt, word_from_decimal(salt));
  EL_TRY(posted.maker, order.text("maker"));
  EL_TRY(posted.fields.maker, parse_address(posted.maker));
  EL_TRY(posted.signer, order.text("signer"));
  EL_TRY(posted.fields.signer, parse_address(posted.signer));
  EL_TRY(posted.token, order.text("tokenId"));
  EL_TRY(posted.fields.token, word_from_decimal(posted.token));
  EL_TRY(const std::string maker_amount, order.text("makerAmount"));
  EL_TRY(posted.maker_amount, base_units(maker_amount, "order.makerAmount"));
  EL_TRY(const std::string taker_amount, order.text("takerAmount"));
  EL_TRY(posted.taker_amount, base_units(taker_amount, "order.takerAmount"));
  posted.fields.maker_amount = word_from(static_cast<std::uint64_t>(posted.maker_amount.micros()));
  posted.fields.taker_amount = word_from(static_cast<std::uint64_t>(posted.taker_amount.micros()));
  EL_TRY(const std::string side, order.text("side"));
  if (side != "BUY" && side != "SELL") return fail(Code::BadData, fmt::format("order.side '{}': not BUY, SELL", side));
  posted.side = side == "BUY" ? OrderSide::Buy : OrderSide::Sell;
  posted.fields.side = side == "BUY" ? 0 : 1;
  EL_TRY(const std::string kind_text, order.text("signatureType"));
  EL_TRY(const std::uint64_t kind, whole(kind_text, "order.signatureType"));
  if (kind > 3) return fail(Code::BadData, fmt::format("order.signatureType {}: not 0..3", kind));
  posted.fields.signature_type = static_cast<std::uint8_t>(kind);
  EL_TRY(const std::string expiration, order.has("expiration") ? order.text("expiration") : Result<std::string>{"0"});
  EL_TRY(const std::uint64_t expires, whole(expiration, "order.expiration"));
  posted.expiration_s = static_cast<std::int64_t>(std::min<std::uint64_t>(expires, 9'000'000'000'000u));
  EL_TRY(const std::string signature, order.text("signature"));
  const std::optional<std::string> bytes = hex_bytes(signature);
  if (!bytes) return fail(Code::BadData, "order.signature: not hexadecimal");
  posted.signature = *bytes;
  if (posted.retired) return posted;

  EL_TRY(const std::string timestamp, order.text("timestamp"));
  EL_TRY(posted.fields.timestamp, word_from_decimal(timestamp));
  EL_TRY(const std::string metadata, order.text("metadata"));
  EL_TRY(posted.fields.metadata, parse_word(metadata));
  EL_TRY(const std::string builder, order.text("builder"));
  EL_TRY(posted.fields.builder, parse_word(builder));
  return posted;
}

Result<Price> order_price(const PostedOrder& order, Price tick, std::string_view id) {
  EL_TRY(const TickRules rules, rules_of(tick));
  const std::int64_t dollars = order.dollars().micros(), shares = order.shares().micros();
  if (dollars <= 0 || shares <= 0)
    return fail(Code::BadData, fmt::format("order {} is invalid. Amounts are zero.", id));
  const std::int64_t exact = static_cast<std::int64_t>(Wide{dollars} * Price::kScale / shares);
  const std::int64_t low = tick.nanos(), high = Price::kScale - tick.nanos();
  const bool market = order.type == OrderType::Fok || order.type == OrderType::Fak;
  // What a client computes from a price is found again from the nearest ticks.
  for (const std::int64_t near : {floored(exact, low), floored(exact, low) + low}) {
    const Price price = Price::from_nanos(near);
    const Amounts given{.maker = order.maker_amount, .taker = order.taker_amount};
    const auto as_limit = limit_amounts(order.side, tick, price, order.shares());
    const bool is_limit = as_limit && *as_limit == given;
    const Quantity amount = order.side == OrderSide::Buy ? order.dollars() : order.shares();
    const auto as_market =
        market && near > 0 ? market_amounts(order.side, tick, price, amount) : Result<Amounts>{Amounts{}};
    if (!is_limit && !(market && as_market && *as_market == given)) continue;
    if (near < low || near > high)
      return fail(Code::OutOfRange, fmt::format("invalid price ({}), min: {} - max: {}", price.text(),
                                                Price::from_nanos(low).text(), Price::from_nanos(high).text()));
    return price;
  }
  const bool buys_at_market = market && order.side == OrderSide::Buy;
  const int dollar_places = buys_at_market ? rules.size : rules.amount;
  const int share_places = buys_at_market ? rules.amount : rules.size;
  if (!has_places(order.dollars(), dollar_places) || !has_places(order.shares(), share_places)) {
    const int maker_places = order.side == OrderSide::Buy ? dollar_places : share_places;
    const int taker_places = order.side == OrderSide::Buy ? share_places : dollar_places;
    return fail(Code::BadData,
                fmt::format("invalid amounts, the {} {} orders maker amount supports a max accuracy of {} decimals, "
                            "taker amount a max of {} decimals",
                            market ? "market" : "limit", order.side == OrderSide::Buy ? "buy" : "sell", maker_places,
                            taker_places));
  }
  const Price shown = Price::from_nanos(rounded_half_up(exact, 1'000));
  return fail(Code::BadData, fmt::format("order {} is invalid. Price ({}) breaks minimum tick size rule: {}", id,
                                         shown.text(), tick.text()));
}

}  // namespace everlearn::venue
