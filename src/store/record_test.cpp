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

TEST_CASE("record: a price of any kind comes back field by field") {
  for (std::int64_t n = 0; n < 12; ++n) {
    const PriceRow row = kind_row(n), back = there_and_back(row);
    CHECK(back.last == row.last);
    CHECK(back.kind == row.kind);
    CHECK(back.ask == row.ask);
    CHECK(back.origin == row.origin);
  }
}

TEST_CASE("record: a price as older releases wrote it is of no known kind") {
  ByteWriter out;  // spelled out: these bytes lie in hot tables
  out.i64(7);
  for (const bool there : {true, false}) {
    out.boolean(there);
    out.i64(there ? 6 : 0);
  }
  out.u8(1);
  const Record record{InstrumentId{5}, at_minute(1), "", 0, at_minute(1), out.bytes()};
  PriceRow row = kind_row(1);
  REQUIRE(from_record(record, row).has_value());
  CHECK(row.bid == Price::from_nanos(6));
  CHECK_FALSE(row.last.has_value());
  CHECK(row.kind == PriceKind::Unknown);
  CHECK(to_record(row) == record);  // and its hashes stay

  Record later = to_record(kind_row(1));
  later.payload[record.payload.size()] = 2;
  CHECK(message_of(from_record(later, row)) == "price: further fields of version 2, this program knows 1");
  later = to_record(kind_row(1));
  later.payload.back() = 9;
  CHECK(message_of(from_record(later, row)) == "price: kind 9 does not exist");
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

TEST_CASE("record: a prediction of either stream comes back field by field") {
  for (std::int64_t n = 1; n < 5; ++n) {
    const PredictionRow row = stream_row(n, n % 2 == 0 ? Stream::Tuned : Stream::Base, n % 3 == 0);
    const PredictionRow back = there_and_back(row);
    CHECK(back.stream == row.stream);
    CHECK(back.served == row.served);
    CHECK(back.expected == row.expected);
    CHECK(same(back.half_spread, row.half_spread));
    CHECK(back.outside_share == row.outside_share);
    CHECK(back.set == row.set);
    CHECK(same(back.recent_accuracy, row.recent_accuracy));
    CHECK(back.measured == row.measured);
    CHECK(back.required == row.required);
  }
}

TEST_CASE("record: the streams of one decision have different keys") {
  const Record base = to_record(stream_row(1, Stream::Base, true));
  const Record tuned = to_record(stream_row(1, Stream::Tuned, true));
  CHECK(base.kind.empty());
  CHECK(tuned.kind == "tuned");
  CHECK(base.payload == tuned.payload);
  CHECK(tuned.key_text(Dataset::Predictions) == base.key_text(Dataset::Predictions) + ", tuned");
  Record other = tuned;
  other.kind = "third";
  PredictionRow row;
  CHECK(message_of(from_record(other, row)) == "prediction: stream \"third\" does not exist");
}

TEST_CASE("record: a prediction as older releases wrote it reads as served by the base") {
  ByteWriter out;  // spelled out: these bytes lie in hot tables
  out.text("b");
  for (const double value : {1.0, 0.25, 0.0, 0.5}) out.f64(value);
  out.f64s(std::vector{0.25, 0.75});
  out.f64(3);
  out.text("champion");
  out.text("margin");
  const Record record{InstrumentId{5}, at_minute(1), "", 2, at_minute(1), out.bytes()};
  PredictionRow row = stream_row(1, Stream::Tuned, false);
  REQUIRE(from_record(record, row).has_value());
  CHECK(row.stream == Stream::Base);
  CHECK(row.served);
  CHECK(row.verdict == "margin");
  CHECK(row.set == 0);
  for (const double value :
       {row.expected, row.half_spread, row.outside_share, row.recent_accuracy, row.measured, row.required})
    CHECK(std::isnan(value));
  CHECK(to_record(row) == record);  // and its hashes stay

  Record later = to_record(stream_row(1, Stream::Base, true));
  later.payload[to_record(prediction_row(1)).payload.size()] = 2;
  CHECK(message_of(from_record(later, row)) == "prediction: further fields of version 2, this program knows 1");
}

TEST_CASE("record: canonical bytes are a stored format: these hashes never change within version 1") {
  RowsHash hash;
  hash.add(Dataset::Prices, 1, to_record(price_row(1)));
  hash.add(Dataset::Events, 2, to_record(event_row(2)));
  hash.add(Dataset::Examples, 3, to_record(example_row(3)));
  hash.add(Dataset::Labels, 4, to_record(label_row(4)));
  hash.add(Dataset::Predictions, 5, to_record(prediction_row(5)));
  RowsHash streams;
  streams.add(Dataset::Predictions, 6, to_record(stream_row(7, Stream::Base, true)));
  streams.add(Dataset::Predictions, 7, to_record(stream_row(7, Stream::Tuned, false)));
  CHECK(streams.finish() == "5e92656203ef1ef5ae3930b34a7f780288d46583521ba7847bff1f67868fa71d");
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
