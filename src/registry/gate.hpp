// Decides whether a candidate may replace the champion, on the same unseen rows for candidate, champion and baseline.
// Pure: the same input gives the same verdict. What is scored is what acts: the blend after calibration.
// Paired bootstrap over fixed time blocks of at least two horizons, all instruments of a block together (Carlstein
// 1986). Every formula, and how to recompute it elsewhere, stands in docs/gate.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "label/label.hpp"
#include "learn/train_job.hpp"
#include "registry/verdict.hpp"

namespace everlearn {

/// One hold-out row. Classes: `outcome` is the class, the predictions are probability vectors.
struct HoldoutRow {
  InstrumentId instrument{};
  Timestamp event_time, label_end;
  double outcome = 0;
  double price = 0;  // at the decision
  double move = 0;   // outcome as a price move (direction checks); for volatility unused
  double no_change = 0;
  std::vector<double> baseline, candidate, champion;  // 1 value or one per class; champion empty: there is none
  std::vector<double> candidate_uncalibrated;  // classes: the same blend without its calibrator; empty: not known
  std::uint32_t set = 0;                       // classes: the candidate's prediction set, a bit each; 0: unknown
};

/// Of the mean loss saved against the reference, and its 5 % quantile: Better: above 0, and above -margin. Superior:
/// the quantile above 0. NonInferior: the quantile above -margin.
enum class Comparison : std::uint8_t { Better, Superior, NonInferior };

/// "r2" >= 0.03 and the like.
/// Regression: r2, r2_no_change, r2_baseline, rmse_ratio (baseline's / candidate's). Classes: accuracy,
/// accuracy_recent_<n>, log_loss_gain, brier_gain (1 - candidate's / baseline's). Directional targets:
/// direction_accuracy (at least this, and the majority share + 0.01); of returns also sharpe, sharpe_ratio (to the
/// champion's, where that is above 0).
struct Requirement {
  std::string name;
  double at_least = 0;
};

struct GateRules {
  Task task = Task::Regression;
  int classes = 0;
  bool directional = true;                 // a sign means something (returns); false for volatility
  ReturnUnit unit = ReturnUnit::Relative;  // of a return's predictions
  std::vector<Requirement> require;
  Comparison comparison = Comparison::Better;
  double margin = 0;               // as a fraction of the reference's mean loss
  std::int64_t min_effective = 0;  // fewer: insufficient
  int min_blocks = 5;              // fewer: insufficient
  double half_tick = 0;            // moves smaller than this are no direction (price units)
  double max_gain_share = 0.25;    // of the loss saved against the baseline, by one instrument; 2 / instruments
                                   // where that is more
  Duration block;                  // >= 2 horizons
  int draws = 1000;
  std::uint64_t seed = 0;
  double label_min = 0, label_max = 0;  // of the trained labels: predictions must lie inside; unknown where equal
  double cost_relative = 0;             // round trip, for the Sharpe of the hold-out
  double periods_per_year = 252;
};

class Gate {
 public:
  explicit Gate(GateRules rules) : rules_{std::move(rules)} {}
  /// `rows` in (event_time, instrument) order. A refused Verdict is an answer; an Error means none could be computed.
  /// Errors: BadData: rows out of order, an outcome that is missing, a prediction of the wrong width, a champion on
  /// some rows only. Config: rules that do not fit (an unknown requirement, no draws, no block).
  Result<Verdict> review(const std::vector<HoldoutRow>& rows) const;

 private:
  GateRules rules_;
};

}  // namespace everlearn
