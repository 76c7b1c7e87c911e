// A label is what turned out: it is opened with the example at the decision and closed when its outcome is known.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/ids.hpp"
#include "core/price.hpp"
#include "core/time.hpp"
#include "market/calendar.hpp"
#include "market/event.hpp"

namespace everlearn {

enum class LabelKind : std::uint8_t {
  ForwardReturn,       // price change over a horizon
  RealisedVolatility,  // root mean square of the step log returns within the horizon; unit Log: its logarithm
  OutcomeAfterBars,    // 1 if the close n bars later is above the entry, else 0
  Direction2,          // 0 down, 1 up
  Direction3,          // 0 down, 1 flat, 2 up
  TripleBarrier,       // 0 loss, 1 time, 2 profit. Lopez de Prado (2018), ch. 3
  Column,              // what the table says turned out: a class or a value (Fields::outcome)
};

enum class ReturnUnit : std::uint8_t { Relative, Points, Log };

/// Horizon: exactly one of time, sessions (session calendars) or bars.
///
/// A price is a PricePoint, a bar's close or a trade; books make none. A bar, for horizons in bars and for barriers, is
/// a Bar, or a PricePoint of an instrument that has had no Bar yet; one that is not later than its predecessor is
/// ignored. The decision's session is the one that holds it; between sessions, the one before. Realised volatility is
/// that of the path entry price, then one price a step up to the end: each `step` of a horizon in time, each session
/// close after the decision, or each bar's close. Steps without a price are left out (the next return spans them); with
/// fewer than half of the steps the label is void. Unit: per step, not annualised. Triple barrier: a bar that began
/// before the decision counts with its close only; loss wins where a bar touches both. Column: horizon in time or
/// sessions, counted from the newest row at the decision; void where no outcome came within `tolerance` after it.
struct LabelSpec {
  LabelKind kind = LabelKind::ForwardReturn;
  ReturnUnit unit = ReturnUnit::Relative;
  Duration horizon;             // > 0: t + horizon
  std::int32_t sessions = 0;    // > 0: the close of the n-th session after the decision's
  std::int32_t bars = 0;        // > 0: the n-th closed bar after the decision
  Duration tolerance;           // > 0, unused with bars: the label price is the last one in (end - tolerance, end]
  Duration step;                // RealisedVolatility with `horizon`: a whole fraction of it
  double flat = 0;              // Direction3: |relative return| <= flat is flat
  double flat_volatility = 0;   // > 0 instead of `flat`: times the trailing volatility of the horizon at the decision
  double profit = 0, loss = 0;  // TripleBarrier: relative, > 0, loss < 1
  std::int32_t column_classes = 0;  // Column: classes 0..n-1; 0: the outcome is a value
  bool is_class() const { return classes() > 0; }
  int classes() const;  // 0 for a regression target
};

enum class LabelState : std::uint8_t { Waiting, Known, Void };

struct Label {
  InstrumentId instrument{};
  Timestamp event_time;  // of the decision it belongs to = its start
  Timestamp end;         // of the window; earlier than planned where a barrier was touched or the label became void
  Timestamp known_at;    // max(known_at of the deciding price, end); of a void label: when that was certain. >= end
  LabelState state = LabelState::Waiting;
  double value = 0;    // meaningful when Known: return, volatility or class number
  std::string reason;  // of a void label: "no price within 5d of the end", "market resolved", ...
};

/// Labels of one target, for all instruments. Each label is computed once, and no hindsight changes it: what ends by
/// the clock is decided at the first settle(now) with now >= end, from the events observed so far, the latest by
/// event_time (at the same event_time: the one observed last); what ends with a bar is decided by that bar. A
/// resolution before the end makes every waiting label of the instrument void ("market resolved"), also those opened
/// later: a payout is not a price. Cost: O(1) an event and O(1) a matured label; volatility and barriers also O(waiting
/// labels of the instrument) a step or bar. Decision thread only.
class Labeller {
 public:
  explicit Labeller(const LabelSpec& spec) : spec_{spec} {}
  virtual ~Labeller() = default;
  /// Opens a label for the decision at `at` with the price known then (Column: unused). `flat_band`, relative, is what
  /// Direction3 calls flat: spec.flat, or with spec.flat_volatility that of the decision; NaN, unknown: the label is
  /// void. Errors: BadData for a second label of the same instrument and time, or one earlier than the latest label or
  /// settling; OutOfRange where the calendar ends.
  virtual Result<void> open(InstrumentId instrument, Timestamp at, Price price, double flat_band) = 0;
  /// With the spec's own band; with spec.flat_volatility there is none.
  Result<void> open(InstrumentId instrument, Timestamp at, Price price);
  /// Every event, in known_at order; before settle(now) all with known_at <= now and no other.
  virtual void observe(const Event& event) = 0;
  /// Labels that are decided by what was known at `now`, ordered by (known_at, event_time, instrument).
  virtual std::vector<Label> settle(Timestamp now) = 0;
  virtual std::size_t waiting() const = 0;
  /// Planned end of the window of a label opened at `at`; max() where it depends on bars still to come, or the calendar
  /// ends before it.
  virtual Timestamp window_end(Timestamp at) const = 0;

  /// The whole state. decode() needs a labeller of the same spec. Errors: Damaged.
  virtual void encode(ByteWriter& out) const = 0;
  virtual Result<void> decode(ByteReader& in) = 0;

 protected:
  const LabelSpec spec_;
};

/// `calendar` outlives the labeller. Errors: Config for a spec without exactly one horizon or with limits out of range.
Result<std::unique_ptr<Labeller>> make_labeller(const LabelSpec& spec, const Calendar& calendar);

/// Counts label windows that do not overlap, per instrument: the number that thresholds use. Feed labels in start order
/// per instrument.
class EffectiveCount {
 public:
  void add(InstrumentId instrument, Timestamp start, Timestamp end);
  std::int64_t value() const { return count_; }
  void encode(ByteWriter& out) const;
  Result<void> decode(ByteReader& in);

 private:
  std::vector<Timestamp> busy_until_;
  std::int64_t count_ = 0;
};

}  // namespace everlearn
