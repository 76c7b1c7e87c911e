#include "io/gamma_markets.hpp"

#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "io/table_format.hpp"
#include "io/venue_json.hpp"

namespace everlearn {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr double kUntoldFeeRate = 0.07;  // of crypto markets, the highest documented

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return text;
}

bool is_condition(std::string_view text) {
  const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return text.size() == 66 && text.starts_with("0x") && std::ranges::all_of(text.substr(2), hex);
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 78 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// "2026-03-12T09:25:00Z", with decimals, "2021-01-02 21:45:52+00", or a date, whose day begins then.
std::optional<Timestamp> date_of(const object& from, std::string_view key) {
  std::string text = text_of(from, key);
  if (text.empty()) return std::nullopt;
  if (text.size() == 10) text += "T00:00:00Z";
  if (const char sign = text[text.size() - std::min<std::size_t>(text.size(), 3)]; sign == '+' || sign == '-')
    text += ":00";
  const auto time = Timestamp::parse(text);
  return time ? std::optional{*time} : std::nullopt;
}

/// A price above nothing and at most one; the venue writes 0 or leaves it out where a side is empty.
std::optional<Price> price_of(const object& from, std::string_view key) {
  const std::string text = text_of(from, key);
  const auto price = checked_price(text, key, true);
  return price ? std::optional{*price} : std::nullopt;
}

/// An array, or the text of one.
class ListReader {
 public:
  explicit ListReader(simdjson::dom::parser& parser) : parser_{parser} {}

  /// Empty where it is absent or no list.
  std::vector<std::string> texts(const object& from, std::string_view key) {
    std::vector<std::string> all;
    element value;
    if (from[key].get(value) != simdjson::SUCCESS) return all;
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) {
      const auto inner = parsed(parser_, text);
      if (!inner) return all;
      value = *inner;
    }
    array items;
    if (value.get(items) != simdjson::SUCCESS) return all;
    for (const element item : items) all.push_back(text_of(item));
    return all;
  }

  std::vector<double> numbers(const object& from, std::string_view key) {
    std::vector<double> all;
    for (const std::string& text : texts(from, key)) {
      double number = std::nan("");
      std::from_chars(text.data(), text.data() + text.size(), number);
      all.push_back(number);
    }
    return all;
  }

 private:
  simdjson::dom::parser& parser_;  // not that of the document
};

/// "5m", "4h"; or a word.
std::optional<Duration> recurrence_of(std::string_view word) {
  if (word == "hourly") return Duration::hours(1);
  if (word == "daily") return Duration::days(1);
  if (word == "weekly") return Duration::days(7);
  if (word == "monthly") return Duration::days(30);
  if (word == "annual" || word == "yearly") return Duration::days(365);
  const auto length = Duration::parse(word);
  return length && length->us() > 0 ? std::optional{*length} : std::nullopt;
}

