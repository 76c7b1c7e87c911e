// Refits a forest's leaf values to new rows and leaves its trees as they are: LightGBM's refit, in double, one tree
// after another, always the same bits.
//
// Of each tree in order, with the gradients g and hessians h of the loss at the running score of its iteration:
//   new = decay * old + (1 - decay) * shrinkage * -soft(sum g, l1) / (sum h + l2)
// where the sums run over the leaf's rows and soft() moves a sum towards 0 by l1. The running score then takes the new
// values. Shrinkage is the learning rate, and 1 in the first iteration: LightGBM adds the average to those trees and
// counts them whole. As LightGBM keeps them, gradients and hessians are rounded to float32 and a sum of hessians begins
// at 1e-15. Two things differ: a leaf without rows keeps its value (LightGBM lets it shrink by decay), and so does a
// tree of one leaf behind the first iteration, which decides nothing.
#pragma once

#include <span>
#include <vector>

#include "forest/forest.hpp"
#include "learn/train_job.hpp"

namespace everlearn {

struct RefitRules {
  Task task = Task::Regression;
  double learning_rate = 0.05;  // of the base
  double l1 = 0, l2 = 0;        // of the base
  double decay = 0.9;
};

/// `features`: one row per label, row-major, in the forest's columns; `labels`: values, or class numbers. Returns the
/// value of every leaf. The forest must not be averaged.
std::vector<double> refit_leaves(const Forest& forest, std::span<const float> features, std::span<const double> labels,
                                 const RefitRules& rules);

/// The leaves whose value changed, as steps of float32: rounded by 6e-8 of a step, in half the room.
std::vector<LeafStep> steps_between(std::span<const double> before, std::span<const double> after);

}  // namespace everlearn
