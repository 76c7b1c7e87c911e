#include "store/record.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/bytes.hpp"

namespace everlearn {
namespace {

void put(ByteWriter& out, std::optional<Price> price) {
  out.boolean(price.has_value());
  out.i64(price ? price->nanos() : 0);
}

std::optional<Price> take_price(ByteReader& in) {
  const bool there = in.boolean();
  const auto price = Price::from_nanos(in.i64());
  return there ? std::optional{price} : std::nullopt;
}

/// SQLite keeps -0 as 0, and to these rows it means the same.
void put_number(ByteWriter& out, double value) { out.f64(value + 0.0); }

constexpr std::string_view kTuned = "tuned";  // the kind of a prediction of that stream

// Fields that a price has had since there are kinds. A row without them is written as older releases wrote every row.
constexpr std::uint8_t kPriceMore = 1;

// Fields that a prediction has had since there are two streams. A row in which all of them are missing is written
// without them, as older releases wrote every row: its bytes, and the hashes over them, stay what they were.
constexpr std::uint8_t kPredictionMore = 1;

bool has_more(const PredictionRow& row) {
  return !row.served || row.set != 0 || !std::isnan(row.expected) || !std::isnan(row.half_spread) ||
         !std::isnan(row.outside_share) || !std::isnan(row.recent_accuracy) || !std::isnan(row.measured) ||
         !std::isnan(row.required);
}

template <class Row>
void take_key(const Record& record, Row& row) {
  row.instrument = record.instrument;
  row.event_time = record.event_time;
}

}  // namespace

std::string_view dataset_name(Dataset dataset) {
  switch (dataset) {
    case Dataset::Prices:
      return "prices";
    case Dataset::Events:
      return "events";
    case Dataset::Examples:
      return "examples";
    case Dataset::Labels:
      return "labels";
    case Dataset::Predictions:
      return "predictions";
  }
  return "unknown";
}

std::string_view text(Origin origin) {
  switch (origin) {
    case Origin::Live:
      return "live";
    case Origin::Recording:
      return "recording";
    case Origin::Backfill:
      return "backfill";
  }
  return "unknown";
}

std::string_view text(PriceKind kind) {
  switch (kind) {
    case PriceKind::Unknown:
      return "unknown";
    case PriceKind::Mid:
      return "mid";
    case PriceKind::Trade:
      return "trade";
    case PriceKind::Quote:
      return "quote";
    case PriceKind::Close:
      return "close";
    case PriceKind::Past:
      return "past";
  }
  return "unknown";
}

std::string Record::head(Dataset dataset) const {
  ByteWriter out;
  out.u8(static_cast<std::uint8_t>(dataset));
  out.u32(static_cast<std::uint32_t>(instrument));
  out.time(event_time);
  out.text(kind);
  out.u32(ordinal);
  out.time(known_at);
  out.u64(payload.size());
  return out.take();
}

std::uint32_t Record::crc(Dataset dataset) const { return crc32(payload, crc32(head(dataset))); }

std::string Record::key_text(Dataset dataset) const {
  std::string text = fmt::format("instrument {} at {}", index(instrument), event_time.iso());
  if (dataset == Dataset::Events) text += fmt::format(", {} {}", kind, ordinal);
  if (dataset == Dataset::Labels || dataset == Dataset::Predictions) text += fmt::format(", target {}", ordinal);
  if (dataset == Dataset::Predictions && !kind.empty()) text += ", " + kind;
  return text;
}

Record to_record(const PriceRow& row) {
  ByteWriter out;
  out.i64(row.price.nanos());
  put(out, row.bid);
  put(out, row.ask);
  out.u8(static_cast<std::uint8_t>(row.origin));
  if (row.last || row.kind != PriceKind::Unknown) {
    out.u8(kPriceMore);
    put(out, row.last);
    out.u8(static_cast<std::uint8_t>(row.kind));
  }
  return {row.instrument, row.event_time, "", 0, row.known_at, out.take()};
}

Result<void> from_record(const Record& record, PriceRow& row) {
  take_key(record, row);
  row.known_at = record.known_at;
  ByteReader in{record.payload};
  row.price = Price::from_nanos(in.i64());
  row.bid = take_price(in);
  row.ask = take_price(in);
  const std::uint8_t origin = in.u8();
  if (origin > static_cast<std::uint8_t>(Origin::Backfill))
    return fail(Code::Damaged, fmt::format("price: origin {} does not exist", origin));
  row.origin = static_cast<Origin>(origin);
  row.last.reset();
  row.kind = PriceKind::Unknown;
  if (!in.ok() || in.at_end()) return in.finish("price");
  if (const std::uint8_t more = in.u8(); more != kPriceMore)
    return fail(Code::Damaged,
                fmt::format("price: further fields of version {}, this program knows {}", more, kPriceMore));
  row.last = take_price(in);
  const std::uint8_t kind = in.u8();
  if (kind > static_cast<std::uint8_t>(PriceKind::Past))
    return fail(Code::Damaged, fmt::format("price: kind {} does not exist", kind));
  row.kind = static_cast<PriceKind>(kind);
  return in.finish("price");
}

Record to_record(const EventRow& row) {
  return {row.instrument, row.event_time, row.kind, row.ordinal, row.known_at, row.payload};
}

Result<void> from_record(const Record& record, EventRow& row) {
  take_key(record, row);
  row.known_at = record.known_at;
  row.kind = record.kind;
  row.ordinal = record.ordinal;
  row.payload = record.payload;
  return {};
}

Record to_record(const ExampleRow& row) {
  ByteWriter out;
  out.f64(row.price);
  out.f64s(row.baseline);
  out.f64s(row.no_change);
  out.f32s(row.features);
  return {row.instrument, row.event_time, "", 0, row.known_at, out.take()};
}

Result<void> from_record(const Record& record, ExampleRow& row) {
  take_key(record, row);
  row.known_at = record.known_at;
  ByteReader in{record.payload};
  row.price = in.f64();
  row.baseline = in.f64s();
  row.no_change = in.f64s();
  row.features = in.f32s();
  return in.finish("example");
}

Record to_record(const LabelRow& row) {
  ByteWriter out;
  out.boolean(row.known);
  out.f64(row.value);
  out.time(row.end);
  out.text(row.reason);
  return {row.instrument, row.event_time, "", row.target, row.known_at, out.take()};
}

Result<void> from_record(const Record& record, LabelRow& row) {
  take_key(record, row);
  row.known_at = record.known_at;
  row.target = static_cast<std::uint16_t>(record.ordinal);
  ByteReader in{record.payload};
  row.known = in.boolean();
  row.value = in.f64();
  row.end = in.time();
  row.reason = in.text();
  return in.finish("label");
}

Record to_record(const PredictionRow& row) {
  ByteWriter out;
  out.text(row.bundle);
  out.f64(row.model);
  out.f64(row.baseline);
  out.f64(row.no_change);
  out.f64(row.blended);
  out.f64s(row.probabilities);
  out.f64(row.price);
  out.text(row.rung);
  out.text(row.verdict);
  if (has_more(row)) {
    out.u8(kPredictionMore);
    out.boolean(row.served);
    out.f64(row.expected);
    out.f64(row.half_spread);
    out.f64(row.outside_share);
    out.u32(row.set);
    out.f64(row.recent_accuracy);
    out.f64(row.measured);
    out.f64(row.required);
  }
  return {row.instrument, row.event_time, std::string{row.stream == Stream::Tuned ? kTuned : ""},
          row.target,     row.event_time, out.take()};
}

Result<void> from_record(const Record& record, PredictionRow& row) {
  take_key(record, row);
  row.target = static_cast<std::uint16_t>(record.ordinal);
  ByteReader in{record.payload};
  row.bundle = in.text();
  row.model = in.f64();
  row.baseline = in.f64();
  row.no_change = in.f64();
  row.blended = in.f64();
  row.probabilities = in.f64s();
  row.price = in.f64();
  row.rung = in.text();
  row.verdict = in.text();
  if (!record.kind.empty() && record.kind != kTuned)
    return fail(Code::Damaged, fmt::format("prediction: stream \"{}\" does not exist", record.kind));
  const PredictionRow without;
  row.stream = record.kind.empty() ? Stream::Base : Stream::Tuned;
  row.served = without.served;
  row.set = without.set;
  row.expected = row.half_spread = row.outside_share = row.recent_accuracy = row.measured = row.required =
      without.expected;
  if (!in.ok() || in.at_end()) return in.finish("prediction");
  if (const std::uint8_t more = in.u8(); more != kPredictionMore)
    return fail(Code::Damaged,
                fmt::format("prediction: further fields of version {}, this program knows {}", more, kPredictionMore));
  row.served = in.boolean();
  row.expected = in.f64();
  row.half_spread = in.f64();
  row.outside_share = in.f64();
  row.set = in.u32();
  row.recent_accuracy = in.f64();
  row.measured = in.f64();
  row.required = in.f64();
  return in.finish("prediction");
}

std::string canonical(const IntentRow& row) {
  ByteWriter out;
  out.i64(row.id);
  out.u32(static_cast<std::uint32_t>(row.instrument));
  out.time(row.created);
  out.time(row.expires);
  put_number(out, row.quantity);
  out.i64(row.limit.nanos());
  put_number(out, row.expected_value);
  out.text(row.state);
  out.text(row.reason);
  return out.take();
}

std::string canonical(const FillRow& row) {
  ByteWriter out;
  out.i64(row.intent);
  out.u32(static_cast<std::uint32_t>(row.instrument));
  out.time(row.event_time);
  put_number(out, row.quantity);
  out.i64(row.price.nanos());
  put_number(out, row.cost);
  out.text(row.reason);
  return out.take();
}

std::string canonical(const VerdictRow& row) {
  ByteWriter out;
  out.i64(row.id);
  out.u32(row.target);
  out.text(row.bundle);
  out.text(row.champion_before);
  out.time(row.as_of);
  out.text(row.outcome);
  out.text(row.reason);
  out.text(row.json);
  return out.take();
}

std::string canonical(const EquityRow& row) {
  ByteWriter out;
  out.time(row.event_time);
  put_number(out, row.equity);
  put_number(out, row.baseline_equity);
  put_number(out, row.costs);
  return out.take();
}

std::string canonical(const AlertRow& row) {
  ByteWriter out;
  out.i64(row.id);
  out.time(row.at);
  out.text(row.kind);
  out.u8(static_cast<std::uint8_t>(row.severity));
  out.text(row.key);
  out.text(row.text);
  out.boolean(row.expires.has_value());
  out.time(row.expires.value_or(Timestamp{}));
  out.boolean(row.quiet_may_hold);
  return out.take();
}

std::string canonical(const DeliveryRow& row) {
  ByteWriter out;
  out.i64(row.alert);
  out.text(row.channel);
  out.u8(static_cast<std::uint8_t>(row.state));
  out.u32(static_cast<std::uint32_t>(row.attempts));
  out.u32(static_cast<std::uint32_t>(row.parts));
  out.time(row.at);
  out.time(row.next_try);
  out.text(row.detail);
  return out.take();
}

void RowsHash::add(Dataset dataset, std::int64_t seq, const Record& record) {
  ByteWriter out;
  out.i64(seq);
  stream_.add(out.bytes());
  stream_.add(record.head(dataset));
  stream_.add(record.payload);
}

}  // namespace everlearn
