// LightGBM itself as the oracle: real boosters are trained here, and every raw score must be theirs bit by bit.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <LightGBM/c_api.h>
#include <doctest/doctest.h>

#include "core/rng.hpp"
#include "forest/fixtures.hpp"
#include "forest/lightgbm.hpp"

namespace everlearn {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr int kFeatures = 12;  // the last two hold categories
constexpr int kTrainRows = 1'500;
constexpr int kScoreRows = 12'000;
constexpr std::string_view kCommon =
    " verbosity=-1 num_threads=1 deterministic=true seed=3 min_data_in_leaf=5 min_data_per_group=5 max_bin=63";

void ok(int code) {
  if (code != 0) FAIL(LGBM_GetLastError());
}

struct FreeBooster {
  void operator()(void* handle) const noexcept { LGBM_BoosterFree(handle); }
};
struct FreeDataset {
  void operator()(void* handle) const noexcept { LGBM_DatasetFree(handle); }
};
using Booster = std::unique_ptr<void, FreeBooster>;
using Dataset = std::unique_ptr<void, FreeDataset>;

enum class Label { Real, Constant, Classes2, Classes4 };

struct TrainingData {
  std::vector<float> rows;
  std::vector<float> labels;
};

TrainingData training_data(std::uint64_t seed, Label kind) {
  Rng rng{seed};
  TrainingData data;
  for (int i = 0; i < kTrainRows; ++i) {
    double signal = 0.0;
    for (int j = 0; j < kFeatures; ++j) {
      const double u = rng.uniform() * 4.0 - 2.0;
      auto x = static_cast<float>(u);
      if (j == 1) x = static_cast<float>(std::floor(u));       // few values, zero among them
      if (j == 2 && rng.below(2) == 0) x = 0.0F;               // mostly zero
      if (j == 3) x = static_cast<float>(u * 1e-34);           // around LightGBM's zero
      if (j == 4) x = static_cast<float>(std::exp(u * 20.0));  // many magnitudes
      if (j == 10) x = static_cast<float>(rng.below(4));       // categories, one against the rest
      if (j == 11) x = static_cast<float>(rng.below(90));      // categories, sets
      if (j % 3 == 0 && rng.below(5) == 0) x = kNan;
      data.rows.push_back(x);
      if (std::isnan(x)) signal += 0.7;
      if (j < 10 && !std::isnan(x)) signal += std::sin(3.0 * u) * (j % 2 == 0 ? 1.0 : -0.5);
      if (j >= 10 && !std::isnan(x)) signal += static_cast<int>(x) % 3 == 0 ? 1.0 : -0.4;
    }
    signal += rng.uniform() - 0.5;
    switch (kind) {
      case Label::Real:
        data.labels.push_back(static_cast<float>(signal));
        break;
      case Label::Constant:
        data.labels.push_back(2.5F);
        break;
      case Label::Classes2:
        data.labels.push_back(signal > 0.5 ? 1.0F : 0.0F);
        break;
      case Label::Classes4:
        data.labels.push_back(static_cast<float>(std::clamp(static_cast<int>(signal + 2.0), 0, 3)));
        break;
    }
  }
  return data;
}

Booster train(const std::string& parameters, Label label, int rounds, std::uint64_t seed = 1) {
  const TrainingData data = training_data(seed, label);
  const std::string all = parameters + std::string{kCommon};
  DatasetHandle dataset = nullptr;
  ok(LGBM_DatasetCreateFromMat(data.rows.data(), C_API_DTYPE_FLOAT32, kTrainRows, kFeatures, 1, all.c_str(), nullptr,
                               &dataset));
  const Dataset owner{dataset};
  ok(LGBM_DatasetSetField(dataset, "label", data.labels.data(), kTrainRows, C_API_DTYPE_FLOAT32));
  BoosterHandle booster = nullptr;
  ok(LGBM_BoosterCreate(dataset, all.c_str(), &booster));
  Booster trained{booster};
  for (int i = 0, finished = 0; i < rounds && finished == 0; ++i) ok(LGBM_BoosterUpdateOneIter(booster, &finished));
  return trained;
}

Booster load(const std::string& text) {
  BoosterHandle booster = nullptr;
  int rounds = 0;
  ok(LGBM_BoosterLoadModelFromString(text.c_str(), &rounds, &booster));
  return Booster{booster};
}

std::string text_of(const Booster& booster) {
  std::int64_t size = 0;
  ok(LGBM_BoosterSaveModelToString(booster.get(), 0, -1, 0, 0, &size, nullptr));
  std::string text(static_cast<std::size_t>(size), '\0');
  ok(LGBM_BoosterSaveModelToString(booster.get(), 0, -1, 0, size, &size, text.data()));
  text.pop_back();  // the size counts a final NUL
  return text;
}

Forest forest_of(const Booster& booster) {
  auto forest = forest_from_lightgbm(text_of(booster));
  if (!forest) FAIL(forest.error().message);
  return *forest;
}

/// Values of all `key=` lines of the model.
std::vector<double> values_of(const std::string& model, const std::string& key) {
  std::vector<double> values;
  for (std::size_t at = model.find("\n" + key); at != std::string::npos; at = model.find("\n" + key, at + 1)) {
    const std::size_t begin = at + 1 + key.size();
    const std::string line = model.substr(begin, model.find('\n', begin) - begin);
    for (std::size_t word = 0; word < line.size();) {
      const std::size_t end = std::min(line.find(' ', word), line.size());
      values.push_back(std::stod(line.substr(word, end - word)));
      word = end + 1;
    }
  }
  return values;
}

/// Rows made to hurt: thresholds of the model and their float neighbours, NaN, infinities, both zeros, denormals, the
/// edge of LightGBM's zero, categories that are unseen, negative, broken or too large.
std::vector<float> score_rows(const std::string& model, std::uint64_t seed, int features = kFeatures) {
  std::vector<std::vector<float>> thresholds(static_cast<std::size_t>(features));
  const std::vector<double> where = values_of(model, "split_feature=");
  const std::vector<double> what = values_of(model, "threshold=");
  REQUIRE(where.size() == what.size());
  for (std::size_t i = 0; i < where.size(); ++i)
    thresholds[static_cast<std::size_t>(where[i])].push_back(static_cast<float>(what[i]));

  Rng rng{seed};
  const auto pick = [&](const std::vector<float>& from) { return from[rng.below(from.size())]; };
  const std::vector<float> odd{0.0F,
                               -0.0F,
                               kInf,
                               -kInf,
                               1e-40F,
                               -1e-40F,
                               1e-35F,
                               -1e-35F,
                               std::nextafter(1e-35F, 1.0F),
                               std::nextafter(-1e-35F, -1.0F),
                               std::numeric_limits<float>::denorm_min(),
                               -std::numeric_limits<float>::denorm_min(),
                               std::numeric_limits<float>::max(),
                               -std::numeric_limits<float>::max()};
  const std::vector<float> categories{-1.0F, -0.5F, 0.5F, 31.0F,         32.0F, 63.99F,
                                      64.0F, 96.0F, 1e6F, 2147483648.0F, 1e20F};
  std::vector<float> rows;
  rows.reserve(static_cast<std::size_t>(kScoreRows * features));
  for (int i = 0; i < kScoreRows; ++i)
    for (int j = 0; j < features; ++j) {
      const auto& own = thresholds[static_cast<std::size_t>(j)];
      float x = j >= 10 ? static_cast<float>(rng.below(100)) : static_cast<float>(rng.uniform() * 4.4 - 2.2);
      if (j == 4) x = std::exp(x * 20.0F);
      const std::uint64_t die = rng.below(100);
      if (die < 8)
        x = kNan;
      else if (die < 16)
        x = pick(odd);
      else if (die < 24 && j >= 10)
        x = pick(categories);
      else if (die < 50 && !own.empty() && j < 10) {
        x = pick(own);
        if (die < 32) x = std::nextafter(x, kInf);
        if (die > 42) x = std::nextafter(x, -kInf);
      }
      rows.push_back(x);
    }
  return rows;
}

std::vector<double> library_scores(const Booster& booster, const std::vector<float>& rows, int features, int kind) {
  int classes = 0;
  ok(LGBM_BoosterGetNumClasses(booster.get(), &classes));
  const auto count = static_cast<std::int32_t>(rows.size() / static_cast<std::size_t>(features));
  std::vector<double> out(static_cast<std::size_t>(count) * static_cast<std::size_t>(classes));
  std::int64_t written = 0;
  ok(LGBM_BoosterPredictForMat(booster.get(), rows.data(), C_API_DTYPE_FLOAT32, count, features, 1, kind, 0, -1,
                               "num_threads=1", &written, out.data()));
  REQUIRE(written == static_cast<std::int64_t>(out.size()));
  return out;
}

std::size_t differing_bits(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::bit_cast<std::uint64_t>(a[i]) != std::bit_cast<std::uint64_t>(b[i])) ++count;
  return count;
}

