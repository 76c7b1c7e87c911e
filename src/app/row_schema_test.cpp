#include "app/row_schema.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/rng.hpp"
#include "feature/causality.hpp"
#include "label/label.hpp"

using namespace everlearn;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
const Duration kStep = Duration::minutes(5);
const std::vector<std::string> kFields{"rsi", "net flow"};

RowSchema schema(const std::vector<std::string>& features = {"ret_1", "ret_2"},
                 const std::vector<std::string>& fields = kFields) {
  return RowSchema::make({.step = kStep, .features = features, .fields = fields}).value();
}

std::string refused(const std::vector<std::string>& fields) {
  const auto made = RowSchema::make({.step = kStep, .features = {"ret_1"}, .fields = fields});
  REQUIRE(!made);
  CHECK(made.error().code == Code::Config);
  return made.error().message;
}

/// One instrument whose table gives a price and two fields a step, and an outcome that everything but labels must miss.
struct Table {
  std::vector<float> rsi, flow;
  std::vector<double> price, outcome;

  explicit Table(std::uint64_t seed, std::size_t rows = 60) {
    Rng rng{seed};
    for (std::size_t i = 0; i < rows; ++i) {
      rsi.push_back(static_cast<float>(rng.uniform()));
      flow.push_back(static_cast<float>(rng.uniform()));
      price.push_back(100 + rng.uniform());
      outcome.push_back(static_cast<double>(rng.below(3)));
    }
  }

  static Timestamp at(std::size_t i) { return Timestamp{} + kStep * static_cast<std::int64_t>(i + 1); }
  Event fields(std::size_t i, bool with_outcome) const {
    return {InstrumentId{0}, at(i), at(i),
            Fields{{rsi[i], flow[i]}, with_outcome ? std::optional{outcome[i]} : std::nullopt}};
  }

  /// Rows of examples, one a step, of the first `visible` rows of the table.
  std::vector<std::vector<float>> rows(std::size_t visible, bool with_outcome) const {
    const RowSchema made = schema();
    const auto calendar = make_always_open();
    FeatureBank bank{made.features(), *calendar};
    Instruments instruments;
    instruments.intern("A");
    MarketState market;
    std::vector<std::vector<float>> rows;
    for (std::size_t i = 0; i < visible; ++i) {
      REQUIRE(market.apply({InstrumentId{0}, at(i), at(i), PricePoint{Price::from(price[i]).value(), {}, {}}}));
      REQUIRE(market.apply(fields(i, with_outcome)));
      bank.step(at(i), instruments, market);
      made.fill(bank, nullptr, InstrumentId{0}, market[InstrumentId{0}], rows.emplace_back(made.size()));
      market.end_step();
    }
    return rows;
  }
};

bool same(const std::vector<std::vector<float>>& a, const std::vector<std::vector<float>>& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return std::ranges::equal(
        x, y, {}, [](float v) { return std::bit_cast<std::uint32_t>(v); },
        [](float v) { return std::bit_cast<std::uint32_t>(v); });
  });
}

}  // namespace

TEST_CASE("row schema: the features of the bank, then the fields by name and hash") {
  const RowSchema both = schema();
  REQUIRE(both.size() == 4);
  CHECK(both.features().size() == 2);
  CHECK(both.columns()[0].starts_with("ret_1@"));
  CHECK(both.columns()[2] == "x_rsi@f0f8270d");
  CHECK(both.columns()[3].starts_with("x_net_flow@"));
}

TEST_CASE("row schema: without fields it is the feature set; fields, their order and their names are the schema") {
  const auto plain = FeatureSet::choose(kStep, {"ret_1", "ret_2"}).value();
  CHECK(schema({"ret_1", "ret_2"}, {}).hash() == plain.hash());
  CHECK(schema({"ret_1", "ret_2"}, {}).columns() == plain.columns());
  CHECK(schema().hash() != plain.hash());
  CHECK(schema().hash() != schema({"ret_1", "ret_2"}, {"net flow", "rsi"}).hash());
  CHECK(schema().hash() != schema({"ret_1", "ret_2"}, {"rsi", "net_flow"}).hash());
  CHECK(schema().hash() == schema().hash());
}

