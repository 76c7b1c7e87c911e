#include "app/signal_review.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/test_directory.hpp"

namespace everlearn {
namespace {

constexpr Timestamp kStart{1'767'571'200'000'000};  // 2026-01-05, a Monday
constexpr Duration kCycle = Duration::minutes(10);
constexpr int kHorizon = 3;  // cycles

constexpr const char* kSettings = R"(
name = "reviewed"
[cycle]
every = "10m"
[target.move]
acts = true
label = "direction_3"
horizon = "30m"
tolerance = "10m"
flat = 0.001
[signal]
min_margin = 0.2
max_entropy = 0.95
min_recent_accuracy = 0.3
recent_penalty = true
recent_rows = 30
max_signals = 1
quiet_from = "01:00"
quiet_to = "03:30"
[trade]
cost_bps = 5
half_spread_bps = 1
)";

Config config_of(std::vector<std::pair<std::string, std::string>> overrides = {}) {
  SystemFs fs;
  TestDirectory folder;
  REQUIRE(replace_file(fs, folder.path() + "/reviewed.toml", kSettings));
  auto config = Config::load(fs, {.profile = folder.path() + "/reviewed.toml",
                                  .environment = {},
                                  .dot_env = {},
                                  .overrides = std::move(overrides)});
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  return *config;
}

struct Directory {
  TestDirectory folder;
  std::unique_ptr<DataDirectory> data;
  Directory() {
    auto opened = DataDirectory::open(folder.path() + "/data", config_of(), DataDirectory::Access::Create);
    REQUIRE(opened);
    data = std::move(*opened);
    REQUIRE(data->store().put_state("instruments", "A\nB\nC\n"));
  }
  template <class Row>
  void add(const Row& row) {
    const auto added = data->store().append(row);
    INFO((added ? "" : added.error().message));
    REQUIRE(added);
  }
  void price(InstrumentId id, Timestamp at, double price) {
    add(PriceRow{.instrument = id, .event_time = at, .known_at = at, .price = *Price::from(price)});
  }
};

PredictionRow row_of(InstrumentId id, Timestamp at, std::vector<double> probabilities, double price) {
  PredictionRow row{.instrument = id, .event_time = at, .bundle = "m", .price = price, .rung = "champion"};
  row.blended = static_cast<double>(std::ranges::max_element(probabilities) - probabilities.begin());
  row.expected = (probabilities[2] - probabilities[0]) * 0.01;
  row.outside_share = 0;
  row.probabilities = std::move(probabilities);
  return row;
}

SignalInput as_the_engine_has_it(const PredictionRow& row) {
  SignalInput input{.instrument = row.instrument, .price = row.price, .predicted = row.expected};
  input.probabilities = row.probabilities;
  input.champion = row.rung == "champion";
  input.learning_active = true;
  return input;
}

int class_of(double before, double after) {
  const double move = after / before - 1;
  return std::fabs(move) <= 0.001 ? 1 : move > 0 ? 2 : 0;
}

/// Three instruments over `cycles`, judged cycle by cycle as the engine does: labels settle, then the chain judges.
void fill(Directory& directory, int cycles) {
  SignalChain chain = *SignalChain::make(directory.data->profile().signal);
  Rng rng{7};
  std::vector<std::vector<double>> prices(3);
  std::map<std::pair<int, int>, int> said;  // cycle, instrument
  for (int t = 0; t < cycles; ++t) {
    const Timestamp at = kStart + kCycle * t;
    for (std::uint32_t i = 0; i < 3; ++i) {
      prices[i].push_back(std::round((t == 0 ? 100 : prices[i].back() * (1 + (rng.uniform() - 0.5) / 100)) * 1e6) /
                          1e6);
      directory.price(InstrumentId{i}, at, prices[i].back());
    }
    for (std::uint32_t i = 0; t >= kHorizon && i < 3; ++i) {
      const int from = t - kHorizon, came = class_of(prices[i][static_cast<std::size_t>(from)], prices[i].back());
      directory.add(LabelRow{.instrument = InstrumentId{i},
                             .event_time = kStart + kCycle * from,
                             .target = 0,
                             .known = true,
                             .value = static_cast<double>(came),
                             .end = at,
                             .known_at = at});
      if (const auto of = said.find({from, static_cast<int>(i)}); of != said.end()) chain.matured(of->second, came);
    }
    std::vector<PredictionRow> rows;
    std::vector<SignalInput> inputs;
    for (std::uint32_t i = 0; i < 3; ++i) {
      std::vector<double> p{rng.uniform(), rng.uniform() / 2, rng.uniform()};
      const double sum = p[0] + p[1] + p[2];
      for (double& share : p) share /= sum;
      rows.push_back(row_of(InstrumentId{i}, at, p, prices[i].back()));
      if (rng.below(10) == 0) rows.back().rung = "previous champion";
      if (rng.below(10) == 0) rows.back().bundle.clear();  // the baseline alone: nothing of it matures
      if (!rows.back().bundle.empty()) said[{t, static_cast<int>(i)}] = static_cast<int>(rows.back().blended);
      inputs.push_back(as_the_engine_has_it(rows.back()));
    }
    const double recent = chain.recent_accuracy();
    const auto signals = chain.judge(at, inputs);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].verdict = signals[i].filter;
      rows[i].measured = signals[i].measured;
      rows[i].required = signals[i].required;
      rows[i].half_spread = signals[i].half_spread;
      rows[i].recent_accuracy = recent;
      directory.add(rows[i]);
      PredictionRow trial = rows[i];  // beside it, the other stream, which did not act
      trial.stream = Stream::Tuned;
      trial.served = false;
      trial.verdict = "";
      directory.add(trial);
    }
  }
}

