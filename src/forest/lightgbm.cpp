// Source: src/boosting/gbdt_model_text.cpp, src/io/tree.cpp and include/LightGBM/tree.h of LightGBM 4.7.0.
#include "forest/lightgbm.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "forest/tables.hpp"
#include "forest/text_lines.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;
constexpr int kMaxLeaves = 131'072;  // of one tree: LightGBM's own limit on num_leaves

struct Header {
  std::size_t trees_per_round = 0;
  std::vector<std::size_t> tree_sizes;
};

/// One tree as LightGBM numbers it: children >= 0 are nodes, < 0 leaves, both within the tree.
struct TextTree {
  std::size_t leaves = 0;
  std::vector<std::int32_t> feature;
  std::vector<float> gain;
  std::vector<double> threshold;
  std::vector<std::uint8_t> decision;
  std::vector<std::int32_t> left;
  std::vector<std::int32_t> right;
  std::vector<double> leaf;
  std::vector<std::uint32_t> set_bounds;
  std::vector<std::uint32_t> set_words;
};

Result<void> read_objective(TextLines& text, std::int32_t classes, ForestTables& to) {
  EL_TRY(const std::string_view objective, text.value("objective"));
  const std::string_view name = objective.substr(0, objective.find(' '));
  const std::string_view rest = objective.substr(std::min(name.size() + 1, objective.size()));
  const auto unsupported = [&](const std::string& what) { return text.refuse(what, Code::Unsupported); };

  for (const std::string_view known : {"regression", "regression_l1", "huber", "fair", "quantile", "mape"}) {
    if (name != known) continue;
    if (rest == "sqrt") return unsupported(fmt::format("objective {} on the square root of the label", name));
    if (objective != known) return text.refuse(fmt::format("objective {} with parameters", name));
    if (classes != 1) return text.refuse(fmt::format("objective {} with {} classes", name, classes));
    to.link = Link::Identity;
    return {};
  }
  if (name == "binary") {
    constexpr std::string_view kKey = "sigmoid:";
    if (rest.substr(0, kKey.size()) != kKey || !parse_number(rest.substr(kKey.size()), to.sigmoid))
      return text.refuse("objective binary, wanted 'binary sigmoid:<factor>'");
    if (classes != 1) return text.refuse(fmt::format("objective binary with {} classes", classes));
    to.link = Link::Logistic;
    return {};
  }
  if (name == "multiclass") {
    if (rest != fmt::format("num_class:{}", classes) || classes < 2)
      return text.refuse(fmt::format("objective multiclass, wanted 'multiclass num_class:{}'", classes));
    to.link = Link::Softmax;
    return {};
  }
  return unsupported("objective " + quoted(name));
}

bool is_feature_info(std::string_view info) {
  if (info == "none") return true;
  const auto split = [](std::string_view& rest) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return word;
  };
  if (info.size() > 2 && info.front() == '[' && info.back() == ']') {
    std::string_view rest = info.substr(1, info.size() - 2);
    double low = 0.0, high = 0.0;
    return parse_number(split(rest), low) && parse_number(rest, high);
  }
  if (info.empty() || info.back() == ':') return false;
  for (std::string_view rest = info; !rest.empty();)
    if (std::int32_t category = 0; !parse_number(split(rest), category)) return false;
  return true;
}

