// The rows of the five datasets and of the state tables. Row order within a dataset is its sequence number: the order
// in which the decision thread wrote it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/price.hpp"
#include "core/time.hpp"

namespace everlearn {

enum class Dataset : std::uint8_t { Prices, Events, Examples, Labels, Predictions };

enum class Origin : std::uint8_t { Live, Recording, Backfill };

/// Key (instrument, event_time). One dense price point.
struct PriceRow {
  InstrumentId instrument{};
  Timestamp event_time, known_at;
  Price price;
  std::optional<Price> bid, ask;
  Origin origin = Origin::Recording;
};

/// Raw input that is not a plain price: bars, trades, books. Key (instrument, event_time, kind, ordinal).
struct EventRow {
  InstrumentId instrument{};
  Timestamp event_time, known_at;
  std::string kind;           // "bar", "trade", "book", "delta", "resolution"
  std::uint32_t ordinal = 0;  // tells apart events of one instrument, time and kind
  std::string payload;        // canonical bytes (market/event_codec.hpp)
};

/// Key (instrument, event_time). What was known at the decision.
struct ExampleRow {
  InstrumentId instrument{};
  Timestamp event_time, known_at;
  double price = 0;               // known at the decision
  std::vector<double> baseline;   // one per target: what the baseline said (classes: p of class 0.. concatenated)
  std::vector<double> no_change;  // one per target: what "no change" predicts (return 0; volatility: the trailing one)
  std::vector<float> features;    // one per column of the feature set; NaN = missing
};

/// Key (instrument, event_time, target).
struct LabelRow {
  InstrumentId instrument{};
  Timestamp event_time;      // of the example
  std::uint16_t target = 0;  // index into the profile's targets
  bool known = false;        // else void
  double value = std::numeric_limits<double>::quiet_NaN();
  Timestamp end, known_at;
  std::string reason;  // of a void label
};

/// Key (instrument, event_time, target). What was said, written before the outcome.
struct PredictionRow {
  InstrumentId instrument{};
  Timestamp event_time;
  std::uint16_t target = 0;
  std::string bundle;                                       // id of the model that spoke; empty: none
  double model = std::numeric_limits<double>::quiet_NaN();  // after calibration; classes: the winning class
  double baseline = std::numeric_limits<double>::quiet_NaN();
  double no_change = std::numeric_limits<double>::quiet_NaN();
  double blended = std::numeric_limits<double>::quiet_NaN();  // what acts; classes: the winning class
  std::vector<double> probabilities;                          // of the blend, per class; empty for regression
  double price = 0;
  std::string rung;     // "champion", "previous champion", "baseline", "none"
  std::string verdict;  // "passed", the filter that stopped it, or "" where nothing acts on this target
};

struct FillRow {
  std::int64_t intent = 0;
  InstrumentId instrument{};
  Timestamp event_time;  // of the price it was filled at
  double quantity = 0;   // units, signed: + bought
  Price price;           // paid, after half spread and slippage
  double cost = 0;       // fees, account currency
  std::string reason;    // "entry", "horizon", "opposite signal", "resolution"
};

struct IntentRow {
  std::int64_t id = 0;
  InstrumentId instrument{};
  Timestamp created, expires;
  double quantity = 0;  // units, signed
  Price limit;
  double expected_value = 0;  // relative, after costs
  std::string state;          // "open", "filled", "expired", "rejected"
  std::string reason;
};

/// One reviewed candidate.
struct VerdictRow {
  std::int64_t id = 0;
  std::uint16_t target = 0;
  std::string bundle;  // candidate; empty if none was made
  std::string champion_before;
  Timestamp as_of;
  std::string outcome;  // "promoted" "refused" "insufficient" "failed"
  std::string reason;   // why a training started
  std::string json;     // checks, hold-out, timing: registry/verdict.hpp
};

/// Daily account value, for performance.
struct EquityRow {
  Timestamp event_time;
  double equity = 0, baseline_equity = 0, costs = 0;
};

}  // namespace everlearn
