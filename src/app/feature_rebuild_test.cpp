#include "app/feature_rebuild.hpp"

#include <doctest/doctest.h>

#include <cmath>

#include "app/data_directory.hpp"
#include "app/row_schema.hpp"
#include "core/test_directory.hpp"
#include "market/event_codec.hpp"

namespace everlearn {
namespace {

constexpr InstrumentId kA{0};
const Timestamp kStart = Timestamp::parse("2026-01-05T00:00:00Z").value();

Timestamp minute(std::int64_t n) { return kStart + Duration::minutes(n); }
Price px(double value) { return Price::from(value).value(); }

/// A directory that a live run with a dense grid has left: cycles each minute, examples and dense prices each quarter.
class Left {
 public:
  explicit Left(bool with_events = false) {
    SystemFs fs;
    REQUIRE(replace_file(fs, file(),
                         R"(name = "mine"
[source]
store_events = )" + std::string{with_events ? "true" : "false"} +
                             R"(
gap_after = "45m"
[prices]
every = "15m"
[cycle]
every = "1m"
[examples]
every = "15m"
[features]
use = ["hour"]
dense = ["diff_15m"]
[target.up]
acts = true
)"));
    before = config({});
    auto opened = DataDirectory::open(path(), before, DataDirectory::Access::Create);
    REQUIRE(opened);
    data = std::move(*opened);
    const RowSchema schema = RowSchema::make(before.profile).value();
    std::string columns;
    for (const std::string& column : schema.columns()) columns += column + "\n";
    REQUIRE(store().put_state("profile", "mine"));
    REQUIRE(store().put_state("columns", columns));
    REQUIRE(store().put_state("instruments", "A\n"));
  }

  std::string file() const { return folder.path() + "/mine.toml"; }
  std::string path() const { return folder.path() + "/old"; }
  std::string to() const { return folder.path() + "/new"; }
  Store& store() { return data->store(); }
  Config config(std::vector<std::pair<std::string, std::string>> settings) const {
    SystemFs fs;
    auto loaded = Config::load(fs, {.profile = file(), .overrides = std::move(settings)});
    REQUIRE_MESSAGE(loaded.has_value(), (loaded ? "" : loaded.error().message));
    return *loaded;
  }

  void price(std::int64_t at, double value) {
    REQUIRE(store().append(
        PriceRow{.instrument = kA, .event_time = minute(at), .known_at = minute(at), .price = px(value)}));
  }
  void filled(std::int64_t at, double value, std::int64_t known) {
    REQUIRE(store().append(PriceRow{.instrument = kA,
                                    .event_time = minute(at),
                                    .known_at = minute(known),
                                    .price = px(value),
                                    .origin = Origin::Backfill,
                                    .kind = PriceKind::Past}));
  }
  void event(std::int64_t at, EventBody what, std::uint32_t ordinal = 0) {
    REQUIRE(store().append(
        EventRow{kA, minute(at), minute(at), std::string{event_kind(what)}, ordinal, encode_event(what)}));
  }
  void example(std::int64_t at) {
    ExampleRow row{.instrument = kA, .event_time = minute(at), .known_at = minute(at), .price = 0.5};
    row.baseline = row.no_change = {0};
    row.features = {static_cast<float>(at % 1440) / 64.0f, 0.25f};  // what the old columns say is kept, right or wrong
    REQUIRE(store().append(row));
  }

  /// Rows of the new directory.
  std::vector<ExampleRow> rebuilt(std::vector<std::pair<std::string, std::string>> settings) {
    REQUIRE(store().commit_state());
    data.reset();
    result = rebuild_features({.from = path(), .before = before, .now = config(settings), .to = to()});
    REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message));
    auto opened = DataDirectory::open(to(), config(settings), DataDirectory::Access::Read);
    REQUIRE(opened);
    std::vector<ExampleRow> rows;
    REQUIRE((*opened)->store().scan_examples({}, [&](const ExampleRow& row) {
      rows.push_back(row);
      return true;
    }));
    CHECK((*opened)->store().verify().value().empty());
    return rows;
  }

  TestDirectory folder;
  Config before;
  std::unique_ptr<DataDirectory> data;
  Result<RebuildResult> result;
};

}  // namespace

