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
  return RowSchema::make(kStep, features, fields).value();
}

std::string refused(const std::vector<std::string>& fields) {
  const auto made = RowSchema::make(kStep, {"ret_1"}, fields);
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
      made.fill(bank, InstrumentId{0}, market[InstrumentId{0}], rows.emplace_back(made.size()));
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
  CHECK(RowSchema::make(kStep, {}, {}).error().message == "no features are chosen");

  const auto calendar = make_always_open();
  FeatureBank bank{fields_only.features(), *calendar};
  Instruments instruments;
  instruments.intern("A");
  MarketState market;
  REQUIRE(market.apply({InstrumentId{0}, Table::at(0), Table::at(0), Fields{{0.5f}, 1.0}}));
  bank.step(Table::at(0), instruments, market);
  std::vector<float> row(1);
  fields_only.fill(bank, InstrumentId{0}, market[InstrumentId{0}], row);
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
    made.fill(bank, InstrumentId{0}, market[InstrumentId{0}], row);
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
    made.fill(bank, InstrumentId{0}, state, row);
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