void same_bits(const Booster& booster, std::uint64_t seed, int features = kFeatures) {
  const std::string model = text_of(booster);
  const Forest forest = forest_of(booster);
  const std::vector<float> rows = score_rows(model, seed, features);

  std::vector<double> wanted = library_scores(booster, rows, features, C_API_PREDICT_RAW_SCORE);
  if (forest.averaged())
    for (double& score : wanted) score /= static_cast<double>(forest.trees() / forest.outputs());
  std::vector<double> scores(wanted.size());
  forest.raw_batch(rows, scores);
  CHECK(differing_bits(scores, wanted) == 0);
  // The rows must tell leaves apart, else equality says nothing.
  if (forest.trees() > forest.outputs())
    CHECK(std::count(wanted.begin(), wanted.end(), wanted[0]) < kScoreRows * 3 / 4);

  const auto outputs = static_cast<std::size_t>(forest.outputs());
  for (std::size_t i = 0; i < rows.size() / static_cast<std::size_t>(features); ++i)
    forest.raw(std::span{rows}.subspan(i * static_cast<std::size_t>(features), static_cast<std::size_t>(features)),
               std::span{scores}.subspan(i * outputs, outputs));
  CHECK(differing_bits(scores, wanted) == 0);

  forest.respond(scores);
  CHECK(differing_bits(scores, library_scores(booster, rows, features, C_API_PREDICT_NORMAL)) == 0);

  const auto stored = Forest::decode(forest.encode());
  REQUIRE(stored.has_value());
  stored->raw_batch(rows, scores);
  CHECK(differing_bits(scores, wanted) == 0);
  // What the library itself reads back is the same forest to us.
  CHECK(forest_of(load(model)).encode() == forest.encode());
}

