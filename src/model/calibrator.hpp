// Corrects what a model says systematically too loud or too quiet; fitted on the stop rows, stored in calibrator.json.
//   Linear (regression): intercept + slope * prediction by least squares, slope cut to [0, 1.5], the intercept then
//   refitted. Temperature (classes): probabilities proportional to p^(1/T), T in [0.05, 20] with the least log loss,
//   found by golden
//     section on ln T; probabilities are cut at 1e-15 first. Guo et al. (2017).
// A value: copied, compared, any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace everlearn {

class Calibrator {
 public:
  enum class Kind : std::uint8_t { Identity, Linear, Temperature };

  /// Fewer rows than this are not fitted: identity.
  static constexpr std::size_t kMinRows = 30;

  Calibrator() = default;  // identity
  /// Rows with a value that is not finite are left out. Identity where predictions do not vary.
  static Calibrator fit_linear(std::span<const double> predictions, std::span<const double> outcomes);
  /// `probabilities`: `classes` values a row; `outcomes`: the class of each row.
  static Calibrator fit_temperature(std::span<const double> probabilities, int classes,
                                    std::span<const double> outcomes);

  Kind kind() const { return kind_; }
  double slope() const { return slope_; }
  double intercept() const { return intercept_; }
  double temperature() const { return temperature_; }

  /// Regression; unchanged by a temperature.
  double apply(double prediction) const;
  /// Classes, in place; unchanged by a line. A NaN stays, and makes all NaN.
  void apply(std::span<double> probabilities) const;

  std::string to_json() const;
  /// Errors: BadData.
  static Result<Calibrator> from_json(std::string_view json);
  bool operator==(const Calibrator&) const = default;

 private:
  Kind kind_ = Kind::Identity;
  double slope_ = 1, intercept_ = 0, temperature_ = 1;
};

}  // namespace everlearn