std::int64_t passed(const SignalTallies& tallies) {
  const auto found = tallies.find("passed");
  return found != tallies.end() ? found->second.n : 0;
}

}  // namespace

TEST_CASE("signal review: the directory's own rules give every stored verdict again") {
  Directory directory;
  fill(directory, 200);
  const WhatIf same = *what_if(*directory.data, directory.data->profile().signal, {});
  CHECK(same.predictions == 600);
  CHECK(same.other_rules == 0);
  CHECK(same.not_replayed == 0);
  CHECK(same.new_signals + same.lost_signals == 0);
  REQUIRE(same.was.size() >= 7);  // the run meets most filters
  for (const char* filter : {"passed", "flat", "margin", "entropy", "max signals", "recent accuracy",
                             "recent accuracy unknown", "baseline may not act", "quiet hours"}) {
    CAPTURE(filter);
    CHECK(same.was.contains(filter));
  }
  for (const auto& [verdict, tally] : same.was) CHECK(same.would.at(verdict).n == tally.n);

  // Counted is a stretch; the rules have their past all the same.
  const WhatIf later =
      *what_if(*directory.data, directory.data->profile().signal, {kStart + kCycle * 100, kStart + kCycle * 150});
  CHECK(later.predictions == 150);
  CHECK(later.other_rules == 0);
}

TEST_CASE("signal review: a verdict that the rules do not give is told") {
  Directory directory;
  fill(directory, 40);
  PredictionRow other = row_of(InstrumentId{0}, kStart + kCycle * 40, {0.1, 0.1, 0.8}, 100);
  other.verdict = "margin";
  other.measured = 0.7;
  other.required = 0.75;
  other.half_spread = 0.0001;
  directory.add(other);
  PredictionRow old = row_of(InstrumentId{0}, kStart + kCycle * 41, {0.1, 0.1, 0.8}, 100);
  old.expected = std::nan("");
  old.verdict = "passed";
  directory.add(old);
  const WhatIf result = *what_if(*directory.data, directory.data->profile().signal, {});
  CHECK(result.other_rules == 1);
  CHECK(result.first_other == kStart + kCycle * 40);
  CHECK(result.not_replayed == 1);
}

TEST_CASE("signal review: what if: a lower margin lets more through, and no quiet hours let some through there") {
  Directory directory;
  fill(directory, 200);
  const WhatIf loose = *what_if(
      *directory.data, config_of({{"signal.min_margin", "0.05"}, {"signal.max_signals", "0"}}).profile.signal, {});
  CHECK(passed(loose.would) > passed(loose.was));
  CHECK(loose.new_signals - loose.lost_signals == passed(loose.would) - passed(loose.was));
  CHECK(!loose.would.contains("max signals"));
  const WhatIf awake =
      *what_if(*directory.data, config_of({{"signal.quiet_from", ""}, {"signal.quiet_to", ""}}).profile.signal, {});
  CHECK(!awake.would.contains("quiet hours"));
  CHECK(awake.was.at("quiet hours").n > 0);
  const WhatIf none = *what_if(
      *directory.data, config_of({{"signal.min_margin", "1"}, {"signal.recent_penalty", "false"}}).profile.signal, {});
  CHECK(passed(none.would) == 0);
  CHECK(none.lost_signals == passed(none.was));
}