Result<Header> read_header(TextLines& text, ForestTables& to) {
  EL_CHECK(text.expect("tree"));
  EL_TRY(const std::string_view version, text.value("version"));
  if (version != "v4") return text.refuse(fmt::format("version {}, wanted v4", quoted(version)), Code::Unsupported);
  EL_TRY(const auto classes, text.number<std::int32_t>("num_class"));
  if (classes < 1 || classes > static_cast<std::int32_t>(kMaxOutputs))
    return text.refuse(fmt::format("num_class {}, limits 1 and {}", classes, kMaxOutputs));
  to.outputs = static_cast<std::uint32_t>(classes);
  EL_TRY(const auto per_round, text.number<std::int32_t>("num_tree_per_iteration"));
  if (per_round != classes)
    return text.refuse(fmt::format("num_tree_per_iteration {} with {} classes", per_round, classes));
  EL_TRY(const auto label, text.number<std::int32_t>("label_index"));
  if (label < 0) return text.refuse(fmt::format("label_index {}", label));
  EL_TRY(const auto last, text.number<std::int32_t>("max_feature_idx"));
  if (last < 0 || last >= static_cast<std::int32_t>(kMaxFeatures))
    return text.refuse(fmt::format("max_feature_idx {}, limits 0 and {}", last, kMaxFeatures - 1));
  const auto features = static_cast<std::size_t>(last) + 1;

  if (!text.next_begins("objective=")) {
    // Also the case of a loss of the user's own, which LightGBM saves without a name.
    EL_TRY(const std::string_view other, text.line());
    return text.refuse("no objective, but " + quoted(other), Code::Unsupported);
  }
  EL_CHECK(read_objective(text, classes, to));
  if (text.next_is("average_output")) {
    EL_CHECK(text.line());
    to.averaged = true;
  }

  EL_TRY(const auto names, text.words("feature_names", features));
  to.feature_names.assign(names.begin(), names.end());
  std::vector<std::string_view> sorted = names;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end())
    return text.refuse("feature_names holds one name twice");
  if (text.next_begins("monotone_constraints=")) {
    EL_TRY(const auto constraints, text.numbers<std::int32_t>("monotone_constraints", features));
    for (const std::int32_t c : constraints)
      if (c < -1 || c > 1) return text.refuse(fmt::format("monotone_constraints holds {}", c));
  }
  EL_TRY(const auto infos, text.words("feature_infos", features));
  for (std::size_t i = 0; i < features; ++i)
    if (!is_feature_info(infos[i])) return text.refuse(fmt::format("feature_infos: value {} is no range", i));

  EL_TRY(const std::string_view sizes, text.value("tree_sizes"));
  Header header;
  header.trees_per_round = to.outputs;
  for (std::string_view rest = sizes;;) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    std::size_t size = 0;
    if (!parse_number(rest.substr(0, end), size)) return text.refuse("tree_sizes holds what is no size");
    if (header.tree_sizes.size() == kMaxTrees) return text.refuse(fmt::format("more than {} trees", kMaxTrees));
    header.tree_sizes.push_back(size);
    if (end == rest.size()) break;
    rest.remove_prefix(end + 1);
  }
  EL_CHECK(text.expect(""));
  return header;
}

Result<void> read_sets(TextLines& text, std::size_t sets, TextTree& tree) {
  EL_TRY(tree.set_bounds, text.numbers<std::uint32_t>("cat_boundaries", sets + 1));
  if (tree.set_bounds.front() != 0) return text.refuse("cat_boundaries does not begin at 0");
  for (std::size_t i = 0; i < sets; ++i)
    if (tree.set_bounds[i] >= tree.set_bounds[i + 1])
      return text.refuse(fmt::format("cat_boundaries: set {} is empty", i));
  if (tree.set_bounds.back() > kMaxWords) return text.refuse(fmt::format("cat_boundaries beyond {}", kMaxWords));
  EL_TRY(tree.set_words, text.numbers<std::uint32_t>("cat_threshold", tree.set_bounds.back()));
  return {};
}

// Statistics that evaluation does not need must still be there and whole: their absence means damage.
template <class T>
Result<void> skip_numbers(TextLines& text, std::string_view key, std::size_t count) {
  EL_TRY(const auto numbers, text.numbers<T>(key, count));
  for (const T number : numbers)
    if (std::is_integral_v<T> && number < T{}) return text.refuse(fmt::format("{} holds {}", key, number));
  return {};
}

Result<TextTree> read_tree(TextLines& text, std::size_t index, std::size_t features) {
  EL_CHECK(text.expect(fmt::format("Tree={}", index)));
  TextTree tree;
  EL_TRY(const auto leaves, text.number<std::int32_t>("num_leaves"));
  if (leaves < 1 || leaves > kMaxLeaves)
    return text.refuse(fmt::format("num_leaves {}, limits 1 and {}", leaves, kMaxLeaves));
  tree.leaves = static_cast<std::size_t>(leaves);
  const std::size_t nodes = tree.leaves - 1;
  EL_TRY(const auto sets, text.number<std::int32_t>("num_cat"));
  if (sets < 0 || sets > leaves - 1) return text.refuse(fmt::format("num_cat {} with {} splits", sets, nodes));

  EL_TRY(tree.feature, text.numbers<std::int32_t>("split_feature", nodes));
  for (const std::int32_t f : tree.feature)
    if (f < 0 || static_cast<std::size_t>(f) >= features)
      return text.refuse(fmt::format("split_feature {} of {}", f, features));
  EL_TRY(tree.gain, text.numbers<float>("split_gain", nodes));
  EL_TRY(tree.threshold, text.numbers<double>("threshold", nodes));
  EL_TRY(tree.decision, text.numbers<std::uint8_t>("decision_type", nodes));
  EL_TRY(tree.left, text.numbers<std::int32_t>("left_child", nodes));
  EL_TRY(tree.right, text.numbers<std::int32_t>("right_child", nodes));
  EL_TRY(tree.leaf, text.numbers<double>("leaf_value", tree.leaves));
  // LightGBM forgets the weight of a constant tree when it loads a model to go on training.
  const bool no_weight = nodes == 0 && text.next_is("leaf_weight=");
  EL_CHECK(skip_numbers<double>(text, "leaf_weight", no_weight ? 0 : tree.leaves));
  EL_CHECK(skip_numbers<std::int64_t>(text, "leaf_count", tree.leaves));
  EL_CHECK(skip_numbers<double>(text, "internal_value", nodes));
  EL_CHECK(skip_numbers<double>(text, "internal_weight", nodes));
  EL_CHECK(skip_numbers<std::int64_t>(text, "internal_count", nodes));
  if (sets > 0) EL_CHECK(read_sets(text, static_cast<std::size_t>(sets), tree));
  EL_TRY(const auto linear, text.number<std::int32_t>("is_linear"));
  if (linear == 1) return text.refuse("linear trees", Code::Unsupported);
  if (linear != 0) return text.refuse(fmt::format("is_linear {}", linear));
  EL_TRY(const auto shrinkage, text.number<double>("shrinkage"));
  if (!std::isfinite(shrinkage)) return text.refuse("shrinkage is not finite");
  EL_CHECK(text.expect(""));
  EL_CHECK(text.expect(""));
  return tree;
}

