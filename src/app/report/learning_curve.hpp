// How skill grows with the rows that a model was trained on: what the gate measured of trainings of about 1,000,
// 10,000, 100,000 and 1,000,000 rows, on rows that they had not seen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/report/report.hpp"

namespace everlearn {

struct CurvePoint {
  /// Of several trainings: the middle one, and from the least to the most. NaN: nothing measured it.
  struct Figure {
    double middle = 0, least = 0, most = 0;
  };
  std::int64_t rows = 0;       // about: from half of it to twice as many; the last one: and more
  std::int64_t trainings = 0;  // that were judged
  Figure r2, direction_accuracy;
};

struct LearningCurve {
  std::string target;
  std::vector<CurvePoint> points;  // four, by rows
  std::int64_t largest = 0;        // rows of the largest judged training
};

/// Of each target whose gate measures an R2.
std::vector<LearningCurve> learning_curves(const Report& report);

/// "0.041 (0.012 to 0.060)"; one value stands alone; "n/a" for none.
std::string curve_figure(const CurvePoint::Figure& figure, bool as_share);

}  // namespace everlearn
