// A paper account: intents become fills at the first price after decision time + latency, with fee, half spread and
// limits; positions close at their horizon, on an opposite signal or when the market resolves. No borrowing beyond the
// limits, no fill kinder than the recorded price. Decision thread only.
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
#include "market/market_state.hpp"
#include "signal/signal.hpp"
#include "store/rows.hpp"

namespace everlearn {

/// Money in account currency. A missing or zero limit means none is allowed, never unlimited.
struct RiskLimits {
  double capital = 0;         // at the start
  double order = 0;           // notional of one order
  double instrument = 0;      // notional of one instrument
  double total = 0;           // notional of all positions together
  double daily_loss = 0;      // no new risk for the rest of the UTC day after losing this much
  double kelly_fraction = 0;  // of the Kelly size
  double depth_share = 0;     // of the visible depth, where a book is known
};

struct PaperRules {
  RiskLimits limits;
  double cost_bps = 0;         // fee, one way
  double half_spread_bps = 0;  // paid where no bid and ask are known
  Duration latency;            // decision to fill
  Duration intent_expiry;      // an unfilled intent ends
  bool probability_price = false;
};

class PaperAccount {
 public:
  static Result<PaperAccount> make(PaperRules rules);

  struct Decision {
    Signal signal;
    double price = 0;             // last price at the decision
    double variance = 0;          // of the horizon's return (Kelly); 0: unknown, then the order limit rules
    Timestamp exit_at;            // horizon's end
    std::optional<double> depth;  // visible units on the side to hit
  };
  /// New intents of this cycle after the risk limits; refused ones come back with state "rejected" and a reason. Ids
  /// are given by the caller when it stores them: intents return in order, their `id` counts up from `first_id`.
  std::vector<IntentRow> decide(Timestamp now, const std::vector<Decision>& decisions, std::int64_t first_id);
  /// Every event after it was applied to the market: fills what it can fill. A position whose exit time has come closes
  /// at the first price after it.
  std::vector<FillRow> observe(const Event& event, const MarketState& market);
  /// Intents that expired by `now`; the caller marks them.
  std::vector<std::int64_t> expire(Timestamp now);
  /// Marks the account to the market: what the daily loss limit is measured by. Returns the equity.
  double mark(Timestamp now, const MarketState& market);
  /// Value of cash and positions at the last known prices.
  double equity(const MarketState& market) const;
  double costs() const;         // paid so far: fees + half spreads
  std::int64_t trades() const;  // closed round trips
  double cash() const;
  struct Position {
    double quantity = 0;     // units, signed
    double entry_value = 0;  // quantity x price paid
    Timestamp entered_at, exit_at;
    std::int64_t intent = 0;  // that opened it
    bool opposed = false;     // an opposite signal asked for the exit
  };
  const std::map<InstrumentId, Position>& positions() const;

  void encode(ByteWriter& out) const;
  Result<void> decode(ByteReader& in);

 private:
  explicit PaperAccount(PaperRules rules);
  struct Open {
    IntentRow intent;
    Timestamp earliest, exit_at;
  };
  std::pair<double, std::string> allowance(const Decision& decision) const;
  double executable(double price, double quantity, const InstrumentState& state) const;
  FillRow fill(const Event& event, double seen, double paid, double quantity, std::int64_t intent, std::string reason);

  PaperRules rules_;
  double cash_ = 0, costs_ = 0;
  std::int64_t trades_ = 0;
  std::map<InstrumentId, Position> positions_;
  std::vector<Open> open_;
  std::int64_t day_ = 0;  // UTC day of day_start_equity_
  double day_start_equity_ = 0, last_equity_ = 0;
};

}  // namespace everlearn