TEST_CASE("row schema: a table's columns may be all there is; nothing at all is refused") {
  const RowSchema fields_only = schema({}, {"rsi"});
  CHECK(fields_only.size() == 1);
  CHECK(fields_only.features().size() == 0);
  CHECK(RowSchema::make({.step = kStep}).error().message == "no features are chosen");

  const auto calendar = make_always_open();
  FeatureBank bank{fields_only.features(), *calendar};
  Instruments instruments;
  instruments.intern("A");
  MarketState market;
  REQUIRE(market.apply({InstrumentId{0}, Table::at(0), Table::at(0), Fields{{0.5f}, 1.0}}));
  bank.step(Table::at(0), instruments, market);
  std::vector<float> row(1);
  fields_only.fill(bank, nullptr, InstrumentId{0}, market[InstrumentId{0}], row);
  CHECK(row == std::vector<float>{0.5f});
  ByteWriter out;
  bank.encode(out);
  ByteReader in{out.bytes()};
  FeatureBank again{fields_only.features(), *calendar};
  CHECK(again.decode(in));
}

TEST_CASE("row schema: without a price the clock and the fields speak, what is made of prices does not") {
  const RowSchema made = schema({"flat_share_12", "hour_sin"}, {"rsi"});
  const auto calendar = make_always_open();
  FeatureBank bank{made.features(), *calendar};
  Instruments instruments;
  instruments.intern("A");
  MarketState market;
  std::vector<float> row(made.size());
  for (std::size_t i = 0; i < 20; ++i) {
    REQUIRE(market.apply({InstrumentId{0}, Table::at(i), Table::at(i), Fields{{0.5f}, 1.0}}));
    bank.step(Table::at(i), instruments, market);
    made.fill(bank, nullptr, InstrumentId{0}, market[InstrumentId{0}], row);
    market.end_step();
  }
  CHECK(std::isnan(row[0]));  // a price of 0 that never moves would be flat
  CHECK(std::isfinite(row[1]));
  CHECK(row[2] == 0.5f);
}

TEST_CASE("row schema: fields that cannot be told apart are refused") {
  CHECK(refused({"rsi", "rsi"}) == "source.fields: \"rsi\" and \"rsi\" are both the column x_rsi");
  CHECK(refused({"net flow", "net-flow"}) ==
        "source.fields: \"net flow\" and \"net-flow\" are both the column x_net_flow");
  CHECK(refused({""}) == "source.fields: a column without a name");
}

TEST_CASE(
    "row schema: fields that are missing, infinite, never seen or of another number are NaN; others are rounded") {
  const RowSchema made = schema({"ret_1"});
  const auto calendar = make_always_open();
  const FeatureBank bank{made.features(), *calendar};
  const auto row_of = [&](std::vector<float> fields) {
    InstrumentState state;
    state.fields = std::move(fields);
    std::vector<float> row(made.size(), 7);
    made.fill(bank, nullptr, InstrumentId{0}, state, row);
    CHECK(std::isnan(row[0]));  // the bank has not seen it
    return row;
  };
  const auto whole = row_of({0.1f, kNaN});
  CHECK(whole[1] == doctest::Approx(0.1).epsilon(1e-4));
  CHECK(whole[1] != 0.1f);  // 16 significant bits
  CHECK(std::isnan(whole[2]));
  CHECK(std::isnan(row_of({std::numeric_limits<float>::infinity(), 1})[1]));
  for (const std::vector<float>& other : {std::vector<float>{}, {1}, {1, 2, 3}}) {
    const auto row = row_of(other);
    CHECK(std::isnan(row[1]));
    CHECK(std::isnan(row[2]));
  }
}

