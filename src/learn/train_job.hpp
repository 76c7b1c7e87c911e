// What the engine asks of everlearn-train and what it gets back: a directory with job.json in it, into which the
// trainer writes result.json, model.txt (the library's own text), forest.bin, calibrator.json and golden.parquet. A job
// with a `tune` writes tune.bin (registry/tune.hpp) and result.json instead.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "learn/training_interval.hpp"
#include "learn/tune_spec.hpp"

namespace everlearn {

enum class Task : std::uint8_t { Regression, Binary, Multiclass };
std::string_view task_name(Task task);
Result<Task> task_from(std::string_view name);

/// Learner settings in our words; the trainer maps them to the library's.
struct LearnerParams {
  std::string learner = "lightgbm";  // "lightgbm"
  std::string boosting = "gbdt";     // "gbdt" | "rf"
  int trees = 100;
  int depth = 5;
  int leaves = 31;
  double learning_rate = 0.05;
  double l1 = 0, l2 = 0;
  double row_fraction = 1.0;  // bagging, drawn per tree
  double feature_fraction = 1.0;
  int min_rows_in_leaf = 20;
  int early_stopping = 50;  // rounds without improvement on the stop rows; 0 = off
  int max_bins = 255;
};

std::string to_json(const LearnerParams& params);
Result<LearnerParams> learner_params_from_json(std::string_view text);

struct SegmentRef {
  std::string path;  // absolute, read only
  std::string sha256;
  std::int64_t rows = 0;
};

struct TrainJob {
  std::string target;
  std::uint16_t target_index = 0;
  Task task = Task::Regression;
  int classes = 0;                            // Multiclass: >= 3; Binary: 2
  Timestamp as_of;                            // rows whose features and label are known by then
  Timestamp fit_from, stop_from, stop_until;  // event_time: fit [fit_from, stop_from), stop [stop_from, stop_until)
  Timestamp purge_stop_by;           // stop rows need label known_at <= this (the hold-out's first decision - embargo)
  std::vector<std::string> columns;  // name@hash, in row order
  std::string schema_hash;
  std::vector<std::string> markets;          // market of instrument i ("" = stands alone)
  bool group_by_market = false;              // labels share a market's outcome: no market stands in both fit and stop
  std::vector<SegmentRef> examples, labels;  // sealed
  std::string tail_examples, tail_labels;    // Parquet files of hot rows in the job directory; empty: none
  std::int64_t max_examples = 25'000'000;    // the newest rows are taken
  std::int64_t min_effective = 0;            // fewer effective rows in fit: refused by name
  LearnerParams params;
  std::string calibration =
      "none";  // "none" | "linear" (regression) | "temperature" | "isotonic" (classes), fitted on the stop rows
  double conformal_alpha = 0;       // classes: prediction sets may miss this share (model/conformal.hpp); 0: no sets
  double blend_weight = 0;          // with sets: of the model against the baseline, as it will act
  std::int64_t baseline_start = 0;  // with sets: the target's first value in ExampleRow::baseline, one a class
  std::uint64_t seed = 0;
  int threads = 1;               // not part of the canonical text: changes nothing in the result
  std::optional<TuneSpec> tune;  // a base is tuned; `params` and `calibration` are then the base's own

  std::string to_json() const;
  static Result<TrainJob> from_json(std::string_view text);
  /// What a bundle id is made from: everything that shapes the model, without paths, segment layout and threads.
  std::string canonical() const;
};

struct TrainResult {
  bool ok = false;
  std::string refused;  // names the degenerate data: "constant label", "one class", "too few rows", ...
  std::int64_t rows_fit = 0, rows_stop = 0, effective = 0;
  Timestamp seen_until;                 // latest label end of any row used
  Timestamp fit_first, fit_last;        // event_time range used
  Timestamp last_row;                   // event_time of the last row used, fit or stop
  double label_min = 0, label_max = 0;  // of the fit rows
  int best_iteration = 0;
  double stop_loss = 0;                                                // our metric on the stop rows at best_iteration
  double stop_loss_before = std::numeric_limits<double>::quiet_NaN();  // a tune: the base's
  std::int64_t changed = 0;     // a tune: trees added, leaves moved, or 1 for a calibrator; 0: it equals its base
  TrainingIntervals intervals;  // of the rows used, fit and stop
  std::map<std::string, double> gain;      // importance per column
  std::vector<std::string> dead_features;  // constant or all missing: left out of the fit by the library
  double read_seconds = 0, prepare_seconds = 0, train_seconds = 0;
  std::string to_json() const;
  static Result<TrainResult> from_json(std::string_view text);
};

}  // namespace everlearn
