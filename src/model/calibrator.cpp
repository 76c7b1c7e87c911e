#include "model/calibrator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/assert.hpp"
#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr double kMaxSlope = 1.5;
constexpr double kMinTemperature = 0.05, kMaxTemperature = 20;
constexpr double kLeastProbability = 1e-15;
constexpr int kGoldenSteps = 60;  // 6.0 * 0.618^60 is below 1e-12

/// p^(1/T), normalised, in place. Finite values only.
void soften(std::span<double> p, double temperature) {
  // By logarithms from the largest, so that nothing overflows and one term is exactly 1.
  double top = -std::numeric_limits<double>::infinity();
  for (double& x : p) {
    x = std::log(std::max(x, kLeastProbability)) / temperature;
    top = std::max(top, x);
  }
  double sum = 0;
  for (double& x : p) {
    x = std::exp(x - top);
    sum += x;
  }
  for (double& x : p) x /= sum;
}

}  // namespace

Calibrator Calibrator::fit_linear(std::span<const double> predictions, std::span<const double> outcomes) {
  EL_ASSERT(predictions.size() == outcomes.size(), "a prediction an outcome");
  double n = 0, sum_x = 0, sum_y = 0;
  const auto usable = [&](std::size_t i) { return std::isfinite(predictions[i]) && std::isfinite(outcomes[i]); };
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (!usable(i)) continue;
    n += 1;
    sum_x += predictions[i];
    sum_y += outcomes[i];
  }
  if (n < static_cast<double>(kMinRows)) return {};
  const double mean_x = sum_x / n, mean_y = sum_y / n;
  double xx = 0, xy = 0;
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    if (!usable(i)) continue;
    xx += (predictions[i] - mean_x) * (predictions[i] - mean_x);
    xy += (predictions[i] - mean_x) * (outcomes[i] - mean_y);
  }
  if (!(xx > 0) || !std::isfinite(xy / xx)) return {};
  Calibrator fitted;
  fitted.kind_ = Kind::Linear;
  fitted.slope_ = std::clamp(xy / xx, 0.0, kMaxSlope);
  fitted.intercept_ = mean_y - fitted.slope_ * mean_x;
  return fitted;
}

Calibrator Calibrator::fit_temperature(std::span<const double> probabilities, int classes,
                                       std::span<const double> outcomes) {
  const auto width = static_cast<std::size_t>(classes);
  EL_ASSERT(classes >= 2 && probabilities.size() == outcomes.size() * width, "one probability a class and row");
  std::vector<std::size_t> usable;
  for (std::size_t row = 0; row < outcomes.size(); ++row) {
    const auto p = probabilities.subspan(row * width, width);
    const bool finite = std::ranges::all_of(p, [](double x) { return std::isfinite(x); });
    if (finite && outcomes[row] >= 0 && outcomes[row] < classes) usable.push_back(row);
  }
  if (usable.size() < kMinRows) return {};
  std::vector<double> p(width);
  const auto loss = [&](double log_temperature) {
    double sum = 0;
    for (const std::size_t row : usable) {
      std::ranges::copy(probabilities.subspan(row * width, width), p.begin());
      soften(p, std::exp(log_temperature));
      sum -= std::log(std::max(p[static_cast<std::size_t>(outcomes[row])], kLeastProbability));
    }
    return sum;
  };
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(kMinTemperature), high = std::log(kMaxTemperature);
  double a = high - ratio * (high - low), b = low + ratio * (high - low);
  double loss_a = loss(a), loss_b = loss(b);
  for (int step = 0; step < kGoldenSteps; ++step) {
    if (loss_a <= loss_b) {
      high = b;
      b = a;
      loss_b = loss_a;
      a = high - ratio * (high - low);
      loss_a = loss(a);
    } else {
      low = a;
      a = b;
      loss_a = loss_b;
      b = low + ratio * (high - low);
      loss_b = loss(b);
    }
  }
  const double best = (low + high) / 2;
  // A search may not do harm: where the loss is flat, nothing is changed.
  if (!(loss(best) < loss(0))) return {};
  Calibrator fitted;
  fitted.kind_ = Kind::Temperature;
  fitted.temperature_ = std::exp(best);
  return fitted;
}

double Calibrator::apply(double prediction) const {
  return kind_ == Kind::Linear ? intercept_ + slope_ * prediction : prediction;
}

void Calibrator::apply(std::span<double> probabilities) const {
  if (kind_ != Kind::Temperature) return;
  if (std::ranges::any_of(probabilities, [](double p) { return !std::isfinite(p); }))
    std::ranges::fill(probabilities, std::numeric_limits<double>::quiet_NaN());
  else
    soften(probabilities, temperature_);
}

std::string Calibrator::to_json() const {
  JsonOut out;
  out.put("format", 1);
  switch (kind_) {
    case Kind::Identity:
      out.put("kind", "identity");
      break;
    case Kind::Linear:
      out.put("kind", "linear").put("slope", slope_).put("intercept", intercept_);
      break;
    case Kind::Temperature:
      out.put("kind", "temperature").put("temperature", temperature_);
      break;
  }
  return out.text();
}

Result<Calibrator> Calibrator::from_json(std::string_view json) {
  EL_TRY(JsonIn in, JsonIn::parse(json));
  int format = 0;
  std::string kind;
  Calibrator read;
  in.get("format", format);
  in.get("kind", kind);
  if (kind == "linear") {
    read.kind_ = Kind::Linear;
    in.get("slope", read.slope_);
    in.get("intercept", read.intercept_);
  } else if (kind == "temperature") {
    read.kind_ = Kind::Temperature;
    in.get("temperature", read.temperature_);
  }
  EL_CHECK(in.finish("calibrator"));
  if (format != 1) return fail(Code::BadData, fmt::format("calibrator: format {} is not 1", format));
  if (read.kind_ == Kind::Identity && kind != "identity")
    return fail(Code::BadData, fmt::format("calibrator: kind '{}' is none of identity, linear, temperature", kind));
  if (!std::isfinite(read.slope_) || !std::isfinite(read.intercept_))
    return fail(Code::BadData, fmt::format("calibrator: line {} + {} x is not finite", read.intercept_, read.slope_));
  if (!(read.temperature_ > 0 && std::isfinite(read.temperature_)))
    return fail(Code::BadData, fmt::format("calibrator: temperature {} is not above 0", read.temperature_));
  return read;
}

}  // namespace everlearn
