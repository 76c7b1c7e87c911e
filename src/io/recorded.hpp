// What a recording holds in memory: compact rows, one series per file and instrument, and the rules of order within it.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/price.hpp"
#include "core/time.hpp"
#include "io/refusal.hpp"
#include "io/table_format.hpp"
#include "io/venue_messages.hpp"
#include "market/event.hpp"
#include "market/instrument.hpp"

namespace everlearn {

/// An optional price in eight bytes.
class PackedPrice {
 public:
  PackedPrice() = default;
  explicit PackedPrice(const std::optional<Price>& price) : nanos_{price ? price->nanos() : kNone} {}
  std::optional<Price> get() const { return nanos_ == kNone ? std::nullopt : std::optional{Price::from_nanos(nanos_)}; }
  bool operator==(const PackedPrice&) const = default;

 private:
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
  std::int64_t nanos_ = kNone;
};

struct PriceRecord {
  Timestamp time;
  Price price;
  PackedPrice bid, ask;
  std::uint32_t line = 0;
  std::int8_t outcome = -1;  // 0, 1; -1: none

  explicit PriceRecord(const PriceLine& from, std::int64_t line_number);
  bool same_values(const PriceRecord& other) const;
};

struct BarRecord {
  Timestamp time;  // the stamp while the file is being read, then the close
  Timestamp open_time;
  Price open, high, low, close;
  double volume = 0;
  double vwap = 0;           // meaningful if has_vwap
  std::int64_t trades = -1;  // -1: none
  std::uint32_t line = 0;
  std::int32_t day = 0;  // of the stamp as written
  bool has_vwap = false;
  bool placed = false;  // time and open_time are final

  explicit BarRecord(const BarLine& from, std::int64_t line_number);
  bool same_values(const BarRecord& other) const;
};

/// Something a venue said, in the order of the file.
struct MessageRecord {
  Timestamp event_time, known_at;
  std::uint32_t instrument = 0;
  std::variant<Trade, BookUpdate, Resolution, TickSize> what;
};

struct RecordedInstrument {
  std::string name;
  std::string market;                 // as its first row says; later rows do not change it
  std::optional<Timestamp> end_time;  // likewise
  bool probability = false;
  bool context = false;
};

/// Finds or adds; one that is known already keeps what is known of it.
InstrumentId intern(Instruments& instruments, const RecordedInstrument& from);

PricePoint to_point(const PriceRecord& row);
/// Once it is placed.
Bar to_bar(const BarRecord& row);

struct Series {
  std::uint32_t file = 0;
  std::uint32_t instrument = 0;  // of prices and bars; messages name their own
  std::vector<PriceRecord> prices;
  std::vector<BarRecord> bars;
  std::vector<MessageRecord> messages;

  /// Adds a row if it is later than the last one. Refuses a repetition, another value for a time that has one, and a
  /// step back.
  RowResult<void> admit(const PriceRecord& row);
  RowResult<void> admit(const BarRecord& row);
};

/// A row that turned out to be unusable only after its file had been read.
struct LateRefusal {
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  Refusal refusal;
};

/// Everything of a recording before it is put in order.
struct Recorded {
  std::vector<std::string> file_names;
  std::vector<RecordedInstrument> instruments;
  std::deque<Series> series;  // in order of file and first appearance

  /// Takes the rows out that lie inside the time range of another file of the same instrument, or after its outcome.
  /// What comes first in time stays.
  std::vector<LateRefusal> remove_overlaps();
};

}  // namespace everlearn
