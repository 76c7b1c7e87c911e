// The parts of a PaperAccount that its source files share; nobody else includes this.
#pragma once

#include "trade/paper_account.hpp"

namespace everlearn {

inline constexpr double kBps = 1e-4;
inline constexpr double kDust = 1e-9;  // units

inline std::int64_t utc_day(Timestamp t) { return t.us() / Duration::days(1).us(); }

/// An order as it would be given at a decision.
struct PaperAccount::Order {
  InstrumentId instrument{};
  int side = 1;
  double worth = 0;  // the instrument's price at the decision
  double ratio = 1;  // a relative move of what the signal was about is so many times as much of this instrument
  Price limit;
  double quantity = 0;    // units, signed
  std::string rule, why;  // that refuses it, and in words; empty: nothing does
};

/// What an event lets an account trade against.
struct PaperAccount::Offer {
  const MarketView& market;
  const InstrumentState& state;
  const Instrument& instrument;
  Timestamp at;         // of the price
  double seen = 0;      // the price before anything is paid on top; of a book with one side: unknown, NaN
  bool booked = false;  // by the levels of the book
};

}  // namespace everlearn
