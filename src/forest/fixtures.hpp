// For the tests of this module: forests small enough to walk by hand.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "forest/tables.hpp"

namespace everlearn {

/// Flags of a numerical node.
inline std::uint8_t node_flags(Missing missing, bool default_left) {
  return static_cast<std::uint8_t>((static_cast<unsigned>(missing) << kMissingShift) |
                                   (default_left ? kDefaultLeft : 0));
}

/// One feature x, one split: -1 where x <= threshold, else 1.
inline ForestTables stump(double threshold, std::uint8_t flags = 0) {
  ForestTables t;
  t.feature_names = {"x"};
  t.leaves_of_tree = {2};
  t.left = {~0};
  t.right = {~1};
  t.feature = {0};
  t.threshold = {threshold};
  t.flags = {flags};
  t.gain = {1.0F};
  t.leaf = {-1.0, 1.0};
  return t;
}

/// One feature x: -1 where its category is 1 or 33, else 1.
inline ForestTables category_stump() {
  ForestTables t = stump(0.0, kCategorical);
  t.set_end = {2};
  t.set_words = {1U << 1, 1U << 1};
  return t;
}

/// Three trees over a, b, c: a node below a node on either side, a constant, and two category sets.
inline ForestTables mixed_forest() {
  ForestTables t;
  t.feature_names = {"a", "b", "c"};
  t.leaves_of_tree = {4, 1, 3};
  //          tree 0           tree 2
  t.left = {1, ~0, ~2, ~5, ~6};
  t.right = {2, ~1, ~3, 4, ~7};
  t.feature = {0, 1, 0, 2, 2};
  t.threshold = {0.5, -1.0, 2.0, 0.0, 1.0};
  t.flags = {node_flags(Missing::Nan, true), node_flags(Missing::None, false), node_flags(Missing::Zero, false),
             kCategorical, kCategorical};
  t.gain = {8.0F, 4.0F, 2.0F, 1.0F, -0.5F};
  t.set_end = {1, 3};
  t.set_words = {0b101, 0, 1};
  t.leaf = {1.0, 2.0, 4.0, 8.0, 0.5, 16.0, 32.0, 64.0};
  return t;
}

/// Puts the true tree_sizes where `model` has "tree_sizes=?".
inline std::string with_tree_sizes(std::string model) {
  std::string sizes;
  const std::size_t end = model.find("nd of trees") - 1;
  for (std::size_t at = model.find("\nTree="); at != std::string::npos && at < end;) {
    const std::size_t next = std::min(model.find("\nTree=", at + 1), end - 1);
    sizes += (sizes.empty() ? "" : " ") + std::to_string(next - at);
    at = next < end - 1 ? next : std::string::npos;
  }
  const std::size_t mark = model.find("tree_sizes=?");
  if (mark != std::string::npos) model.replace(mark + 11, 1, sizes);
  return model;
}

/// What LightGBM 4.7.0 writes for a small regression; tree_sizes=? stands for the sizes.
inline constexpr std::string_view kModelTemplate =
    R"(tree
version=v4
num_class=1
num_tree_per_iteration=1
label_index=0
max_feature_idx=2
objective=regression
feature_names=a b c
feature_infos=[-1.5:2.25] none -1:0:2:7
tree_sizes=?

Tree=0
num_leaves=4
num_cat=1
split_feature=0 2 1
split_gain=10 5.5 8.88178e-16
threshold=inf 0 1.0000000180025095e-35
decision_type=8 1 2
left_child=1 -1 -3
right_child=2 -2 -4
leaf_value=1.5 -2.25 0.10000000000000001 3
leaf_weight=10 20 30 40.5
leaf_count=10 20 30 40
internal_value=0.5 0 1
internal_weight=100 30 70
internal_count=100 30 70
cat_boundaries=0 1
cat_threshold=132
is_linear=0
shrinkage=1


Tree=1
num_leaves=1
num_cat=0
split_feature=
split_gain=
threshold=
decision_type=
left_child=
right_child=
leaf_value=0.25
leaf_weight=0
leaf_count=100
internal_value=
internal_weight=
internal_count=
is_linear=0
shrinkage=1


end of trees

feature_importances:
a=1
c=1

parameters:
[boosting: gbdt]
[linear_tree: 0]

end of parameters
)";

inline std::string small_model() { return with_tree_sizes(std::string{kModelTemplate}); }

}  // namespace everlearn