// LightGBM takes |x| <= kZeroThreshold for 0 before it walks. That moves a row across a threshold only where the
// threshold lies in that interval, so moving such a threshold to the interval's edge spares the walk the question.
double without_zero_snap(double threshold) {
  if (threshold >= 0.0 && threshold < kZeroThreshold) return kZeroThreshold;
  if (threshold >= -kZeroThreshold && threshold < 0.0)
    return std::nextafter(-kZeroThreshold, -std::numeric_limits<double>::infinity());
  return threshold;
}

/// Appends `tree` with its nodes and leaves in the order of a walk that goes left first, so that children stand behind
/// their parent. A cycle or a child with two parents shows as a node met twice; what is never met is left over.
Result<void> append(const TextTree& tree, std::size_t index, ForestTables& to) {
  const auto refuse = [&](const std::string& why) {
    return fail(Code::Model, fmt::format("LightGBM model, tree {}: {}", index, why));
  };
  const std::size_t first_node = to.left.size();
  const std::size_t first_leaf = to.leaf.size();
  const std::size_t nodes = tree.leaves - 1;
  if (first_node + nodes > kMaxNodes) return refuse(fmt::format("more than {} nodes in all", kMaxNodes));
  to.leaves_of_tree.push_back(static_cast<std::uint32_t>(tree.leaves));
  if (nodes == 0) {
    to.leaf.push_back(tree.leaf.front());
    return {};
  }

  struct Step {
    std::int32_t child;          // in the text's numbers
    std::int32_t* parent_field;  // where the new number goes
  };
  to.left.resize(first_node + nodes);  // once, so that the pointers into them stay good
  to.right.resize(first_node + nodes);
  std::vector<bool> node_met(nodes, false);
  std::vector<bool> leaf_met(tree.leaves, false);
  std::vector<Step> open{{0, nullptr}};
  std::size_t next_node = first_node;
  while (!open.empty()) {
    const Step step = open.back();
    open.pop_back();
    if (step.child < 0) {
      const auto leaf = leaf_index(step.child);
      if (leaf >= tree.leaves) return refuse(fmt::format("leaf {} of {}", leaf, tree.leaves));
      if (leaf_met[leaf]) return refuse(fmt::format("leaf {} has two parents", leaf));
      leaf_met[leaf] = true;
      *step.parent_field = ~static_cast<std::int32_t>(to.leaf.size());
      to.leaf.push_back(tree.leaf[leaf]);
      continue;
    }
    const auto node = static_cast<std::size_t>(step.child);
    if (node >= nodes) return refuse(fmt::format("node {} of {}", node, nodes));
    if (node_met[node]) return refuse(fmt::format("node {} has two parents", node));
    node_met[node] = true;
    if (step.parent_field != nullptr) *step.parent_field = static_cast<std::int32_t>(next_node);

    to.feature.push_back(tree.feature[node]);
    to.gain.push_back(tree.gain[node]);
    if ((tree.decision[node] & kCategorical) != 0) {
      const double set = tree.threshold[node];
      if (!(set >= 0.0 && set + 1.0 < static_cast<double>(tree.set_bounds.size())) || set != std::floor(set))
        return refuse(fmt::format("node {}: category set {}", node, set));
      const auto at = static_cast<std::size_t>(set);
      const auto word = [&](std::size_t i) {
        return tree.set_words.begin() + static_cast<std::ptrdiff_t>(tree.set_bounds[i]);
      };
      to.set_words.insert(to.set_words.end(), word(at), word(at + 1));
      if (to.set_words.size() > kMaxWords) return refuse(fmt::format("category sets beyond {} words", kMaxWords));
      to.threshold.push_back(static_cast<double>(to.set_end.size()));
      to.set_end.push_back(static_cast<std::uint32_t>(to.set_words.size()));
      to.flags.push_back(kCategorical);  // its missing type and default decide nothing: what is in no set goes right
    } else {
      to.threshold.push_back(without_zero_snap(tree.threshold[node]));
      to.flags.push_back(tree.decision[node]);
    }
    open.push_back({tree.right[node], &to.right[next_node]});
    open.push_back({tree.left[node], &to.left[next_node]});
    ++next_node;
  }
  if (next_node != first_node + nodes || to.leaf.size() != first_leaf + tree.leaves)
    return refuse("a node or a leaf has no parent");
  const auto categorical = static_cast<std::size_t>(std::count_if(
      tree.decision.begin(), tree.decision.end(), [](std::uint8_t d) { return (d & kCategorical) != 0; }));
  const std::size_t sets = tree.set_bounds.empty() ? 0 : tree.set_bounds.size() - 1;
  if (categorical != sets) return refuse(fmt::format("{} category sets for {} categorical nodes", sets, categorical));
  return {};
}

