// The loop over a table's rows: columns as features, an outcome column as label, with prices and without.
#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "app/config/config.hpp"
#include "app/engine.hpp"
#include "core/rng.hpp"
#include "core/sim_fs.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "core/test_directory.hpp"
#include "feature/stored_precision.hpp"

namespace everlearn {
namespace {

const Duration kStep = Duration::minutes(10);
Timestamp row_time(std::size_t i) { return Timestamp{1'700'000'400'000'000} + kStep * static_cast<std::int64_t>(i); }

/// Events that are all there, in order.
class ListSource final : public Source {
 public:
  explicit ListSource(std::vector<Event> events) : events_{std::move(events)} {}
  Result<std::optional<Event>> next() override {
    return next_ < events_.size() ? std::optional{events_[next_++]} : std::nullopt;
  }
  std::string position() const override { return std::to_string(next_); }
  Result<void> seek(const std::string& position) override {
    next_ = std::stoul(position);
    return {};
  }
  const SourceReport& report() const override { return report_; }
  std::optional<double> progress() const override { return std::nullopt; }

 private:
  std::vector<Event> events_;
  std::size_t next_ = 0;
  SourceReport report_;
};

constexpr const char* kRows = R"(
[source]
kind = "table_file"
table = "rows.csv"
fields = ["rsi", "net flow"]
outcome_column = "class"
outcome_values = ["down", "flat", "up"]
[cycle]
every = "10m"
commit_every = 7
[examples]
max_price_age = "20m"
[features]
use = []
[target.class]
acts = true
label = "column"
classes = 3
horizon = "30m"
tolerance = "10m"
[signal]
baseline_may_act = true
[trade]
capital = 1000
order = 100
instrument = 1000
total = 1000
daily_loss = 1000
cost_bps = 50
half_spread_bps = 50
[train]
learning = false
)";

constexpr const char* kPrices = R"(
[cycle]
every = "10m"
[features]
use = ["ret_1"]
[target.move]
acts = true
label = "direction_3"
flat_volatility = 0.5
horizon = "1h"
tolerance = "10m"
[train]
learning = false
)";

struct Run {
  std::vector<ExampleRow> examples;
  std::vector<LabelRow> labels;
  std::vector<PredictionRow> predictions;
  std::vector<IntentRow> intents;
  std::vector<AlertRow> alerts;
  Progress progress;
};

/// Reads `events` to their end; with `restart`, by an engine that reads so many and another that goes on.
Run run(const char* toml, const std::vector<Event>& events, std::size_t restart = 0) {
  SimFs files;
  REQUIRE(replace_file(files, "my.toml", toml));
  const auto config = Config::load(files, {.profile = "my.toml", .environment = {}, .dot_env = {}, .overrides = {}});
  INFO((config ? "" : config.error().message));
  REQUIRE(config);
  const Profile& profile = config->profile;
  const auto calendar = make_always_open();
  const TestDirectory folder;
  SystemFs fs;
  SystemProc proc;
  ManualClock clock;
  Rng rng = Rng::named(1, "engine");
  const World world{clock, rng, fs, proc};
  const auto go = [&](std::size_t count) {
    const auto store = Store::open(world, folder.path(), profile.store);
    REQUIRE(store);
    ListSource source{{events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count)}};
    Instruments instruments;
    instruments.intern("A");
    const auto engine = Engine::make(world, profile, *calendar, **store, source, instruments,
                                     {.data_directory = folder.path(), .virtual_clock = &clock});
    INFO((engine ? "" : engine.error().message));
    REQUIRE(engine);
    const auto ran = (*engine)->run_to_end();
    INFO((ran ? "" : ran.error().message));
    REQUIRE(ran);
    return (*engine)->progress();
  };
  if (restart > 0) go(restart);
  Run result;
  result.progress = go(events.size());
  const auto store = Store::open(world, folder.path(), profile.store);
  REQUIRE(store);
  const TimeRange all{Timestamp::min(), Timestamp::max()};
  const auto collect = [](auto& rows) {
    return [&rows](const auto& row) {
      rows.push_back(row);
      return true;
    };
  };
  REQUIRE((*store)->scan_examples(all, collect(result.examples)));
  REQUIRE((*store)->scan_labels(all, collect(result.labels)));
  REQUIRE((*store)->scan_predictions(all, collect(result.predictions)));
  result.intents = (*store)->intents().value();
  result.alerts = (*store)->alerts().value();
  return result;
}

/// Rows without a price: mostly up, now and then down.
std::vector<Event> rows(std::size_t count, bool with_outcome) {
  Rng rng{5};
  std::vector<Event> events;
  for (std::size_t i = 0; i < count; ++i) {
    Fields fields{{static_cast<float>(rng.uniform()), std::numeric_limits<float>::quiet_NaN()}, std::nullopt};
    if (i % 3 > 0) fields.values[1] = static_cast<float>(rng.uniform());
    if (with_outcome) fields.outcome = i % 5 == 0 ? 0 : 2;
    events.push_back({InstrumentId{0}, row_time(i), row_time(i), std::move(fields)});
  }
  return events;
}

TEST_CASE("a table without prices: examples of its columns, labels of its outcomes, signals that nobody trades") {
  const auto events = rows(60, true);
  const Run all = run(kRows, events);
  REQUIRE(all.examples.size() == 59);  // no cycle after the last row
  for (std::size_t i = 0; i < all.examples.size(); ++i) {
    const ExampleRow& example = all.examples[i];
    const auto& fields = std::get<Fields>(events[i].what).values;
    CHECK(example.event_time == row_time(i));
    CHECK(std::isnan(example.price));
    REQUIRE(example.features.size() == 2);
    CHECK(example.features[0] == stored_precision(fields[0]));
    CHECK(std::isnan(example.features[1]) == std::isnan(fields[1]));
  }
  REQUIRE(all.labels.size() > 50);
  for (const LabelRow& label : all.labels) {
    CHECK(label.known);
    CHECK(label.known_at == label.event_time + Duration::minutes(30));
    const auto i = static_cast<std::size_t>((label.event_time - row_time(0)) / kStep);
    CHECK(label.value == (i % 5 == 0 ? 0 : 2));
  }
  std::size_t passed = 0;
  for (const PredictionRow& said : all.predictions) {
    CHECK(std::isnan(said.price));
    passed += said.verdict == "passed" ? 1 : 0;
  }
  // From the first labels on the baseline says up: its lead is what is expected, and costs take nothing of it.
  CHECK(passed > 50);
  const PredictionRow& last = all.predictions.back();
  REQUIRE(last.probabilities.size() == 3);
  CHECK(last.blended == 2);
  CHECK(last.expected == last.probabilities[2] - std::max(last.probabilities[0], last.probabilities[1]));
  CHECK(last.measured == last.expected);
  CHECK(last.half_spread == 0);
  CHECK(all.alerts.size() == passed);
  CHECK(all.intents.empty());
  CHECK(all.progress.equity == 1000);
}

TEST_CASE("no look-ahead: with outcomes and without, the examples of the loop are the same bit for bit") {
  const Run with = run(kRows, rows(60, true));
  const Run without = run(kRows, rows(60, false));
  REQUIRE(with.examples.size() == without.examples.size());
  for (std::size_t i = 0; i < with.examples.size(); ++i) {
    const auto& a = with.examples[i].features;
    const auto& b = without.examples[i].features;
    REQUIRE(a.size() == b.size());
    for (std::size_t c = 0; c < a.size(); ++c)
      CHECK(std::bit_cast<std::uint32_t>(a[c]) == std::bit_cast<std::uint32_t>(b[c]));
  }
  for (const LabelRow& label : without.labels) CHECK(label.reason == "no outcome within 10m after the horizon");
}

TEST_CASE("a table without prices: a silent one makes no examples, and a restart goes on as if nothing had happened") {
  auto events = rows(60, true);
  for (std::size_t i = 30; i < 60; ++i) events[i].event_time = events[i].known_at = row_time(i + 12);
  const Run whole = run(kRows, events);
  CHECK(whole.examples.size() == 59 + 2);  // its columns are fresh for 20 minutes
  const Run restarted = run(kRows, events, 41);
  CHECK(restarted.progress.ledger_sha256 == whole.progress.ledger_sha256);
}

TEST_CASE("flat by volatility: void until the volatility is known, then about as often flat as a random walk says") {
  Rng rng{9};
  double value = 100;
  std::vector<Event> events;
  for (std::size_t i = 0; i < 3000; ++i) {
    double normal = -6;  // nearly: the sum of twelve
    for (int k = 0; k < 12; ++k) normal += rng.uniform();
    value *= std::exp(0.002 * normal);
    events.push_back({InstrumentId{0}, row_time(i), row_time(i), PricePoint{Price::from(value).value(), {}, {}}});
  }
  const Run walk = run(kPrices, events);
  std::size_t known = 0, flat = 0;
  for (const LabelRow& label : walk.labels) {
    const auto i = (label.event_time - row_time(0)) / kStep;
    CHECK(label.known == (i >= 3));  // half of a horizon's six returns
    if (!label.known) CHECK(label.reason == "no trailing volatility yet");
    known += label.known ? 1 : 0;
    flat += label.known && label.value == 1 ? 1 : 0;
  }
  REQUIRE(known > 2900);
  // |N(0, 1)| < 0.5: 38 % of the time; a volatility of six returns is a rough one.
  CHECK(static_cast<double>(flat) / static_cast<double>(known) == doctest::Approx(0.37).epsilon(0.12));
}

}  // namespace
}  // namespace everlearn
