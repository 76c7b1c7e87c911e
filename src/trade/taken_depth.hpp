// What an account on paper has taken out of recorded books. The recording never met our orders, so a level would give
// the same units again and again: here it gives its size once, until that size changes. Decision thread only.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "core/bytes.hpp"
#include "core/ids.hpp"
#include "market/market_state.hpp"

namespace everlearn {

enum class BookSide : std::uint8_t { Bids, Asks };

class TakenDepth {
 public:
  /// Units of the level that are still there for us.
  double left(InstrumentId id, BookSide side, const BookLevel& level) const;
  void take(InstrumentId id, BookSide side, const BookLevel& level, double units);
  /// After the book changed: levels of another size, and those that are gone, owe nothing any more.
  void forget_changed(InstrumentId id, const Book& book);
  void forget(InstrumentId id);

  void encode(ByteWriter& out) const;
  void decode(ByteReader& in);

 private:
  struct Taken {
    double of = 0;  // the level's size when it was taken from
    double units = 0;
  };
  using Key = std::tuple<InstrumentId, BookSide, std::int64_t>;  // the price in nanos
  std::map<Key, Taken> taken_;
};

}  // namespace everlearn
