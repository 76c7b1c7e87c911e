// A row of any dataset in the shape of the hot tables: its key, when it was known, and the rest as bytes. Checksums and
// hashes cover canonical bytes: equal rows have equal ones, wherever the row lies (hot, sealed, in the ledger).
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "core/hash.hpp"
#include "core/result.hpp"
#include "store/rows.hpp"

namespace everlearn {

inline constexpr std::array kDatasets{Dataset::Prices, Dataset::Events, Dataset::Examples, Dataset::Labels,
                                      Dataset::Predictions};

/// "prices", "events", "examples", "labels", "predictions".
std::string_view dataset_name(Dataset dataset);

/// "live", "recording", "backfill".
std::string_view text(Origin origin);
/// "unknown", "mid", "trade", "quote", "close", "past".
std::string_view text(PriceKind kind);

struct Record {
  InstrumentId instrument{};
  Timestamp event_time;
  std::string kind;           // of an event; "tuned" of a prediction of that stream; else empty
  std::uint32_t ordinal = 0;  // of an event; the target of a label or prediction; else 0
  Timestamp known_at;         // of a prediction: its event_time
  std::string payload;        // the other fields, by ByteWriter

  /// The canonical bytes are head(dataset) followed by the payload.
  std::string head(Dataset dataset) const;
  std::uint32_t crc(Dataset dataset) const;
  /// "instrument 3 at 2026-01-03T13:00:00.000000Z", with kind and ordinal where the dataset has them.
  std::string key_text(Dataset dataset) const;
  bool operator==(const Record&) const = default;
};

Record to_record(const PriceRow& row);
Record to_record(const EventRow& row);
Record to_record(const ExampleRow& row);
Record to_record(const LabelRow& row);
Record to_record(const PredictionRow& row);

/// Errors: Damaged if the payload is not what to_record() writes.
Result<void> from_record(const Record& record, PriceRow& row);
Result<void> from_record(const Record& record, EventRow& row);
Result<void> from_record(const Record& record, ExampleRow& row);
Result<void> from_record(const Record& record, LabelRow& row);
Result<void> from_record(const Record& record, PredictionRow& row);

template <class Row>
inline constexpr Dataset kDatasetOf = Dataset::Prices;
template <>
inline constexpr Dataset kDatasetOf<EventRow> = Dataset::Events;
template <>
inline constexpr Dataset kDatasetOf<ExampleRow> = Dataset::Examples;
template <>
inline constexpr Dataset kDatasetOf<LabelRow> = Dataset::Labels;
template <>
inline constexpr Dataset kDatasetOf<PredictionRow> = Dataset::Predictions;

/// What is not in a dataset: canonical bytes for the ledger and for the checksums of the state tables.
std::string canonical(const IntentRow& row);
std::string canonical(const FillRow& row);
std::string canonical(const VerdictRow& row);
std::string canonical(const EquityRow& row);
std::string canonical(const AlertRow& row);
std::string canonical(const DeliveryRow& row);

/// SHA-256 over rows in sequence order: per row its sequence number and its canonical bytes.
class RowsHash {
 public:
  void add(Dataset dataset, std::int64_t seq, const Record& record);
  std::string finish() { return hex(stream_.finish()); }

 private:
  Sha256Stream stream_;
};

}  // namespace everlearn
