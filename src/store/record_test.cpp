#include "store/record.hpp"

#include "store/test_store.hpp"

using namespace everlearn;

namespace {

template <class Row>
Row there_and_back(const Row& row) {
  Row back;
  const auto read = from_record(to_record(row), back);
  if (!read) FAIL(read.error().message);
  return back;
}

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

}  // namespace

TEST_CASE("record: a price comes back field by field") {
  for (std::int64_t n = 0; n < 12; ++n) {
    const PriceRow row = price_row(n, 5), back = there_and_back(row);
    CHECK(back.instrument == row.instrument);
    CHECK(back.event_time == row.event_time);
    CHECK(back.known_at == row.known_at);
    CHECK(back.price == row.price);
    CHECK(back.bid == row.bid);
    CHECK(back.ask == row.ask);
    CHECK(back.origin == row.origin);
  }
}

TEST_CASE("record: an event comes back field by field") {
  const EventRow row = event_row(7, 5), back = there_and_back(row);
  CHECK(back.instrument == row.instrument);
  CHECK(back.event_time == row.event_time);
  CHECK(back.known_at == row.known_at);
  CHECK(back.kind == row.kind);
  CHECK(back.ordinal == row.ordinal);
  CHECK(back.payload == row.payload);
}

TEST_CASE("record: an example comes back field by field, missing values as missing") {
  for (std::int64_t n = 4; n < 6; ++n) {
    const ExampleRow row = example_row(n, 5), back = there_and_back(row);
    CHECK(back.known_at == row.known_at);
    CHECK(back.price == row.price);
    REQUIRE(back.baseline.size() == 2);
    CHECK(back.baseline[0] == row.baseline[0]);
    CHECK(same(back.baseline[1], row.baseline[1]));
    CHECK(back.no_change == row.no_change);
    REQUIRE(back.features.size() == row.features.size());
    for (std::size_t f = 0; f < row.features.size(); ++f) CHECK(same(back.features[f], row.features[f]));
  }
}

TEST_CASE("record: a label comes back field by field") {
  for (std::int64_t n = 3; n < 5; ++n) {
    const LabelRow row = label_row(n, 5, 2), back = there_and_back(row);
    CHECK(back.target == 2);
    CHECK(back.known == row.known);
    CHECK(same(back.value, row.value));
    CHECK(back.end == row.end);
    CHECK(back.known_at == row.known_at);
    CHECK(back.reason == row.reason);
  }
}

TEST_CASE("record: a prediction comes back field by field") {
  const PredictionRow row = prediction_row(7, 5, 1), back = there_and_back(row);
  CHECK(back.target == 1);
  CHECK(back.bundle == row.bundle);
  CHECK(back.model == row.model);
  CHECK(back.baseline == row.baseline);
  CHECK(back.no_change == row.no_change);
  CHECK(back.blended == row.blended);
  CHECK(back.probabilities == row.probabilities);
  CHECK(back.price == row.price);
  CHECK(back.rung == row.rung);
  CHECK(back.verdict == row.verdict);
}

TEST_CASE("record: canonical bytes are a stored format: these hashes never change within version 1") {
  RowsHash hash;
  hash.add(Dataset::Prices, 1, to_record(price_row(1)));
  hash.add(Dataset::Events, 2, to_record(event_row(2)));
  hash.add(Dataset::Examples, 3, to_record(example_row(3)));
  hash.add(Dataset::Labels, 4, to_record(label_row(4)));
  hash.add(Dataset::Predictions, 5, to_record(prediction_row(5)));
  CHECK(hash.finish() == "bcfb7bebf80225438b49823fedd5cc780293958484c9cac3957a62277b83e0c8");
}

TEST_CASE("record: a payload that is cut, too long or of an origin that does not exist is refused") {
  Record record = to_record(price_row(1));
  PriceRow row;
  record.payload.back() = 9;
  CHECK(message_of(from_record(record, row)) == "price: origin 9 does not exist");
  record.payload.pop_back();
  CHECK(code_of(from_record(record, row)) == Code::Damaged);
  LabelRow label;
  record = to_record(label_row(1));
  record.payload += '\0';
  CHECK(code_of(from_record(record, label)) == Code::Damaged);
}

TEST_CASE("record: the CRC covers every field of the key") {
  const Record record = to_record(event_row(3));
  const std::uint32_t crc = record.crc(Dataset::Events);
  Record other = record;
  other.kind = "book";
  CHECK(other.crc(Dataset::Events) != crc);
  other = record;
  other.ordinal += 1;
  CHECK(other.crc(Dataset::Events) != crc);
  other = record;
  other.known_at = other.known_at + Duration{1};
  CHECK(other.crc(Dataset::Events) != crc);
  CHECK(record.crc(Dataset::Prices) != crc);
}
