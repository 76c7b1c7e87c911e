// Markets as Gamma describes them. Its answers carry JSON arrays inside texts, numbers as texts, several forms of
// dates, and leave out what they do not know; all of that is read here, and nothing is guessed.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/price.hpp"
#include "core/time.hpp"
#include "io/refusal.hpp"

namespace everlearn {

struct GammaMarket {
  std::string condition;  // 0x and 64 digits, lower case
  std::string slug;
  std::string question;
  std::vector<std::string> outcomes;
  std::vector<std::string> tokens;     // in order of the outcomes; empty while the venue has none
  std::vector<double> outcome_prices;  // the same order

  std::optional<Timestamp> end_time;
  std::optional<Timestamp> game_start;
  bool game = false;                   // of a sport: `game_start` is a kick-off, not just a date
  bool live = false;                   // the game is being played
  std::optional<Duration> recurrence;  // of the shortest series it is one of

  // Of the first outcome, as they were minutes ago; absent where that side is empty.
  std::optional<Price> bid, ask, last_trade;
  std::optional<double> volume, volume_24h, liquidity;  // dollars

  bool active = false, closed = false, archived = false;
  bool accepting_orders = false, order_book = false;
  enum class Oracle : std::uint8_t { None, Proposed, Disputed, Resolved } oracle = Oracle::None;

  std::optional<Price> tick_size;
  std::optional<double> min_size;  // shares
  bool neg_risk = false;
  // Of a taker (Instrument::fee_rate); where fees are charged and the rate is not told, the highest documented one, so
  // that no result on paper is better than it would have been.
  double fee_rate = 0, fee_exponent = 1;

  bool trades() const { return active && !closed && !archived && accepting_orders && order_book; }
  /// The middle, where both sides are there and not crossed.
  std::optional<double> mid() const;
};

/// What one share of each outcome pays in the end.
struct Settlement {
  bool annulled = false;  // void: `payouts` means nothing
  std::vector<double> payouts;
};

/// The outcome, once the venue is through with it: closed, and prices that are one, half or nothing. A split and a void
/// need the oracle's word besides, since a market that closed without a trade shows the same prices.
std::optional<Settlement> settlement(const GammaMarket& market);

struct GammaPage {
  std::vector<GammaMarket> markets;
  std::string next_cursor;                      // of keyset paging; empty: the last page
  std::map<std::string, std::int64_t> refused;  // reason -> markets that could not be read
};

class GammaReader {
 public:
  GammaReader();
  ~GammaReader();
  GammaReader(const GammaReader&) = delete;
  GammaReader& operator=(const GammaReader&) = delete;

  /// An answer of /markets or /events: an array, one page of keyset paging, or a single object. A market that cannot be
  /// read is counted and the others are used; a body that is no such answer is refused.
  RowResult<GammaPage> read(std::string_view body);

 private:
  struct Parser;
  const std::unique_ptr<Parser> parser_;
};

}  // namespace everlearn
