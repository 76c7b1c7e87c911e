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

/// What a price is. Past: of a price history, whose venue does not say more.
enum class PriceKind : std::uint8_t { Unknown, Mid, Trade, Quote, Close, Past };

/// Key (instrument, event_time). One dense price point.
struct PriceRow {
  InstrumentId instrument{};
  Timestamp event_time, known_at;
  Price price;
  std::optional<Price> bid, ask;
  Origin origin = Origin::Recording;
  std::optional<Price> last;  // of the last trade, where it is known beside the price
  PriceKind kind = PriceKind::Unknown;
};

/// Raw input that is not a plain price: bars, trades, books. Key (instrument, event_time, kind, ordinal).
struct EventRow {
  InstrumentId instrument{};
  Timestamp event_time, known_at;
  std::string kind;           // "bar", "trade", "book", "delta", "resolution", "fields"
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

/// Who spoke: the base model, or what was tuned from it. Both predict side by side, each with its own rows.
enum class Stream : std::uint8_t { Base, Tuned };

/// Key (instrument, event_time, target, stream). What was said, written before the outcome.
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
  Stream stream = Stream::Base;
  bool served = true;  // this row acted; else it was said on trial, beside the one that did
  // What the filters of the acting target saw; missing for other targets and in rows of older releases.
  double expected = std::numeric_limits<double>::quiet_NaN();         // relative move that the prediction promises
  double half_spread = std::numeric_limits<double>::quiet_NaN();      // relative, to be paid at the executable price
  double outside_share = std::numeric_limits<double>::quiet_NaN();    // of features outside the trained range
  std::uint32_t set = 0;                                              // conformal: a bit a class; 0: unknown
  double recent_accuracy = std::numeric_limits<double>::quiet_NaN();  // of what was served, at the decision
  double measured = std::numeric_limits<double>::quiet_NaN();         // by the filter that gave the verdict
  double required = std::numeric_limits<double>::quiet_NaN();
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

enum class Severity : std::uint8_t { Info, Warning, Critical };

/// What a person shall be told. Key `key`: raised twice is told once, and the first text stands. Never changes.
struct AlertRow {
  std::int64_t id = 0;
  Timestamp at;      // of what happened; no wall clock, so that a simulation raises the same ones
  std::string kind;  // "signal", "training", "fall-back", "accuracy", "stream", "source", "test"
  Severity severity = Severity::Info;
  std::string key;                   // "signal/BTCUSDT/2026-01-03T13:00:00.000000Z"
  std::string text;                  // plain; the first line is the headline
  std::optional<Timestamp> expires;  // not worth telling after this
  bool quiet_may_hold = false;       // waits for the end of the quiet hours
};

/// Sending: handed over, and whether it arrived is not known. Skipped: less severe than what is wanted.
enum class DeliveryState : std::uint8_t { Waiting, Sending, Sent, Expired, Refused, Skipped };

/// How far an alert got on one channel. None yet: waiting, never tried.
struct DeliveryRow {
  std::int64_t alert = 0;
  std::string channel;  // "telegram"
  DeliveryState state = DeliveryState::Waiting;
  int attempts = 0;
  int parts = 0;       // of a long text: how many messages the channel has taken
  Timestamp at;        // of the last change
  Timestamp next_try;  // while it waits
  std::string detail;  // what the channel said last

  bool settled() const { return state != DeliveryState::Waiting && state != DeliveryState::Sending; }
};

}  // namespace everlearn
