#include "forest/forest.hpp"

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "forest/fixtures.hpp"
#include "forest/tables.hpp"

namespace everlearn {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Forest forest_of(ForestTables tables) {
  auto forest = Forest::build(std::move(tables));
  if (!forest) FAIL(forest.error().message);
  return *forest;
}

double raw_of(const Forest& forest, std::vector<float> row) {
  std::vector<double> out(static_cast<std::size_t>(forest.outputs()));
  forest.raw(row, out);
  return out[0];
}

bool goes_left(const ForestTables& tables, float x) { return raw_of(forest_of(tables), {x}) == -1.0; }

TEST_CASE("a value on the threshold goes left, the next float goes right") {
  CHECK(goes_left(stump(0.5), 0.5F));
  CHECK_FALSE(goes_left(stump(0.5), std::nextafter(0.5F, 1.0F)));
  CHECK_FALSE(goes_left(stump(std::nextafter(0.5, 0.0)), 0.5F));  // the threshold is a double, not rounded to float
}

TEST_CASE("infinities are compared, also with the infinite threshold of a split on missing alone") {
  CHECK(goes_left(stump(1e300), -kInf));
  CHECK_FALSE(goes_left(stump(1e300), kInf));
  CHECK(goes_left(stump(std::numeric_limits<double>::infinity(), node_flags(Missing::Nan, false)), kInf));
  CHECK_FALSE(goes_left(stump(std::numeric_limits<double>::infinity(), node_flags(Missing::Nan, false)), kNan));
}

TEST_CASE("NaN is zero at a node that knows no missing value, whatever its default") {
  for (const bool default_left : {false, true}) {
    const std::uint8_t flags = node_flags(Missing::None, default_left);
    CHECK(goes_left(stump(0.0, flags), kNan));
    CHECK(goes_left(stump(3.0, flags), kNan));
    CHECK_FALSE(goes_left(stump(-1e-40, flags), kNan));
  }
}

TEST_CASE("where NaN is missing it takes the default side, and zero does not") {
  CHECK(goes_left(stump(-1.0, node_flags(Missing::Nan, true)), kNan));
  CHECK_FALSE(goes_left(stump(5.0, node_flags(Missing::Nan, false)), kNan));
  CHECK_FALSE(goes_left(stump(-1.0, node_flags(Missing::Nan, true)), 0.0F));
}

TEST_CASE("where zero is missing, NaN and all up to 1e-35 take the default side") {
  const float edge = 1e-35F;
  const auto left = stump(-1.0, node_flags(Missing::Zero, true));
  const auto right = stump(1.0, node_flags(Missing::Zero, false));
  for (const float x : {kNan, 0.0F, -0.0F, edge, -edge, 1e-40F}) {
    CHECK(goes_left(left, x));
    CHECK_FALSE(goes_left(right, x));
  }
  CHECK_FALSE(goes_left(left, std::nextafter(edge, 1.0F)));
  CHECK(goes_left(right, std::nextafter(-edge, -1.0F)));
}

TEST_CASE("categories are truncated towards zero and looked up in the node's set") {
  for (const float x : {1.0F, 1.9F, 33.0F}) CHECK(goes_left(category_stump(), x));
  for (const float x : {0.0F, -0.5F, -1.0F, 2.0F, 32.0F, 64.0F, 1e9F, 3e9F, kNan, kInf, -kInf})
    CHECK_FALSE(goes_left(category_stump(), x));
  auto zero = category_stump();
  zero.set_words = {1, 1};
  for (const float x : {0.0F, -0.0F, -0.99F, 0.99F, 32.0F}) CHECK(goes_left(zero, x));
  CHECK_FALSE(goes_left(zero, -1.0F));
}

TEST_CASE("a row walks each tree to one leaf") {
  const Forest forest = forest_of(mixed_forest());
  CHECK(forest.features() == 3);
  CHECK(forest.trees() == 3);
  CHECK(raw_of(forest, {0.0F, -2.0F, 2.0F}) == 1.0 + 0.5 + 16.0);
  CHECK(raw_of(forest, {kNan, 0.0F, 32.0F}) == 2.0 + 0.5 + 32.0);
  CHECK(raw_of(forest, {1.0F, 0.0F, 5.0F}) == 4.0 + 0.5 + 64.0);
  CHECK(raw_of(forest, {3.0F, 0.0F, kNan}) == 8.0 + 0.5 + 64.0);
}

ForestTables constants(std::vector<double> leaves) {
  ForestTables t;
  t.feature_names = {"x"};
  t.leaves_of_tree.assign(leaves.size(), 1);
  t.leaf = std::move(leaves);
  return t;
}

TEST_CASE("leaves are added in the order of the trees") {
  CHECK(raw_of(forest_of(constants({1e16, 1.0, -1e16})), {0.0F}) == 0.0);
  CHECK(raw_of(forest_of(constants({1e16, -1e16, 1.0})), {0.0F}) == 1.0);
}

TEST_CASE("a sum of minus zeros is plus zero, as in LightGBM") {
  CHECK_FALSE(std::signbit(raw_of(forest_of(constants({-0.0})), {0.0F})));
}

TEST_CASE("an averaged forest gives the mean of its trees") {
  auto tables = constants({1.0, 2.0, 6.0});
  tables.averaged = true;
  CHECK(raw_of(forest_of(tables), {0.0F}) == 3.0);
}

TEST_CASE("trees of several outputs take turns, and an averaged one counts rounds") {
  auto tables = constants({1.0, 10.0, 100.0, 2.0, 20.0, 200.0});
  tables.outputs = 3;
  tables.link = Link::Softmax;
  std::vector<double> out(3);
  forest_of(tables).raw(std::vector<float>{0.0F}, out);
  CHECK(out == std::vector<double>{3.0, 30.0, 300.0});
  tables.averaged = true;
  forest_of(tables).raw(std::vector<float>{0.0F}, out);
  CHECK(out == std::vector<double>{1.5, 15.0, 150.0});
}

TEST_CASE("a batch gives the bits of its rows one by one") {
  const Forest forest = forest_of(mixed_forest());
  constexpr std::size_t kRows = 1'000;  // more than one block, and a part of one
  Rng rng{7};
  std::vector<float> rows(kRows * 3);
  for (float& x : rows) x = rng.below(8) == 0 ? kNan : static_cast<float>(rng.uniform() * 8.0 - 3.0);
  std::vector<double> batch(kRows);
  forest.raw_batch(rows, batch);
  for (std::size_t i = 0; i < kRows; ++i) {
    double one = 0.0;
    forest.raw(std::span{rows}.subspan(i * 3, 3), std::span{&one, 1});
    CHECK(std::bit_cast<std::uint64_t>(one) == std::bit_cast<std::uint64_t>(batch[i]));
  }
}

TEST_CASE("responses: identity keeps, logistic squeezes with the model's factor") {
  std::vector<double> raw{0.25, -3.0};
  forest_of(constants({0.0})).respond(raw);
  CHECK(raw == std::vector<double>{0.25, -3.0});

  auto tables = constants({0.0});
  tables.link = Link::Logistic;
  tables.sigmoid = 2.0;
  raw = {0.0, std::log(3.0) / 2.0};
  forest_of(tables).respond(raw);
  CHECK(raw[0] == 0.5);
  CHECK(raw[1] == doctest::Approx(0.75));
}

TEST_CASE("responses: softmax sums to 1 row by row, also far beyond what exp can hold") {
  auto tables = constants({0.0, 0.0});
  tables.link = Link::Softmax;
  tables.outputs = 2;
  std::vector<double> raw{0.0, std::log(3.0), 10'000.0, -10'000.0};
  forest_of(tables).respond(raw);
  CHECK(raw[0] == doctest::Approx(0.25));
  CHECK(raw[1] == doctest::Approx(0.75));
  CHECK(raw[2] == 1.0);
  CHECK(raw[3] == 0.0);
}

TEST_CASE("importance counts splits with a gain") {
  const Forest forest = forest_of(mixed_forest());
  CHECK(forest.gain() == std::vector<double>{10.0, 4.0, 1.0});
  CHECK(forest.splits() == std::vector<std::int64_t>{2, 1, 1});
}

TEST_CASE("build refuses tables that contradict themselves, and names why") {
  struct Case {
    const char* reason;  // must be in the message
    std::function<void(ForestTables&)> spoil;
  };
  const double inf = std::numeric_limits<double>::infinity();
  const std::vector<Case> cases{
      {"outputs", [](auto& t) { t.outputs = 0; }},
      {"outputs", [](auto& t) { t.outputs = kMaxOutputs + 1; }},
      {"this link has 1", [](auto& t) { t.outputs = 3; }},
      {"softmax", [](auto& t) { t.link = Link::Softmax; }},
      {"unknown link", [](auto& t) { t.link = static_cast<Link>(3); }},
      {"sigmoid", [](auto& t) { t.sigmoid = 0.0; }},
      {"sigmoid", [](auto& t) { t.sigmoid = std::nan(""); }},
      {"sigmoid", [](auto& t) { t.sigmoid = 2.0; }},
      {"features", [](auto& t) { t.feature_names.clear(); }},
      {"features", [](auto& t) { t.feature_names.assign(kMaxFeatures + 1, "x"); }},
      {"name of feature 1", [](auto& t) { t.feature_names[1] = ""; }},
      {"name of feature 1", [](auto& t) { t.feature_names[1] = std::string(kMaxNameBytes + 1, 'x'); }},
      {"name of feature 2", [](auto& t) { t.feature_names[2] = "two words"; }},
      {"0 trees", [](auto& t) { t.leaves_of_tree.clear(); }},
      {"has no leaf", [](auto& t) { t.leaves_of_tree[1] = 0; }},
      {"leaf values", [](auto& t) { t.leaf.pop_back(); }},
      {"leaf values", [](auto& t) { t.leaves_of_tree[1] = 2; }},
      {"nodes, limit", [](auto& t) { t.leaves_of_tree[1] = 1u << 31; }},
      {"values of left", [](auto& t) { t.left.pop_back(); }},
      {"values of right", [](auto& t) { t.right.push_back(~0); }},
      {"values of feature", [](auto& t) { t.feature.pop_back(); }},
      {"values of threshold", [](auto& t) { t.threshold.pop_back(); }},
      {"values of flags", [](auto& t) { t.flags.pop_back(); }},
      {"values of gain", [](auto& t) { t.gain.pop_back(); }},
      {"tree 0, node 0: child 0 does not stand behind", [](auto& t) { t.left[0] = 0; }},
      {"tree 0, node 1: child 0 does not stand behind", [](auto& t) { t.left[1] = 0; }},
      {"tree 0, node 0: child 3 does not stand behind", [](auto& t) { t.right[0] = 3; }},
      {"tree 0, node 0: child 2 has two parents", [](auto& t) { t.left[0] = 2; }},
      {"tree 0, node 1: child -2 has two parents", [](auto& t) { t.left[1] = ~1; }},
      {"is no leaf of this tree", [](auto& t) { t.left[1] = ~4; }},
      {"is no leaf of this tree", [](auto& t) { t.left[3] = ~3; }},
      {"is no leaf of this tree", [](auto& t) { t.right[4] = ~8; }},
      {"is no leaf of this tree", [](auto& t) { t.right[4] = std::numeric_limits<std::int32_t>::min(); }},
      {"tree 0, node 1: no parent", [](auto& t) { t.left[0] = ~0; }},
      {"feature 3 of 3", [](auto& t) { t.feature[4] = 3; }},
      {"feature -1 of 3", [](auto& t) { t.feature[0] = -1; }},
      {"gain", [](auto& t) { t.gain[0] = kInf; }},
      {"threshold", [](auto& t) { t.threshold[0] = std::nan(""); }},
      {"flags 12", [](auto& t) { t.flags[0] = 12; }},
      {"flags 16", [](auto& t) { t.flags[0] = 16; }},
      {"flags 3", [](auto& t) { t.flags[3] = kCategorical | kDefaultLeft; }},
      {"category set 1, wanted 0", [](auto& t) { t.threshold[3] = 1.0; }},
      {"category set 0.5", [](auto& t) { t.threshold[3] = 0.5; }},
      {"category set 2, wanted 2 of 2",
       [](auto& t) {
         t.flags[1] = kCategorical, t.threshold = {.5, 0, 2., 1, 2};
       }},
      {"2 category sets for 1", [](auto& t) { t.flags[4] = 0; }},
      {"category set 1 is empty", [](auto& t) { t.set_end[1] = 1; }},
      {"sets end at word", [](auto& t) { t.set_words.pop_back(); }},
      {"tree 1: leaf 0 is not finite", [&](auto& t) { t.leaf[4] = inf; }},
      {"tree 2: leaf 2 is not finite", [](auto& t) { t.leaf[7] = std::nan(""); }},
  };
  for (const Case& c : cases) {
    auto tables = mixed_forest();
    c.spoil(tables);
    const auto forest = Forest::build(tables);
    CAPTURE(c.reason);
    REQUIRE_FALSE(forest.has_value());
    CHECK(forest.error().code == Code::Model);
    CHECK(forest.error().message.find(c.reason) != std::string::npos);
    CAPTURE(forest.error().message);
  }
}

/// One tree that only grows to the right.
ForestTables chain(int depth) {
  ForestTables t;
  t.feature_names = {"x"};
  t.leaves_of_tree = {static_cast<std::uint32_t>(depth) + 1};
  for (int i = 0; i < depth; ++i) {
    t.left.push_back(~i);
    t.right.push_back(i + 1 < depth ? i + 1 : ~depth);
    t.feature.push_back(0);
    t.threshold.push_back(i);
    t.flags.push_back(0);
    t.gain.push_back(1.0F);
    t.leaf.push_back(i);
  }
  t.leaf.push_back(depth);
  return t;
}

TEST_CASE("64 decisions deep is the limit") {
  CHECK(raw_of(forest_of(chain(kMaxDepth)), {1e9F}) == kMaxDepth);
  const auto deeper = Forest::build(chain(kMaxDepth + 1));
  REQUIRE_FALSE(deeper.has_value());
  CHECK(deeper.error().message.find("deeper than 64") != std::string::npos);
}

// The trees of b behind those of a.
ForestTables behind(ForestTables a, const ForestTables& b) {
  const auto node_shift = static_cast<std::int32_t>(a.left.size());
  const auto leaf_shift = static_cast<std::int32_t>(a.leaf.size());
  const auto moved = [&](std::int32_t child) { return child >= 0 ? child + node_shift : child - leaf_shift; };
  for (std::size_t i = 0; i < b.left.size(); ++i) {
    a.left.push_back(moved(b.left[i]));
    a.right.push_back(moved(b.right[i]));
  }
  const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
  append(a.leaves_of_tree, b.leaves_of_tree);
  append(a.feature, b.feature);
  append(a.threshold, b.threshold);
  append(a.flags, b.flags);
  append(a.gain, b.gain);
  append(a.leaf, b.leaf);
  return a;
}

TEST_CASE("trees added to a sum give the bits of one forest that has them behind its own") {
  ForestTables first = stump(0.5), second = stump(-0.25);
  first.leaf = {0.1, 1e16};
  second.leaf = {0.7, -0.30000000000000004};
  const Forest a = forest_of(first), b = forest_of(second), whole = forest_of(behind(behind(first, first), second));
  const Forest twice = forest_of(behind(first, first));
  for (const float x : {-1.0F, 0.0F, 0.5F, 1.0F, kNan}) {
    std::vector<double> sum(1), once(1);
    twice.raw(std::vector{x}, sum);
    b.add_raw(std::vector{x}, sum);
    CHECK(std::bit_cast<std::uint64_t>(sum[0]) == std::bit_cast<std::uint64_t>(raw_of(whole, {x})));
    a.raw(std::vector{x}, once);  // what add_raw() may not do: sum its own trees first
    CHECK(once[0] == raw_of(a, {x}));
  }
}

TEST_CASE("the leaves a row reaches are counted through the whole forest") {
  const Forest forest = forest_of(mixed_forest());
  std::vector<std::uint32_t> reached(3);
  for (const std::vector<float>& row : {std::vector{0.0F, -2.0F, 1.0F}, {kNan, 5.0F, 0.0F}, {9.0F, 0.0F, 7.0F}}) {
    forest.leaves(row, reached);
    double sum = 0;
    for (const std::uint32_t leaf : reached) sum += forest.leaf_values()[leaf];
    CHECK(sum == raw_of(forest, row));
    CHECK(reached[0] < 4);
    CHECK(reached[1] == 4);
    CHECK(reached[2] > 4);
  }
}

TEST_CASE("leaves move by their steps, everything else stays") {
  const Forest forest = forest_of(stump(0.5));
  const Forest moved = forest.moved(std::vector{LeafStep{1, 0.25F}}).value();
  CHECK(raw_of(moved, {0.0F}) == -1.0);
  CHECK(raw_of(moved, {1.0F}) == 1.25);
  CHECK(raw_of(forest, {1.0F}) == 1.0);
  CHECK(forest.moved({})->encode() == forest.encode());
  const auto refused = [&](std::vector<LeafStep> steps) { return forest.moved(steps).error().message; };
  CHECK(refused({{2, 1.0F}}) == "leaf 2 is to move, the forest has 2");
  CHECK(refused({{1, 1.0F}, {1, 1.0F}}) == "leaf 1 is to move after leaf 1");
  CHECK(refused({{1, 1.0F}, {0, 1.0F}}) == "leaf 0 is to move after leaf 1");
  CHECK(refused({{0, kInf}}).find("not finite") != std::string::npos);
  CHECK(refused({{0, kNan}}).find("not finite") != std::string::npos);
}

}  // namespace
}  // namespace everlearn
