// For the tests of this module: a market with two outcomes and their books beside an account, and a second market.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "trade/paper_account.hpp"

namespace everlearn {

inline constexpr InstrumentId kYes{0}, kNo{1}, kOther{2};

inline Timestamp second(int n) { return Timestamp{} + Duration::seconds(n); }
inline Price price(double value) { return Price::from(value).value(); }

inline PaperRules book_rules() {
  PaperRules rules;
  rules.limits = {.capital = 1000,
                  .order = 10,
                  .instrument = 50,
                  .total = 300,
                  .daily_loss = 30,
                  .kelly_fraction = 1,
                  .depth_share = 1};
  rules.latency = Duration::seconds(1);
  rules.intent_expiry = Duration::seconds(60);
  rules.probability_price = true;
  rules.tick_size = 0.001;
  rules.tolerance_ticks = 1;
  rules.size_step = 0.01;
  rules.min_notional = 1;
  return rules;
}

using Levels = std::vector<std::pair<double, double>>;  // price, size; best first

struct BookDesk {
  explicit BookDesk(PaperRules rules = book_rules()) : account{PaperAccount::make(std::move(rules)).value()} {
    for (const auto& [name, of_market, complement] :
         {std::tuple{"yes", "m", "no"}, std::tuple{"no", "m", "yes"}, std::tuple{"other", "n", ""}}) {
      Instrument& instrument = instruments.edit(instruments.intern(name));
      instrument.market = of_market;
      instrument.complement = complement;
      instrument.probability = true;
      instrument.tick_size = price(0.01);
      instrument.min_size = 5;
    }
    instruments.edit(kNo).mirrors = true;
  }

  MarketView view() const { return {market, instruments}; }

  std::vector<FillRow> apply(InstrumentId id, Timestamp at, EventBody what) {
    const Event event{id, at, at, std::move(what)};
    (void)market.apply(event);
    std::vector<FillRow> more = account.observe(event, view());
    fills.insert(fills.end(), more.begin(), more.end());
    return more;
  }
  std::vector<FillRow> book(InstrumentId id, Timestamp at, const Levels& bids, const Levels& asks) {
    BookUpdate update{.snapshot = true};
    for (const auto& [p, size] : bids) update.bids.push_back({price(p), size});
    for (const auto& [p, size] : asks) update.asks.push_back({price(p), size});
    return apply(id, at, std::move(update));
  }
  /// Both books of the market as the venue shows them: a bid at p for one outcome is an ask at 1 - p for the other.
  std::vector<FillRow> books(Timestamp at, const Levels& bids, const Levels& asks) {
    auto all = book(kYes, at, bids, asks);
    Levels other_bids, other_asks;
    for (const auto& [p, size] : asks) other_bids.emplace_back(1 - p, size);
    for (const auto& [p, size] : bids) other_asks.emplace_back(1 - p, size);
    const auto more = book(kNo, at, other_bids, other_asks);
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<IntentRow> signal(InstrumentId id, Timestamp at, int side, Timestamp exit_at, double edge = 0.02) {
    PaperAccount::Decision decision;
    decision.signal.instrument = id;
    decision.signal.passed = true;
    decision.signal.side = side;
    decision.signal.expected_value = edge;
    decision.price = market[id].last.value();
    decision.exit_at = exit_at;
    auto rows = account.decide(at, {decision}, next_id, view());
    next_id += static_cast<std::int64_t>(rows.size());
    return rows;
  }
  /// Through bytes: what a restart does.
  void restart() {
    ByteWriter out;
    account.encode(out);
    PaperAccount again = PaperAccount::make(account.rules()).value();
    ByteReader in{out.bytes()};
    REQUIRE(again.decode(in));
    REQUIRE(in.at_end());
    account = std::move(again);
  }

  Instruments instruments;
  MarketState market;
  PaperAccount account;
  std::vector<FillRow> fills;
  std::int64_t next_id = 1;
};

}  // namespace everlearn
