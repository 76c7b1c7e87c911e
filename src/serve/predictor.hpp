// A loaded bundle bound to the columns of the running feature bank, or such a bundle with a tune's difference applied.
// Immutable: any thread; no lock, no allocation in predict(). The hot slot is the one place where a model is exchanged;
// a decision sees one whole bundle.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "registry/bundle.hpp"
#include "registry/tune.hpp"

namespace everlearn {

class Predictor {
 public:
  /// Errors: Model if a column the bundle needs is not among `columns` (name@hash), naming it.
  static Result<std::shared_ptr<const Predictor>> bind(Bundle bundle, const std::vector<std::string>& columns);

  /// A base with the difference of a tune applied: the bits of one forest that has both. Errors: Usage if `base` is
  /// tuned already; Model if the tune is of another base or does not fit it.
  static Result<std::shared_ptr<const Predictor>> tuned(const std::shared_ptr<const Predictor>& base, Tune tune);

  const Card& card() const { return bundle_.card; }                   // of the base, where tuned
  const TuneCard* tune() const { return tune_ ? &*tune_ : nullptr; }  // null: not tuned
  const std::string& id() const { return tune_ ? tune_->id : bundle_.card.id; }
  /// What no row that judges it may touch, and the latest moment of it; of a tune, its base's included.
  TrainingIntervals seen() const { return tune_ ? tune_->intervals : bundle_.card.seen(); }
  Timestamp seen_until() const { return tune_ ? tune_->seen_until : bundle_.card.seen_until; }
  int width() const { return width_; }  // outputs: 1, or probabilities of k classes (binary: 2)
  /// `row`: one row of the bank, in the order of `columns`. `out`: width() values after link and calibration.
  /// `scratch`: at least card().columns.size() floats.
  void predict(std::span<const float> row, std::span<float> scratch, std::span<double> out) const;
  /// The same before calibration: what the figures of a calibrator are compared with.
  void predict_uncalibrated(std::span<const float> row, std::span<float> scratch, std::span<double> out) const;
  /// Classes that cannot be ruled out where `acts` acts (the blend; model/conformal.hpp), a bit each; 0 where the
  /// bundle has no prediction sets, or a probability is missing. A tune's are its base's.
  std::uint32_t prediction_set(std::span<const double> acts) const {
    return bundle_.sets ? bundle_.sets->set(acts) : 0;
  }
  const std::optional<ConformalSets>& sets() const { return bundle_.sets; }
  /// Share of the model's features that are known and outside the trained range.
  double outside_share(std::span<const float> row) const;

 private:
  explicit Predictor(Bundle bundle) : bundle_{std::move(bundle)} {}
  Bundle bundle_;                  // with moved leaves or another calibrator where a tune says so
  std::optional<Forest> further_;  // a tune's trees, behind those of the bundle
  std::optional<TuneCard> tune_;
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
