#include "forest/lightgbm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "forest/fixtures.hpp"

namespace everlearn {
namespace {

double raw_of(const Forest& forest, std::vector<float> row) {
  double out = 0.0;
  forest.raw(row, std::span{&out, 1});
  return out;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string edited(std::string_view from, std::string_view to) {
  return with_tree_sizes(replaced(std::string{kModelTemplate}, from, to));
}

TEST_CASE("a text model becomes a forest") {
  const auto forest = forest_from_lightgbm(small_model());
  if (!forest) FAIL(forest.error().message);
  CHECK(forest->features() == 3);
  CHECK(forest->outputs() == 1);
  CHECK(forest->link() == Link::Identity);
  CHECK_FALSE(forest->averaged());
  CHECK(forest->trees() == 2);
  CHECK(forest->feature_names() == std::vector<std::string>{"a", "b", "c"});
  CHECK(forest->splits() == std::vector<std::int64_t>{1, 1, 1});
  CHECK(forest->gain()[2] == 5.5);

  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(raw_of(*forest, {0.0F, 0.0F, 7.0F}) == 1.5 + 0.25);
  CHECK(raw_of(*forest, {0.0F, 0.0F, 3.0F}) == -2.25 + 0.25);
  CHECK(raw_of(*forest, {nan, -1.0F, 0.0F}) == 0.1 + 0.25);
  CHECK(raw_of(*forest, {nan, 1.0F, 0.0F}) == 3.0 + 0.25);
}

TEST_CASE("objectives become links") {
  CHECK(forest_from_lightgbm(edited("=regression", "=regression_l1"))->link() == Link::Identity);
  for (const char* name : {"huber", "fair", "quantile", "mape"})
    CHECK(forest_from_lightgbm(edited("regression", name))->link() == Link::Identity);
  const auto binary = forest_from_lightgbm(edited("regression", "binary sigmoid:0.5"));
  CHECK(binary->link() == Link::Logistic);
  std::vector<double> raw{2.0};
  binary->respond(raw);
  CHECK(raw[0] == 1.0 / (1.0 + std::exp(-1.0)));

  std::string text = edited("regression", "multiclass num_class:2");
  text = replaced(replaced(text, "num_class=1", "num_class=2"), "iteration=1", "iteration=2");
  const auto multiclass = forest_from_lightgbm(text);
  REQUIRE(multiclass.has_value());
  CHECK(multiclass->link() == Link::Softmax);
  CHECK(multiclass->outputs() == 2);
  CHECK(forest_from_lightgbm(edited("feature_names", "average_output\nfeature_names"))->averaged());
}

TEST_CASE("what LightGBM and its Python package may add is read") {
  const std::string model = small_model();
  CHECK(forest_from_lightgbm(model + "\npandas_categorical:null\n").has_value());
  CHECK(forest_from_lightgbm(model + "\npandas_categorical:[]\n").has_value());
  CHECK(forest_from_lightgbm(edited("feature_infos", "monotone_constraints=1 0 -1\nfeature_infos")).has_value());
  CHECK(forest_from_lightgbm(edited("leaf_weight=0\n", "leaf_weight=\n")).has_value());
}

TEST_CASE("what we do not evaluate is refused by name") {
  for (const char* objective : {"poisson", "gamma", "tweedie", "lambdarank", "cross_entropy", "custom",
                                "multiclassova num_class:3 sigmoid:1", "regression sqrt"}) {
    const auto forest = forest_from_lightgbm(edited("regression", objective));
    CAPTURE(objective);
    REQUIRE_FALSE(forest.has_value());
    CHECK(forest.error().code == Code::Unsupported);
    CHECK(forest.error().message.find("objective") != std::string::npos);
  }
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{{"objective=regression\n", ""},
                                                                                 {"is_linear=0", "is_linear=1"},
                                                                                 {"linear_tree: 0", "linear_tree: 1"},
                                                                                 {"version=v4", "version=v3"}}) {
    const auto forest = forest_from_lightgbm(edited(from, to));
    CAPTURE(from);
    REQUIRE_FALSE(forest.has_value());
    CHECK(forest.error().code == Code::Unsupported);
  }
}

TEST_CASE("a text that is not exactly LightGBM's is refused, naming the line and the reason") {
  struct Case {
    const char* from;
    const char* to;
    const char* reason;
  };
  for (const Case& c : std::vector<Case>{
           {"tree\n", "tree \n", "line 1: \"tree \", wanted \"tree\""},
           {"num_class=1", "num_class=0", "line 3: num_class 0"},
           {"num_class=1", "num_class=+1", "line 3: num_class is not a number"},
           {"num_class=1", "num_class=2", "num_tree_per_iteration 1 with 2 classes"},
           {"label_index=0", "label_index=-1", "label_index"},
           {"label_index=0\n", "", "wanted label_index="},
           {"max_feature_idx=2", "max_feature_idx=3", "feature_names has 3 values, wanted 4"},
           {"max_feature_idx=2", "max_feature_idx=99999999", "max_feature_idx"},
           {"regression", "binary sigmoid:", "sigmoid"},
           {"regression", "binary sigmoid:0", "sigmoid factor 0"},
           {"regression", "multiclass num_class:1", "multiclass"},
           {"regression", "huber 1", "with parameters"},
           {"names=a b c", "names=a b a", "one name twice"},
           {"names=a b c", "names=a  c", "feature_names: value 1 is \"\""},
           {"infos=[-1.5:2.25]", "infos=[-1.5:2.25", "feature_infos: value 0"},
           {"-1:0:2:7", "-1:0:2:", "feature_infos: value 2"},
           {"Tree=1", "Tree=2", "wanted \"Tree=1\""},
           {"num_leaves=4", "num_leaves=3", "split_feature has 3 values, wanted 2"},
           {"num_leaves=4", "num_leaves=0", "num_leaves"},
           {"num_leaves=4", "num_leaves=2000000000", "num_leaves"},
           {"num_cat=1", "num_cat=0", "wanted is_linear="},
           {"num_cat=1", "num_cat=4", "num_cat"},
           {"split_feature=0 2 1", "split_feature=0 3 1", "split_feature 3 of 3"},
           {"split_feature=0 2 1", "split_feature=0 -2 1", "split_feature -2 of 3"},
           {"split_gain=10", "split_gain=1e39", "split_gain: value 0 is \"1e39\""},
           {"split_gain=10", "split_gain=inf", "gain is not finite"},
           {"threshold=inf 0", "threshold=nan 0", "threshold is not a number"},
           {"threshold=inf 0", "threshold=inf 1", "category set 1"},
           {"threshold=inf 0", "threshold=inf 0.5", "category set 0.5"},
           {"threshold=inf 0", "threshold=inf 0x0", "threshold: value 1"},
           {"decision_type=8 1 2", "decision_type=8 1 3", "category set 1"},
           {"decision_type=8 1 2", "decision_type=8 0 2", "1 category sets for 0 categorical nodes"},
           {"decision_type=8 1 2", "decision_type=12 1 2", "flags 12"},
           {"decision_type=8 1 2", "decision_type=-8 1 2", "decision_type: value 0"},
           {"left_child=1 -1 -3", "left_child=0 -1 -3", "node 0 has two parents"},
           {"left_child=1 -1 -3", "left_child=3 -1 -3", "node 3 of 3"},
           {"left_child=1 -1 -3", "left_child=1 0 -3", "node 0 has two parents"},
           {"left_child=1 -1 -3", "left_child=1 -5 -3", "leaf 4 of 4"},
           {"left_child=1 -1 -3", "left_child=1 -2 -3", "leaf 1 has two parents"},
           {"left_child=1 -1 -3", "left_child=-3 -1 -3", "two parents"},
           {"left_child=1 -1 -3", "left_child=-1 -1 -3", "a node or a leaf has no parent"},
           {"left_child=1", "left_child=2147483648", "left_child: value 0"},
           {"leaf_value=1.5", "leaf_value=inf", "is not finite"},
           {"leaf_value=1.5", "leaf_value=1.5f", "leaf_value: value 0"},
           {"leaf_weight=10 ", "leaf_weight=", "leaf_weight has 3 values, wanted 4"},
           {"leaf_count=10", "leaf_count=-10", "leaf_count holds -10"},
           {"leaf_count=10", "leaf_count=10.5", "leaf_count: value 0"},
           {"internal_value=0.5 0 1\n", "", "wanted internal_value="},
           {"cat_boundaries=0 1", "cat_boundaries=1 1", "cat_boundaries"},
           {"cat_boundaries=0 1", "cat_boundaries=0 0", "set 0 is empty"},
           {"cat_boundaries=0 1", "cat_boundaries=0 2", "cat_threshold has 1 values, wanted 2"},
           {"cat_boundaries=0 1", "cat_boundaries=0 4000000000", "cat_boundaries beyond"},
           {"is_linear=0", "is_linear=2", "is_linear 2"},
           {"shrinkage=1", "shrinkage=nan", "shrinkage"},
           {"end of trees", "End of trees", "wanted \"end of trees\""},
           {"c=1\n", "d=1\n", "unknown feature"},
           {"a=1\n", "a=x\n", "no importance"},
           {"[boosting: gbdt]", "boosting: gbdt", "no parameter"},
           {"\nend of parameters\n", "\nend of parameters\n\nparser:\n", "wanted the end"},
           {"\nend of parameters\n", "\nend of parameters\n\npandas_categorical:null\n\n", "text behind the end"},
           {"\nend of parameters\n", "\nend of parameters", "ends inside a line"},
       }) {
    const auto forest = forest_from_lightgbm(edited(c.from, c.to));
    CAPTURE(c.from);
    CAPTURE(c.to);
    REQUIRE_FALSE(forest.has_value());
    CAPTURE(forest.error().message);
    CHECK(forest.error().message.find(c.reason) != std::string::npos);
    CHECK(forest.error().code == Code::Model);
  }
  CHECK_FALSE(forest_from_lightgbm("").has_value());
  CHECK_FALSE(forest_from_lightgbm(replaced(small_model(), "tree_sizes=", "tree_sizes=1")).has_value());
  CHECK_FALSE(forest_from_lightgbm(replaced(small_model(), "\nshrinkage=1\n", "\nshrinkage=1.0\n")).has_value());
}

TEST_CASE("thresholds inside LightGBM's zero move to its edge, because it takes tiny values for zero") {
  const auto side = [](const char* threshold, float x) {
    const auto forest = forest_from_lightgbm(edited("1.0000000180025095e-35", threshold));
    return raw_of(*forest, {std::numeric_limits<float>::quiet_NaN(), x, 0.0F}) == 0.1 + 0.25 ? 'l' : 'r';
  };
  CHECK(side("0", 1e-36F) == 'l');
  CHECK(side("0", 1e-34F) == 'r');
  CHECK(side("-1e-36", -1e-36F) == 'r');
  CHECK(side("-1e-36", -1e-34F) == 'l');
  CHECK(side("-1e-36", 0.0F) == 'r');
}

/// A mutant is refused, or it is a forest that walks and survives its own format.
void offer(const std::string& text, std::size_t& accepted) {
  const auto forest = forest_from_lightgbm(text);
  if (!forest) {
    REQUIRE_FALSE(forest.error().message.empty());
    return;
  }
  ++accepted;
  std::vector<float> rows;
  for (int i = 0; i < forest->features() * 8; ++i) rows.push_back(static_cast<float>(i % 7) - 1.5F);
  std::vector<double> out(static_cast<std::size_t>(forest->outputs()) * 8);
  forest->raw_batch(rows, out);
  REQUIRE(Forest::decode(forest->encode()).has_value());
}

TEST_CASE("mutants: a text cut anywhere is refused") {
  const std::string model = small_model();
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < model.size(); ++size) offer(model.substr(0, size), accepted);
  CHECK(accepted == 0);
}

TEST_CASE("mutants: changed digits give an Error or another whole forest") {
  const std::string model = small_model();
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < model.size(); ++at) {
    if (model[at] < '0' || model[at] > '9') continue;
    for (char digit = '0'; digit <= '9'; ++digit) {
      std::string mutant = model;
      mutant[at] = digit;
      offer(mutant, accepted);
    }
  }
  CHECK(accepted > 100);
}