TEST_CASE("rebuild: a price of the past that came later is in no row before it came, and in those after it") {
  Left left;
  for (const std::int64_t at : {0, 15, 30, 45}) left.price(at, 0.4);
  // Nobody looked at 60 and 75; the prices of then came at 100.
  left.filled(60, 0.6, 100);
  left.filled(75, 0.7, 100);
  for (const std::int64_t at : {90, 105, 120, 135}) left.price(at, 0.5);
  for (const std::int64_t at : {45, 90, 105, 120, 135}) left.example(at);
  const auto rows = left.rebuilt({{"features.dense", "diff_15m,max_move_1h"}});
  REQUIRE(rows.size() == 5);
  CHECK(left.result->computed.size() == 1);
  CHECK(std::isnan(rows[0].features[2]));  // a window of four moves, three are known
  // At 90 the price of 45 is the last one known, and carried: 0.4 .. 0.4 0.5. From 100 on: 0.4 0.6 0.7 0.5.
  CHECK(rows[1].features[2] == doctest::Approx(0.1).epsilon(1e-4));
  CHECK(rows[2].features[2] == doctest::Approx(0.2).epsilon(1e-4));
  CHECK(rows[3].features[2] == doctest::Approx(0.2).epsilon(1e-4));
  CHECK(rows[4].features[2] == doctest::Approx(0.2).epsilon(1e-4));
  for (const ExampleRow& row : rows) CHECK(row.features[1] == 0.25f);
}

TEST_CASE("rebuild: what a book would tell is missing where books are not stored, and computed where they are") {
  const auto fill = [](Left& left, bool events) {
    for (std::int64_t at = 0; at <= 60; at += 15) {
      left.price(at, 0.5);
      if (events && at == 0) left.event(at, BookUpdate{true, {{px(0.49), 100}}, {{px(0.51), 300}}});
      if (events && at > 0 && at < 45)
        left.event(at, BookUpdate{false, {}, {{px(0.50 + 0.01 * static_cast<double>(at) / 15), 0}, {px(0.55), 10}}});
      if (events && at == 45) left.event(at, BookDoubt{});
      left.example(at);
      // Of a source that forgets a silence of more than two minutes is a pause.
      for (std::int64_t beat = at + 1; events && beat < at + 15; ++beat) left.event(beat, Trade{px(0.5), 1, Side::Buy});
    }
  };
  const std::vector<std::pair<std::string, std::string>> wanted{{"features.use", "hour,spread,ret_1"},
                                                                {"features.define.wide", "where(spread > 0.03, 1, 0)"}};
  {
    Left left;
    fill(left, false);
    for (const ExampleRow& row : left.rebuilt(wanted))
      for (const std::size_t column : {1, 2, 4}) CHECK(std::isnan(row.features[column]));
    CHECK(left.result->missing.size() == 2);
    CHECK(left.result->computed.size() == 1);  // the expression, of what is missing
  }
  Left left{true};
  fill(left, true);
  const auto rows = left.rebuilt(wanted);
  REQUIRE(rows.size() == 5);
  CHECK(left.result->missing.empty());
  CHECK(rows[0].features[1] == doctest::Approx(0.02).epsilon(1e-4));
  CHECK(rows[0].features[4] == 0);
  CHECK(rows[1].features[1] == doctest::Approx(0.06).epsilon(1e-4));  // 0.51 is gone, 0.55 is next
  CHECK(rows[1].features[4] == 1);
  for (const std::size_t i : {3u, 4u})
    for (const std::size_t column : {1, 2, 4}) CHECK(std::isnan(rows[i].features[column]));  // doubted
  for (const ExampleRow& row : rows) CHECK(row.features[3] == 0.25f);
}

TEST_CASE("rebuild: the old directory stays as it is; columns that are asked for no more are gone in the new one") {
  Left left;
  for (std::int64_t at = 0; at <= 30; at += 15) left.price(at, 0.5), left.example(at);
  const auto rows = left.rebuilt({{"features.dense", "diff_15m"}, {"features.use", "weekday"}});
  REQUIRE(rows.size() == 3);
  CHECK(std::isnan(rows[0].features[0]));  // whether it was known then hangs on what is not stored
  CHECK(rows[0].features[1] == 0.25f);
  CHECK(left.result->dropped.size() == 1);
  const auto old = DataDirectory::open(left.path(), left.before, DataDirectory::Access::Read);
  REQUIRE(old);
  std::size_t examples = 0;
  REQUIRE((*old)->store().scan_examples({}, [&](const ExampleRow& row) {
    CHECK(row.features[1] == 0.25f);
    ++examples;
    return true;
  }));
  CHECK(examples == 3);
}

}  // namespace everlearn
