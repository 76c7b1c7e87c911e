// A paper account: signals become intents within limits, intents become fills at the first price after decision time +
// latency, positions close at their horizon, on an opposite signal or when the market resolves. Where a book is known,
// fills walk it: level by level, up to the limit, with what the account took before missing; an untrusted book and a
// market that does not trade fill nothing. No borrowing beyond the limits, no fill kinder than what was recorded.
// The rules in words: docs/intents.md. Decision thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/ids.hpp"
#include "core/price.hpp"
#include "core/time.hpp"
#include "market/event.hpp"
#include "market/instrument.hpp"
#include "market/market_state.hpp"
#include "signal/signal.hpp"
#include "store/rows.hpp"
#include "trade/taken_depth.hpp"
#include "trade/win_rate.hpp"

namespace everlearn {

/// Money in account currency. A missing or zero limit means none is allowed, never unlimited.
struct RiskLimits {
  double capital = 0;         // at the start
  double order = 0;           // notional of one order
  double instrument = 0;      // notional of one market: all its instruments together
  double total = 0;           // notional of all positions together
  double daily_loss = 0;      // no new risk for the rest of the UTC day after losing this much
  double kelly_fraction = 0;  // of the Kelly size
  double depth_share = 0;     // of the visible depth up to the limit, where a book is known
};

struct PaperRules {
  RiskLimits limits;
  double cost_bps = 0;         // fee, one way, where the instrument has no fee of its own
  double half_spread_bps = 0;  // paid where no bid and ask are known
  Duration latency;            // decision to fill
  Duration intent_expiry;      // an unfilled intent ends
  bool probability_price = false;
  double tick_size = 0;  // of instruments that name none; 0: unknown
  // The limit of an order lies so many ticks beyond the price at which it could be filled at the decision. Empty: an
  // order takes any price, and its row's limit is the price of the decision.
  std::optional<int> tolerance_ticks;
  double size_step = 0;     // orders are whole steps; 0: any size
  double min_notional = 0;  // of an order
  bool by_hand = false;     // an intent waits until a person approves it
};

/// What an account acts on.
struct MarketView {
  const MarketState& state;
  const Instruments& instruments;

  /// Null: nothing was seen of it yet.
  const InstrumentState* find(InstrumentId id) const { return index(id) < state.size() ? &state[id] : nullptr; }
  /// Of a market with two outcomes, the other one.
  std::optional<InstrumentId> complement(InstrumentId id) const;
  bool same_market(InstrumentId a, InstrumentId b) const;
};

/// An intent's row has another state and reason from now on.
struct IntentChange {
  std::int64_t id = 0;
  std::string state, reason;
};

class PaperAccount {
 public:
  /// Errors: Config naming the setting.
  static Result<PaperAccount> make(PaperRules rules);

  struct Decision {
    Signal signal;
    double price = 0;     // last price at the decision
    double variance = 0;  // of the horizon's return (Kelly); 0: unknown, then the order limit rules
    Timestamp exit_at;    // horizon's end
  };
  /// New intents of this cycle after the risk limits; refused ones come back with state "rejected" and a reason, but
  /// not again for the same instrument and rule in the cycle after. Ids are given by the caller when it stores them:
  /// intents return in order, their `id` counts up from `first_id`. A down signal buys the complement where there is
  /// one.
  std::vector<IntentRow> decide(Timestamp now, const std::vector<Decision>& decisions, std::int64_t first_id,
                                const MarketView& market);
  /// Every event after it was applied to the market: fills what it can fill, settles what it resolves. A position whose
  /// exit time has come closes at the first price after it.
  std::vector<FillRow> observe(const Event& event, const MarketView& market);
  /// Ends intents that expired by `now`.
  void expire(Timestamp now);
  /// What became of intents since the last call.
  std::vector<IntentChange> take_changes() { return std::exchange(changes_, {}); }

  /// By hand: a waiting intent is open from now on; how it stands then. Errors: NotFound: none of that id waits.
  Result<IntentRow> approve(std::int64_t id, Timestamp now);
  Result<void> reject(std::int64_t id);