// Behind the trees: importances, the training's parameters, and one line that Python's package adds.
Result<void> read_tail(TextLines& text, const ForestTables& forest) {
  EL_CHECK(text.expect("end of trees"));
  EL_CHECK(text.expect(""));
  EL_CHECK(text.expect("feature_importances:"));
  std::vector<std::string_view> names(forest.feature_names.begin(), forest.feature_names.end());
  std::sort(names.begin(), names.end());
  while (!text.next_is("")) {
    EL_TRY(const std::string_view line, text.line());
    const std::size_t sign = line.rfind('=');
    std::uint64_t importance = 0;
    if (sign == std::string_view::npos || !parse_number(line.substr(sign + 1), importance))
      return text.refuse("no importance of a feature");
    if (!std::binary_search(names.begin(), names.end(), line.substr(0, sign)))
      return text.refuse("importance of an unknown feature");
  }
  EL_CHECK(text.expect(""));
  EL_CHECK(text.expect("parameters:"));
  while (!text.next_is("")) {
    EL_TRY(const std::string_view line, text.line());
    if (line.size() < 4 || line.front() != '[' || line.back() != ']' || line.find(": ") == std::string_view::npos)
      return text.refuse("no parameter of the form [name: value]");
    if (line.substr(0, 14) == "[linear_tree: " && line != "[linear_tree: 0]")
      return text.refuse("linear trees", Code::Unsupported);
  }
  EL_CHECK(text.expect(""));
  EL_CHECK(text.expect("end of parameters"));
  if (text.at_end()) return {};
  EL_CHECK(text.expect(""));
  EL_TRY(const std::string_view last, text.line());
  if (last != "pandas_categorical:null" && last != "pandas_categorical:[]")
    return text.refuse("wanted the end, or pandas_categorical without categories");
  if (!text.at_end()) return text.refuse("text behind the end");
  return {};
}

}  // namespace

Result<Forest> forest_from_lightgbm(std::string_view model) {
  if (model.size() > kMaxTextBytes)
    return fail(Code::Model, fmt::format("LightGBM model: {} bytes, limit {}", model.size(), kMaxTextBytes));
  TextLines text{model};
  ForestTables tables;
  EL_TRY(const Header header, read_header(text, tables));
  if (header.tree_sizes.size() % header.trees_per_round != 0)
    return text.refuse(fmt::format("{} trees for {} classes", header.tree_sizes.size(), header.trees_per_round));
  for (std::size_t i = 0; i < header.tree_sizes.size(); ++i) {
    const std::size_t begin = text.offset();
    EL_TRY(const TextTree tree, read_tree(text, i, tables.feature_names.size()));
    if (text.offset() - begin != header.tree_sizes[i])
      return text.refuse(
          fmt::format("tree {} has {} bytes, tree_sizes says {}", i, text.offset() - begin, header.tree_sizes[i]));
    EL_CHECK(append(tree, i, tables));
  }
  EL_CHECK(read_tail(text, tables));
  auto forest = Forest::build(std::move(tables));
  if (!forest) return fail(forest.error(), "LightGBM model");
  return forest;
}

}  // namespace everlearn
