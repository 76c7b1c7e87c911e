#include "forest/compiled.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

namespace everlearn {
namespace {

ForestNode compile(const ForestTables& t, std::size_t at) {
  ForestNode node;
  node.feature = static_cast<std::uint16_t>(t.feature[at]);
  node.child[0] = t.left[at];
  node.child[1] = t.right[at];
  if ((t.flags[at] & kCategorical) != 0) {
    node.kind = ForestNode::Kind::Categorical;
    node.threshold = static_cast<float>(t.threshold[at]);
    return node;
  }
  node.threshold = floor_to_float(t.threshold[at]);
  const bool default_left = (t.flags[at] & kDefaultLeft) != 0;
  switch (static_cast<Missing>(t.flags[at] >> kMissingShift)) {
    case Missing::None:
      node.missing_right = !(0.0 <= t.threshold[at]);
      break;
    case Missing::Zero:
      node.kind = ForestNode::Kind::ZeroIsMissing;
      node.missing_right = !default_left;
      break;
    case Missing::Nan:
      node.missing_right = !default_left;
      break;
  }
  return node;
}

}  // namespace

float floor_to_float(double t) {
  constexpr float kMax = std::numeric_limits<float>::max();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (t >= static_cast<double>(kMax)) return std::isinf(t) ? kInfinity : kMax;
  if (t < -static_cast<double>(kMax)) return -kInfinity;
  const auto nearest = static_cast<float>(t);
  return static_cast<double>(nearest) <= t ? nearest : std::nextafter(nearest, -kInfinity);
}

CompiledForest::CompiledForest(ForestTables verified) : tables{std::move(verified)} {
  nodes.reserve(tables.left.size());
  for (std::size_t i = 0; i < tables.left.size(); ++i) nodes.push_back(compile(tables, i));

  trees.reserve(tables.leaves_of_tree.size());
  std::size_t node = 0;
  std::size_t leaf = 0;
  for (const std::uint32_t leaves : tables.leaves_of_tree) {
    ForestTree tree;
    tree.root = leaves > 1 ? static_cast<std::int32_t>(node) : ~static_cast<std::int32_t>(leaf);
    for (const std::size_t end = node + leaves - 1; node < end; ++node)
      tree.plain = tree.plain && nodes[node].kind == ForestNode::Kind::Plain;
    leaf += leaves;
    trees.push_back(tree);
  }
}

}  // namespace everlearn
