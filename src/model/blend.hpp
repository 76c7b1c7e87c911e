// The model's word and the baseline's, mixed in the target's units: what acts. Pure functions.
#pragma once

#include <span>

#include "core/result.hpp"
#include "label/label.hpp"

namespace everlearn {

/// The model never speaks alone while there is a baseline.
inline constexpr double kMaxModelWeight = 0.95;

/// Errors: Config for a weight outside [0, 0.95], naming `what`.
Result<void> check_model_weight(double weight, std::string_view what);

/// weight * model + (1 - weight) * baseline. Where one of them is missing (NaN), the other; both: NaN.
double blend(double model, double baseline, double weight);

/// Classes: the same for each probability; a NaN anywhere in one of them makes all of it missing. Equal sizes.
void blend(std::span<const double> model, std::span<const double> baseline, double weight, std::span<double> out);

/// A predicted change of a price in [0, 1], cut so that price + change stays a tick inside, or at the price where that
/// is nearer to the edge than a tick. Returns the change in the same unit; relative and log changes of a price <= 0 are
/// 0.
double change_inside(double change, double price, ReturnUnit unit, double tick);

}  // namespace everlearn
