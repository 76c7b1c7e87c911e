// What a source says happened. Immutable; event_time is the market's, known_at is ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
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
  bool annulled = false;  // void: whoever holds a share gets back what was paid for it; `payout` means nothing
};

/// Where a market stands between its opening and its resolution. Only while it trades do its prices act.
enum class Phase : std::uint8_t {
  Trading,
  Left,      // trades, but is watched no longer
  Closed,    // no orders any more, outcome not yet proposed
  Proposed,  // an outcome was proposed
  Disputed,  // and disputed: what is held stays locked
};

struct PhaseChange {
  Phase phase = Phase::Trading;
};

/// The book may be wrong from now on (a lost connection, a missing delta): nothing may act on it before a snapshot.
struct BookDoubt {};

/// The answer to a question about prices of the past, for a hole in the dense history. Known when it was asked: it
/// fills that history and nothing else, makes no example and no label.
struct PastPrices {
  Timestamp from, to;                               // what was asked for: (from, to]
  std::vector<std::pair<Timestamp, Price>> prices;  // ascending; may be empty
  std::string problem;                              // why the hole stays one; empty: it was answered
};

/// The further columns of a table row. A price the row has comes as an event of its own, at the same times.
struct Fields {
  std::vector<float> values;      // in the order of the profile's fields; NaN: missing
  std::optional<double> outcome;  // class number or value of the table's label column: for labels, never for features
};

using EventBody =
    std::variant<PricePoint, Bar, Trade, BookUpdate, Resolution, Fields, PhaseChange, BookDoubt, PastPrices>;

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
