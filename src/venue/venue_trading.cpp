// Accounts, their orders and what becomes of them. Who asks is checked first: L1 for the calls that make keys, L2 for
// all others.
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "core/hash.hpp"
#include "core/json.hpp"
#include "venue/venue_parts.hpp"

namespace everlearn::venue {
namespace {

__extension__ using Wide = __int128;

constexpr std::size_t kMostOrders = 15;
constexpr std::size_t kMostCancels = 1'000;
constexpr std::size_t kOrdersOnPage = 500;
constexpr std::int64_t kDollar = 1'000'000;
constexpr std::int64_t kEarlyStop = 60;  // seconds before its expiration at which an order stops
constexpr Duration kMined = Duration::seconds(2);
constexpr Duration kConfirmed = Duration::seconds(5);
constexpr Duration kHeartbeat = Duration::seconds(10);
constexpr std::string_view kHouse = "00000000-0000-0000-0000-000000000000";  // who stands behind a book's levels
constexpr std::string_view kHouseAddress = "0x0000000000000000000000000000000000000001";
constexpr std::string_view kUnlimited =
    "115792089237316195423570985008687907853269984665640564039457584007913129639935";

Answer unauthorized() { return refusal(401, "Unauthorized/Invalid api key"); }

std::string header(const Request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers) {
    if (key.size() != name.size()) continue;
    const bool same = std::equal(key.begin(), key.end(), name.begin(), [](char a, char b) {
      if (a == '-') a = '_';
      if (a >= 'a' && a <= 'z') a = static_cast<char>(a - 'a' + 'A');
      return a == b;
    });
    if (same) return value;
  }
  return {};
}

std::string parameter(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? "" : found->second;
}

std::string uuid_of(std::string_view seed) {
  const std::string hash = sha256_hex(seed);
  return fmt::format("{}-{}-{}-{}-{}", hash.substr(0, 8), hash.substr(8, 4), hash.substr(12, 4), hash.substr(16, 4),
                     hash.substr(20, 12));
}

std::string quantity_text(std::int64_t micros) { return Quantity::from_micros(micros).text(); }

/// shares * price in micros of a dollar, down.
std::int64_t cost(std::int64_t shares, Price price) {
  return static_cast<std::int64_t>(Wide{shares} * price.nanos() / Price::kScale);
}

std::optional<std::vector<std::string>> list_of_texts(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(body.data(), body.size()).get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<std::string> texts;
  for (const simdjson::dom::element element : array) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) return std::nullopt;
    texts.emplace_back(text);
  }
  return texts;
}

std::optional<std::string> member(std::string_view body, std::string_view key) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  std::string_view text;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS || root[key].get(text) != simdjson::SUCCESS)
    return std::nullopt;
  return std::string{text};
}

std::int64_t cursor_of(std::string_view cursor) {
  if (cursor.empty()) return 0;
  // base64 of a number: only the digits 0-9 have to be understood.
  std::string digits;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : cursor) {
    static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto value = kLetters.find(c);
    if (value == std::string_view::npos) break;
    held = held << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    digits.push_back(static_cast<char>(held >> bits & 0xff));
  }
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

/// One page of `elements`, from the cursor on.
Answer page(const std::vector<std::string>& elements, std::string_view cursor) {
  const std::int64_t from = cursor_of(cursor);
  if (from < 0)
    return {.status = 200,
            .body = fmt::format(R"({{"data":[],"next_cursor":"LTE=","limit":{},"count":0}})", kOrdersOnPage)};
  const std::size_t begin = std::min(elements.size(), static_cast<std::size_t>(from));
  const std::size_t end = std::min(elements.size(), begin + kOrdersOnPage);
  std::string list;
  for (std::size_t i = begin; i < end; ++i) list += (i == begin ? "" : ",") + elements[i];
  const std::string next = end < elements.size() ? base64url(std::to_string(end)) : "LTE=";
  return {.status = 200,
          .body = fmt::format(R"({{"data":[{}],"next_cursor":"{}","limit":{},"count":{}}})", list, next, kOrdersOnPage,
                              end - begin)};
}

Answer accepted(std::string_view id, std::string_view status, const std::vector<std::string>& trades) {
  JsonOut out;
  out.put("errorMsg", "")
      .put("orderID", id)
      .put("takingAmount", "")
      .put("makingAmount", "")
      .put("status", status)
      .put("success", true);
  if (!trades.empty()) out.put("tradeIDs", trades);
  return {.status = 200, .body = out.text()};
}

}  // namespace

// --- accounts

Account& Venue::Parts::account_of(std::string_view address) {
  const auto parsed = parse_address(address);
  const std::string name = parsed ? address_text(*parsed) : std::string{address};
  const auto [place, added] = accounts.try_emplace(name);
  if (added) {
    place->second.address = name;
    place->second.dollars = setup.collateral.nanos() / 1'000;
  }
  return place->second;
}

std::int64_t Venue::Parts::free_dollars(const Account& account) const {
  std::int64_t free = account.dollars;
  for (const auto& [id, order] : orders)
    if (order.account == account.address && order.side == OrderSide::Buy) free -= cost(order.left(), order.price);
  return free;
}

