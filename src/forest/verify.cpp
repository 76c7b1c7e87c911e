#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "forest/tables.hpp"

namespace everlearn {
namespace {

Result<void> verify_header(const ForestTables& t) {
  if (t.outputs < 1 || t.outputs > kMaxOutputs)
    return fail(Code::Model, fmt::format("{} outputs, limits 1 and {}", t.outputs, kMaxOutputs));
  switch (t.link) {
    case Link::Identity:
    case Link::Logistic:
      if (t.outputs != 1) return fail(Code::Model, fmt::format("{} outputs, this link has 1", t.outputs));
      break;
    case Link::Softmax:
      if (t.outputs < 2) return fail(Code::Model, "1 output, softmax needs 2 or more");
      break;
    default:
      return fail(Code::Model, fmt::format("unknown link {}", static_cast<int>(t.link)));
  }
  if (!std::isfinite(t.sigmoid) || t.sigmoid <= 0.0)
    return fail(Code::Model, fmt::format("sigmoid factor {} is not above 0", t.sigmoid));
  if (t.link != Link::Logistic && t.sigmoid != 1.0)
    return fail(Code::Model, fmt::format("sigmoid factor {} without a logistic link", t.sigmoid));

  if (t.feature_names.empty() || t.feature_names.size() > kMaxFeatures)
    return fail(Code::Model, fmt::format("{} features, limits 1 and {}", t.feature_names.size(), kMaxFeatures));
  for (std::size_t i = 0; i < t.feature_names.size(); ++i) {
    const std::string& name = t.feature_names[i];
    if (name.empty() || name.size() > kMaxNameBytes)
      return fail(Code::Model,
                  fmt::format("name of feature {}: {} bytes, limits 1 and {}", i, name.size(), kMaxNameBytes));
    for (const char c : name)
      if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f)
        return fail(Code::Model, fmt::format("name of feature {} contains a space or a control character", i));
  }
  return {};
}

Result<void> verify_sizes(const ForestTables& t) {
  const std::size_t trees = t.leaves_of_tree.size();
  if (trees == 0 || trees > kMaxTrees)
    return fail(Code::Model, fmt::format("{} trees, limits 1 and {}", trees, kMaxTrees));
  if (trees % t.outputs != 0)
    return fail(Code::Model, fmt::format("{} trees do not divide among {} outputs", trees, t.outputs));

  std::uint64_t leaves = 0;
  for (std::size_t i = 0; i < trees; ++i) {
    if (t.leaves_of_tree[i] == 0) return fail(Code::Model, fmt::format("tree {} has no leaf", i));
    leaves += t.leaves_of_tree[i];
  }
  const std::uint64_t nodes = leaves - trees;
  if (nodes > kMaxNodes) return fail(Code::Model, fmt::format("{} nodes, limit {}", nodes, kMaxNodes));
  if (t.leaf.size() != leaves)
    return fail(Code::Model, fmt::format("{} leaf values for {} leaves", t.leaf.size(), leaves));
  const auto check = [&](std::size_t size, const char* what) -> Result<void> {
    if (size != nodes) return fail(Code::Model, fmt::format("{} values of {} for {} nodes", size, what, nodes));
    return {};
  };
  EL_CHECK(check(t.left.size(), "left"));
  EL_CHECK(check(t.right.size(), "right"));
  EL_CHECK(check(t.feature.size(), "feature"));
  EL_CHECK(check(t.threshold.size(), "threshold"));
  EL_CHECK(check(t.flags.size(), "flags"));
  EL_CHECK(check(t.gain.size(), "gain"));

  if (t.set_words.size() > kMaxWords)
    return fail(Code::Model, fmt::format("{} words of category sets, limit {}", t.set_words.size(), kMaxWords));
  std::uint32_t end = 0;
  for (std::size_t i = 0; i < t.set_end.size(); ++i) {
    if (t.set_end[i] <= end) return fail(Code::Model, fmt::format("category set {} is empty", i));
    end = t.set_end[i];
  }
  if (end != t.set_words.size())
    return fail(Code::Model, fmt::format("category sets end at word {} of {}", end, t.set_words.size()));
  return {};
}

Result<void> verify_node(const ForestTables& t, std::size_t tree, std::size_t node, std::uint32_t& sets) {
  const auto refuse = [&](const std::string& why) {
    return fail(Code::Model, fmt::format("tree {}, node {}: {}", tree, node, why));
  };
  if (t.feature[node] < 0 || static_cast<std::size_t>(t.feature[node]) >= t.feature_names.size())
    return refuse(fmt::format("feature {} of {}", t.feature[node], t.feature_names.size()));
  if (!std::isfinite(t.gain[node])) return refuse("gain is not finite");

  const std::uint8_t flags = t.flags[node];
  if ((flags & kCategorical) != 0) {
    if (flags != kCategorical) return refuse(fmt::format("flags {} of a categorical node", flags));
    if (sets >= t.set_end.size() || t.threshold[node] != static_cast<double>(sets))
      return refuse(fmt::format("category set {}, wanted {} of {}", t.threshold[node], sets, t.set_end.size()));
    ++sets;
    return {};
  }
  if ((flags >> kMissingShift) > static_cast<std::uint8_t>(Missing::Nan)) return refuse(fmt::format("flags {}", flags));
  if (std::isnan(t.threshold[node])) return refuse("threshold is not a number");
  return {};
}

// Children lie behind their parent, so one pass upwards sees every parent before its children: a child that has a depth
// already has two parents, and a node without one when its turn comes has none.
Result<void> verify_shape(const ForestTables& t) {
  constexpr std::uint8_t kUnseen = 255;
  static_assert(kMaxDepth < kUnseen);
  std::vector<std::uint8_t> node_depth(t.left.size(), kUnseen);
  std::vector<std::uint8_t> leaf_seen(t.leaf.size(), 0);
  std::uint32_t sets = 0;
  std::size_t first_node = 0;
  std::size_t first_leaf = 0;
  for (std::size_t tree = 0; tree < t.leaves_of_tree.size(); ++tree) {
    const std::size_t end_leaf = first_leaf + t.leaves_of_tree[tree];
    const std::size_t end_node = first_node + t.leaves_of_tree[tree] - 1;
    if (end_node > first_node) node_depth[first_node] = 0;

    for (std::size_t node = first_node; node < end_node; ++node) {
      EL_CHECK(verify_node(t, tree, node, sets));
      if (node_depth[node] == kUnseen) return fail(Code::Model, fmt::format("tree {}, node {}: no parent", tree, node));
      const int depth = node_depth[node] + 1;
      if (depth > kMaxDepth)
        return fail(Code::Model, fmt::format("tree {}, node {}: deeper than {} decisions", tree, node, kMaxDepth));
      for (const std::int32_t child : {t.left[node], t.right[node]}) {
        const auto refuse = [&](const char* why) {
          return fail(Code::Model, fmt::format("tree {}, node {}: child {} {}", tree, node, child, why));
        };
        if (child >= 0) {
          const auto at = static_cast<std::size_t>(child);
          if (at <= node || at >= end_node) return refuse("does not stand behind its parent in its tree");
          if (node_depth[at] != kUnseen) return refuse("has two parents");
          node_depth[at] = static_cast<std::uint8_t>(depth);
        } else {
          const auto at = leaf_index(child);
          if (at < first_leaf || at >= end_leaf) return refuse("is no leaf of this tree");
          if (leaf_seen[at] != 0) return refuse("has two parents");
          leaf_seen[at] = 1;
        }
      }
    }
    // L - 1 nodes with two different children each, less the root, reach L leaves: none can be left over. The values:
    for (std::size_t leaf = first_leaf; leaf < end_leaf; ++leaf)
      if (!std::isfinite(t.leaf[leaf]))
        return fail(Code::Model, fmt::format("tree {}: leaf {} is not finite", tree, leaf - first_leaf));
    first_node = end_node;
    first_leaf = end_leaf;
  }
  if (sets != t.set_end.size())
    return fail(Code::Model, fmt::format("{} category sets for {} categorical nodes", t.set_end.size(), sets));
  return {};
}

}  // namespace

Result<void> verify(const ForestTables& tables) {
  EL_CHECK(verify_header(tables));
  EL_CHECK(verify_sizes(tables));
  return verify_shape(tables);
}

}  // namespace everlearn
