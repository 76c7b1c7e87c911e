#include "model/calibrator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/assert.hpp"
#include "core/json.hpp"
#include "model/isotonic.hpp"

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

/// Rows whose probabilities are finite and whose outcome is a class.
std::vector<std::size_t> usable_rows(std::span<const double> probabilities, int classes,
                                     std::span<const double> outcomes) {
  const auto width = static_cast<std::size_t>(classes);
  EL_ASSERT(classes >= 2 && probabilities.size() == outcomes.size() * width, "one probability a class and row");
  std::vector<std::size_t> usable;
  for (std::size_t row = 0; row < outcomes.size(); ++row) {
    const auto p = probabilities.subspan(row * width, width);
    const bool finite = std::ranges::all_of(p, [](double x) { return std::isfinite(x); });
    if (finite && outcomes[row] >= 0 && outcomes[row] < classes) usable.push_back(row);
  }
  return usable;
}

std::vector<Calibrator::Curve> isotonic_curves(std::span<const double> probabilities, std::size_t width,
                                               std::span<const double> outcomes, std::span<const std::size_t> rows) {
  std::vector<Calibrator::Curve> curves;
  std::vector<double> x(rows.size()), y(rows.size());
  for (std::size_t c = width == 2 ? 1 : 0; c < width; ++c) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      x[i] = probabilities[rows[i] * width + c];
      y[i] = static_cast<std::size_t>(outcomes[rows[i]]) == c ? 1 : 0;
    }
    // Both ends of a block are knots, so that every fitted row gets its block's value.
    Calibrator::Curve curve;
    for (const IsotonicBlock& block : isotonic_shares(x, y, Calibrator::kMaxKnots / 2)) {
      curve.x.push_back(block.low);
      curve.y.push_back(block.value);
      if (block.high == block.low) continue;
      curve.x.push_back(block.high);
      curve.y.push_back(block.value);
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

void follow(const std::vector<Calibrator::Curve>& curves, std::span<double> p) {
  if (p.size() == 2) {
    p[1] = curves.front().at(p[1]);
    p[0] = 1 - p[1];
    return;
  }
  double sum = 0;
  for (std::size_t c = 0; c < p.size(); ++c) {
    p[c] = curves[c].at(p[c]);
    sum += p[c];
  }
  for (double& x : p) x /= sum;
}

double loss_of(std::span<const double> p, double outcome) {
  return -std::log(std::max(p[static_cast<std::size_t>(outcome)], kLeastProbability));
}

Result<void> check_curve(const Calibrator::Curve& curve) {
  const auto& [x, y] = curve;
  if (x.empty() || x.size() != y.size() || x.size() > Calibrator::kMaxKnots)
    return fail(Code::BadData, fmt::format("calibrator: a curve of {} places and {} values, 1 to {} of each wanted",
                                           x.size(), y.size(), Calibrator::kMaxKnots));
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!(std::isfinite(x[i]) && y[i] > 0 && y[i] < 1))
      return fail(Code::BadData,
                  fmt::format("calibrator: knot {} at {} with value {} is not in (0, 1)", i, x[i], y[i]));
    if (i > 0 && !(x[i] > x[i - 1] && y[i] >= y[i - 1]))
      return fail(Code::BadData, fmt::format("calibrator: knot {} at {} with value {} does not follow {} with value {}",
                                             i, x[i], y[i], x[i - 1], y[i - 1]));
  }
  return {};
}

}  // namespace