TEST_CASE("no look-ahead: an outcome planted into the fields is in no row and no column") {
  const Table table{7};
  CHECK(same(table.rows(60, true), table.rows(60, false)));
  // And one that is of a later moment than the row is not there either: no row changes when more of the table is seen.
  CHECK_FALSE(find_look_ahead([&](std::size_t visible) { return table.rows(visible, true); }, 60));
  // Nothing in a row says what the outcome says: of 60 rows with outcomes 0, 1, 2 no column holds just those.
  const auto rows = table.rows(60, true);
  for (std::size_t c = 0; c < rows.front().size(); ++c) {
    std::size_t equal = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) equal += rows[i][c] == static_cast<float>(table.outcome[i]);
    CHECK(equal < rows.size() / 4);
  }
}

TEST_CASE("no look-ahead: the label of a planted outcome is known when the horizon of its row is over, not before") {
  LabelSpec spec;
  spec.kind = LabelKind::Column;
  spec.column_classes = 3;
  spec.horizon = kStep * 4;
  spec.tolerance = kStep;
  const auto calendar = make_always_open();
  const auto labeller = make_labeller(spec, *calendar).value();
  const Table table{7};
  std::size_t labels = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    labeller->observe(table.fields(i, true));
    for (const Label& label : labeller->settle(Table::at(i))) {
      const auto row = static_cast<std::size_t>((label.event_time - Table::at(0)) / kStep);
      CHECK(label.state == LabelState::Known);
      CHECK(label.value == table.outcome[row]);
      CHECK(label.known_at == Table::at(row) + spec.horizon);
      CHECK(Table::at(i) >= label.known_at);
      ++labels;
    }
    REQUIRE(labeller->open(InstrumentId{0}, Table::at(i), Price{}));
  }
  CHECK(labels == 56);
}

TEST_CASE("row schema: the columns of the fast bank, the dense bank, the definitions, the fields, in this order") {
  const RowSchema made = RowSchema::make({.step = Duration::seconds(10),
                                          .features = {"ret_1", "vol_1h"},
                                          .dense_step = Duration::minutes(15),
                                          .dense = {"vol_1d", "sma_ratio_75m"},
                                          .defined = {{"twice", "2 * ret_1"}, {"mix", "twice + x_rsi + vol_1d"}},
                                          .fields = {"rsi"}})
                             .value();
  REQUIRE(made.size() == 7);
  const std::vector<std::string> begins{"ret_1@", "vol_1h@", "vol_1d@", "sma_ratio_75m@", "twice@", "mix@", "x_rsi@"};
  for (std::size_t i = 0; i < begins.size(); ++i) CHECK_MESSAGE(made.columns()[i].starts_with(begins[i]), i);
  CHECK(made.dense().step() == Duration::minutes(15));
  CHECK(made.dense()[0].warm_up == 96);
  CHECK(made.dense()[1].warm_up == 4);
  REQUIRE(made.defined().size() == 2);
  CHECK(made.defined()[0].name == "twice");
  CHECK(made.defined()[0].column == 4);
}

namespace {

/// Of a small schema with dense features and definitions; each test changes one part.
RowParts parts() {
  return {.step = Duration::seconds(10),
          .features = {"ret_1", "vol_1h"},
          .dense_step = Duration::minutes(15),
          .dense = {"vol_1d"},
          .defined = {{"half", "ret_1 / 2"}, {"quarter", "half / 2"}},
          .fields = {"rsi"}};
}

std::string refused(const RowParts& parts) {
  const auto made = RowSchema::make(parts);
  REQUIRE(!made);
  return made.error().message;
}

std::string refused_definitions(std::vector<std::pair<std::string, std::string>> defined) {
  RowParts changed = parts();
  changed.defined = std::move(defined);
  return refused(changed);
}

}  // namespace