TEST_CASE("oracle: regression with NaN as missing") {
  same_bits(train("objective=regression num_leaves=31", Label::Real, 100), 1);
}

TEST_CASE("oracle: regression with zero as missing") {
  same_bits(train("objective=regression num_leaves=31 zero_as_missing=true", Label::Real, 100), 2);
}

TEST_CASE("oracle: regression that knows no missing value") {
  same_bits(train("objective=regression num_leaves=31 use_missing=false", Label::Real, 100), 3);
}

TEST_CASE("oracle: categories, one against the rest and in sets") {
  const std::string parameters = "objective=regression num_leaves=31 categorical_feature=10,11 cat_smooth=1 cat_l2=1 ";
  same_bits(train(parameters, Label::Real, 60), 4);
  same_bits(train(parameters + "zero_as_missing=true", Label::Real, 60), 5);
  same_bits(train(parameters + "use_missing=false max_cat_to_onehot=100", Label::Real, 60), 6);
}

TEST_CASE("oracle: the other losses of regression") {
  std::uint64_t seed = 10;
  for (const char* objective : {"regression_l1", "huber", "fair", "quantile alpha=0.9", "mape"})
    same_bits(train(std::string{"objective="} + objective, Label::Real, 30), seed++);
}

TEST_CASE("oracle: binary, also with another factor") {
  same_bits(train("objective=binary", Label::Classes2, 50), 20);
  same_bits(train("objective=binary sigmoid=0.7 is_unbalance=true", Label::Classes2, 50), 21);
}

