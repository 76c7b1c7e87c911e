// The market as known now: one entry an instrument. `apply` folds events in; a step (cycle) reads it and then calls
// end_step(), which clears what is counted per step. Decision thread only.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "market/event.hpp"
#include "market/instrument.hpp"

namespace everlearn {

/// Full-depth book kept from snapshots and deltas; best first. Empty until the first snapshot.
struct Book {
  std::vector<BookLevel> bids;  // descending price
  std::vector<BookLevel> asks;  // ascending price
  bool trusted = false;         // a snapshot was seen and no contradiction (crossed book) since
};

struct InstrumentState {
  bool seen = false;          // a price, or fields
  bool priced = false;        // a price was seen; before that `last` means nothing
  Price last;                 // latest price: mid of a trusted book with two sides; without one point, close or trade
  Timestamp last_event_time;  // of `last`; of the fields while there is no price
  Timestamp last_known_at;
  std::vector<float> fields;                       // of the newest row of a table; empty: never seen
  Timestamp fields_event_time = Timestamp::min();  // of `fields`
  std::optional<Price> bid, ask;
  std::optional<Price> last_trade;
  Phase phase = Phase::Trading;
  std::optional<double> payout;  // set once resolved; NaN: annulled
  Book book;
  bool booked = false;  // a book was seen once: only a trusted one tells at what price orders are filled
  Timestamp last_bar_close = Timestamp::min();  // of the newest bar

  // Since the last step:
  std::uint32_t updates = 0;  // events; fields count where no price comes with them
  std::optional<Bar> bar;     // the closed bars of the step merged into one
  std::uint32_t buys = 0, sells = 0, unknown_trades = 0;
  double buy_volume = 0, sell_volume = 0, unknown_volume = 0;
  double trade_notional = 0;  // sum of price x size
  double largest_trade = 0;   // units
  double quoted_volume = 0;   // units traded while bid and ask were known,
  double trade_distance = 0;  // and the sum of |price - mid| x size of those trades
};

class MarketState {
 public:
  /// Errors: BadData for a crossed book (the book becomes untrusted, the event is otherwise ignored).
  Result<void> apply(const Event& event);
  const InstrumentState& operator[](InstrumentId id) const { return all_[index(id)]; }
  std::size_t size() const { return all_.size(); }
  /// At least so many entries; new ones are unseen.
  void make_room(std::size_t instruments) { all_.resize(std::max(all_.size(), instruments)); }
  void end_step();

  void encode(ByteWriter& out) const;
  static Result<MarketState> decode(ByteReader& in);

 private:
  std::vector<InstrumentState> all_;
};

}  // namespace everlearn
