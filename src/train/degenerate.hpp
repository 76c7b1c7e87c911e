// Libraries train without complaint on data that can teach nothing (a constant label, NaN labels, one class, label 2 of
// a binary task). We refuse it by name before they see it.
#pragma once

#include <string>
#include <vector>

#include "learn/train_job.hpp"
#include "train/row_selection.hpp"

namespace everlearn {

/// The name of what makes the selection unfit, empty if it is fit: "too few ...", "constant label", "non-finite label",
/// "one class", "class out of range". `effective`: non-overlapping label windows of the fit rows.
std::string degenerate_labels(const TrainJob& job, const RowSelection& selection, std::int64_t effective);

/// Watches features pass: which are constant or always missing among the fit rows, and whether one is infinite.
class FeatureWatch {
 public:
  explicit FeatureWatch(std::size_t columns) : seen_(columns) {}
  void add(std::span<const float> row);
  std::vector<std::string> dead(const std::vector<std::string>& columns) const;
  /// The first column with an infinite value, empty if none.
  std::string infinite(const std::vector<std::string>& columns) const;

 private:
  struct Seen {
    bool any = false, varies = false, infinite = false, missing = false;
    float first = 0;
  };
  std::vector<Seen> seen_;
};

}  // namespace everlearn
