#include "model/target_blend.hpp"

#include "model/blend.hpp"

namespace everlearn {
namespace {

constexpr double kFinestTick = 0.001;  // of a probability, where the market's own is not known

}  // namespace

TargetBlend::TargetBlend(double weight, const LabelSpec& label, bool probability_price, double tick_size)
    : weight_{weight},
      classes_{label.is_class()},
      inside_{probability_price && label.kind == LabelKind::ForwardReturn},
      unit_{label.unit},
      tick_{tick_size > 0 ? tick_size : kFinestTick} {}

void TargetBlend::apply(std::span<const double> model, std::span<const double> baseline, double price,
                        std::span<double> out) const {
  if (classes_) return blend(model, baseline, weight_, out);
  const double value = blend(model.front(), baseline.front(), weight_);
  out.front() = inside_ ? change_inside(value, price, unit_, tick_) : value;
}

}  // namespace everlearn
