// Fine-tuning: a base model is adapted to the newest labelled rows, always from the base and never from another tune.
// TuneRules say when and how (from the profile), TuneSpec is what one job carries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

/// Trees: more trees at a lower rate, from the base's scores. Leaves: the base's leaf values move towards what the rows
/// want. Calibration: the calibrator alone is fitted anew.
enum class TuneWay : std::uint8_t { None, Trees, Leaves, Calibration };
std::string_view tune_way_name(TuneWay way);  // "none", "trees", "leaves", "calibration"
Result<TuneWay> tune_way_from(std::string_view name);

struct TuneRules {
  TuneWay way = TuneWay::None;  // None: no tuning
  std::int64_t rows_min = 500;  // fewer rows: no tune
  std::int64_t rows_max = 1000;
  std::int64_t newest = 200;  // labelled rows that no tune sees, for what is said of its accuracy
  int trees = 30;             // Trees: at most, per class
  double learning_rate = 0.01;
  int early_stopping = 5;   // Trees: rounds without improvement; 0: off
  double stop_share = 0.2;  // of the rows, the newest: a tune that is no better there is not kept
  int leaves = 8;           // of a tree
  int depth = 3;
  int min_rows_in_leaf = 20;
  double decay = 0.9;                 // Leaves: of the old value that stays
  Duration keep = Duration::days(2);  // older tunes are pruned,
  std::int64_t keep_most = 600;       // and the oldest above this number
  Duration wall = Duration::minutes(2);
};

struct TuneSpec {
  TuneWay way = TuneWay::Trees;
  std::string base;            // bundle id
  std::string base_directory;  // models/<base>; not part of the canonical text
  int trees = 30;
  double learning_rate = 0.01;
  int early_stopping = 5;
  int leaves = 8;
  int depth = 3;
  int min_rows_in_leaf = 20;
  double decay = 0.9;

  std::string to_json() const;
  static Result<TuneSpec> from_json(std::string_view text);
  /// What shapes the tune: everything but where the base lies.
  std::string canonical() const;
  bool operator==(const TuneSpec&) const = default;
};

}  // namespace everlearn
