#include "model/blend.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/assert.hpp"

namespace everlearn {

Result<void> check_model_weight(double weight, std::string_view what) {
  if (!(weight >= 0 && weight <= kMaxModelWeight))
    return fail(Code::Config, fmt::format("{} = {} is not in [0, {}]", what, weight, kMaxModelWeight));
  return {};
}

double blend(double model, double baseline, double weight) {
  EL_ASSERT(weight >= 0 && weight <= kMaxModelWeight, "model weight out of range");
  if (std::isnan(model)) return baseline;
  if (std::isnan(baseline)) return model;
  return weight * model + (1 - weight) * baseline;
}

void blend(std::span<const double> model, std::span<const double> baseline, double weight, std::span<double> out) {
  EL_ASSERT(model.size() == baseline.size() && model.size() == out.size(), "probabilities of different targets");
  const auto missing = [](std::span<const double> values) {
    return std::ranges::any_of(values, [](double p) { return std::isnan(p); });
  };
  if (missing(model)) {
    std::ranges::copy(baseline, out.begin());
  } else if (missing(baseline)) {
    std::ranges::copy(model, out.begin());
  } else {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = blend(model[i], baseline[i], weight);
  }
}

double change_inside(double change, double price, ReturnUnit unit, double tick) {
  if (std::isnan(change)) return change;
  const double low = std::min(tick, price);
  const double high = std::max(1 - tick, price);
  switch (unit) {
    case ReturnUnit::Points:
      return std::clamp(change, low - price, high - price);
    case ReturnUnit::Relative:
      return price > 0 ? std::clamp(change, (low - price) / price, (high - price) / price) : 0;
    case ReturnUnit::Log:
      return price > 0 && low > 0 ? std::clamp(change, std::log(low / price), std::log(high / price)) : 0;
  }
  return change;
}

}  // namespace everlearn
