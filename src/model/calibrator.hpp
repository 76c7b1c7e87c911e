// Corrects what a model says systematically too loud or too quiet; fitted on the stop rows, stored in calibrator.json.
//   Linear (regression): intercept + slope * prediction by least squares, slope cut to [0, 1.5], the intercept then
//   refitted. Temperature (classes): probabilities proportional to p^(1/T), T in [0.05, 20] with the least log loss,
//   found by golden
//     section on ln T; probabilities are cut at 1e-15 first. Guo et al. (2017).
//   Isotonic (classes): for each class against the rest the non-decreasing curve of p with the least squared error
//   (pool adjacent violators), then normalised; two classes: one curve, of p(1). Zadrozny and Elkan (2002).
// A value: copied, compared, any thread. Formulas and what they measured: docs/calibration.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace everlearn {

class Calibrator {
 public:
  enum class Kind : std::uint8_t { Identity, Linear, Temperature, Isotonic };

  /// Straight lines between knots, constant beyond the first and the last. Ascending x, non-decreasing y in (0, 1).
  struct Curve {
    std::vector<double> x, y;
    double at(double p) const;
    bool operator==(const Curve&) const = default;
  };

  /// Fewer rows than this are not fitted: identity.
  static constexpr std::size_t kMinRows = 30;
  static constexpr std::size_t kMinIsotonicRows = 200;
  static constexpr std::size_t kMaxKnots = 256;  // of one curve

  Calibrator() = default;  // identity
  /// Rows with a value that is not finite are left out. Identity where predictions do not vary.
  static Calibrator fit_linear(std::span<const double> predictions, std::span<const double> outcomes);
  /// `probabilities`: `classes` values a row; `outcomes`: the class of each row.
  static Calibrator fit_temperature(std::span<const double> probabilities, int classes,
                                    std::span<const double> outcomes);
  /// Identity where curves of one half of the rows (in their order, which is that of time) do not lower the log loss
  /// of the other half, both ways taken together: curves can follow noise, and may not do harm unseen.
  static Calibrator fit_isotonic(std::span<const double> probabilities, int classes, std::span<const double> outcomes);

  Kind kind() const { return kind_; }
  double slope() const { return slope_; }
  double intercept() const { return intercept_; }
  double temperature() const { return temperature_; }
  const std::vector<Curve>& curves() const { return curves_; }  // isotonic: one a class; of two classes, of p(1)

  /// Regression; unchanged by a temperature.
  double apply(double prediction) const;
  /// Classes, in place; unchanged by a line. A NaN stays, and makes all NaN.
  void apply(std::span<double> probabilities) const;

  std::string to_json() const;
  /// Format 2 for isotonic, 1 for the others: older programs read those, and refuse this by name. Errors: BadData.
  static Result<Calibrator> from_json(std::string_view json);
  bool operator==(const Calibrator&) const = default;

 private:
  Kind kind_ = Kind::Identity;
  double slope_ = 1, intercept_ = 0, temperature_ = 1;
  std::vector<Curve> curves_;
};

}  // namespace everlearn