std::int64_t Venue::Parts::free_shares(const Account& account, const std::string& token) const {
  const auto held = account.shares.find(token);
  std::int64_t free = held == account.shares.end() ? 0 : held->second;
  for (const auto& [id, order] : orders)
    if (order.account == account.address && order.side == OrderSide::Sell &&
        markets[order.market].recorded.tokens[order.second ? 1 : 0] == token)
      free -= order.left();
  return free;
}

void Venue::set_balance(std::string_view address, std::string_view token_or_empty, Quantity amount) {
  Account& account = parts_->account_of(address);
  if (token_or_empty.empty())
    account.dollars = amount.micros();
  else
    account.shares[std::string{token_or_empty}] = amount.micros();
}

Result<void> Venue::set_mode(std::string_view mode) {
  for (const std::string_view known : {"", "paused", "cancel-only", "post-only"}) {
    if (mode != known) continue;
    parts_->mode = mode;
    return {};
  }
  return fail(Code::Usage, fmt::format("mode '{}': not '', paused, cancel-only, post-only", mode));
}

bool Venue::knows_key(std::string_view api_key, std::string_view secret, std::string_view passphrase) const {
  const auto owner = parts_->key_owners.find(api_key);
  if (owner == parts_->key_owners.end()) return false;
  for (const auto& [nonce, credentials] : parts_->accounts.find(owner->second)->second.keys)
    if (credentials.key == api_key && credentials.secret == secret && credentials.passphrase == passphrase) return true;
  return false;
}

Answer Venue::trading(const Request& request, std::vector<Outgoing>& out) { return parts_->trading(request, out); }

Answer Venue::Parts::make_key(const Request& request, bool derive) {
  const std::string address = header(request, "POLY_ADDRESS"), time = header(request, "POLY_TIMESTAMP"),
                    nonce = header(request, "POLY_NONCE");
  const auto signer =
      login_signer(address, time, nonce, header(request, "POLY_SIGNATURE"), static_cast<std::uint64_t>(setup.chain));
  std::int64_t seconds = 0;
  std::uint64_t number = 0;
  std::from_chars(time.data(), time.data() + time.size(), seconds);
  const auto read = std::from_chars(nonce.data(), nonce.data() + nonce.size(), number);
  const bool late = setup.login_skew && std::abs(seconds * kDollar - now.us()) > setup.login_skew->us();
  if (!signer || read.ec != std::errc{} || late) return refusal(401, "Invalid L1 Request headers");
  Account& account = account_of(address_text(*signer));
  const bool there = account.keys.contains(number);
  if (derive && !there) return refusal(400, "Could not derive api key!");
  if (!derive && there) return refusal(400, "Could not create api key");
  Credentials& credentials = account.keys[number];
  if (!there) {
    const std::string seed = fmt::format("{}:{}:{}", setup.seed, account.address, number);
    const Sha256 secret = sha256("secret:" + seed);
    credentials = {.key = uuid_of("key:" + seed),
                   .secret = base64url({reinterpret_cast<const char*>(secret.data()), secret.size()}),
                   .passphrase = sha256_hex("passphrase:" + seed)};
    key_owners[credentials.key] = account.address;
  }
  return {.status = 200,
          .body = JsonOut{}
                      .put("apiKey", credentials.key)
                      .put("secret", credentials.secret)
                      .put("passphrase", credentials.passphrase)
                      .text()};
}

Answer Venue::Parts::trading(const Request& request, std::vector<Outgoing>& out) {
  const std::string call = request.method + " " + request.path;
  if (call == "POST /auth/api-key") return make_key(request, false);
  if (call == "GET /auth/derive-api-key") return make_key(request, true);

  const std::string key = header(request, "POLY_API_KEY"), time = header(request, "POLY_TIMESTAMP");
  const auto owner = key_owners.find(key);
  if (owner == key_owners.end()) return unauthorized();
  Account& account = account_of(owner->second);
  const auto credentials =
      std::find_if(account.keys.begin(), account.keys.end(), [&](const auto& k) { return k.second.key == key; });
  const auto claimed = parse_address(header(request, "POLY_ADDRESS"));
  const auto signature =
      request_signature(credentials->second.secret, time, request.method, request.path, request.body);
  std::int64_t seconds = 0;
  std::from_chars(time.data(), time.data() + time.size(), seconds);
  const bool late = setup.login_skew && std::abs(seconds * kDollar - now.us()) > setup.login_skew->us();
  if (!claimed || address_text(*claimed) != account.address ||
      header(request, "POLY_PASSPHRASE") != credentials->second.passphrase || !signature ||
      header(request, "POLY_SIGNATURE") != *signature || late)
    return unauthorized();

  if (call == "GET /auth/api-keys") {
    std::vector<std::string> keys;
    for (const auto& [nonce, one] : account.keys) keys.push_back(one.key);
    return {.status = 200, .body = JsonOut{}.put("apiKeys", keys).text()};
  }
  if (call == "DELETE /auth/api-key") {
    account.keys.erase(credentials);
    key_owners.erase(owner);
    return {.status = 200, .body = "\"OK\""};
  }
  if (call == "GET /auth/ban-status/closed-only") return {.status = 200, .body = R"({"closed_only":false})"};
  if (call == "POST /order") return post_order(request.body, account, key, out);
  if (call == "POST /orders") return post_orders(request.body, account, key, out);
  if (call == "DELETE /order") {
    const auto id = member(request.body, "orderID");
    if (!id || !parse_word(*id)) return refusal(400, "Invalid orderID");
    return cancel({*id}, account, out);
  }
  if (call == "DELETE /orders") {
    const auto ids = list_of_texts(request.body);
    if (!ids) return refusal(400, "Invalid order payload");
    if (ids->size() > kMostCancels)
      return refusal(400, fmt::format("Too many orders in payload, max allowed: {}", kMostCancels));
    return cancel(*ids, account, out);
  }
  if (call == "DELETE /cancel-all") return cancel(orders_of(account, "", ""), account, out);
  if (call == "DELETE /cancel-market-orders")
    return cancel(
        orders_of(account, member(request.body, "market").value_or(""), member(request.body, "asset_id").value_or("")),
        account, out);
  if (call == "GET /data/orders") return open_orders(request, account);
  if (request.method == "GET" && request.path.starts_with("/data/order/")) {
    const auto order = orders.find(request.path.substr(12));
    if (order == orders.end() || order->second.account != account.address) return refusal(404, "order not found");
    return {.status = 200, .body = order_json(order->second)};
  }
  if (call == "GET /data/trades") return own_trades(request, account);
  if (call == "GET /balance-allowance" || call == "GET /balance-allowance/update") return balance(request, account);
  if (call == "POST /v1/heartbeats") return heartbeat(request.body, account);
  return refusal(404, "not found");
}

