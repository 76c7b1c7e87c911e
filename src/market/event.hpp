// What a source says happened. Immutable; event_time is the market's, known_at is ours.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/ids.hpp"
#include "core/price.hpp"
#include "core/time.hpp"

namespace everlearn {

/// A price at an instant: a close, a dense snapshot, a mid.
struct PricePoint {
  Price price;
  std::optional<Price> bid;
  std::optional<Price> ask;
};

/// A closed bar. event_time is its close; known_at is max(received, close).
struct Bar {
  Timestamp open_time;
  Price open, high, low, close;
  double volume = 0;  // units traded
  std::optional<double> vwap;
  std::optional<std::int64_t> trades;
};

enum class Side : std::uint8_t { Unknown, Buy, Sell };  // of a trade: the taker's

struct Trade {
  Price price;
  double size = 0;  // units
  Side side = Side::Unknown;
};

struct BookLevel {
  Price price;
  double size = 0;  // units; 0 in a delta: the level is gone
};

/// A whole book (snapshot) or the new sizes of some levels. Best level first on both sides.
struct BookUpdate {
  bool snapshot = false;
  std::vector<BookLevel> bids;
  std::vector<BookLevel> asks;
};

/// The market's outcome became known: what one share of this instrument pays.
struct Resolution {
  double payout = 0;
};

/// The further columns of a table row. A price the row has comes as an event of its own, at the same times.
struct Fields {
  std::vector<float> values;      // in the order of the profile's fields; NaN: missing
  std::optional<double> outcome;  // class number or value of the table's label column: for labels, never for features
};

using EventBody = std::variant<PricePoint, Bar, Trade, BookUpdate, Resolution, Fields>;

/// A revision that only what is stored can tell: the source gave words about that time before, and forgot which.
inline constexpr std::uint32_t kAsStored = 0xffffffff;

struct Event {
  InstrumentId instrument{};
  Timestamp event_time;
  Timestamp known_at;
  EventBody what;
  // 0: the first word about this instrument and time; n: the n-th correction of it. Only tables are corrected.
  std::uint32_t revision = 0;
};

}  // namespace everlearn
