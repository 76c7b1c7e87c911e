#include "train/leaf_refit.hpp"

#include <LightGBM/c_api.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "core/rng.hpp"
#include "forest/fixtures.hpp"
#include "forest/lightgbm.hpp"

using namespace everlearn;

namespace {

constexpr int kColumns = 6;

struct Data {
  std::vector<float> features;
  std::vector<double> labels;
  int rows() const { return static_cast<int>(labels.size()); }
};

// Features with gaps; the label follows the first column, `shift` moves how.
Data data(int rows, Task task, double shift, std::uint64_t seed) {
  Rng rng{seed};
  Data d;
  for (int i = 0; i < rows; ++i) {
    float first = 0;
    for (int j = 0; j < kColumns; ++j) {
      const auto x = static_cast<float>(rng.uniform() * 2 - 1);
      if (j == 0) first = x;
      d.features.push_back(j > 0 && rng.below(20) == 0 ? std::nanf("") : x);
    }
    const double value = static_cast<double>(first) + shift + 0.4 * (rng.uniform() - 0.5);
    if (task == Task::Regression)
      d.labels.push_back(value);
    else if (task == Task::Binary)
      d.labels.push_back(value > 0 ? 1 : 0);
    else
      d.labels.push_back(value > 0.3 ? 2 : value > -0.3 ? 1 : 0);
  }
  return d;
}

void done(int code) {
  if (code != 0) FAIL(LGBM_GetLastError());
}

// The library, from training to its own refit.
class Oracle {
 public:
  Oracle(Task task, std::string settings) : settings_{std::move(settings)} {
    settings_ += task == Task::Regression ? " objective=regression"
                 : task == Task::Binary   ? " objective=binary"
                                          : " objective=multiclass num_class=3";
    settings_ += " verbosity=-1 num_threads=1 deterministic=true min_data_in_leaf=5 num_leaves=12";
  }
  ~Oracle() {
    for (void* booster : boosters_) LGBM_BoosterFree(booster);
    for (void* set : sets_) LGBM_DatasetFree(set);
  }
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;

  Forest train(const Data& d, int iterations) {
    base_ = booster(d);
    for (int i = 0, finished = 0; i < iterations && finished == 0; ++i)
      done(LGBM_BoosterUpdateOneIter(base_, &finished));
    return forest_of(base_);
  }
  Forest refit(const Data& d) {
    int trees = 0;
    done(LGBM_BoosterNumberOfTotalModel(base_, &trees));
    std::vector<double> leaves(static_cast<std::size_t>(d.rows() * trees));
    std::int64_t got = 0;
    done(LGBM_BoosterPredictForMat(base_, d.features.data(), C_API_DTYPE_FLOAT32, d.rows(), kColumns, 1,
                                   C_API_PREDICT_LEAF_INDEX, 0, -1, "num_threads=1", &got, leaves.data()));
    const std::vector<std::int32_t> whole(leaves.begin(), leaves.end());
    void* refitted = booster(d);
    done(LGBM_BoosterMerge(refitted, base_));
    done(LGBM_BoosterRefit(refitted, whole.data(), d.rows(), trees));
    return forest_of(refitted);
  }

 private:
  void* booster(const Data& d) {
    void* set = nullptr;
    done(LGBM_DatasetCreateFromMat(d.features.data(), C_API_DTYPE_FLOAT32, d.rows(), kColumns, 1, settings_.c_str(),
                                   nullptr, &set));
    sets_.push_back(set);
    const std::vector<float> labels(d.labels.begin(), d.labels.end());
    done(LGBM_DatasetSetField(set, "label", labels.data(), d.rows(), C_API_DTYPE_FLOAT32));
    void* made = nullptr;
    done(LGBM_BoosterCreate(set, settings_.c_str(), &made));
    boosters_.push_back(made);
    return made;
  }
  static Forest forest_of(void* booster) {
    std::string text(8 << 20, '\0');
    std::int64_t length = 0;
    done(
        LGBM_BoosterSaveModelToString(booster, 0, -1, 0, static_cast<std::int64_t>(text.size()), &length, text.data()));
    text.resize(static_cast<std::size_t>(length) - 1);
    return forest_from_lightgbm(text).value();
  }

  std::string settings_;
  void* base_ = nullptr;
  std::vector<void*> boosters_, sets_;
};

std::set<std::uint32_t> reached(const Forest& forest, const Data& d) {
  std::set<std::uint32_t> leaves;
  std::vector<std::uint32_t> of_row(static_cast<std::size_t>(forest.trees()));
  for (int i = 0; i < d.rows(); ++i) {
    forest.leaves(std::span{d.features}.subspan(static_cast<std::size_t>(i * kColumns), kColumns), of_row);
    leaves.insert(of_row.begin(), of_row.end());
  }
  return leaves;
}

}  // namespace