// --- orders

Answer Venue::Parts::post_orders(std::string_view body, Account& account, const std::string& key,
                                 std::vector<Outgoing>& out) {
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(body.data(), body.size()).get(array) != simdjson::SUCCESS)
    return refusal(400, "Invalid order payload");
  if (array.size() > kMostOrders)
    return refusal(400, fmt::format("Too many orders in payload: {}, max allowed: {}", array.size(), kMostOrders));
  std::string list;
  for (const simdjson::dom::element element : array) {
    const Answer one = post_order(simdjson::minify(element), account, key, out);
    if (!list.empty()) list += ',';
    if (one.status == 200) {
      list += one.body;
      continue;
    }
    // A refusal inside a batch is a success with a reason and without an id.
    list += JsonOut{}
                .put("errorMsg", member(one.body, "error").value_or(""))
                .put("orderID", "")
                .put("takingAmount", "")
                .put("makingAmount", "")
                .put("status", "")
                .put("success", true)
                .text();
  }
  return {.status = 200, .body = "[" + list + "]"};
}

namespace {

/// What an incoming order takes at one price.
struct Match {
  Price first_price;        // in the first outcome's book
  std::int64_t shares = 0;  // micros, all together
  std::int64_t from_book = 0;
  std::vector<std::pair<std::string, std::int64_t>> from_orders;  // ids and micros
};

}  // namespace

