// A market as it was recorded, and what holds at an instant: price, tick, top, book, trades.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/price.hpp"
#include "core/time.hpp"
#include "venue/book.hpp"

namespace everlearn::venue {

struct PricePointAt {
  Timestamp at;
  Price price;  // of the first outcome
};

struct TopAt {
  Timestamp at;
  std::optional<Price> bid, ask;
  std::optional<Quantity> bid_size, ask_size;  // of the best five levels together, where recorded
};

/// One recorded message about a book.
struct BookWordAt {
  Timestamp at;
  bool snapshot = false;
  Book levels;                       // of a snapshot
  std::vector<LevelChange> changed;  // of the rest
};

struct TradeAt {
  Timestamp at;
  bool second = false;  // of the second outcome's token
  bool buy = false;     // the taker's side
  Price price;          // of that token
  Quantity size;
  std::string wallet, transaction;  // as recorded; may be empty
};

struct VolumeAt {
  Timestamp at;
  double volume = 0, liquidity = 0;  // dollars
};

struct TickAt {
  Timestamp from;
  Price tick;
};

struct RecordedMarket {
  std::string recording;
  std::string slug, question, description;
  std::string id, condition, question_id;
  std::string tokens[2];
  std::string outcomes[2] = {"Yes", "No"};
  std::string event_id, event_slug, event_title;
  std::string raw;       // Gamma's object as recorded; empty: none
  std::string category;  // as the fee schedule calls it
  double fee_rate = 0, fee_exponent = 1;
  bool neg_risk = false;
  Price min_size = Price::from_nanos(5 * Price::kScale);
  Timestamp begin, end;  // when it is first there; its end date
  Timestamp closes;      // last word about it
  std::optional<Price> payout;
  double volume_24h = 0;

  std::vector<TickAt> ticks;         // at least one
  std::vector<PricePointAt> points;  // at least one, ascending
  Duration hold;                     // a point says nothing about what is later than that
  std::vector<TopAt> tops;           // else tops are made around the points
  std::vector<BookWordAt> words;     // else depth is made
  std::vector<TradeAt> trades;
  bool trades_recorded = false;   // else they are made
  std::vector<VolumeAt> volumes;  // at least one

  std::uint64_t key = 0;  // of its made numbers: from the slug

  /// The last price at or before `at`; absent before the first.
  std::optional<Price> price(Timestamp at) const;
  /// The same, but only while a point holds.
  std::optional<Price> fresh_price(Timestamp at) const;
  Price tick(Timestamp at) const;
  const TopAt* top(Timestamp at) const;
  VolumeAt volume(Timestamp at) const;
  /// The recorded book; absent before the first snapshot.
  std::optional<Book> recorded_book(Timestamp at) const;
  /// The first recorded instant after `after` at which its price, top or book changes.
  std::optional<Timestamp> next_word(Timestamp after) const;
};

/// The index of the last element of `items` (by its member `at`) that is not after `at`; absent: none.
template <class T>
std::optional<std::size_t> last_at(const std::vector<T>& items, Timestamp at) {
  std::size_t low = 0, high = items.size();
  while (low < high) {
    const std::size_t mid = (low + high) / 2;
    if (items[mid].at <= at)
      low = mid + 1;
    else
      high = mid;
  }
  return low == 0 ? std::nullopt : std::optional{low - 1};
}

}  // namespace everlearn::venue