TEST_CASE("row schema: the hash covers the dense grid, the definitions and what they read") {
  const RowSchema base = RowSchema::make(parts()).value();
  const auto changed = [&](auto change) {
    RowParts other = parts();
    change(other);
    return RowSchema::make(other).value();
  };
  const RowSchema half_hour = changed([](RowParts& p) { p.dense_step = Duration::minutes(30); });
  CHECK(half_hour.hash() != base.hash());
  CHECK(half_hour.columns()[2] != base.columns()[2]);
  // A window of as many steps on another grid is another column, also beside the same column of the fast bank.
  const RowSchema steps = changed([](RowParts& p) { p.dense = {"vol_4"}; });
  const RowSchema more = changed([](RowParts& p) { p.dense = {"vol_4"}, p.dense_step = Duration::minutes(30); });
  const RowSchema fast = changed([](RowParts& p) { p.features.emplace_back("vol_4"); });
  CHECK(steps.columns()[2] != more.columns()[2]);
  CHECK(steps.columns()[2] != fast.columns()[2]);

  const RowSchema third = changed([](RowParts& p) { p.defined[0].second = "ret_1 / 3"; });
  CHECK(third.hash() != base.hash());
  CHECK(third.columns()[3] != base.columns()[3]);
  CHECK(third.columns()[4] != base.columns()[4]);  // it reads the other one
  const RowSchema spaces = changed([](RowParts& p) { p.defined[0].second = "(ret_1)/2.0"; });
  CHECK(spaces.columns() == base.columns());
  CHECK(spaces.hash() == base.hash());
}

TEST_CASE("row schema: two columns of one name are refused") {
  RowParts twice = parts();
  twice.dense.emplace_back("vol_1h");
  CHECK(refused(twice) == "features.dense: \"vol_1h\" is a column of features.use already");
  CHECK(refused_definitions({{"ret_1", "1"}}) ==
        "features.define.ret_1: \"ret_1\" is a column of features.use already");
  CHECK(refused_definitions({{"x_rsi", "1"}}) ==
        "source.fields: \"x_rsi\" is a column of features.define.x_rsi already");
  CHECK(refused_definitions({{"a b", "1"}}) == "features.define: \"a b\" is no name: letters, digits and _");
}

TEST_CASE("row schema: a window must be a whole number of its bank's steps") {
  RowParts odd = parts();
  odd.dense = {"vol_20m"};
  CHECK(refused(odd) == "features.dense: feature \"vol_20m\": 20m is not a whole number of steps of 15m");
  odd = parts();
  odd.features = {"ret_15s"};
  CHECK(refused(odd) == "feature \"ret_15s\": 15s is not a whole number of steps of 10s");
}

TEST_CASE("row schema: an expression that cannot be read names itself and the place") {
  CHECK(refused_definitions({{"mine", "1 +"}}) ==
        "features.define.mine: at 4: a number, a column, a function or \"(\" is expected, the end stands there");
  CHECK(refused_definitions({{"mine", "2 * ret_2"}}) ==
        "features.define.mine: at 5: \"ret_2\" is no column of the row; did you mean \"ret_1\"?");
  CHECK(refused_definitions({{"a", "b"}, {"b", "c + 1"}, {"c", "a"}, {"d", "1"}}) ==
        "features.define.a: needs itself; so do or on it wait a, b, c");
  CHECK(refused_definitions({{"a", "a + 1"}}) == "features.define.a: needs itself; so do or on it wait a");
}

