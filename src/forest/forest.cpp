#include "forest/forest.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "core/assert.hpp"
#include "forest/compiled.hpp"
#include "forest/tables.hpp"

namespace everlearn {
namespace {

// Rows taken through one tree before the nodes of the next are fetched.
constexpr std::size_t kBatchRows = 64;

// LightGBM truncates towards zero, so (-1, 0) is category 0; NaN, other negatives and what int cannot hold go right.
bool in_set(const ForestTables& tables, std::size_t set, float x) {
  if (!(x > -1.0F && x < 2147483648.0F)) return false;
  const auto category = static_cast<std::uint32_t>(static_cast<std::int32_t>(x));
  const std::uint32_t begin = set == 0 ? 0 : tables.set_end[set - 1];
  const std::uint32_t word = category / 32;
  if (word >= tables.set_end[set] - begin) return false;
  return ((tables.set_words[begin + word] >> (category % 32)) & 1U) != 0;
}

// Without branches: which way a row goes is what a processor cannot predict.
bool plain_goes_right(const ForestNode& node, float x) {
  const bool missing = x != x;
  const bool above = !(x <= node.threshold);
  return (missing & node.missing_right) | (!missing & above);
}

bool goes_right(const ForestTables& tables, const ForestNode& node, float x) {
  if (node.kind == ForestNode::Kind::Categorical) return !in_set(tables, static_cast<std::size_t>(node.threshold), x);
  if (node.kind == ForestNode::Kind::ZeroIsMissing && std::fabs(static_cast<double>(x)) <= kZeroThreshold)
    return node.missing_right;
  return plain_goes_right(node, x);
}

std::size_t leaf_of(const CompiledForest& forest, const ForestTree& tree, const float* row) {
  const ForestNode* const nodes = forest.nodes.data();
  std::int32_t at = tree.root;
  if (tree.plain) {
    while (at >= 0) {
      const ForestNode& node = nodes[at];
      at = node.child[plain_goes_right(node, row[node.feature])];
    }
  } else {
    while (at >= 0) {
      const ForestNode& node = nodes[at];
      at = node.child[goes_right(forest.tables, node, row[node.feature])];
    }
  }
  return leaf_index(at);
}

double score(const CompiledForest& forest, const ForestTree& tree, const float* row) {
  return forest.tables.leaf[leaf_of(forest, tree, row)];
}

void average(const CompiledForest& forest, std::span<double> out) {
  if (!forest.tables.averaged) return;
  const std::size_t rounds = forest.trees.size() / forest.tables.outputs;
  for (double& value : out) value /= static_cast<double>(rounds);
}

}  // namespace

Result<Forest> Forest::build(ForestTables tables) {
  EL_CHECK(verify(tables));
  return Forest{std::make_shared<const CompiledForest>(std::move(tables))};
}

int Forest::features() const { return static_cast<int>(compiled_->tables.feature_names.size()); }
int Forest::outputs() const { return static_cast<int>(compiled_->tables.outputs); }
Link Forest::link() const { return compiled_->tables.link; }
bool Forest::averaged() const { return compiled_->tables.averaged; }
int Forest::trees() const { return static_cast<int>(compiled_->trees.size()); }
const std::vector<std::string>& Forest::feature_names() const { return compiled_->tables.feature_names; }

void Forest::raw(std::span<const float> row, std::span<double> out) const {
  std::fill(out.begin(), out.end(), 0.0);
  sum(row, out);
  average(*compiled_, out);
}

void Forest::add_raw(std::span<const float> row, std::span<double> out) const {
  EL_ASSERT(!averaged(), "add_raw: the mean of trees cannot be added to a sum of trees");
  sum(row, out);
}

void Forest::sum(std::span<const float> row, std::span<double> out) const {
  const CompiledForest& forest = *compiled_;
  const std::size_t outputs = forest.tables.outputs;
  EL_ASSERT(row.size() == forest.tables.feature_names.size(), "raw: the row has another number of features");
  EL_ASSERT(out.size() == outputs, "raw: out has another number of outputs");
  std::size_t output = 0;
  for (const ForestTree& tree : forest.trees) {
    out[output] += score(forest, tree, row.data());
    if (++output == outputs) output = 0;
  }
}

void Forest::leaves(std::span<const float> row, std::span<std::uint32_t> out) const {
  const CompiledForest& forest = *compiled_;
  EL_ASSERT(row.size() == forest.tables.feature_names.size(), "leaves: the row has another number of features");
  EL_ASSERT(out.size() == forest.trees.size(), "leaves: out has another number of trees");
  std::transform(forest.trees.begin(), forest.trees.end(), out.begin(),
                 [&](const ForestTree& tree) { return static_cast<std::uint32_t>(leaf_of(forest, tree, row.data())); });
}

const std::vector<double>& Forest::leaf_values() const { return compiled_->tables.leaf; }
const std::vector<std::uint32_t>& Forest::leaves_of_tree() const { return compiled_->tables.leaves_of_tree; }

Result<Forest> Forest::moved(std::span<const LeafStep> steps) const {
  ForestTables tables = compiled_->tables;
  const LeafStep* before = nullptr;
  for (const LeafStep& step : steps) {
    if (step.leaf >= tables.leaf.size())
      return fail(Code::Model, fmt::format("leaf {} is to move, the forest has {}", step.leaf, tables.leaf.size()));
    if (before != nullptr && step.leaf <= before->leaf)
      return fail(Code::Model, fmt::format("leaf {} is to move after leaf {}", step.leaf, before->leaf));
    tables.leaf[step.leaf] += static_cast<double>(step.step);
    before = &step;
  }
  return build(std::move(tables));
}

void Forest::raw_batch(std::span<const float> rows, std::span<double> out) const {
  const CompiledForest& forest = *compiled_;
  const std::size_t features = forest.tables.feature_names.size();
  const std::size_t outputs = forest.tables.outputs;
  EL_ASSERT(rows.size() % features == 0, "raw_batch: the rows have another number of features");
  const std::size_t count = rows.size() / features;
  EL_ASSERT(out.size() == count * outputs, "raw_batch: out has another size than rows x outputs");
  std::fill(out.begin(), out.end(), 0.0);
  // Each score still adds its trees in their order, so the bits do not depend on the block.
  for (std::size_t begin = 0; begin < count; begin += kBatchRows) {
    const std::size_t end = std::min(count, begin + kBatchRows);
    std::size_t output = 0;
    for (const ForestTree& tree : forest.trees) {
      for (std::size_t row = begin; row < end; ++row)
        out[row * outputs + output] += score(forest, tree, rows.data() + row * features);
      if (++output == outputs) output = 0;
    }
  }
  average(forest, out);
}

void Forest::respond(std::span<double> raw) const {
  const ForestTables& tables = compiled_->tables;
  const std::size_t outputs = tables.outputs;
  EL_ASSERT(raw.size() % outputs == 0, "respond: not a multiple of the outputs");
  switch (tables.link) {
    case Link::Identity:
      return;
    case Link::Logistic:
      for (double& x : raw) x = 1.0 / (1.0 + std::exp(-tables.sigmoid * x));
      return;
    case Link::Softmax:
      for (std::size_t row = 0; row < raw.size(); row += outputs) {
        const auto scores = raw.subspan(row, outputs);
        const double largest = *std::max_element(scores.begin(), scores.end());
        double sum = 0.0;
        for (double& x : scores) sum += x = std::exp(x - largest);
        for (double& x : scores) x /= sum;
      }
      return;
  }
}

std::vector<double> Forest::gain() const {
  const ForestTables& tables = compiled_->tables;
  std::vector<double> sums(tables.feature_names.size(), 0.0);
  for (std::size_t i = 0; i < tables.gain.size(); ++i)
    if (tables.gain[i] > 0.0F) sums[static_cast<std::size_t>(tables.feature[i])] += static_cast<double>(tables.gain[i]);
  return sums;
}

std::vector<std::int64_t> Forest::splits() const {
  const ForestTables& tables = compiled_->tables;
  std::vector<std::int64_t> counts(tables.feature_names.size(), 0);
  for (std::size_t i = 0; i < tables.gain.size(); ++i)
    if (tables.gain[i] > 0.0F) ++counts[static_cast<std::size_t>(tables.feature[i])];
  return counts;
}

}  // namespace everlearn
