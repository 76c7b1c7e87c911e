// Turns a prediction into a signal or into the name of the filter that stopped it. A signal passes when its expected
// value at the executable price beats costs + half spread + min_edge, and every other filter agrees. Pure apart from
// the counters and recent accuracy it keeps. Decision thread only.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"
#include "signal/quiet_hours.hpp"

namespace everlearn {

struct SignalRules {
  double cost_bps = 0;         // one way, of notional
  double half_spread_bps = 0;  // used where the book gives no spread
  double min_edge_bps = 0;
  bool long_only = false;
  bool baseline_may_act = false;              // below a champion on the ladder
  bool probability_price = false;             // prices in [0, 1]: a move of d points at price p returns d / p
  std::optional<double> min_margin;           // classes: top1 - top2
  std::optional<double> max_entropy;          // classes: normalised entropy
  std::optional<double> min_recent_accuracy;  // of the last `recent_rows` matured predictions
  int recent_rows = 200;
  std::optional<double> out_of_distribution;     // share of features outside the trained range that stops a signal
  std::string quiet_from, quiet_to, quiet_zone;  // "01:00" "09:00" "Asia/Kolkata"; empty: never quiet
  int max_signals = 0;                           // per cycle, best expected value first; 0: no limit
};

struct SignalInput {
  InstrumentId instrument{};
  double price = 0;  // last
  std::optional<double> bid, ask;
  double predicted = 0;               // of the blend: relative return over the horizon (regression), NaN: unknown
  std::vector<double> probabilities;  // classes; empty for regression
  double outside_share = 0;           // of features outside the model's trained range
  bool champion = false;              // a champion spoke
  bool learning_active = false;
  bool fresh = true;  // data fresh, continuous, plausible
};

struct Signal {
  InstrumentId instrument{};
  bool passed = false;
  std::string filter;  // "passed", or the first filter that stopped it: "no model", "learning off", "stale",
                       // "baseline may not act", "edge", "short not allowed", "margin", "entropy", "recent accuracy",
                       // "out of distribution", "quiet hours", "max signals"
  int side = 0;        // +1 buy, -1 sell
  double expected_value = 0;  // relative, after costs, half spread
  double required = 0;        // what the stopping filter wanted, in its own unit
  double measured = 0;
};

class SignalChain {
 public:
  static Result<SignalChain> make(SignalRules rules);
  /// One answer per input, in input order.
  std::vector<Signal> judge(Timestamp now, std::span<const SignalInput> inputs);
  /// A prediction as served turned out right or wrong (recent accuracy).
  void matured(bool right);
  const std::map<std::string, std::int64_t>& stopped() const { return stopped_; }
  std::int64_t passed() const { return passed_; }
  const SignalRules& rules() const { return rules_; }

  void encode(ByteWriter& out) const;
  Result<void> decode(ByteReader& in);

 private:
  explicit SignalChain(SignalRules rules) : rules_{std::move(rules)} {}
  Signal judge_one(Timestamp now, const SignalInput& input) const;

  SignalRules rules_;
  std::optional<QuietHours> quiet_;
  std::map<std::string, std::int64_t> stopped_;
  std::int64_t passed_ = 0;
  std::vector<std::uint8_t> recent_;  // ring of the last outcomes
  std::size_t recent_next_ = 0;
};

}  // namespace everlearn
