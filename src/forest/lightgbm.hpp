// The strict converter from LightGBM's text model (version v4, as LightGBM 4.7.0 writes it) to a Forest.
//
// Everything LightGBM writes must stand where LightGBM writes it: keys in order, exact counts, every index in range,
// every number whole. Nothing is guessed. Runs in the trainer's process, never in the daemon.
#pragma once

#include <string_view>

#include "core/result.hpp"
#include "forest/forest.hpp"

namespace everlearn {

/// `text`: without the final NUL that LGBM_BoosterSaveModelToString counts in its length.
/// Objectives: regression, regression_l1, huber, fair, quantile, mape (identity), binary (logistic), multiclass
/// (softmax). Errors: Model, naming the line and what was wanted; Unsupported for another version, another objective, a
/// regression on the square root, linear trees.
Result<Forest> forest_from_lightgbm(std::string_view text);

}  // namespace everlearn
