// What the market said, into the store: prices always, bars, trades and books where the profile keeps them. The engine
// and `data import` write the same rows, so that what both have seen is there once. What a table corrected later is
// kept as an event, always, with its revision as ordinal: the price that was known first stays the price of its time.
#pragma once

#include "app/cycle_grid.hpp"
#include "app/profile.hpp"
#include "core/bytes.hpp"
#include "market/calendar.hpp"
#include "market/event.hpp"
#include "store/coverage.hpp"
#include "store/store.hpp"

namespace everlearn {

class EventKeeper {
 public:
  /// `keep_prices` false: a dense history keeps its own.
  EventKeeper(Store& store, bool keep_events, bool keep_prices = true)
      : store_{store}, keep_events_{keep_events}, keep_prices_{keep_prices} {}
  /// Of an event whose source does not know it (kAsStored), by what is stored of its time: 0 if that is nothing.
  Result<std::uint32_t> revision_of(const Event& event) const;
  /// Part of the open transaction. Errors: of the store.
  Result<void> keep(const Event& event);

  void encode(ByteWriter& out) const;
  void decode(ByteReader& in);

 private:
  Store& store_;
  const bool keep_events_, keep_prices_;
  EventRow last_;  // tells apart events of one instrument, time and kind
};

/// The place of a price or of fields in their stream's coverage, and the gap before it if the silence was longer than
/// the profile expects. Other events, and those inside the time that is covered, change nothing.
void note_coverage(Coverage& coverage, const Profile& profile, const Calendar& calendar, const CycleGrid& grid,
                   const Event& event);

}  // namespace everlearn