TEST_CASE("leaf refit: leaves with rows get the library's own values") {
  for (const Task task : {Task::Regression, Task::Binary, Task::Multiclass}) {
    for (const auto& [l1, l2, decay] : {std::tuple{0.0, 0.0, 0.9}, {0.5, 2.0, 0.7}, {0.0, 0.0, 0.0}}) {
      Oracle oracle{task,
                    fmt::format("learning_rate=0.1 lambda_l1={} lambda_l2={} refit_decay_rate={}", l1, l2, decay)};
      const Forest base = oracle.train(data(2'000, task, 0, 1), 25);
      const Data fresh = data(300, task, 0.2, 2);
      // Class numbers as floats, values as the library keeps them.
      Data rounded = fresh;
      for (double& label : rounded.labels) label = static_cast<double>(static_cast<float>(label));
      const std::vector<double> ours = refit_leaves(base, rounded.features, rounded.labels, {task, 0.1, l1, l2, decay});
      const Forest refitted = oracle.refit(fresh);
      const std::vector<double>& theirs = refitted.leaf_values();
      REQUIRE(ours.size() == theirs.size());
      const std::set<std::uint32_t> with_rows = reached(base, rounded);
      double worst = 0;
      std::size_t changed = 0;
      for (std::uint32_t leaf = 0; leaf < ours.size(); ++leaf) {
        if (!with_rows.contains(leaf)) {
          CHECK(ours[leaf] == base.leaf_values()[leaf]);  // the library: decay * old
          continue;
        }
        worst = std::max(worst, std::fabs(ours[leaf] - theirs[leaf]) / std::max(1e-3, std::fabs(theirs[leaf])));
        changed += ours[leaf] != base.leaf_values()[leaf] ? 1 : 0;
      }
      CHECK(changed > with_rows.size() / 2);
      CHECK(worst < 1e-12);
      MESSAGE(task_name(task), ": ", with_rows.size(), " of ", ours.size(), " leaves have rows; differs by at most ",
              worst);
    }
  }
}

TEST_CASE("leaf refit: by hand") {
  // One tree of two leaves at -1 and 1; rows of value 3 and 5 right of 0.5, none left of it. The first iteration counts
  // whole: best = -(sum of (0 - y)) / rows = 4.
  const Forest forest = Forest::build(stump(0.5)).value();
  const std::vector<float> features{1.F, 2.F};
  const std::vector<double> labels{3, 5};
  const RefitRules rules{.task = Task::Regression, .learning_rate = 0.1, .decay = 0.75};
  const std::vector<double> values = refit_leaves(forest, features, labels, rules);
  CHECK(values[0] == -1.0);
  CHECK(values[1] == doctest::Approx(0.75 * 1 + 0.25 * 4).epsilon(1e-12));
  // l1 takes 2 of the sum of 8, l2 adds 1 to the two rows.
  const RefitRules both{.task = Task::Regression, .learning_rate = 0.1, .l1 = 2, .l2 = 1, .decay = 0.0};
  CHECK(refit_leaves(forest, features, labels, both)[1] == doctest::Approx(6.0 / 3).epsilon(1e-12));
  const RefitRules stays{.task = Task::Regression, .learning_rate = 0.1, .decay = 1.0};
  CHECK(steps_between(forest.leaf_values(), refit_leaves(forest, features, labels, stays)).empty());
}

TEST_CASE("leaf refit: a leaf whose rows are certain already gives a number") {
  ForestTables twice = stump(0.5);  // the second tree meets gradients and hessians of 0
  twice.link = Link::Logistic;
  twice.leaves_of_tree = {2, 2};
  twice.left = {~0, ~2};
  twice.right = {~1, ~3};
  twice.feature = {0, 0};
  twice.threshold = {0.5, 0.5};
  twice.flags = {0, 0};
  twice.gain = {1.F, 1.F};
  twice.leaf = {-2'000, 2'000, -1, 1};
  const Forest forest = Forest::build(twice).value();
  const std::vector<float> features{0.F, 1.F};
  const std::vector<double> labels{0, 1};
  const RefitRules rules{.task = Task::Binary, .learning_rate = 0.5, .decay = 0.5};
  CHECK(refit_leaves(forest, features, labels, rules)[3] == 0.5);
  CHECK(refit_leaves(forest, features, labels, rules)[2] == -0.5);
}

TEST_CASE("leaf refit: steps are what changed, rounded to float32") {
  const std::vector<double> before{1, 2, 3}, after{1, 2.1, 2.5};
  CHECK(steps_between(before, after) == std::vector<LeafStep>{{1, static_cast<float>(2.1 - 2.0)}, {2, -0.5F}});
}
