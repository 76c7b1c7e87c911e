// Several archived models of one target that speak as one: the mean of what they say, weighted by how much less each
// one's loss was than the baseline's on the rows that judged it. The champion is always among the candidates; a model
// that gained nothing over the baseline has no weight.
//
// How the loop uses it, per target, where the profile says `ensemble.use`:
//   after each change of champion, and when expires_at() has passed:
//     for (id : ensemble_candidates(registry, target, size))  load_bundle, Predictor::bind; what cannot be loaded or
//     has
//                                                             expired is left out, the champion must be there
//     Ensemble::make(predictors)
//   each decision: the ensemble's predict(); where that is not finite, the champion, and on down the ladder as without.
// Immutable: any thread; no lock, no allocation in predict() for up to kMaxOutputs values.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "registry/registry.hpp"
#include "serve/predictor.hpp"

namespace everlearn {

/// Models that may be members: the champion, then those before it, latest first, as far as their files are there.
/// Never one that was refused or rolled back. At most `size`; empty without a champion whose files are there.
std::vector<std::string> ensemble_candidates(const Registry& registry, const std::string& target, std::size_t size);

/// The share of the baseline's mean loss that a model saved on the rows that judged it, as its card says (the check
/// "gain_over_baseline"); 0 where it saved nothing, or where its card does not say.
double validation_gain(const Card& card);

class Ensemble {
 public:
  static constexpr std::size_t kMaxOutputs = 16;

  struct Member {
    std::shared_ptr<const Predictor> predictor;
    double weight = 0;  // all together 1
  };

  /// `models`: the champion first, bound to the same columns. Weights are in proportion to validation_gain(); a model
  /// without any is no member. None has one: the champion alone. Errors: Usage without a model, for the same one twice,
  /// for more than kMaxOutputs values; Model unless all are of one target, task and number of classes.
  static Result<std::shared_ptr<const Ensemble>> make(const std::vector<std::shared_ptr<const Predictor>>& models);

  const std::vector<Member>& members() const { return members_; }  // in the order of `models`
  /// SHA-256 (hex) over the members' ids and weights; of a single member its own id.
  const std::string& id() const { return id_; }
  int width() const { return members_.front().predictor->width(); }
  /// When the first of its members acts no longer: then it is made again from the others.
  Timestamp expires_at() const;
  /// What no row that judges it may touch: what any of its members has seen.
  TrainingIntervals seen() const;
  Timestamp seen_until() const;

  /// Like Predictor::predict(): the weighted mean of what the members say after link and calibration. `scratch`: as
  /// many floats as the widest member has columns. A member that says nothing finite makes all of it NaN.
  void predict(std::span<const float> row, std::span<float> scratch, std::span<double> out) const;
  /// The weighted mean of the members' shares.
  double outside_share(std::span<const float> row) const;
  /// "5 models: 3f2a91c0 0.41, ...", for people.
  std::string text() const;

 private:
  explicit Ensemble(std::vector<Member> members);
  std::vector<Member> members_;
  std::string id_;
};

}  // namespace everlearn