TEST_CASE(
    "mutants: flipped bits, zeroed sectors, moved and doubled lines never get further than an Error or a forest") {
  const std::string model = small_model();
  std::size_t accepted = 0;
  for (std::size_t at = 0; at < model.size() * 8; ++at) {
    std::string mutant = model;
    mutant[at / 8] = static_cast<char>(mutant[at / 8] ^ (1 << (at % 8)));
    offer(mutant, accepted);
  }
  for (std::size_t at = 0; at < model.size(); at += 64) {
    std::string mutant = model;
    const std::size_t size = std::min<std::size_t>(512, mutant.size() - at);
    mutant.replace(at, size, size, '\0');
    std::size_t whole = 0;
    offer(mutant, whole);
    CHECK(whole == 0);
  }
  Rng rng{5};
  for (int i = 0; i < 5'000; ++i) {
    std::string mutant = model;
    const std::size_t begin = rng.below(mutant.size());
    const std::string piece = mutant.substr(begin, 1 + rng.below(80));
    if (rng.below(2) == 0) mutant.erase(begin, piece.size());
    if (rng.below(2) == 0) mutant.insert(rng.below(mutant.size()), piece);
    if (rng.below(2) == 0) mutant[rng.below(mutant.size())] = "0123456789-.e= \n[]:"[rng.below(19)];
    offer(mutant, accepted);
  }
}

}  // namespace
}  // namespace everlearn
