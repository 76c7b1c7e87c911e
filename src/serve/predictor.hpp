// A loaded bundle bound to the columns of the running feature bank. Immutable: any thread; no lock, no allocation in
// predict(). The hot slot is the one place where a model is exchanged; a decision sees one whole bundle.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "registry/bundle.hpp"

namespace everlearn {

class Predictor {
 public:
  /// Errors: Model if a column the bundle needs is not among `columns` (name@hash), naming it.
  static Result<std::shared_ptr<const Predictor>> bind(Bundle bundle, const std::vector<std::string>& columns);

  const Card& card() const { return bundle_.card; }
  int width() const { return width_; }  // outputs: 1, or probabilities of k classes (binary: 2)
  /// `row`: one row of the bank, in the order of `columns`. `out`: width() values after link and calibration.
  /// `scratch`: at least card().columns.size() floats.
  void predict(std::span<const float> row, std::span<float> scratch, std::span<double> out) const;
  /// Share of the model's features that are known and outside the trained range.
  double outside_share(std::span<const float> row) const;

 private:
  explicit Predictor(Bundle bundle) : bundle_{std::move(bundle)} {}
  Bundle bundle_;
  std::vector<std::uint32_t> source_;  // model column -> bank column
  int width_ = 1;
};

/// Lock and data in one. The trainer side swaps, the decision thread copies.
class HotSlot {
 public:
  std::shared_ptr<const Predictor> get() const {
    const std::lock_guard lock{mutex_};
    return live_;
  }
  void swap(std::shared_ptr<const Predictor> next) {
    const std::lock_guard lock{mutex_};
    live_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Predictor> live_;
};

}  // namespace everlearn
