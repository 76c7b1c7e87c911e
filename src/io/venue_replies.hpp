// What a venue's REST answers say, apart from books (venue_messages.hpp) and its list of markets (gamma_markets.hpp).
// Numbers come as text or as numbers; what is absent stays absent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/price.hpp"
#include "core/time.hpp"
#include "io/refusal.hpp"
#include "market/event.hpp"

namespace everlearn {

/// Prices of one token without its book. BUY is the side of the resting order: the best bid.
struct QuoteReply {
  std::string token;
  std::optional<Price> bid, ask, last_trade;
};

struct TradeReply {
  std::string token;
  Timestamp time;  // whole seconds
  Trade trade;
};

struct MarketReply {
  std::string condition;
  bool closed = false, accepting_orders = false;
  std::vector<std::string> tokens;
  std::optional<std::size_t> winner;  // of `tokens`
  bool split = false;                 // each pays half
};

/// Prices of the past of one token, for a hole in its dense history: (from, to].
struct HistoryReply {
  std::string token;
  Timestamp from, to;
  std::vector<std::pair<Timestamp, Price>> points;  // as they came
  std::string problem;                              // why there are none; empty: it was answered
};

/// What a hole is filled with: the points within it, ascending. An answer whose points are typically further apart than
/// one and a half `step`s (the ends of the hole counted as points) is of a coarser series and fills nothing: a price of
/// half a day says nothing of an hour. Its `problem` then says so.
PastPrices past_prices(HistoryReply answer, Duration step);

class VenueReplies {
 public:
  VenueReplies();
  ~VenueReplies();
  VenueReplies(const VenueReplies&) = delete;
  VenueReplies& operator=(const VenueReplies&) = delete;

  /// {"<token>":{"BUY":"0.48","SELL":"0.49","LAST":"0.48"}}
  RowResult<std::vector<QuoteReply>> quotes(std::string_view raw);
  /// Of the Data API, both versions; oldest first. Those that cannot be read are left out and counted in `refused`.
  RowResult<std::vector<TradeReply>> trades(std::string_view raw, std::int64_t& refused);
  /// GET /markets/{condition}
  RowResult<MarketReply> market(std::string_view raw);
  /// {"token":..,"from":s,"to":s,"history":[{"t":s,"p":0.5}],"problem":""}
  RowResult<HistoryReply> history(std::string_view raw);
  /// {"doubt":["<token>",..],"reason":".."}: the tokens.
  RowResult<std::vector<std::string>> doubts(std::string_view raw);

 private:
  struct Parser;
  const std::unique_ptr<Parser> parser_;
};

}  // namespace everlearn
