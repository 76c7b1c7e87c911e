// Prediction sets for classes with a promised coverage: the set that holds the outcome in at least 1 - alpha of later
// rows, as long as these are like the rows it was fitted on. Split conformal prediction with the score 1 - p(outcome):
// the threshold is the ceil((n + 1) (1 - alpha))-th smallest of the n scores, the set every class with 1 - p <=
// threshold. Vovk et al. (2005), Angelopoulos and Bates (2021). Stored in conformal.json. A value: any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace everlearn {

class ConformalSets {
 public:
  static constexpr int kMaxClasses = 32;  // a set is a mask of 32 bits

  /// `acts`: `classes` probabilities a row, as they act. Rows with one that is not finite or without a class as outcome
  /// are left out. Where alpha asks for more rows than there are, every class is in every set. alpha in (0, 1).
  static ConformalSets fit(std::span<const double> acts, int classes, std::span<const double> outcomes, double alpha);

  /// Bit k: class k. Where no class is likely enough, the likeliest alone (the first of equals): a set is never empty.
  /// 0: unknown, for a probability is not finite.
  std::uint32_t set(std::span<const double> acts) const;

  double alpha() const { return alpha_; }
  double threshold() const { return threshold_; }  // in [0, 1]; 1: every class
  std::int64_t rows() const { return rows_; }      // fitted on

  std::string to_json() const;
  /// Errors: BadData.
  static Result<ConformalSets> from_json(std::string_view json);
  bool operator==(const ConformalSets&) const = default;

 private:
  double alpha_ = 0, threshold_ = 1;
  std::int64_t rows_ = 0;
};

}  // namespace everlearn
