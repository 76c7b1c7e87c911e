#include "io/venue_replies.hpp"

#include <simdjson.h>

#include <algorithm>

#include <fmt/format.h>

#include "core/civil.hpp"
#include "core/quoted.hpp"
#include "io/table_format.hpp"
#include "io/venue_json.hpp"

namespace everlearn {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::int64_t kEarliest = days_since_epoch({1990, 1, 1}) * 86'400;
constexpr std::int64_t kLatest = days_since_epoch({2100, 1, 1}) * 86'400;

RowResult<object> object_of(simdjson::dom::parser& parser, std::string_view raw) {
  const auto document = parsed(parser, raw);
  if (!document) return tl::unexpected(document.error());
  object fields;
  if (document->get(fields) != simdjson::SUCCESS) return refuse("unreadable message", "not an object");
  return fields;
}

std::optional<Timestamp> seconds_of(const object& from, std::string_view key) {
  const auto seconds = number_of(from, key);
  if (!seconds || *seconds < kEarliest || *seconds >= kLatest) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(*seconds * 1e6)};
}

/// A price strictly inside (0, 1): at the ends there is no quote.
std::optional<Price> quote_of(const object& from, std::string_view key) {
  const auto price = checked_price(text_of(from, key), key, true);
  if (!price || price->nanos() >= Price::kScale) return std::nullopt;
  return *price;
}

std::string first_text(const object& from, std::string_view key, std::string_view other) {
  std::string text = text_of(from, key);
  return text.empty() ? text_of(from, other) : text;
}

/// The middle one of the distances between neighbours, the ends of the hole counted as points.
Duration typical_distance(const PastPrices& past) {
  std::vector<Duration> distances;
  Timestamp before = past.from;
  for (const auto& [time, price] : past.prices) {
    distances.push_back(time - before);
    before = time;
  }
  distances.push_back(past.to - before);
  const auto middle = distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2);
  std::ranges::nth_element(distances, middle);
  return *middle;
}

}  // namespace

PastPrices past_prices(HistoryReply answer, Duration step) {
  PastPrices past{answer.from, answer.to, {}, std::move(answer.problem)};
  if (!past.problem.empty()) return past;
  std::ranges::stable_sort(answer.points, {}, [](const auto& point) { return point.first; });
  for (const auto& point : answer.points) {
    if (point.first <= past.from || point.first > past.to) continue;
    if (!past.prices.empty() && past.prices.back().first == point.first) {
      past.prices.back() = point;  // the later word
    } else {
      past.prices.push_back(point);
    }
  }
  if (past.prices.empty()) {
    past.problem = "the venue has no prices of this time";
  } else if (const Duration typical = typical_distance(past); typical * 2 > step * 3) {
    past.problem =
        fmt::format("the venue's prices of this time are {} apart, coarser than {}", typical.text(), step.text());
    past.prices.clear();
  }
  return past;
}

struct VenueReplies::Parser {
  simdjson::dom::parser bodies;
};

VenueReplies::VenueReplies() : parser_{std::make_unique<Parser>()} {}
VenueReplies::~VenueReplies() = default;

RowResult<std::vector<QuoteReply>> VenueReplies::quotes(std::string_view raw) {
  const auto fields = object_of(parser_->bodies, raw);
  if (!fields) return tl::unexpected(fields.error());
  std::vector<QuoteReply> all;
  for (const auto& [token, value] : *fields) {
    object sides;
    if (value.get(sides) != simdjson::SUCCESS) continue;
    all.push_back({std::string{token}, quote_of(sides, "BUY"), quote_of(sides, "SELL"), quote_of(sides, "LAST")});
  }
  return all;
}

RowResult<std::vector<TradeReply>> VenueReplies::trades(std::string_view raw, std::int64_t& refused) {
  const auto document = parsed(parser_->bodies, raw);
  if (!document) return tl::unexpected(document.error());
  array items;
  if (document->get(items) != simdjson::SUCCESS) {
    object envelope;
    if (document->get(envelope) != simdjson::SUCCESS || envelope["data"].get(items) != simdjson::SUCCESS) {
      return refuse("unreadable message", "no list of trades");
    }
  }
  std::vector<TradeReply> all;
  for (const element one : items) {
    object fields;
    if (one.get(fields) != simdjson::SUCCESS) {
      ++refused;
      continue;
    }
    const auto time = seconds_of(fields, "timestamp");
    const auto price = checked_price(text_of(fields, "price"), "price", true);
    const auto size = checked_size(text_of(fields, "size"), "size");
    std::string token = first_text(fields, "asset", "token_id");
    if (!time || !price || !size || token.empty()) {
      ++refused;
      continue;
    }
    const std::string side = text_of(fields, "side");
    const Side taker = side == "BUY" ? Side::Buy : side == "SELL" ? Side::Sell : Side::Unknown;
    all.push_back({std::move(token), *time, {*price, *size, taker}});
  }
  std::ranges::stable_sort(all, {}, &TradeReply::time);
  return all;
}

RowResult<MarketReply> VenueReplies::market(std::string_view raw) {
  const auto fields = object_of(parser_->bodies, raw);
  if (!fields) return tl::unexpected(fields.error());
  MarketReply market;
  market.condition = text_of(*fields, "condition_id");
  if (market.condition.empty()) return refuse("incomplete message", "no condition_id");
  std::ranges::transform(market.condition, market.condition.begin(),
                         [](char c) { return c >= 'A' && c <= 'F' ? char(c - 'A' + 'a') : c; });
  market.closed = flag_of(*fields, "closed");
  market.accepting_orders = flag_of(*fields, "accepting_orders");
  market.split = flag_of(*fields, "is_50_50_outcome");
  array tokens;
  if ((*fields)["tokens"].get(tokens) != simdjson::SUCCESS) return market;
  for (const element one : tokens) {
    object token;
    if (one.get(token) != simdjson::SUCCESS) continue;
    if (flag_of(token, "winner")) market.winner = market.tokens.size();
    market.tokens.push_back(text_of(token, "token_id"));
  }
  return market;
}

RowResult<HistoryReply> VenueReplies::history(std::string_view raw) {
  const auto fields = object_of(parser_->bodies, raw);
  if (!fields) return tl::unexpected(fields.error());
  const auto from = seconds_of(*fields, "from");
  const auto to = seconds_of(*fields, "to");
  HistoryReply answer{text_of(*fields, "token"), {}, {}, {}, text_of(*fields, "problem")};
  if (answer.token.empty() || !from || !to || *from >= *to) {
    return refuse("incomplete message", "needs token, from and to of a hole");
  }
  answer.from = *from;
  answer.to = *to;
  array points;
  if ((*fields)["history"].get(points) != simdjson::SUCCESS) return answer;
  for (const element one : points) {
    object point;
    if (one.get(point) != simdjson::SUCCESS) continue;
    const auto time = seconds_of(point, "t");
    const auto price = checked_price(text_of(point, "p"), "p", true);
    if (time && price) answer.points.emplace_back(*time, *price);
  }
  return answer;
}

RowResult<std::vector<std::string>> VenueReplies::doubts(std::string_view raw) {
  const auto fields = object_of(parser_->bodies, raw);
  if (!fields) return tl::unexpected(fields.error());
  std::vector<std::string> tokens;
  array items;
  if ((*fields)["doubt"].get(items) != simdjson::SUCCESS) return tokens;
  for (const element one : items) tokens.push_back(text_of(one));
  return tokens;
}

}  // namespace everlearn