Answer Venue::Parts::post_order(std::string_view body, Account& account, const std::string& key,
                                std::vector<Outgoing>& out) {
  if (mode == "paused") return refusal(503, "Trading is currently disabled. Check polymarket.com for updates");
  if (mode == "cancel-only")
    return refusal(503, "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed.");
  auto read = read_order(body);
  if (!read) {
    note("refused", 0, "", JsonOut{}.put("error", "Invalid order payload").put("because", read.error().message).text());
    return refusal(400, "Invalid order payload");
  }
  const PostedOrder& posted = *read;
  if (posted.owner != key) return refusal(400, "the order owner has to be the owner of the API KEY");
  if (posted.retired) return refusal(400, "order_version_mismatch");
  const auto place = find(posted.token);
  if (!place) return refusal(404, "No orderbook exists for the requested token id");
  MarketState& m = markets[place->market];
  const RecordedMarket& recorded = m.recorded;

  const Domain exchange =
      exchange_domain(posted.fields.token, recorded.neg_risk, static_cast<std::uint64_t>(setup.chain));
  const std::string id = hex_text(order_digest(posted.fields, exchange));
  const auto refuse = [&](std::string_view text, int status = 400) {
    note("refused", place->market, posted.token, JsonOut{}.put("order", id).put("error", text).text());
    return refusal(status, text);
  };
  const auto signer = order_signer(posted.fields, exchange, posted.signature);
  if (!signer || address_text(*signer) != account.address) {
    // Signed for another version of the exchange? Then the client has to ask for the version and sign again.
    for (const std::string_view version : {"1", "2", "3"}) {
      Domain other = exchange;
      other.version = version;
      const auto then = version != exchange.version ? order_signer(posted.fields, other, posted.signature) : signer;
      if (version != exchange.version && then && address_text(*then) == account.address)
        return refuse("order_version_mismatch");
    }
    if (posted.fields.signature_type != 3 && address_text(posted.fields.signer) != account.address)
      return refuse("the order signer address has to be the address of the API KEY");
    return refuse("invalid signature");
  }
  const bool own_key = posted.fields.signature_type == 0;
  if ((own_key || posted.fields.signature_type == 3) && posted.fields.maker != posted.fields.signer)
    return refuse("invalid signature");
  if (posted.fields.signature_type != 3 && address_text(posted.fields.signer) != account.address)
    return refuse("the order signer address has to be the address of the API KEY");
  if (known_orders.contains(id)) {
    note("refused", place->market, posted.token, JsonOut{}.put("order", id).put("error", "Duplicated").text());
    return {.status = 400,
            .body = JsonOut{}
                        .put("error", fmt::format("order {} is invalid. Duplicated.", id))
                        .put("code", "INVALID_ORDER_DUPLICATED")
                        .text()};
  }
  if (m.stage == Stage::Resolved || !m.accepting) return refuse("the market is not yet ready to process new orders");

  const auto price = order_price(posted, tick(m), id);
  if (!price) return refuse(price.error().message);
  const bool waits = posted.type == OrderType::Gtc || posted.type == OrderType::Gtd;
  const std::int64_t now_s = now.us() / kDollar;
  if (posted.type == OrderType::Gtd ? posted.expiration_s <= now_s + kEarlyStop : posted.expiration_s != 0)
    return refuse("invalid expiration");
  if (posted.post_only && !waits) return refuse("invalid post-only order: only GTC and GTD orders can be post-only");
  if (mode == "post-only" && !posted.post_only)
    return {
        .status = 503,
        .body =
            R"({"error":"post-only mode: only post-only orders and cancels are allowed","code":"post_only_mode","retry_after_seconds":79})"};
  if (waits && posted.shares().micros() < recorded.min_size.nanos() / 1'000)
    return refuse(fmt::format("order {} is invalid. Size ({}) lower than the minimum: {}", id, posted.shares().text(),
                              recorded.min_size.text()));

  const bool was = m.active();
  m.touched = true;
  set_active(m, was);

  const bool buys = posted.side == OrderSide::Buy;
  const bool bids = buys != place->second;  // in the first outcome's book
  const Price limit = place->second ? complement(*price) : *price;
  const auto own_price = [&](Price in_book) { return place->second ? complement(in_book) : in_book; };
  // A BUY at the market spends dollars; everything else is for a number of shares.
  const bool spends = buys && !waits;
  std::int64_t shares_left = posted.shares().micros(), dollars_left = posted.dollars().micros();
  std::vector<Match> matches;
  Book base = m.base;
  for (const bool bid : {true, false})
    for (const Level& level : bid ? m.taken.bids : m.taken.asks) base.add(bid, level.price, -level.size.micros());
  for (const Level& level : bids ? m.shown.asks : m.shown.bids) {
    if (bids ? level.price > limit : level.price < limit) break;
    const Price at = own_price(level.price);
    std::int64_t wanted =
        spends ? static_cast<std::int64_t>(Wide{dollars_left} * Price::kScale / at.nanos()) : shares_left;
    if (wanted <= 0) break;
    Match match{.first_price = level.price, .shares = 0, .from_book = 0, .from_orders = {}};
    for (const Level& there : bids ? base.asks : base.bids)
      if (there.price == level.price) match.from_book = std::min(wanted, there.size.micros());
    match.shares = match.from_book;
    for (const std::string& resting : m.orders) {
      const OpenOrder& order = orders.find(resting)->second;
      if (order.bids() == bids || order.first_price() != level.price || match.shares >= wanted) continue;
      const std::int64_t part = std::min(wanted - match.shares, order.left());
      match.from_orders.emplace_back(resting, part);
      match.shares += part;
    }
    if (match.shares == 0) continue;
    shares_left -= match.shares;
    dollars_left -= cost(match.shares, at);
    matches.push_back(std::move(match));
  }
  std::int64_t taken = 0, paid = 0, fees = 0;
  for (const Match& match : matches) {
    taken += match.shares;
    paid += cost(match.shares, own_price(match.first_price));
    fees += taker_fee(Quantity::from_micros(match.shares), own_price(match.first_price), recorded.fee_rate,
                      recorded.fee_exponent)
                .micros();
  }
  const bool whole = spends ? dollars_left <= 1 : shares_left <= 0;
  if (posted.post_only && taken > 0) return refuse("invalid post-only order: order crosses book");
  if (posted.type == OrderType::Fok && !whole)
    return refuse("order couldn't be fully filled. FOK orders are fully filled or killed.");
  if (posted.type == OrderType::Fak && taken == 0)
    return refuse(
        "no orders found to match with FAK order. FAK orders are partially filled or killed if no match is found.");
  if (taken > 0 && (buys ? posted.dollars().micros() : paid) < kDollar)
    return refuse(fmt::format("invalid amount for a marketable {} order (${}), min size: $1", text_of(posted.side),
                              posted.dollars().text()));
  const std::int64_t rests = waits ? std::max<std::int64_t>(0, shares_left) : 0;
  const bool covered = buys ? free_dollars(account) >= std::max(paid + cost(rests, *price), waits ? 0 : paid) + fees
                            : free_shares(account, posted.token) >= posted.shares().micros();
  if (!covered) return refuse("not enough balance / allowance");

  known_orders.insert(id);
  OpenOrder order{.id = id,
                  .account = account.address,
                  .owner = key,
                  .maker = posted.maker,
                  .market = place->market,
                  .second = place->second,
                  .side = posted.side,
                  .price = *price,
                  .original = posted.shares().micros(),
                  .matched = 0,
                  .type = posted.type,
                  .expiration_s = posted.expiration_s,
                  .created = now,
                  .trades = {},
                  .number = ++numbers};
  if (spends) order.original = std::max(order.original, taken);
  note("order", place->market, posted.token,
       JsonOut{}
           .put("order", id)
           .put("side", text_of(posted.side))
           .put("price", price->text())
           .put("size", posted.shares().text())
           .put("type", text_of(posted.type))
           .text());
  tell_order(order, "PLACEMENT", taken > 0 ? "MATCHED" : "LIVE", out);

  for (const Match& match : matches) {
    OwnTrade trade{.id = uuid_of(fmt::format("trade:{}:{}", setup.seed, ++numbers)),
                   .taker_order = id,
                   .taker_owner = key,
                   .taker_account = account.address,
                   .taker_maker = posted.maker,
                   .market = place->market,
                   .second = place->second,
                   .side = posted.side,
                   .size = match.shares,
                   .price = own_price(match.first_price),
                   .status = "MATCHED",
                   .at = now,
                   .updated = now,
                   .transaction = "0x" + sha256_hex(fmt::format("tx:{}:{}", setup.seed, numbers)),
                   .makers = {}};
    if (match.from_book > 0) {
      // The other side of a buy is a sale of the same token, from the book's own.
      trade.makers.push_back({.order = "0x" + sha256_hex(fmt::format("book:{}:{}", recorded.key, numbers)),
                              .owner = std::string{kHouse},
                              .account = "",
                              .maker = std::string{kHouseAddress},
                              .matched = match.from_book,
                              .price = trade.price,
                              .second = place->second,
                              .side = buys ? OrderSide::Sell : OrderSide::Buy});
      m.taken.add(!bids, match.first_price, match.from_book);
    }
    for (const auto& [resting, part] : match.from_orders) {
      OpenOrder& other = orders.find(resting)->second;
      trade.makers.push_back({.order = resting,
                              .owner = other.owner,
                              .account = other.account,
                              .maker = other.maker,
                              .matched = part,
                              .price = other.price,
                              .second = other.second,
                              .side = other.side});
      other.matched += part;
      other.trades.push_back(trade.id);
    }
    order.matched += match.shares;
    order.trades.push_back(trade.id);
    record_trade(std::move(trade), out);
  }
  std::vector<std::string> trades = order.trades;
  if (rests > 0) {
    order.original = order.matched + rests;
    rest(std::move(order));
  } else if (!waits && !whole) {
    tell_order(order, "CANCELLATION", "CANCELED_rest of a FAK order", out);
  }
  show(m, !matches.empty(), out);
  return accepted(id, trades.empty() ? "live" : "matched", trades);
}

void Venue::Parts::rest(OpenOrder order) {
  markets[order.market].orders.push_back(order.id);
  if (order.type == OrderType::Gtd)
    due.push({.at = Timestamp{(order.expiration_s - kEarlyStop) * kDollar},
              .what = Due::What::Expiry,
              .market = order.market,
              .number = 0,
              .id = order.id});
  orders[order.id] = std::move(order);
}

/// Moves dollars and shares, tells both sides, forgets orders that are filled.
void Venue::Parts::record_trade(OwnTrade trade, std::vector<Outgoing>& out) {
  MarketState& m = markets[trade.market];
  const RecordedMarket& recorded = m.recorded;
  const auto settle_part = [&](const std::string& address, bool second, OrderSide side, std::int64_t shares,
                               Price price, std::int64_t fee) {
    if (address.empty()) return;
    Account& account = account_of(address);
    std::int64_t& held = account.shares[recorded.tokens[second ? 1 : 0]];
    const bool buys = side == OrderSide::Buy;
    held += buys ? shares : -shares;
    account.dollars += (buys ? -1 : 1) * cost(shares, price) - fee;
  };
  const std::int64_t fee = trade.taker_account.empty() ? 0
                                                       : taker_fee(Quantity::from_micros(trade.size), trade.price,
                                                                   recorded.fee_rate, recorded.fee_exponent)
                                                             .micros();
  settle_part(trade.taker_account, trade.second, trade.side, trade.size, trade.price, fee);
  for (const MakerPart& maker : trade.makers)
    settle_part(maker.account, maker.second, maker.side, maker.matched, maker.price, 0);

  TradeAt seen{.at = now,
               .second = trade.second,
               .buy = trade.side == OrderSide::Buy,
               .price = trade.price,
               .size = Quantity::from_micros(trade.size),
               .wallet = trade.taker_maker,
               .transaction = trade.transaction};
  m.own_trade = seen;
  tell_trade(m, seen, false, out);
  note("fill", trade.market, recorded.tokens[trade.second ? 1 : 0],
       JsonOut{}
           .put("trade", trade.id)
           .put("order", trade.taker_order)
           .put("price", trade.price.text())
           .put("size", quantity_text(trade.size))
           .put("fee", quantity_text(fee))
           .text());
  tell_own_trade(trade, out);
  for (const MakerPart& maker : trade.makers) {
    const auto order = orders.find(maker.order);
    if (order == orders.end()) continue;
    tell_order(order->second, "UPDATE", order->second.left() > 0 ? "LIVE" : "MATCHED", out);
    if (order->second.left() > 0) continue;
    std::erase(m.orders, maker.order);
    orders.erase(order);
  }
  due.push({.at = now + kMined,
            .what = Due::What::TradeStatus,
            .market = trade.market,
            .number = fills.size(),
            .id = trade.id});
  due.push({.at = now + kConfirmed,
            .what = Due::What::TradeStatus,
            .market = trade.market,
            .number = fills.size(),
            .id = trade.id});
  fills.push_back(std::move(trade));
}

void Venue::Parts::trade_status(std::string_view id, std::vector<Outgoing>& out) {
  const auto found = std::find_if(fills.rbegin(), fills.rend(), [&](const OwnTrade& t) { return t.id == id; });
  found->status = found->status == "MATCHED" ? "MINED" : "CONFIRMED";
  found->updated = now;
  tell_own_trade(*found, out);
}

// --- resting orders

Book Venue::Parts::own_levels(const MarketState& m) const {
  Book own;
  for (const std::string& id : m.orders) {
    const OpenOrder& order = orders.find(id)->second;
    own.add(order.bids(), order.first_price(), order.left());
  }
  return own;
}

/// The book moved, or somebody traded: orders that stand across it are filled at their own price.
void Venue::Parts::fill_resting(MarketState& m, const std::optional<TradeAt>& trade, std::vector<Outgoing>& out) {
  if (m.orders.empty()) return;
  std::int64_t traded = trade ? trade->size.micros() : 0;
  const bool trade_buys = trade && trade->buy != trade->second;  // in the first outcome's book
  const Price trade_price = trade ? (trade->second ? complement(trade->price) : trade->price) : Price{};
  const std::vector<std::string> standing = m.orders;
  for (const std::string& id : standing) {
    const auto found = orders.find(id);
    if (found == orders.end()) continue;
    OpenOrder& order = found->second;
    const bool bids = order.bids();
    std::int64_t part = 0;
    for (const Level& level : bids ? m.base.asks : m.base.bids) {
      if (bids ? level.price > order.first_price() : level.price < order.first_price()) break;
      std::int64_t there = level.size.micros();
      for (const Level& gone : bids ? m.taken.asks : m.taken.bids)
        if (gone.price == level.price) there -= gone.size.micros();
      const std::int64_t from_level =
          std::clamp<std::int64_t>(order.left() - part, 0, std::max<std::int64_t>(0, there));
      if (from_level == 0) continue;
      m.taken.add(!bids, level.price, from_level);
      part += from_level;
    }
    // A trade beyond its price would have met it first; at its price the book stood before it.
    const bool met =
        trade && trade_buys != bids && (bids ? trade_price < order.first_price() : trade_price > order.first_price());
    if (met) {
      const std::int64_t from_trade = std::min(order.left() - part, traded);
      traded -= from_trade;
      part += from_trade;
    }
    if (part > 0) fill_by_book(m, order, part, out);
  }
}

void Venue::Parts::fill_by_book(MarketState& m, OpenOrder& order, std::int64_t micros, std::vector<Outgoing>& out) {
  const bool buys = order.side == OrderSide::Buy;
  OwnTrade trade{.id = uuid_of(fmt::format("trade:{}:{}", setup.seed, ++numbers)),
                 .taker_order = "0x" + sha256_hex(fmt::format("book:{}:{}", m.recorded.key, numbers)),
                 .taker_owner = std::string{kHouse},
                 .taker_account = "",
                 .taker_maker = std::string{kHouseAddress},
                 .market = order.market,
                 .second = order.second,
                 .side = buys ? OrderSide::Sell : OrderSide::Buy,
                 .size = micros,
                 .price = order.price,
                 .status = "MATCHED",
                 .at = now,
                 .updated = now,
                 .transaction = "0x" + sha256_hex(fmt::format("tx:{}:{}", setup.seed, numbers)),
                 .makers = {}};
  trade.makers.push_back({.order = order.id,
                          .owner = order.owner,
                          .account = order.account,
                          .maker = order.maker,
                          .matched = micros,
                          .price = order.price,
                          .second = order.second,
                          .side = order.side});
  order.matched += micros;
  order.trades.push_back(trade.id);
  record_trade(std::move(trade), out);
}

bool Venue::Parts::remove_order(std::string_view id, std::string_view status, std::vector<Outgoing>& out) {
  const auto found = orders.find(id);
  if (found == orders.end()) return false;
  const OpenOrder order = found->second;
  orders.erase(found);
  std::erase(markets[order.market].orders, order.id);
  note("cancel", order.market, markets[order.market].recorded.tokens[order.second ? 1 : 0],
       JsonOut{}.put("order", order.id).put("left", quantity_text(order.left())).put("why", status).text());
  tell_order(order, "CANCELLATION", status, out);
  show(markets[order.market], false, out);
  return true;
}

void Venue::Parts::expire(std::string_view order, std::vector<Outgoing>& out) {
  remove_order(order, "CANCELED_expired", out);
}

void Venue::Parts::close_orders(MarketState& m, std::string_view reason, std::vector<Outgoing>& out) {
  const std::vector<std::string> standing = m.orders;
  for (const std::string& id : standing) remove_order(id, reason, out);
}

/// Shares become what they pay; the winner redeems at once.
void Venue::Parts::settle(MarketState& m) {
  for (auto& [address, account] : accounts) {
    for (const bool second : {false, true}) {
      const auto held = account.shares.find(m.recorded.tokens[second ? 1 : 0]);
      if (held == account.shares.end()) continue;
      account.dollars += cost(held->second, second ? complement(*m.payout) : *m.payout);
      account.shares.erase(held);
    }
  }
}

std::vector<std::string> Venue::Parts::orders_of(const Account& account, std::string_view market,
                                                 std::string_view token) const {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (const auto& [id, order] : orders) {
    const RecordedMarket& m = markets[order.market].recorded;
    if (order.account != account.address || (!market.empty() && market != m.condition) ||
        (!token.empty() && token != m.tokens[order.second ? 1 : 0]))
      continue;
    found.emplace_back(order.number, id);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> ids;
  for (auto& [number, id] : found) ids.push_back(std::move(id));
  return ids;
}

Answer Venue::Parts::cancel(const std::vector<std::string>& ids, const Account& account, std::vector<Outgoing>& out) {
  std::vector<std::string> canceled;
  JsonOut rest;
  for (const std::string& id : ids) {
    const auto order = orders.find(id);
    if (order != orders.end() && order->second.account == account.address && remove_order(id, "CANCELED", out))
      canceled.push_back(id);
    else
      rest.put(id, "order can't be found - already canceled or matched");
  }
  return {.status = 200, .body = JsonOut{}.put("canceled", canceled).put_json("not_canceled", rest.text()).text()};
}

// --- what accounts read

std::string Venue::Parts::order_json(const OpenOrder& order) const {
  const RecordedMarket& m = markets[order.market].recorded;
  return JsonOut{}
      .put("id", order.id)
      .put("status", "LIVE")
      .put("owner", order.owner)
      .put("maker_address", order.maker)
      .put("market", m.condition)
      .put("asset_id", m.tokens[order.second ? 1 : 0])
      .put("side", text_of(order.side))
      .put("original_size", quantity_text(order.original))
      .put("size_matched", quantity_text(order.matched))
      .put("price", order.price.text())
      .put("outcome", m.outcomes[order.second ? 1 : 0])
      .put("order_type", text_of(order.type))
      .put("associate_trades", order.trades)
      .put("created_at", order.created.us() / kDollar)
      .put("expiration", std::to_string(order.expiration_s))
      .text();
}

namespace {

/// The members that a trade has in the list and on the socket. `account` decides which side is "ours".
JsonOut trade_members(const OwnTrade& trade, const RecordedMarket& m, std::string_view account) {
  std::vector<std::string> makers;
  std::string owner = trade.taker_owner, address = trade.taker_maker;
  const bool taker = trade.taker_account == account;
  for (const MakerPart& maker : trade.makers) {
    const std::size_t side = maker.second ? 1 : 0;
    makers.push_back(JsonOut{}
                         .put("order_id", maker.order)
                         .put("owner", maker.owner)
                         .put("maker_address", maker.maker)
                         .put("matched_amount", quantity_text(maker.matched))
                         .put("price", maker.price.text())
                         .put("fee_rate_bps", "")
                         .put("asset_id", m.tokens[side])
                         .put("outcome", m.outcomes[side])
                         .put("side", text_of(maker.side))
                         .text());
    if (!taker && maker.account == account) {
      owner = maker.owner;
      address = maker.maker;
    }
  }
  const std::size_t side = trade.second ? 1 : 0;
  return JsonOut{}
      .put("id", trade.id)
      .put("taker_order_id", trade.taker_order)
      .put("market", m.condition)
      .put("asset_id", m.tokens[side])
      .put("side", text_of(trade.side))
      .put("size", quantity_text(trade.size))
      .put("fee_rate_bps", "0")  // the newest official client takes no empty text here
      .put("price", trade.price.text())
      .put("status", trade.status)
      .put("match_time", seconds_text(trade.at))
      .put("last_update", seconds_text(trade.updated))
      .put("outcome", m.outcomes[side])
      .put("bucket_index", 0)
      .put("owner", owner)
      .put("maker_address", address)
      .put("transaction_hash", trade.transaction)
      .put("trader_side", taker ? "TAKER" : "MAKER")
      .put_list("maker_orders", makers);
}

}  // namespace

std::string Venue::Parts::trade_json(const OwnTrade& trade, std::string_view account) const {
  return trade_members(trade, markets[trade.market].recorded, account).text();
}

void Venue::Parts::tell_order(const OpenOrder& order, std::string_view type, std::string_view status,
                              std::vector<Outgoing>& out) const {
  const MarketState& m = markets[order.market];
  const std::size_t side = order.second ? 1 : 0;
  Outgoing event = outgoing(Outgoing::Kind::UserOrder, m);
  event.tokens = {m.recorded.tokens[side]};
  event.owner = order.owner;
  event.json = JsonOut{}
                   .put("id", order.id)
                   .put("owner", order.owner)
                   .put("order_owner", order.owner)
                   .put("market", m.recorded.condition)
                   .put("asset_id", m.recorded.tokens[side])
                   .put("side", text_of(order.side))
                   .put("original_size", quantity_text(order.original))
                   .put("size_matched", quantity_text(order.matched))
                   .put("price", order.price.text())
                   .put("outcome", m.recorded.outcomes[side])
                   .put("maker_address", order.maker)
                   .put("order_type", text_of(order.type))
                   .put("associate_trades", order.trades)
                   .put("created_at", seconds_text(order.created))
                   .put("expiration", std::to_string(order.expiration_s))
                   .put("timestamp", ms_text(now))
                   .put("type", type)
                   .put("status", status)
                   .put("event_type", "order")
                   .text();
  out.push_back(std::move(event));
}

void Venue::Parts::tell_own_trade(const OwnTrade& trade, std::vector<Outgoing>& out) const {
  const MarketState& m = markets[trade.market];
  std::map<std::string, std::string> told;  // account -> API key
  if (!trade.taker_account.empty()) told[trade.taker_account] = trade.taker_owner;
  for (const MakerPart& maker : trade.makers)
    if (!maker.account.empty()) told.try_emplace(maker.account, maker.owner);
  for (const auto& [account, owner] : told) {
    Outgoing event = outgoing(Outgoing::Kind::UserTrade, m);
    event.tokens = {m.recorded.tokens[trade.second ? 1 : 0]};
    event.owner = owner;
    event.json = trade_members(trade, m.recorded, account)
                     .put("trade_owner", owner)
                     .put("timestamp", ms_text(now))
                     .put("type", "TRADE")
                     .put("event_type", "trade")
                     .text();
    out.push_back(std::move(event));
  }
}

Answer Venue::Parts::open_orders(const Request& request, const Account& account) const {
  const std::string id = parameter(request, "id");
  std::vector<std::string> found;
  for (const std::string& each : orders_of(account, parameter(request, "market"), parameter(request, "asset_id")))
    if (id.empty() || id == each) found.push_back(order_json(orders.find(each)->second));
  return page(found, parameter(request, "next_cursor"));
}

Answer Venue::Parts::own_trades(const Request& request, const Account& account) const {
  const std::string id = parameter(request, "id"), market = parameter(request, "market"),
                    token = parameter(request, "asset_id"), maker = parameter(request, "maker_address"),
                    before = parameter(request, "before"), after = parameter(request, "after");
  const auto seconds = [](std::string_view text, std::int64_t otherwise) {
    std::int64_t value = otherwise;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
  };
  const std::int64_t until = seconds(before, INT64_MAX), since = seconds(after, INT64_MIN);
  std::vector<std::string> found;
  for (auto trade = fills.rbegin(); trade != fills.rend(); ++trade) {
    const RecordedMarket& m = markets[trade->market].recorded;
    const bool ours = trade->taker_account == account.address ||
                      std::any_of(trade->makers.begin(), trade->makers.end(),
                                  [&](const MakerPart& p) { return p.account == account.address; });
    const bool made_by =
        maker.empty() || trade->taker_maker == maker ||
        std::any_of(trade->makers.begin(), trade->makers.end(), [&](const MakerPart& p) { return p.maker == maker; });
    const std::int64_t at = trade->at.us() / kDollar;
    if (!ours || !made_by || (!id.empty() && id != trade->id) || (!market.empty() && market != m.condition) ||
        (!token.empty() && token != m.tokens[trade->second ? 1 : 0]) || at > until || at < since)
      continue;
    found.push_back(trade_json(*trade, account.address));
  }
  return page(found, parameter(request, "next_cursor"));
}

Answer Venue::Parts::balance(const Request& request, const Account& account) const {
  const std::string kind = parameter(request, "asset_type"), token = parameter(request, "token_id");
  std::int64_t held = account.dollars;
  if (kind.starts_with("CONDITIONAL")) {
    const auto found = account.shares.find(token);
    held = found == account.shares.end() ? 0 : found->second;
  } else if (kind != "COLLATERAL") {
    return refusal(400, "Invalid asset type");
  }
  JsonOut allowances;
  const auto chain = static_cast<std::uint64_t>(setup.chain);
  for (const Domain& exchange :
       {exchange_domain(word_from(~0ull), false, chain), exchange_domain(keccak256("any"), false, chain),
        exchange_domain(keccak256("any"), true, chain)})
    allowances.put(address_text(*exchange.contract), kUnlimited);
  return {.status = 200,
          .body = JsonOut{}.put("balance", std::to_string(held)).put_json("allowances", allowances.text()).text()};
}

// --- the dead man's switch

Answer Venue::Parts::heartbeat(std::string_view body, Account& account) {
  const auto id = member(body, "heartbeat_id");
  if (!id || *id != account.heartbeat)
    return {.status = 400,
            .body = JsonOut{}.put("error", "Invalid Heartbeat ID").put("heartbeat_id", account.heartbeat).text()};
  account.heartbeat = uuid_of(fmt::format("beat:{}:{}", account.address, ++numbers));
  account.last_beat = now;
  return {.status = 200, .body = JsonOut{}.put("heartbeat_id", account.heartbeat).text()};
}

void Venue::Parts::check_heartbeats(std::vector<Outgoing>& out) {
  for (auto& [address, account] : accounts) {
    if (account.heartbeat.empty() || now - account.last_beat <= kHeartbeat) continue;
    account.heartbeat.clear();
    for (const std::string& id : orders_of(account, "", "")) remove_order(id, "CANCELED_no heartbeat", out);
  }
}

}  // namespace everlearn::venue
