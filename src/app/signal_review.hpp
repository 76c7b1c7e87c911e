// What became of the signals, and of what the filters stopped: the stored predictions as served, beside their outcomes.
// And what other rules would have made of them: the ledger holds all that a filter looked at, so the verdicts can be
// given again. Definitions: docs/signals.md.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <tuple>
#include <vector>

#include "app/data_directory.hpp"
#include "learn/conformal_coverage.hpp"
#include "signal/signal.hpp"

namespace everlearn {

/// A prediction of the acting target as served, and what came.
struct ReviewedPrediction {
  PredictionRow row;
  int side = 0;                                           // +1 buy, -1 sell; 0: it speaks for no trade
  std::optional<double> outcome;                          // absent: waiting, or void
  Timestamp known_at;                                     // of the outcome
  std::optional<bool> right;                              // the direction came true; absent without outcome or side
  double net = std::numeric_limits<double>::quiet_NaN();  // what a trade had brought: relative move after costs
};

/// Calls `visit` for one cycle after the other, with its predictions in the order in which the filters saw them.
/// Errors: of the store and of `visit`.
Result<void> review_predictions(const DataDirectory& directory, TimeRange range,
                                const std::function<Result<void>(const std::vector<ReviewedPrediction>&)>& visit);

/// The newest first: signals, with `all` also what was stopped. At most `limit`.
Result<std::vector<ReviewedPrediction>> newest_signals(const DataDirectory& directory, TimeRange range, bool all,
                                                       std::size_t limit);

/// Predictions with one verdict.
struct SignalTally {
  std::int64_t n = 0;
  std::int64_t known = 0, right = 0;  // with a known direction; of these, those that came true
  std::int64_t priced = 0;            // with a known net
  double net = 0;                     // sum of these

  void add(const ReviewedPrediction& prediction);
  std::int64_t wrong() const { return known - right; }
  double right_share() const;  // NaN without known ones
  double net_mean() const;
};
using SignalTallies = std::map<std::string, SignalTally>;  // by verdict

struct SignalStats {
  std::int64_t predictions = 0;
  std::optional<Timestamp> first, last;
  SignalTallies verdicts;
  struct Week {
    Timestamp monday;  // 00:00 UTC
    SignalTallies verdicts;
    double recent_accuracy = 0, recent_majority = 0;  // at its last decision
  };
  std::vector<Week> weeks;
  double recent_accuracy = 0, recent_majority = 0;  // at the last decision; NaN before anything matured
  std::int64_t recent_count = 0;
  ConformalCoverage sets;
};
Result<SignalStats> signal_stats(const DataDirectory& directory, TimeRange range);

/// The verdicts as they were and as `changed` had given them. Rules are applied from the first stored prediction on,
/// since recent accuracy has a past; counted is what lies in the range.
struct WhatIf {
  std::int64_t predictions = 0;
  SignalTallies was, would;
  std::int64_t new_signals = 0, lost_signals = 0;  // passes only with the changed rules; only with the old ones
  std::int64_t not_replayed = 0;                   // of older releases, which did not keep what the filters saw
  std::int64_t other_rules = 0;                    // verdicts that the directory's rules do not give again
  std::optional<Timestamp> first_other;
};
Result<WhatIf> what_if(const DataDirectory& directory, const SignalRules& changed, TimeRange range);

/// Lets predictions mature as the engine did: an outcome counts from the first decision at or after it was known.
class Maturing {
 public:
  void said(const ReviewedPrediction& prediction);
  void take(Timestamp now, SignalChain& chain);

 private:
  using Key = std::tuple<Timestamp, Timestamp, InstrumentId, int, int>;  // known_at, event_time, .., said, came
  std::priority_queue<Key, std::vector<Key>, std::greater<>> waiting_;
};

/// What the filters saw, out of the row that they wrote. Absent: an older release did not keep it.
std::optional<SignalInput> input_of(const PredictionRow& row);

/// "2026-W03", ISO 8601.
std::string iso_week(Timestamp t);
Timestamp monday_of(Timestamp t);

}  // namespace everlearn
