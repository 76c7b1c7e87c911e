// Test only: every family of the catalogue written down a second time over whole series, without the bank.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "feature/testing/plain_series.hpp"
#include "feature/testing/tape.hpp"

namespace everlearn::testing {

/// What an observer notes of one instrument at each step.
struct Observed {
  bool context = false;
  Real tick = kNaN;
  Series p, o, h, l, c, v, vwap, bar_trades;
  Series buys, sells, trades, bought, sold, traded, notional, largest;
  Series quoted, distance;  // units traded while bid and ask were known, sum of |price - mid| x size of those
  Series bid, ask, bid_levels, ask_levels;
  std::vector<Series> bid_size, ask_size;  // levels 1..5
  std::map<int, Series> buy_cost, sell_cost;
  std::vector<std::vector<BookLevel>> bids, asks;
  Series updates, quiet, age_s, days_to_end;
};

/// The clock, the same for all.
struct Clock {
  Series day_fraction, weekday, day, month, since_open, to_close, progress, half_day, since_session, session;
  Real steps_per_year = 0;
};

class PlainMarket {
 public:
  explicit PlainMarket(const Tape& tape);
  std::size_t size() const { return all_.size(); }
  const Observed& operator[](std::size_t i) const { return all_[i]; }
  const Clock& clock() const { return clock_; }
  /// The feature of one instrument at every step; asserts that the family is known here.
  Series feature(std::string_view stem, int window, std::size_t instrument) const;

 private:
  std::vector<Observed> all_;
  Clock clock_;
};

}  // namespace everlearn::testing
