// What a forest consists of, as flat arrays in the order of forest.bin. Converters fill it, Forest::build() verifies
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "forest/forest.hpp"

namespace everlearn {

/// Bits of a node's flags. The missing type says what NaN means at this node.
inline constexpr std::uint8_t kCategorical = 1;  // decided by a set of categories, not by a threshold
inline constexpr std::uint8_t kDefaultLeft = 2;  // where a missing value goes
inline constexpr std::uint8_t kMissingShift = 2;
enum class Missing : std::uint8_t {
  None = 0,  // NaN is 0.0
  Zero = 1,  // NaN and |x| <= kZeroThreshold are missing
  Nan = 2,   // NaN is missing
};

/// LightGBM's zero: a float constant, used as a double.
inline constexpr double kZeroThreshold = static_cast<double>(1e-35f);

/// Limits of one forest, so that no file makes us allocate or walk without bound.
inline constexpr std::uint32_t kMaxFeatures = 65'536;
inline constexpr std::uint32_t kMaxOutputs = 1'024;
inline constexpr std::uint32_t kMaxTrees = 100'000;
inline constexpr std::uint32_t kMaxNodes = 1u << 24;
inline constexpr std::uint32_t kMaxWords = 1u << 24;
inline constexpr std::uint32_t kMaxNameBytes = 256;
inline constexpr int kMaxDepth = 64;  // decisions on the way to a leaf

/// Tree t adds to output t % outputs. A tree with L leaves has L - 1 nodes; both stand behind those of the tree before
/// it. A child >= 0 is a node, a child < 0 is the leaf ~child, both counted through the whole forest.
struct ForestTables {
  Link link = Link::Identity;
  bool averaged = false;
  double sigmoid = 1.0;  // the factor of Link::Logistic; 1 elsewhere
  std::uint32_t outputs = 1;
  std::vector<std::string> feature_names;

  std::vector<std::uint32_t> leaves_of_tree;

  // per node
  std::vector<std::int32_t> left;
  std::vector<std::int32_t> right;
  std::vector<std::int32_t> feature;
  std::vector<double> threshold;  // left when x <= threshold; of a categorical node, the number of its set
  std::vector<std::uint8_t> flags;
  std::vector<float> gain;

  // Sets of categories, as bits: category c goes left when bit c % 32 of word c / 32 is 1. Set i ends before word
  // set_end[i]; the i-th categorical node owns set i.
  std::vector<std::uint32_t> set_end;
  std::vector<std::uint32_t> set_words;

  std::vector<double> leaf;  // per leaf
};

/// The index of the leaf that a child < 0 stands for.
inline std::size_t leaf_index(std::int32_t child) {
  const std::int32_t leaf = ~child;
  return static_cast<std::size_t>(leaf);
}

/// Everything the evaluator relies on: sizes agree and keep the limits, children stand behind their parent inside its
/// tree, every node and leaf hangs on exactly one parent, depths, features, sets and flags are in range, leaves and
/// gains are finite, thresholds are numbers (an infinite one is legal: LightGBM writes it where only "missing" splits).
/// Errors: Model, naming the tree and the node.
Result<void> verify(const ForestTables& tables);

}  // namespace everlearn