TEST_CASE("oracle: multiclass") {
  same_bits(train("objective=multiclass num_class=4 num_leaves=15", Label::Classes4, 25), 22);
}

TEST_CASE("oracle: random forests are means") {
  const std::string forest = " boosting=rf bagging_freq=1 bagging_fraction=0.6 feature_fraction=0.7 ";
  same_bits(train("objective=regression" + forest, Label::Real, 40), 30);
  same_bits(train("objective=binary" + forest, Label::Classes2, 40), 31);
  same_bits(train("objective=multiclass num_class=4" + forest, Label::Classes4, 15), 32);
}

TEST_CASE("oracle: other ways of boosting and large trees") {
  same_bits(train("objective=regression boosting=dart drop_rate=0.5", Label::Real, 40), 40);
  same_bits(train("objective=regression data_sample_strategy=goss learning_rate=0.3", Label::Real, 40), 41);
  same_bits(train("objective=regression num_leaves=255 max_depth=20 min_data_in_leaf=1", Label::Real, 10), 42);
  same_bits(train("objective=regression monotone_constraints=1,0,-1,0,0,0,0,0,0,0,0,0", Label::Real, 20), 43);
}

TEST_CASE("oracle: a constant label leaves trees without a split") {
  const Booster booster = train("objective=regression", Label::Constant, 5);
  CHECK(forest_of(booster).splits() == std::vector<std::int64_t>(kFeatures, 0));
  same_bits(booster, 50);
}

TEST_CASE("oracle: thresholds inside LightGBM's zero") {
  for (const char* threshold : {"0", "-0", "-1e-36", "1e-36", "-1.0000000180025095e-35", "9.9999999e-36"})
    for (const char* type : {"0", "2", "4", "6", "8", "10"}) {
      std::string model{kModelTemplate};
      model.replace(model.find("1.0000000180025095e-35"), 22, threshold);
      model.replace(model.find("threshold=inf") + 10, 3, "0.5");  // both sides of the root
      const std::size_t at = model.find("decision_type=8 1 2") + 18;
      model.replace(at, 1, type);
      same_bits(load(with_tree_sizes(model)), 60, 3);
    }
}

TEST_CASE("oracle: importances agree with the library") {
  const Booster booster = train("objective=regression", Label::Real, 30);
  const Forest forest = forest_of(booster);
  std::vector<double> splits(kFeatures), gain(kFeatures);
  ok(LGBM_BoosterFeatureImportance(booster.get(), 0, C_API_FEATURE_IMPORTANCE_SPLIT, splits.data()));
  ok(LGBM_BoosterFeatureImportance(booster.get(), 0, C_API_FEATURE_IMPORTANCE_GAIN, gain.data()));
  const std::vector<std::int64_t> ours = forest.splits();
  CHECK(std::equal(ours.begin(), ours.end(), splits.begin()));
  for (std::size_t i = 0; i < gain.size(); ++i) CHECK(forest.gain()[i] == doctest::Approx(gain[i]).epsilon(1e-5));
}

TEST_CASE("oracle: what the library trains and we do not evaluate is refused") {
  for (const char* objective : {"poisson", "cross_entropy", "multiclassova num_class=4", "regression reg_sqrt=true",
                                "regression linear_tree=true"}) {
    const bool classes = std::string_view{objective}.find("class") != std::string_view::npos;
    const bool rates = std::string_view{objective} == "poisson" || std::string_view{objective} == "cross_entropy";
    const auto forest = forest_from_lightgbm(text_of(train(std::string{"objective="} + objective,
                                                           rates     ? Label::Classes2
                                                           : classes ? Label::Classes4
                                                                     : Label::Real,
                                                           3)));
    CAPTURE(objective);
    REQUIRE_FALSE(forest.has_value());
    CHECK(forest.error().code == Code::Unsupported);
  }
}

}  // namespace
}  // namespace everlearn