TEST_CASE("row schema: expressions read what is stored, and each other") {
  const RowSchema made = RowSchema::make({.step = kStep,
                                          .features = {"level"},
                                          .defined = {{"above", "where(level > 0.5, 1, 0)"},
                                                      {"mine", "twice * x_flow"},  // defined before what it needs
                                                      {"twice", "2 * level"}},
                                          .fields = {"flow"}})
                             .value();
  const auto calendar = make_always_open();
  FeatureBank bank{made.features(), *calendar};
  Instruments instruments;
  instruments.intern("A");
  MarketState market;
  std::vector<float> row(made.size());
  const auto step = [&](std::size_t i, std::optional<float> flow) {
    REQUIRE(market.apply({InstrumentId{0}, Table::at(i), Table::at(i), PricePoint{Price::from(0.7).value(), {}, {}}}));
    if (flow) REQUIRE(market.apply({InstrumentId{0}, Table::at(i), Table::at(i), Fields{{*flow}, {}}}));
    bank.step(Table::at(i), instruments, market);
    made.fill(bank, nullptr, InstrumentId{0}, market[InstrumentId{0}], row);
    market.end_step();
  };
  step(0, std::nullopt);
  CHECK(row[1] == 1);
  CHECK(std::isnan(row[2]));  // its field is missing
  CHECK(row[3] == doctest::Approx(1.4).epsilon(1e-4));
  step(1, 10.0f);
  CHECK(row[2] == doctest::Approx(14).epsilon(1e-4));
  // Computed again from the stored columns, the same bits.
  std::vector<float> again = row;
  for (std::size_t i = 1; i < 4; ++i) again[i] = kNaN;
  made.define(again);
  CHECK(again == row);
}

TEST_CASE(
    "row schema: dense features come from the dense bank; of what does not trade everything but fields is missing") {
  RowParts both = parts();
  both.features = {"level"};
  both.dense = {"diff_15m"};
  both.defined = {{"sum", "level + diff_15m"}};
  const RowSchema made = RowSchema::make(both).value();
  const auto calendar = make_always_open();
  FeatureBank fast{made.features(), *calendar}, dense{made.dense(), *calendar};
  Instruments instruments;
  instruments.intern("A");
  MarketState market, snapshots;
  std::vector<float> row(made.size());
  const Timestamp start = Timestamp{} + Duration::days(20'000);
  for (std::int64_t i = 0; i < 2; ++i) {
    const Timestamp at = start + Duration::minutes(15) * i;
    const PricePoint point{Price::from(i == 0 ? 0.25 : 0.75).value(), {}, {}};
    REQUIRE(snapshots.apply({InstrumentId{0}, at, at, point}));
    dense.step(at, instruments, snapshots);
    snapshots.end_step();
  }
  const Timestamp now = start + Duration::minutes(16);
  REQUIRE(market.apply({InstrumentId{0}, now, now, PricePoint{Price::from(0.5).value(), {}, {}}}));
  REQUIRE(market.apply({InstrumentId{0}, now, now, Fields{{3}, {}}}));
  fast.step(now, instruments, market);
  made.fill(fast, &dense, InstrumentId{0}, market[InstrumentId{0}], row);
  CHECK(row == std::vector<float>{0.5f, 0.5f, 1, 3});
  made.fill(fast, nullptr, InstrumentId{0}, market[InstrumentId{0}], row);
  CHECK(row[0] == 0.5f);
  CHECK(std::isnan(row[1]));
  CHECK(std::isnan(row[2]));

  for (const Phase phase : {Phase::Left, Phase::Closed, Phase::Proposed, Phase::Disputed}) {
    REQUIRE(market.apply({InstrumentId{0}, now, now, PhaseChange{phase}}));
    made.fill(fast, &dense, InstrumentId{0}, market[InstrumentId{0}], row);
    for (std::size_t i = 0; i < 3; ++i) CHECK(std::isnan(row[i]));
    CHECK(row[3] == 3);
  }
  REQUIRE(market.apply({InstrumentId{0}, now, now, PhaseChange{Phase::Trading}}));
  made.fill(fast, &dense, InstrumentId{0}, market[InstrumentId{0}], row);
  CHECK(row[2] == 1);
  REQUIRE(market.apply({InstrumentId{0}, now, now, Resolution{1, false}}));
  made.fill(fast, &dense, InstrumentId{0}, market[InstrumentId{0}], row);
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::isnan(row[i]));
}
