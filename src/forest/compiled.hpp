// Inside the module: what raw() walks. Built from verified tables, so that the walk needs no check.
#pragma once

#include <cstdint>
#include <vector>

#include "forest/forest.hpp"
#include "forest/tables.hpp"

namespace everlearn {

/// 16 bytes, so four nodes share a cache line.
///
/// Rows are float32, so a double threshold can be narrowed without changing one decision: x <= t holds for exactly the
/// floats x <= the largest float that is <= t. What a missing value does is one precomputed bit.
struct ForestNode {
  float threshold = 0.0F;  // of a categorical node, the number of its set (exact: sets are fewer than 2^24)
  std::uint16_t feature = 0;
  bool missing_right = false;
  enum class Kind : std::uint8_t { Plain, ZeroIsMissing, Categorical } kind = Kind::Plain;
  std::int32_t child[2] = {0, 0};  // left, right; < 0 is the leaf ~child
};
static_assert(sizeof(ForestNode) == 16);
static_assert(kMaxFeatures <= 65'536 && kMaxNodes <= (1u << 24));

struct ForestTree {
  std::int32_t root = 0;  // < 0: a tree of one leaf
  bool plain = true;      // no node but Kind::Plain
};

struct CompiledForest {
  explicit CompiledForest(ForestTables verified);

  const ForestTables tables;
  std::vector<ForestNode> nodes;  // in the order of the tables
  std::vector<ForestTree> trees;
};

/// The largest float that is <= t (t is not NaN).
float floor_to_float(double t);

}  // namespace everlearn