/// "btc-updown-15m-1773307200": markets of a kind that comes again and again say so in their name.
std::optional<Duration> recurrence_in_slug(std::string_view slug) {
  constexpr std::string_view kMark = "-updown-";
  const std::size_t at = slug.find(kMark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = slug.substr(at + kMark.size());
  return recurrence_of(rest.substr(0, rest.find('-')));
}

void shorten(std::optional<Duration>& to, const std::optional<Duration>& length) {
  if (length && (!to || *length < *to)) to = length;
}

/// What a market takes from the event it is of.
void read_event(const object& event, GammaMarket& market) {
  market.live = market.live || (flag_of(event, "live") && !flag_of(event, "ended"));
  market.game = market.game || !text_of(event, "gameId").empty();
  array series;
  if (event["series"].get(series) != simdjson::SUCCESS) return;
  for (const element one : series) {
    object fields;
    if (one.get(fields) == simdjson::SUCCESS) shorten(market.recurrence, recurrence_of(text_of(fields, "recurrence")));
  }
}

GammaMarket::Oracle oracle_of(const object& from, ListReader& lists) {
  std::string word = text_of(from, "umaResolutionStatus");
  if (word.empty()) {
    const auto history = lists.texts(from, "umaResolutionStatuses");
    if (!history.empty()) word = history.back();
  }
  if (word == "proposed") return GammaMarket::Oracle::Proposed;
  if (word == "disputed" || word == "challenged") return GammaMarket::Oracle::Disputed;
  if (word == "resolved" || word == "settled") return GammaMarket::Oracle::Resolved;
  return GammaMarket::Oracle::None;
}

void read_fees(const object& from, GammaMarket& market) {
  if (!flag_of(from, "feesEnabled")) return;
  market.fee_rate = kUntoldFeeRate;
  object schedule;
  if (from["feeSchedule"].get(schedule) != simdjson::SUCCESS) return;
  const auto rate = number_of(schedule, "rate");
  if (!rate || *rate < 0 || *rate > 1) return;
  market.fee_rate = *rate;
  const auto exponent = number_of(schedule, "exponent");
  if (exponent && *exponent >= 0 && *exponent <= 10) market.fee_exponent = *exponent;
}

std::optional<double> dollars(const object& from, std::string_view key, std::string_view other = {}) {
  auto amount = number_of(from, key);
  if (!amount && !other.empty()) amount = number_of(from, other);
  return amount && *amount >= 0 ? amount : std::nullopt;
}

RowResult<GammaMarket> read_market(const object& from, const object* parent, ListReader& lists) {
  GammaMarket market;
  market.condition = lower(text_of(from, "conditionId"));
  if (!is_condition(market.condition)) {
    return refuse("market without a condition id", everlearn::quoted(market.condition));
  }
  market.slug = text_of(from, "slug");
  market.question = text_of(from, "question");
  market.outcomes = lists.texts(from, "outcomes");
  market.tokens = lists.texts(from, "clobTokenIds");
  market.outcome_prices = lists.numbers(from, "outcomePrices");
  if (!std::ranges::all_of(market.tokens, is_token)) return refuse("market with an unreadable token id", market.slug);
  if (std::set(market.tokens.begin(), market.tokens.end()).size() != market.tokens.size()) {
    return refuse("market with a token twice", market.slug);
  }
  market.end_time = date_of(from, "endDate");
  market.game_start = date_of(from, "gameStartTime");
  market.game = !text_of(from, "sportsMarketType").empty() || !text_of(from, "gameId").empty();
  market.recurrence = recurrence_in_slug(market.slug);
  if (parent != nullptr) read_event(*parent, market);
  array events;
  if (from["events"].get(events) == simdjson::SUCCESS) {
    for (const element one : events) {
      object event;
      if (one.get(event) == simdjson::SUCCESS) read_event(event, market);
    }
  }
  market.bid = price_of(from, "bestBid");
  market.ask = price_of(from, "bestAsk");
  market.last_trade = price_of(from, "lastTradePrice");
  market.volume = dollars(from, "volumeNum", "volume");
  market.volume_24h = dollars(from, "volume24hr", "volume24hrClob");
  market.liquidity = dollars(from, "liquidityNum", "liquidity");
  market.active = flag_of(from, "active");
  market.closed = flag_of(from, "closed");
  market.archived = flag_of(from, "archived");
  market.accepting_orders = flag_of(from, "acceptingOrders");
  market.order_book = flag_of(from, "enableOrderBook");
  market.oracle = oracle_of(from, lists);
  market.tick_size = price_of(from, "orderPriceMinTickSize");
  market.min_size = number_of(from, "orderMinSize");
  if (market.min_size && *market.min_size < 0) market.min_size.reset();
  market.neg_risk = flag_of(from, "negRisk");
  read_fees(from, market);
  return market;
}

class PageReader {
 public:
  PageReader(GammaPage& page, ListReader lists) : page_{page}, lists_{lists} {}

  /// A market, or an event with its markets inside.
  void add(const element& one, const object* event) {
    object fields;
    if (one.get(fields) != simdjson::SUCCESS) {
      ++page_.refused["market that is no object"];
      return;
    }
    array inside;
    if (event == nullptr && fields["markets"].get(inside) == simdjson::SUCCESS) {
      for (const element market : inside) add(market, &fields);
      return;
    }
    if (auto market = read_market(fields, event, lists_)) {
      page_.markets.push_back(*std::move(market));
    } else {
      ++page_.refused[std::string{market.error().reason}];
    }
  }

 private:
  GammaPage& page_;
  ListReader lists_;
};

}  // namespace

std::optional<double> GammaMarket::mid() const {
  if (!bid || !ask || *bid >= *ask) return std::nullopt;
  return static_cast<double>(bid->nanos() + ask->nanos()) / 2 / Price::kScale;
}

std::optional<Settlement> settlement(const GammaMarket& market) {
  using Oracle = GammaMarket::Oracle;
  if (!market.closed || market.oracle == Oracle::Proposed || market.oracle == Oracle::Disputed) return std::nullopt;
  const std::vector<double>& prices = market.outcome_prices;
  if (prices.size() < 2 || prices.size() != market.outcomes.size()) return std::nullopt;
  double sum = 0;
  bool whole = true;  // each outcome pays one or nothing
  for (const double price : prices) {
    if (!(price >= 0 && price <= 1)) return std::nullopt;
    whole = whole && (price == 0 || price == 1);
    sum += price;
  }
  if (whole && sum == 1) return Settlement{false, prices};
  if (market.oracle != Oracle::Resolved) return std::nullopt;
  if (whole && sum == 0) return Settlement{true, {}};
  return std::abs(sum - 1) < 1e-6 ? std::optional{Settlement{false, prices}} : std::nullopt;
}

struct GammaReader::Parser {
  simdjson::dom::parser bodies;
  simdjson::dom::parser lists;  // arrays inside texts
};

GammaReader::GammaReader() : parser_{std::make_unique<Parser>()} {}
GammaReader::~GammaReader() = default;

RowResult<GammaPage> GammaReader::read(std::string_view body) {
  const auto document = parsed(parser_->bodies, body);
  if (!document) return tl::unexpected(document.error());
  GammaPage page;
  PageReader reader{page, ListReader{parser_->lists}};
  array items;
  object fields;
  if (document->get(items) == simdjson::SUCCESS) {
    for (const element one : items) reader.add(one, nullptr);
    return page;
  }
  if (document->get(fields) != simdjson::SUCCESS) {
    return refuse("unreadable message", "neither an object nor an array");
  }
  page.next_cursor = text_of(fields, "next_cursor");
  const bool single = fields["conditionId"].error() == simdjson::SUCCESS;
  if (!single && fields["events"].get(items) == simdjson::SUCCESS) {
    for (const element one : items) reader.add(one, nullptr);
    return page;
  }
  if (!single && fields["markets"].error() != simdjson::SUCCESS) {
    return refuse("unreadable message", "no list of markets: " + everlearn::quoted(body));
  }
  reader.add(*document, nullptr);  // one market, an event, or a page: an object with markets
  return page;
}

}  // namespace everlearn
