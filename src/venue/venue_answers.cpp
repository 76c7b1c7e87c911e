// What anybody may ask: books, prices, their past, trades, resolutions.
#include <simdjson.h>

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "core/json.hpp"
#include "venue/venue_parts.hpp"

namespace everlearn::venue {
namespace {

constexpr std::int64_t kLongestWindow = 15 * 86'400;  // seconds of one price history
constexpr std::size_t kMostInBatch = 20;
constexpr std::size_t kMostTokens = 500;
constexpr std::int64_t kMostBooks = 1'000;
constexpr std::int64_t kCoarse = 720;               // minutes: settled markets answer `max` from here on
constexpr Duration kRecently = Duration::hours(1);  // how far back a question about all markets' trades looks

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 78 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Answer no_book(std::string_view token) {
  if (!is_token(token)) return refusal(400, "Invalid token id");
  return refusal(404, "No orderbook exists for the requested token id");
}

struct Asked {
  std::string token, side;
};

/// [{"token_id":"...","side":"BUY"},...]; absent: broken.
std::optional<std::vector<Asked>> asked_tokens(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(body.data(), body.size()).get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<Asked> asked;
  for (const simdjson::dom::element element : array) {
    std::string_view token, side;
    if (element["token_id"].get(token) != simdjson::SUCCESS) return std::nullopt;
    if (element["side"].get(side) != simdjson::SUCCESS) side = "";
    asked.push_back({.token = std::string{token}, .side = std::string{side}});
  }
  return asked;
}

/// Answers each token that has a book with `one`, as members of an object or elements of a list.
Answer for_each_token(std::string_view body, char open, const std::function<std::string(const Asked&)>& one) {
  const auto asked = asked_tokens(body);
  if (!asked) return refusal(400, "Invalid payload");
  if (asked->size() > kMostTokens) return refusal(400, "Payload exceeds the limit");
  std::string json{open};
  for (const Asked& each : *asked) {
    const std::string text = one(each);
    if (text.empty()) continue;
    if (json.size() > 1) json += ',';
    json += text;
  }
  json += open == '[' ? ']' : '}';
  return {.status = 200, .body = std::move(json)};
}

std::string spread_text(const Book& book) {
  const std::int64_t bid = book.best_bid() ? book.best_bid()->nanos() : 0;
  const std::int64_t ask = book.best_ask() ? book.best_ask()->nanos() : Price::kScale;
  return Price::from_nanos(ask - bid).text();
}

struct Window {
  std::int64_t from_s = 0, to_s = 0, step_s = 60;
};

struct IntervalRule {
  std::string_view name;
  std::int64_t seconds;   // 0: from the beginning
  std::int64_t fidelity;  // the smallest, minutes
};
constexpr IntervalRule kIntervals[] = {{"max", 0, 10},        {"all", 0, 10},    {"1m", 30 * 86'400, 10},
                                       {"1w", 7 * 86'400, 5}, {"1d", 86'400, 1}, {"6h", 21'600, 1},
                                       {"1h", 3'600, 1}};

/// The window and step of a question about past prices, or why there is none.
Result<Window> window_of(const PriceQuery& query, std::int64_t now_s, std::int64_t begin_s) {
  Window window{.from_s = begin_s, .to_s = now_s, .step_s = 60};
  std::int64_t smallest = 1;
  if (!query.interval.empty()) {
    if (query.from_s || query.to_s)
      return fail(Code::Usage, "invalid filters: 'interval' and 'startTs', 'endTs' exclude each other");
    const auto* const rule = std::find_if(std::begin(kIntervals), std::end(kIntervals),
                                          [&](const auto& r) { return r.name == query.interval; });
    if (rule == std::end(kIntervals))
      return fail(Code::Usage, fmt::format("invalid filters: 'interval' {}", query.interval));
    if (rule->seconds > 0) window.from_s = now_s - rule->seconds;
    smallest = rule->fidelity;
  } else {
    if (!query.from_s) return fail(Code::Usage, "invalid filters: 'startTs' or 'interval' must be provided");
    window.from_s = *query.from_s;
    window.to_s = query.to_s.value_or(now_s);
    if (window.to_s < window.from_s) return fail(Code::Usage, "invalid filters: 'startTs' is after 'endTs'");
    if (window.to_s - window.from_s > kLongestWindow) return fail(Code::Usage, "invalid filters: interval is too long");
    window.to_s = std::min(window.to_s, now_s);
  }
  const std::int64_t fidelity = query.fidelity.value_or(smallest);
  if (fidelity < smallest)
    return fail(Code::Usage, fmt::format("invalid filters: minimum 'fidelity' for '{}' range is {}",
                                         query.interval.empty() ? "this" : query.interval, smallest));
  window.step_s = fidelity * 60;
  return window;
}

/// The price that held at each full step of the window; what no recorded price covers has no point.
template <class Put>
void past_prices(const MarketState& m, bool second, const Window& window, Put put) {
  const std::int64_t first_s = m.recorded.points.front().at.us() / 1'000'000;
  const std::int64_t begin = std::max(window.from_s, first_s);
  for (std::int64_t t = (begin + window.step_s - 1) / window.step_s * window.step_s; t <= window.to_s;
       t += window.step_s) {
    const Timestamp at{t * 1'000'000};
    if (m.stage == Stage::Resolved && at >= m.resolved_at) break;
    if (const auto price = m.recorded.fresh_price(at)) put(t, second ? complement(*price) : *price);
  }
}

std::string history_json(const MarketState& m, bool second, const Window& window) {
  std::string json = "[";
  past_prices(m, second, window, [&](std::int64_t t, Price price) {
    fmt::format_to(std::back_inserter(json), R"({}{{"t":{},"p":{}}})", json.size() > 1 ? "," : "", t, price.text());
  });
  return json + "]";
}

}  // namespace

Answer Venue::book(std::string_view token) const {
  const auto place = parts_->find(token);
  if (!place || !parts_->has_book(parts_->markets[place->market])) return no_book(token);
  return {.status = 200, .body = parts_->book_json(*place, parts_->visible(*place), parts_->now)};
}

Answer Venue::books(std::string_view body) const {
  return for_each_token(body, '[', [&](const Asked& asked) {
    Answer one = book(asked.token);
    return one.status == 200 ? std::move(one.body) : std::string{};
  });
}

Answer Venue::midpoint(std::string_view token) const {
  const auto place = parts_->find(token);
  const auto mid = place ? middle(parts_->visible(*place)) : std::nullopt;
  if (!mid) return no_book(token);
  return {.status = 200, .body = fmt::format(R"({{"mid":"{}"}})", mid->text())};
}

Answer Venue::midpoints(std::string_view body) const {
  return for_each_token(body, '{', [&](const Asked& asked) {
    const auto place = parts_->find(asked.token);
    const auto mid = place ? middle(parts_->visible(*place)) : std::nullopt;
    return mid ? fmt::format(R"("{}":"{}")", asked.token, mid->text()) : "";
  });
}

Answer Venue::price(std::string_view token, std::string_view side) const {
  if (side != "BUY" && side != "SELL") return refusal(400, "Invalid side");
  const auto place = parts_->find(token);
  if (!place) return no_book(token);
  const Book book = parts_->visible(*place);
  const auto best = side == "BUY" ? book.best_bid() : book.best_ask();
  if (book.empty()) return no_book(token);
  return {.status = 200, .body = fmt::format(R"({{"price":"{}"}})", best ? best->text() : "0")};
}

Answer Venue::prices(std::string_view body) const {
  const auto asked = asked_tokens(body);
  if (!asked) return refusal(400, "Invalid payload");
  if (asked->size() > 2 * kMostTokens) return refusal(400, "Payload exceeds the limit");
  std::map<std::string, std::map<std::string, std::string>> sides;
  for (const Asked& each : *asked) {
    if (each.side != "BUY" && each.side != "SELL") return refusal(400, "Invalid side");
    const auto place = parts_->find(each.token);
    if (!place) continue;
    const Book book = parts_->visible(*place);
    if (const auto best = each.side == "BUY" ? book.best_bid() : book.best_ask())
      sides[each.token][each.side] = best->text();
  }
  JsonOut out;
  for (const auto& [token, prices] : sides) out.put(token, prices);
  return {.status = 200, .body = out.text()};
}

Answer Venue::spread(std::string_view token) const {
  const auto place = parts_->find(token);
  const Book book = place ? parts_->visible(*place) : Book{};
  if (book.empty()) return no_book(token);
  return {.status = 200, .body = fmt::format(R"({{"spread":"{}"}})", spread_text(book))};
}

Answer Venue::spreads(std::string_view body) const {
  return for_each_token(body, '{', [&](const Asked& asked) {
    const auto place = parts_->find(asked.token);
    const Book book = place ? parts_->visible(*place) : Book{};
    return book.empty() ? "" : fmt::format(R"("{}":"{}")", asked.token, spread_text(book));
  });
}

namespace {

/// Price and side of the last trade as a token sees it.
std::pair<std::string, std::string> last_of(const std::optional<TradeAt>& trade, bool second) {
  if (!trade) return {"0.5", ""};
  const bool same = trade->second == second;
  return {(same ? trade->price : complement(trade->price)).text(), trade->buy == same ? "BUY" : "SELL"};
}

}  // namespace

Answer Venue::last_trade_price(std::string_view token) const {
  const auto place = parts_->find(token);
  if (!place) return no_book(token);
  const auto [price, side] = last_of(parts_->last_trade(parts_->markets[place->market]), place->second);
  return {.status = 200, .body = fmt::format(R"({{"price":"{}","side":"{}"}})", price, side)};
}

Answer Venue::last_trades_prices(std::string_view body) const {
  return for_each_token(body, '[', [&](const Asked& asked) -> std::string {
    const auto place = parts_->find(asked.token);
    if (!place) return "";
    const auto [price, side] = last_of(parts_->last_trade(parts_->markets[place->market]), place->second);
    return fmt::format(R"({{"token_id":"{}","price":"{}","side":"{}"}})", asked.token, price, side);
  });
}

Answer Venue::tick_size(std::string_view token) const {
  const auto place = parts_->find(token);
  if (!place) return refusal(404, "market not found");
  return {.status = 200,
          .body = fmt::format(R"({{"minimum_tick_size":{}}})", parts_->tick(parts_->markets[place->market]).text())};
}

Answer Venue::neg_risk(std::string_view token) const {
  const auto place = parts_->find(token);
  if (!place) return refusal(404, "market not found");
  return {.status = 200, .body = fmt::format(R"({{"neg_risk":{}}})", parts_->markets[place->market].recorded.neg_risk)};
}

Answer Venue::fee_rate(std::string_view token) const {
  const auto place = parts_->find(token);
  if (!place) return refusal(404, "fee rate not found for market");
  const bool feeless = parts_->markets[place->market].recorded.fee_rate == 0;
  return {.status = 200, .body = feeless ? R"({"base_fee":0})" : R"({"base_fee":1000})"};
}

Answer Venue::market_by_token(std::string_view token) const {
  const auto place = parts_->find(token);
  if (!place) return refusal(404, "market not found");
  const RecordedMarket& market = parts_->markets[place->market].recorded;
  return {.status = 200,
          .body = fmt::format(R"({{"condition_id":"{}","primary_token_id":"{}","secondary_token_id":"{}"}})",
                              market.condition, market.tokens[0], market.tokens[1])};
}

Answer Venue::prices_history(const PriceQuery& query) const {
  const std::int64_t now_s = parts_->now.us() / 1'000'000;
  const auto place = parts_->find(query.token);
  const auto window = window_of(
      query, now_s, place ? parts_->markets[place->market].recorded.points.front().at.us() / 1'000'000 : now_s);
  if (!window) return refusal(400, window.error().message);
  if (!place) return {.status = 200, .body = R"({"history":[]})"};
  const MarketState& m = parts_->markets[place->market];
  const bool whole = query.interval == "max" || query.interval == "all";
  if (m.stage == Stage::Resolved && whole && window->step_s < kCoarse * 60)
    return {.status = 200, .body = R"({"history":[]})"};
  return {.status = 200, .body = fmt::format(R"({{"history":{}}})", history_json(m, place->second, *window))};
}

Answer Venue::batch_prices_history(std::string_view body) const {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array tokens;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
      root["markets"].get(tokens) != simdjson::SUCCESS)
    return refusal(400, "Invalid payload");
  if (tokens.size() > kMostInBatch)
    return refusal(400, fmt::format("invalid filters: {} markets, at most {}", tokens.size(), kMostInBatch));
  PriceQuery query;
  const auto number = [&](std::string_view key) {
    double value = 0;
    return root[key].get(value) == simdjson::SUCCESS ? std::optional{static_cast<std::int64_t>(value)} : std::nullopt;
  };
  query.from_s = number("start_ts");
  query.to_s = number("end_ts");
  query.fidelity = number("fidelity");
  if (std::string_view interval; root["interval"].get(interval) == simdjson::SUCCESS) query.interval = interval;
  JsonOut histories;
  for (const simdjson::dom::element element : tokens) {
    std::string_view token;
    if (element.get(token) != simdjson::SUCCESS) return refusal(400, "Invalid payload");
    query.token = token;
    const Answer one = prices_history(query);
    if (one.status != 200) return one;
    // {"history":[...]}
    histories.put_json(token, one.body.substr(11, one.body.size() - 12));
  }
  return {.status = 200, .body = fmt::format(R"({{"history":{}}})", histories.text())};
}

Answer Venue::book_history(const BookHistoryQuery& query) const {
  if (query.token.empty() && query.condition.empty()) return refusal(400, "either market or asset_id must be provided");
  if (query.limit > kMostBooks) return refusal(400, fmt::format("limit cannot exceed {}", kMostBooks));
  const auto by_name = query.token.empty() ? by_condition(query.condition) : by_token(query.token);
  if (!by_name) return {.status = 200, .body = R"({"count":0,"data":[]})"};
  const MarketState& m = parts_->markets[*by_name];
  const RecordedMarket& recorded = m.recorded;
  std::vector<bool> seconds{false, true};
  if (!query.token.empty()) seconds = {parts_->find(query.token)->second};
  Timestamp at{query.from_ms.value_or(0) * 1'000};
  at = std::max(at, recorded.begin);
  Timestamp to = parts_->now;
  if (query.to_ms) to = std::min(to, Timestamp{*query.to_ms * 1'000});
  if (m.stage == Stage::Resolved) to = std::min(to, m.resolved_at);
  std::int64_t count = 0;
  std::string data;
  MadeRule rule = parts_->rule;
  rule.trades = rule.trades && makes_depth(recorded);  // a made trade changes no recorded book
  // From the first change at or after the window's beginning.
  for (auto next = next_change(rule, recorded, at - Duration{1}); next && *next <= to;
       next = next_change(rule, recorded, *next)) {
    if (!recorded.fresh_price(*next)) continue;
    for (const bool second : seconds) {
      if (count >= query.offset && count < query.offset + query.limit) {
        Book book = base_book(rule, recorded, *next);
        if (second) book = mirrored(book);
        const std::string body = fmt::format(R"("bids":{},"asks":{})", levels_json(book.bids), levels_json(book.asks));
        const std::string& token = recorded.tokens[second ? 1 : 0];
        const std::string start = fmt::format(R"({{"market":"{}","asset_id":"{}","timestamp":"{}","hash":")",
                                              recorded.condition, token, ms_text(*next));
        if (!data.empty()) data += ',';
        data += fmt::format(R"({}{}",{}}})", start, sha1_hex(fmt::format(R"({}",{}}})", start, body)), body);
      }
      ++count;
    }
  }
  return {.status = 200, .body = fmt::format(R"({{"count":{},"data":[{}]}})", count, data)};
}

Answer Venue::server_time() const { return {.status = 200, .body = seconds_text(parts_->now)}; }
Answer Venue::version() const { return {.status = 200, .body = R"({"version":2})"}; }

// --- Data API

namespace {

constexpr std::int64_t kMostTrades = 10'000;

std::string address_for(const TradeAt& trade) {
  return trade.wallet.empty() ? "0x0000000000000000000000000000000000000000" : trade.wallet;
}

std::string transaction_for(const TradeAt& trade, const RecordedMarket& market) {
  if (!trade.transaction.empty()) return trade.transaction;
  const std::uint64_t a =
      mixed(market.key, static_cast<std::uint64_t>(trade.at.us()), static_cast<std::uint64_t>(trade.size.micros()));
  return fmt::format("0x{:016x}{:016x}{:016x}{:016x}", a, mixed(a, 1), mixed(a, 2), mixed(a, 3));
}

}  // namespace

std::vector<TradeRow> Venue::Parts::trades_of(const TradeQuery& query) const {
  std::vector<MarketIndex> asked;
  for (const std::string& condition : query.conditions)
    if (const auto found = conditions.find(condition); found != conditions.end()) asked.push_back(found->second);
  const bool recently = query.conditions.empty();
  if (recently) asked = in_order;
  const std::size_t enough = static_cast<std::size_t>(query.offset + query.limit);
  const Timestamp from = query.from_s ? Timestamp{*query.from_s * 1'000'000}
                         : recently   ? now - kRecently
                                      : Timestamp::min();
  const Timestamp to = query.to_s ? std::min(now, Timestamp{*query.to_s * 1'000'000}) : now;
  std::vector<TradeRow> rows;
  for (const MarketIndex i : asked) {
    const MarketState& m = markets[i];
    const RecordedMarket& recorded = m.recorded;
    if (!listed(m)) continue;
    std::size_t found = 0;
    const auto take = [&](const TradeAt& trade) {
      if (trade.at < from || trade.at > to) return;
      if (!query.side.empty() && query.side != (trade.buy ? "BUY" : "SELL")) return;
      if (!query.user.empty() && query.user != address_for(trade)) return;
      if (trade.size.value() < query.min_tokens || trade.size.value() * trade.price.value() < query.min_cash) return;
      rows.push_back({.trade = trade, .market = i});
      ++found;
    };
    if (recorded.trades_recorded) {
      for (auto last = last_at(recorded.trades, to); last && found < enough && recorded.trades[*last].at >= from;) {
        take(recorded.trades[*last]);
        if (*last == 0) break;
        --*last;
      }
    } else if (rule.trades) {
      const Timestamp end = m.accepting ? to : std::min(to, recorded.closes);
      for (std::int64_t step = made_step(rule, recorded, end); found < enough; --step) {
        const Timestamp begins = step_begin(rule, recorded, step);
        if (begins < from || begins < recorded.begin) break;
        if (const auto trade = made_trade(rule, recorded, step)) take(*trade);
      }
    }
    for (const OwnTrade& own : fills)
      if (own.market == i)
        take({.at = own.at,
              .second = own.second,
              .buy = own.side == OrderSide::Buy,
              .price = own.price,
              .size = Quantity::from_micros(own.size),
              .wallet = own.taker_maker,
              .transaction = own.transaction});
  }
  std::stable_sort(rows.begin(), rows.end(),
                   [](const TradeRow& a, const TradeRow& b) { return a.trade.at > b.trade.at; });
  const auto begin = std::min(rows.size(), static_cast<std::size_t>(query.offset));
  rows.erase(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(begin));
  if (rows.size() > static_cast<std::size_t>(query.limit)) rows.resize(static_cast<std::size_t>(query.limit));
  return rows;
}

Answer Venue::data_trades(const TradeQuery& query) const {
  if (query.offset > kMostTrades || query.offset < 0)
    return refusal(400, fmt::format("max historical trades offset of {} exceeded", kMostTrades));
  if (query.limit > kMostTrades || query.limit < 0)
    return refusal(400, fmt::format("limit {}: not 0..{}", query.limit, kMostTrades));
  std::string list = "[";
  for (const auto& [trade, market] : parts_->trades_of(query)) {
    const RecordedMarket& m = parts_->markets[market].recorded;
    const std::size_t side = trade.second ? 1 : 0;
    fmt::format_to(
        std::back_inserter(list),
        R"({}{{"proxyWallet":"{}","side":"{}","asset":"{}","conditionId":"{}","size":{},"price":{},"timestamp":{},"title":{},)"
        R"("slug":"{}","icon":"","eventSlug":"{}","outcome":{},"outcomeIndex":{},"name":"","pseudonym":"","bio":"",)"
        R"("profileImage":"","profileImageOptimized":"","transactionHash":"{}"}})",
        list.size() > 1 ? "," : "", address_for(trade), trade.buy ? "BUY" : "SELL", m.tokens[side], m.condition,
        trade.size.text(), trade.price.text(), seconds_text(trade.at), json_quoted(m.question), m.slug, m.event_slug,
        json_quoted(m.outcomes[side]), side, transaction_for(trade, m));
  }
  return {.status = 200, .body = list + "]"};
}

Answer Venue::data_trades_v2(const TradeQuery& query) const {
  TradeQuery more = query;
  more.limit = query.limit + 1;
  std::vector<TradeRow> rows = parts_->trades_of(more);
  const bool has_more = rows.size() > static_cast<std::size_t>(query.limit);
  if (has_more) rows.pop_back();
  std::string list;
  for (const auto& [trade, market] : rows) {
    const RecordedMarket& m = parts_->markets[market].recorded;
    const std::size_t side = trade.second ? 1 : 0;
    fmt::format_to(
        std::back_inserter(list),
        R"({}{{"proxy_wallet":"{}","side":"{}","token_id":"{}","condition_id":"{}","size":{},"price":{},"timestamp":{},)"
        R"("title":{},"slug":"{}","icon":"","event_slug":"{}","outcome":{},"outcome_index":{},"name":"","pseudonym":"",)"
        R"("bio":"","profile_image":"","profile_image_optimized":"","transaction_hash":"{}"}})",
        list.empty() ? "" : ",", address_for(trade), trade.buy ? "BUY" : "SELL", m.tokens[side], m.condition,
        trade.size.text(), trade.price.text(), seconds_text(trade.at), json_quoted(m.question), m.slug, m.event_slug,
        json_quoted(m.outcomes[side]), side, transaction_for(trade, m));
  }
  return {.status = 200,
          .body = fmt::format(R"({{"data":[{}],"pagination":{{"has_more":{},"next_cursor":"{}"}}}})", list, has_more,
                              has_more ? std::to_string(query.offset + query.limit) : "")};
}

Answer Venue::data_prices_v2(const PriceQuery& query, std::optional<std::int64_t> as_of_s,
                             std::int64_t bucket_s) const {
  const int given = (query.interval.empty() ? 0 : 1) + (query.from_s ? 1 : 0) + (as_of_s ? 1 : 0);
  if (given != 1) return refusal(400, "exactly one of interval, start, as_of must be provided");
  const bool coarse = query.interval == "max" || query.interval == "all" || query.interval == "1m";
  const std::int64_t smallest = coarse ? 600 : query.interval == "1w" ? 300 : 60;
  if (bucket_s < smallest || bucket_s > 86'400)
    return refusal(400, fmt::format("bucket_seconds {}: not {}..86400", bucket_s, smallest));
  const auto place = parts_->find(query.token);
  std::string list;
  const auto put = [&](std::int64_t t, Price price) {
    fmt::format_to(std::back_inserter(list), R"({}{{"timestamp":{},"price":{},"resolution_seconds":{}}})",
                   list.empty() ? "" : ",", t, price.text(), bucket_s);
  };
  if (place) {
    const MarketState& m = parts_->markets[place->market];
    if (as_of_s) {
      const std::int64_t t = std::min(*as_of_s, parts_->now.us() / 1'000'000);
      if (const auto price = m.recorded.fresh_price(Timestamp{t * 1'000'000}))
        put(t, place->second ? complement(*price) : *price);
    } else {
      PriceQuery plain = query;
      plain.fidelity = std::nullopt;
      auto window = window_of(plain, parts_->now.us() / 1'000'000, m.recorded.points.front().at.us() / 1'000'000);
      if (!window) return refusal(400, window.error().message);
      window->step_s = bucket_s;
      past_prices(m, place->second, *window, put);
    }
  }
  return {.status = 200,
          .body = fmt::format(R"({{"data":[{}],"pagination":{{"has_more":false,"next_cursor":""}}}})", list)};
}

Answer Venue::data_resolutions_v2(const std::vector<std::string>& conditions) const {
  std::string list;
  for (const std::string& condition : conditions) {
    const auto found = by_condition(condition);
    if (!found) continue;
    const MarketState& m = parts_->markets[*found];
    const auto words = m.resolution_words;
    const bool disputed = std::find(words.begin(), words.end(), "disputed") != words.end();
    const std::string status = m.stage == Stage::Resolved   ? "resolved"
                               : m.stage == Stage::Disputed ? "disputed"
                               : m.stage == Stage::Proposed ? "proposed"
                                                            : "posed";
    const std::string proposed = m.proposed ? m.proposed->text() : "69";
    list += fmt::format(
        R"({}{{"question_id":"{}","condition_id":"{}","status":"{}","extended_review":false,"was_disputed":{},"new_version_q":true,)"
        R"("proposed_price":"{}","reproposed_price":"69","price":"{}","transaction_hash":"{}","log_index":"0","last_update_timestamp":"{}"}})",
        list.empty() ? "" : ",", m.recorded.question_id, m.recorded.condition, status, disputed, proposed,
        m.payout ? m.payout->text() : "69", m.recorded.question_id, seconds_text(parts_->now));
  }
  return {.status = 200,
          .body = fmt::format(R"({{"data":[{}],"pagination":{{"has_more":false,"next_cursor":""}}}})", list)};
}

}  // namespace everlearn::venue
