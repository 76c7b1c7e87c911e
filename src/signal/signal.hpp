// Turns a prediction into a signal or into the name of the filter that stopped it. A signal passes when its expected
// value at the executable price beats costs + half spread + min_edge, and every other filter agrees. Pure apart from
// the counters and the recent accuracy it keeps. Decision thread only. Formulas and presets: docs/signals.md.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
  bool conformal = false;                     // classes: act only when the prediction set has one class
  std::optional<double> min_recent_accuracy;  // of the last `recent_rows` matured predictions
  int recent_rows = 200;

  /// The recent performance penalty: as recent accuracy a falls from `penalty_from` to `penalty_floor`, the shortfall
  /// s = clamp((from - a) / (from - floor), 0, 1) raises min_margin by s * penalty_margin and lowers max_entropy by
  /// s * penalty_entropy. A filter that is off stays off. Before `recent_rows` have matured s is 1: what is not known
  /// to be good is asked for the most.
  bool recent_penalty = false;
  double penalty_from = 0.55, penalty_floor = 0.45;
  double penalty_margin = 0.15, penalty_entropy = 0.15;

  std::optional<double> out_of_distribution;     // share of features outside the trained range that stops a signal
  std::string quiet_from, quiet_to, quiet_zone;  // "01:00" "09:00" "Asia/Kolkata"; empty: never quiet
  int max_signals = 0;                           // per cycle, best expected value first; 0: no limit
};

struct SignalInput {
  InstrumentId instrument{};
  double price = 0;  // last
  std::optional<double> bid, ask;
  // Relative; absent: from bid and ask, else the rules'. Of an instrument with a book or a fee of its own: what it
  // costs to get in and out at once.
  std::optional<double> half_spread;
  double predicted = 0;  // of the blend: relative return over the horizon (regression), NaN: unknown
  bool traded = true;    // false: there is no price; `predicted` is the lead of the likeliest class, and nothing costs
  std::vector<double> probabilities;  // classes; empty for regression
  std::uint32_t set = 0;              // classes: bit mask of the prediction set; 0: unknown
  double outside_share = 0;           // of features outside the model's trained range
  bool champion = false;              // a champion spoke
  bool learning_active = false;
  bool fresh = true;  // data fresh, continuous, plausible
  std::string held;   // why no signal may pass now, whatever it says, in the words of its verdict; empty: nothing holds
};

/// Every verdict but "passed" and what SignalInput::held says, in the order of the filters.
inline constexpr std::array<std::string_view, 15> kSignalFilters{"stale",
                                                                 "no model",
                                                                 "learning off",
                                                                 "baseline may not act",
                                                                 "flat",
                                                                 "short not allowed",
                                                                 "out of distribution",
                                                                 "conformal",
                                                                 "margin",
                                                                 "entropy",
                                                                 "edge",
                                                                 "recent accuracy unknown",
                                                                 "recent accuracy",
                                                                 "quiet hours",
                                                                 "max signals"};

/// The filters in their order, each with what it measures and requires; the first that does not agree stops.
///   `SignalInput::held`    0, 1
///   stale                  0, 1
///   no model               0, 1
///   learning off           0, 1            unless rules.baseline_may_act
///   baseline may not act   0, 1            the same
///   flat                   p of the middle one of three classes, which is the likeliest; p of the likelier other one;
///                          not traded: a lead of 0; 0
///   short not allowed      the predicted move; 0
///   out of distribution    share of features outside the trained range; at most
///   conformal              classes in the prediction set (0: unknown); 1
///   margin                 top1 - top2; at least, the penalty included
///   entropy                normalised; at most, the penalty included
///   edge                   expected value; at least
///   recent accuracy unknown   matured predictions; recent_rows
///   recent accuracy        share that was right of the last recent_rows; at least
///   quiet hours            hours after local midnight; when the quiet hours end
///   max signals            place in the cycle by expected value; most
///   passed                 expected value; what the edge required
struct Signal {
  InstrumentId instrument{};
  bool passed = false;
  std::string filter;         // "passed", or the first one that stopped it
  int side = 0;               // +1 buy, -1 sell
  double expected_value = 0;  // relative, after costs, half spread
  double measured = 0;
  double required = 0;
  double half_spread = 0;  // relative, as used
};

class SignalChain {
 public:
  /// Errors: Config naming the setting.
  static Result<SignalChain> make(SignalRules rules);
  /// One answer per input, in input order: the inputs of one cycle.
  std::vector<Signal> judge(Timestamp now, std::span<const SignalInput> inputs);

  /// A prediction as served (whichever stream it was) and what came: classes, in the order in which the outcomes became
  /// known. The last `recent_rows` are kept.
  void matured(int predicted, int outcome);
  /// Of what is kept: the share that was right, and the share of the most frequent outcome (what always saying it would
  /// have got). NaN before anything has matured.
  double recent_accuracy() const;
  double recent_majority() const;
  std::int64_t recent_count() const { return static_cast<std::int64_t>(recent_.size()); }
  /// `recent_rows` have matured: the accuracy is one to act on.
  bool recent_known() const { return recent_count() >= rules_.recent_rows; }
  /// s of the penalty, 0 where it is off.
  double shortfall() const;

  const std::map<std::string, std::int64_t>& stopped() const { return stopped_; }
  std::int64_t passed() const { return passed_; }
  const SignalRules& rules() const { return rules_; }

  void encode(ByteWriter& out) const;
  /// Errors: Damaged. Of what was kept under a larger `recent_rows` the newest stay.
  Result<void> decode(ByteReader& in);

 private:
  struct Thresholds {  // of one cycle
    std::optional<double> min_margin, max_entropy;
    double recent_accuracy = std::numeric_limits<double>::quiet_NaN();
  };
  struct Matured {
    std::uint8_t predicted, outcome;
  };

  explicit SignalChain(SignalRules rules) : rules_{std::move(rules)} {}
  Signal judge_one(Timestamp now, const SignalInput& input, const Thresholds& thresholds) const;
  void keep_newest();

  SignalRules rules_;
  std::optional<QuietHours> quiet_;
  std::map<std::string, std::int64_t> stopped_;
  std::int64_t passed_ = 0;
  std::deque<Matured> recent_;  // oldest first
};

}  // namespace everlearn
