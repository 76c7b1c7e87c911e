#include "feature/feature_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "feature/catalogue_text.hpp"
#include "feature/resolve.hpp"

using namespace everlearn;

namespace {

FeatureSet choose(std::vector<std::string> patterns, Duration step = Duration::days(1)) {
  return FeatureSet::choose(step, patterns).value();
}

std::string refusal(std::vector<std::string> patterns, Duration step = Duration::days(1)) {
  return FeatureSet::choose(step, patterns).error().message;
}

std::vector<std::string> names(const FeatureSet& set) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < set.size(); ++i) all.push_back(set[i].name);
  return all;
}

}  // namespace

TEST_CASE("catalogue: has over 130 features that a price alone can feed, and every group of the design") {
  const auto all = catalogue(Duration::days(1));
  CHECK(std::count_if(all.begin(), all.end(), [](const FeatureDefinition& f) { return f.source == "price"; }) >= 130);
  const auto in = [&](std::string_view group) {
    return std::count_if(all.begin(), all.end(), [&](const FeatureDefinition& f) { return f.group == group; });
  };
  CHECK(in("time series") >= 25);
  CHECK(in("indicators") >= 20);
  CHECK(in("bars") >= 10);
  CHECK(in("regime") >= 5);
  CHECK(in("time") >= 10);
  CHECK(in("derived") >= 20);
  CHECK(in("trade flow") >= 15);
  CHECK(in("book") >= 20);
  CHECK(in("market quality") >= 10);
  CHECK(in("context") >= 10);
}

TEST_CASE("catalogue: a name stands for one feature, and each says what it is") {
  for (const Duration step : {Duration::days(1), Duration::minutes(15), Duration::minutes(1), Duration::seconds(10)}) {
    std::set<std::string> seen;
    for (const FeatureDefinition& feature : catalogue(step)) {
      CAPTURE(feature.name);
      CHECK(seen.insert(feature.name).second);
      CHECK(!feature.formula.empty());
      CHECK(feature.formula.find('{') == std::string::npos);
      CHECK(!feature.unit.empty());
      CHECK(!feature.source.empty());
      CHECK(feature.hash.size() == 8);
    }
  }
}

TEST_CASE("choose: keeps the order of the patterns, and of the catalogue within one") {
  CHECK(names(choose({"vol_20", "ret_1", "mom_?"})) ==
        std::vector<std::string>{"vol_20", "ret_1", "mom_1", "mom_2", "mom_3", "mom_5"});
}

TEST_CASE("choose: takes a feature once, and '!' removes") {
  CHECK(names(choose({"ret_1", "ret_?", "!ret_2"})) == std::vector<std::string>{"ret_1", "ret_3", "ret_5"});
}

TEST_CASE("choose: '@' names a group") { CHECK(names(choose({"@time"})).front() == "hour_sin"); }

TEST_CASE("choose: any window of a family can be named") {
  CHECK(choose({"ret_37"})[0].warm_up == 37);
  CHECK(choose({"vol_5000"})[0].warm_up == 5000);
}

TEST_CASE("choose: a window given as time is the same computation as its steps, under its own name") {
  const FeatureSet set = choose({"ret_1h", "ret_4"}, Duration::minutes(15));
  CHECK(set[0].warm_up == 4);
  CHECK(set[0].formula == set[1].formula);
  CHECK(set[0].column() != set[1].column());
}

TEST_CASE("choose: a week of daily steps is seven sessions") { CHECK(choose({"ret_7d"})[0].warm_up == 7); }

TEST_CASE("choose: a refusal names the pattern and what is nearest") {
  CHECK(refusal({"rett_5"}) == "no feature \"rett_5\"; the nearest known name is \"ret_5\"");
  CHECK(refusal({"ret_5", "macdsignal"}).find("\"macd_signal\"") != std::string::npos);
  CHECK(refusal({"zzz*"}).starts_with("pattern \"zzz*\" matches nothing: "));
  CHECK(refusal({"@prices"}) == "no feature group \"prices\"");
  CHECK(refusal({}) == "no features are chosen");
  CHECK(refusal({"ret_1", "!ret_1"}) == "no features are chosen");
}

TEST_CASE("choose: a window outside its family's limits is refused with the limits") {
  CHECK(refusal({"ret_5001"}) == "feature \"ret_5001\": a window of 5001 steps, the limits are 1 to 5000");
  CHECK(refusal({"skew_3"}) == "feature \"skew_3\": a window of 3 steps, the limits are 4 to 5000");
  CHECK(refusal({"ret_0"}).starts_with("no feature"));
  CHECK(refusal({"ret_99999999999999999999"}).find("the limits are") != std::string::npos);
}

TEST_CASE("choose: a time that is not a whole number of steps is refused") {
  CHECK(refusal({"ret_20m"}, Duration::minutes(15)) ==
        "feature \"ret_20m\": 20m is not a whole number of steps of 15m");
  CHECK(FeatureSet::choose(Duration{0}, {"ret_1"}).error().code == Code::OutOfRange);
}

TEST_CASE("hash: the same choice has the same schema; another order, step or choice another") {
  const std::string one = choose({"ret_1", "vol_20"}).hash();
  CHECK(one == choose({"ret_1", "vol_20"}).hash());
  CHECK(one != choose({"vol_20", "ret_1"}).hash());
  CHECK(one != choose({"ret_1", "vol_20"}, Duration::minutes(1)).hash());
  CHECK(one != choose({"ret_1"}).hash());
  CHECK(one.size() == 64);
}

TEST_CASE("hash: a column is the computation, whatever else is chosen and at any step length") {
  const std::string alone = choose({"macd_hist"}).columns()[0];
  CHECK(choose({"*"}, Duration::minutes(15)).size() > 300);
  CHECK(choose({"rsi_14", "macd_hist"}, Duration::minutes(15)).columns()[1] == alone);
}

// A changed digest means that stored models no longer fit their columns: change these two only with the formula.
TEST_CASE("hash: is stable between releases") {
  CHECK(choose({"ret_1"}).columns()[0] == "ret_1@383b04ab");
  CHECK(choose({"adx_14"}).columns()[0] == "adx_14@ee379a60");
}

TEST_CASE("resolver: every listed feature can be found by its name") {
  const Resolver resolver{Duration::minutes(1)};
  for (const Resolved& feature : resolver.listed()) {
    const auto found = resolver.find(feature.name);
    REQUIRE(found.has_value());
    CHECK(found->family == feature.family);
    CHECK(found->window == feature.window);
  }
}

TEST_CASE("docs/features.md is what the catalogue says") {
  std::ifstream file{EVERLEARN_SOURCE_DIR "/docs/features.md"};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  // To write it anew: features list --markdown, or print catalogue_markdown().
  CHECK((text == catalogue_markdown()));
}