TEST_CASE("signal review: right is the direction, net the move in it after costs; both counted by hand") {
  Directory directory;
  const auto id = InstrumentId{1};
  const auto say = [&](int t, std::vector<double> p, const char* verdict) {
    PredictionRow row = row_of(id, kStart + kCycle * t, std::move(p), 100);
    row.verdict = verdict;
    row.required = 0.2;
    row.half_spread = 0.0002;
    row.set = 0b100;
    directory.add(row);
  };
  const auto came = [&](int t, double outcome, double price, bool known = true) {
    const Timestamp end = kStart + kCycle * (t + kHorizon);
    directory.price(id, end, price);
    directory.add(LabelRow{.instrument = id,
                           .event_time = kStart + kCycle * t,
                           .target = 0,
                           .known = known,
                           .value = known ? outcome : std::nan(""),
                           .end = end,
                           .known_at = end});
  };
  say(0, {0.1, 0.1, 0.8}, "passed");
  came(0, 2, 101);                    // up, as said: + 1 % - 2 * 5 bp - 2 bp
  say(1, {0.8, 0.1, 0.1}, "margin");  // would have sold
  came(1, 0, 99);                     // down: + 1 % after costs 0.9880 %
  say(2, {0.1, 0.1, 0.8}, "passed");
  came(2, 1, 100.05);  // flat: a false positive, + 5 bp - 12 bp
  say(3, {0.1, 0.1, 0.8}, "passed");
  came(3, 0, 100, false);                // void
  say(1008, {0.1, 0.1, 0.8}, "passed");  // a week later, still waiting
  const SignalStats stats = *signal_stats(*directory.data, {});
  CHECK(stats.predictions == 5);
  const SignalTally& tally = stats.verdicts.at("passed");
  CHECK(tally.n == 4);
  CHECK(tally.known == 2);
  CHECK(tally.right == 1);
  CHECK(tally.wrong() == 1);
  CHECK(tally.right_share() == 0.5);
  CHECK(tally.net == doctest::Approx(0.0088 - 0.0007));
  const SignalTally& stopped = stats.verdicts.at("margin");
  CHECK(stopped.right_share() == 1);
  CHECK(stopped.net == doctest::Approx(0.0088));
  REQUIRE(stats.weeks.size() == 2);
  CHECK(stats.weeks[0].verdicts.at("passed").n == 3);
  CHECK(stats.weeks[1].monday == kStart + Duration::days(7));
  CHECK(stats.recent_count == 3);
  CHECK(stats.recent_accuracy == doctest::Approx(2.0 / 3));
  CHECK(stats.recent_majority == doctest::Approx(1.0 / 3));
  CHECK(stats.sets.all().n == 3);
  CHECK(stats.sets.all().coverage() == doctest::Approx(1.0 / 3));

  const auto newest = *newest_signals(*directory.data, {}, false, 2);
  REQUIRE(newest.size() == 2);
  CHECK(newest[0].row.event_time == kStart + kCycle * 1008);
  CHECK(!newest[0].outcome);
  CHECK(newest[1].row.event_time == kStart + kCycle * 3);
  CHECK(newest_signals(*directory.data, {}, true, 20)->size() == 5);
  CHECK(newest_signals(*directory.data, {kStart + kCycle, kStart + kCycle * 2}, true, 20)->front().right == true);
}

TEST_CASE("signal review: weeks are those of ISO 8601") {
  const auto week = [](const char* day) { return iso_week(*Timestamp::parse(std::string{day} + "T12:00:00Z")); };
  CHECK(week("2026-01-05") == "2026-W02");
  CHECK(week("2026-01-04") == "2026-W01");
  CHECK(week("2025-12-29") == "2026-W01");
  CHECK(week("2021-01-03") == "2020-W53");
  CHECK(week("1969-12-31") == "1970-W01");
}

}  // namespace everlearn
