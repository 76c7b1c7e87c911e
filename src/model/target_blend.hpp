#pragma once

#include <span>

#include "label/label.hpp"

namespace everlearn {

/// What acts for one target: the blend of model and baseline, kept inside (0, 1) where prices are probabilities. The
/// gate scores it, the loop acts on it: both call this. Immutable.
class TargetBlend {
 public:
  /// `weight` of the model in [0, 0.95]; `tick_size` 0: 0.001.
  TargetBlend(double weight, const LabelSpec& label, bool probability_price, double tick_size);

  /// `model`, `baseline`, `out`: one value, or one a class; NaN is missing (model/blend.hpp). `price` at the decision.
  void apply(std::span<const double> model, std::span<const double> baseline, double price,
             std::span<double> out) const;

 private:
  double weight_;
  bool classes_, inside_;
  ReturnUnit unit_;
  double tick_;
};

}  // namespace everlearn