double Calibrator::Curve::at(double p) const {
  const auto above = std::ranges::upper_bound(x, p);
  if (above == x.begin()) return y.front();
  if (above == x.end()) return y.back();
  const auto i = static_cast<std::size_t>(above - x.begin());
  const double share = (p - x[i - 1]) / (x[i] - x[i - 1]);
  return y[i - 1] + share * (y[i] - y[i - 1]);
}

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
  const std::vector<std::size_t> usable = usable_rows(probabilities, classes, outcomes);
  if (usable.size() < kMinRows) return {};
  std::vector<double> p(width);
  const auto loss = [&](double log_temperature) {
    double sum = 0;
    for (const std::size_t row : usable) {
      std::ranges::copy(probabilities.subspan(row * width, width), p.begin());
      soften(p, std::exp(log_temperature));
      sum += loss_of(p, outcomes[row]);
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

Calibrator Calibrator::fit_isotonic(std::span<const double> probabilities, int classes,
                                    std::span<const double> outcomes) {
  const auto width = static_cast<std::size_t>(classes);
  const std::vector<std::size_t> usable = usable_rows(probabilities, classes, outcomes);
  if (usable.size() < kMinIsotonicRows) return {};
  const std::span all{usable};
  const auto earlier = all.first(all.size() / 2), later = all.subspan(all.size() / 2);
  double said = 0, curved = 0;
  std::vector<double> p(width);
  for (const auto& [fit, judge] : {std::pair{earlier, later}, std::pair{later, earlier}}) {
    const std::vector<Curve> curves = isotonic_curves(probabilities, width, outcomes, fit);
    for (const std::size_t row : judge) {
      std::ranges::copy(probabilities.subspan(row * width, width), p.begin());
      said += loss_of(p, outcomes[row]);
      follow(curves, p);
      curved += loss_of(p, outcomes[row]);
    }
  }
  if (!(curved < said)) return {};
  Calibrator fitted;
  fitted.kind_ = Kind::Isotonic;
  fitted.curves_ = isotonic_curves(probabilities, width, outcomes, all);
  return fitted;
}

double Calibrator::apply(double prediction) const {
  return kind_ == Kind::Linear ? intercept_ + slope_ * prediction : prediction;
}

void Calibrator::apply(std::span<double> probabilities) const {
  if (kind_ != Kind::Temperature && kind_ != Kind::Isotonic) return;
  if (std::ranges::any_of(probabilities, [](double p) { return !std::isfinite(p); })) {
    std::ranges::fill(probabilities, std::numeric_limits<double>::quiet_NaN());
    return;
  }
  if (kind_ == Kind::Temperature) return soften(probabilities, temperature_);
  EL_ASSERT(curves_.size() == (probabilities.size() == 2 ? 1 : probabilities.size()), "a curve a class");
  follow(curves_, probabilities);
}

std::string Calibrator::to_json() const {
  JsonOut out;
  out.put("format", kind_ == Kind::Isotonic ? 2 : 1);
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
    case Kind::Isotonic: {
      std::vector<std::string> curves;
      for (const Curve& curve : curves_) curves.push_back(JsonOut{}.put("x", curve.x).put("y", curve.y).text());
      out.put("kind", "isotonic").put_list("curves", curves);
      break;
    }
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
  } else if (kind == "isotonic") {
    read.kind_ = Kind::Isotonic;
    for (const std::string& text : in.list("curves")) {
      EL_TRY(JsonIn curve, JsonIn::parse(text));
      curve.get("x", read.curves_.emplace_back().x);
      curve.get("y", read.curves_.back().y);
      EL_CHECK(curve.finish("calibrator: curve"));
      EL_CHECK(check_curve(read.curves_.back()));
    }
  }
  EL_CHECK(in.finish("calibrator"));
  if (format != 1 && format != 2)
    return fail(Code::BadData, fmt::format("calibrator: format {} is none of 1, 2", format));
  if (read.kind_ == Kind::Identity && kind != "identity")
    return fail(Code::BadData,
                fmt::format("calibrator: kind '{}' is none of identity, linear, temperature, isotonic", kind));
  // Of two classes one curve, of more one each: two curves fit nothing.
  if (read.kind_ == Kind::Isotonic && (read.curves_.empty() || read.curves_.size() == 2))
    return fail(Code::BadData, fmt::format("calibrator: {} curves are those of no classes", read.curves_.size()));
  if (!std::isfinite(read.slope_) || !std::isfinite(read.intercept_))
    return fail(Code::BadData, fmt::format("calibrator: line {} + {} x is not finite", read.intercept_, read.slope_));
  if (!(read.temperature_ > 0 && std::isfinite(read.temperature_)))
    return fail(Code::BadData, fmt::format("calibrator: temperature {} is not above 0", read.temperature_));
  return read;
}

}  // namespace everlearn
