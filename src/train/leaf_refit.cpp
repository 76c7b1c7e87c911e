#include "train/leaf_refit.hpp"

#include <algorithm>
#include <cmath>

#include "core/assert.hpp"

namespace everlearn {
namespace {

constexpr double kNoHessian = static_cast<double>(1e-15F);

// Of the loss with respect to the score, rows x outputs.
struct Slopes {
  std::vector<float> gradient, hessian;

  explicit Slopes(std::size_t size) : gradient(size), hessian(size) {}
  void set(std::size_t at, double g, double h) {
    gradient[at] = static_cast<float>(g);
    hessian[at] = static_cast<float>(h);
  }
};

void take_slopes(Task task, std::span<const double> scores, std::span<const double> labels, std::size_t outputs,
                 Slopes& slopes) {
  std::vector<double> p(outputs);
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto score = scores.subspan(row * outputs, outputs);
    switch (task) {
      case Task::Regression:
        slopes.set(row, score[0] - labels[row], 1);
        break;
      case Task::Binary: {
        const double sign = labels[row] > 0 ? 1 : -1;
        const double response = -sign / (1 + std::exp(sign * score[0]));
        slopes.set(row, response, std::fabs(response) * (1 - std::fabs(response)));
        break;
      }
      case Task::Multiclass: {
        const double factor = static_cast<double>(outputs) / (static_cast<double>(outputs) - 1);
        const double top = *std::max_element(score.begin(), score.end());
        double sum = 0;
        for (std::size_t k = 0; k < outputs; ++k) sum += p[k] = std::exp(score[k] - top);
        for (std::size_t k = 0; k < outputs; ++k) {
          p[k] /= sum;
          const double hit = static_cast<std::size_t>(labels[row]) == k ? 1 : 0;
          slopes.set(row * outputs + k, p[k] - hit, factor * p[k] * (1 - p[k]));
        }
        break;
      }
    }
  }
}

double soft(double sum, double l1) { return std::copysign(std::max(0.0, std::fabs(sum) - l1), sum); }

struct LeafSums {
  double gradient = 0, hessian = kNoHessian;
  bool any = false;
};

}  // namespace

std::vector<double> refit_leaves(const Forest& forest, std::span<const float> features, std::span<const double> labels,
                                 const RefitRules& rules) {
  EL_ASSERT(!forest.averaged(), "refit: the trees of an averaged forest do not correct one another");
  const auto outputs = static_cast<std::size_t>(forest.outputs()), trees = static_cast<std::size_t>(forest.trees());
  const auto width = static_cast<std::size_t>(forest.features());
  const std::span<const std::uint32_t> sizes = forest.leaves_of_tree();
  std::vector<std::uint32_t> leaves(labels.size() * trees);
  for (std::size_t row = 0; row < labels.size(); ++row)
    forest.leaves(features.subspan(row * width, width), std::span{leaves}.subspan(row * trees, trees));

  std::vector<double> values = forest.leaf_values();
  std::vector<double> scores(labels.size() * outputs, 0.0);
  Slopes slopes{scores.size()};
  std::vector<LeafSums> sums;
  std::size_t first_leaf = 0;
  for (std::size_t tree = 0; tree < trees; first_leaf += sizes[tree++]) {
    const std::size_t output = tree % outputs;
    if (output == 0) take_slopes(rules.task, scores, labels, outputs, slopes);
    const bool first_iteration = tree < outputs;
    if (sizes[tree] > 1 || first_iteration) {
      sums.assign(sizes[tree], {});
      for (std::size_t row = 0; row < labels.size(); ++row) {
        LeafSums& leaf = sums[leaves[row * trees + tree] - first_leaf];
        leaf.gradient += static_cast<double>(slopes.gradient[row * outputs + output]);
        leaf.hessian += static_cast<double>(slopes.hessian[row * outputs + output]);
        leaf.any = true;
      }
      const double shrinkage = first_iteration ? 1 : rules.learning_rate;
      for (std::size_t i = 0; i < sums.size(); ++i) {
        if (!sums[i].any) continue;
        const double best = -soft(sums[i].gradient, rules.l1) / (sums[i].hessian + rules.l2);
        double& value = values[first_leaf + i];
        value = rules.decay * value + (1 - rules.decay) * (best * shrinkage);
      }
    }
    for (std::size_t row = 0; row < labels.size(); ++row)
      scores[row * outputs + output] += values[leaves[row * trees + tree]];
  }
  return values;
}

std::vector<LeafStep> steps_between(std::span<const double> before, std::span<const double> after) {
  EL_ASSERT(before.size() == after.size(), "a value a leaf, before and after");
  std::vector<LeafStep> steps;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const auto step = static_cast<float>(after[i] - before[i]);
    if (step != 0) steps.push_back({static_cast<std::uint32_t>(i), step});
  }
  return steps;
}

}  // namespace everlearn