  /// Marks the account to the market: what the daily loss limit is measured by. Returns the equity.
  double mark(Timestamp now, const MarketView& market);
  /// Cash, and what the positions would bring now: at the bid where there is one, nothing where a trusted book has
  /// none, else at the last price, which is also what stands for a market that does not trade.
  double equity(const MarketView& market) const;
  struct Exposure {
    double committed = 0;  // of positions at their entry, and of intents that are not filled yet at their limits
    double locked = 0;     // the part of it in markets that do not trade: nothing can be sold before they resolve
    std::int64_t positions = 0, locked_positions = 0, waiting = 0;  // waiting: intents for a person
  };
  Exposure exposure(const MarketView& market) const;

  double costs() const { return costs_; }          // paid so far: fees + half spreads
  std::int64_t trades() const { return trades_; }  // closed round trips
  double cash() const { return cash_; }
  const WinMonths& months() const { return months_; }
  struct Position {
    double quantity = 0;     // units, signed
    double entry_value = 0;  // of these units: quantity x price paid
    double flow = 0;         // cash that came in with it so far, less what went out, fees included
    Timestamp entered_at, exit_at;
    std::int64_t intent = 0;  // that opened it
    bool opposed = false;     // an opposite signal asked for the exit
  };
  const std::map<InstrumentId, Position>& positions() const { return positions_; }
  const PaperRules& rules() const { return rules_; }
  /// When the position of an intent that is not done yet shall close. Empty: there is none of that id.
  std::optional<Timestamp> exit_of(std::int64_t intent) const;

  void encode(ByteWriter& out) const;
  Result<void> decode(ByteReader& in);

 private:
  explicit PaperAccount(PaperRules rules);
  struct Open {
    IntentRow intent;
    Timestamp earliest, exit_at;
    double filled = 0;   // units, signed like the intent's
    bool waits = false;  // for a person
    double rest() const { return intent.quantity - filled; }
  };
  struct Order;
  struct Offer;
  using Positions = std::map<InstrumentId, Position>;

  Positions::iterator held_in_market(InstrumentId id, const MarketView& market);
  bool asked_in_market(InstrumentId id, const MarketView& market) const;
  Order order_for(const Decision& decision, const MarketView& market) const;
  void size_order(Order& order, const Decision& decision, const MarketView& market) const;
  std::pair<double, std::string> allowance(const Order& order, const Decision& decision,
                                           const MarketView& market) const;
  double tick_of(const Instrument& instrument) const;
  double executable(double price, int side, const InstrumentState& state, const Instrument& instrument) const;
  double value_of(const Position& position, InstrumentId id, const MarketView& market) const;

  std::vector<FillRow> settle(const Event& event, const Resolution& resolution);
  void close_position(const Event& event, const Offer& offer, std::vector<FillRow>& fills);
  void fill_intents(const Event& event, const Offer& offer, std::vector<FillRow>& fills);
  /// At most `wanted` units, signed, at prices no worse than `limit`; a fill a level.
  double trade(const Event& event, const Offer& offer, double wanted, std::optional<Price> limit, Position& position,
               std::int64_t intent, const std::string& reason, std::vector<FillRow>& fills);
  void take(InstrumentId id, int side, const BookLevel& level, double units, const MarketView& market);
  void count_win(const Position& position, Timestamp at);
  void change(const Open& open, std::string state, const std::string& what);

  PaperRules rules_;
  double cash_ = 0, costs_ = 0;
  std::int64_t trades_ = 0;
  Positions positions_;
  std::vector<Open> open_;
  TakenDepth taken_;
  WinMonths months_;
  std::map<InstrumentId, std::string> refused_;  // by which rule, in the latest cycle
  std::vector<IntentChange> changes_;
  std::int64_t day_ = 0;  // UTC day of day_start_equity_
  double day_start_equity_ = 0, last_equity_ = 0;
};

}  // namespace everlearn
