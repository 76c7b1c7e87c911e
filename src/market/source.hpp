#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "market/event.hpp"
#include "market/instrument.hpp"

namespace everlearn {

/// What a source read and what it set aside.
struct SourceReport {
  std::vector<std::string> inputs;  // names, without directories
  // "rfc3339", "local" (a zone was given), "date" (session closes), "s", "ms", "us", "ns"; several, by comma, where the
  // inputs differ; empty until the first row
  std::string time_unit;
  std::int64_t rows = 0;                        // good rows
  std::map<std::string, std::int64_t> refused;  // reason -> rows quarantined
  // Of a table that others write, since the start:
  std::int64_t late = 0;       // rows that were not there when their time was read
  std::int64_t corrected = 0;  // rows that said something else before
  std::int64_t gone = 0;       // rows that were read and are no longer there; what was read stays
  std::string trouble;         // why it cannot be read now, though it may be later; empty: all is well
  // Of a venue, now:
  std::map<std::string, std::int64_t> left_out;  // rule -> markets that are not followed because of it
  std::int64_t followed = 0, second_tier = 0;    // markets; the second tier is priced now and then, without books
  std::vector<std::string> health;               // lines for people
};

/// A hole in the dense history of an instrument: prices of (from, to] are not there.
struct Hole {
  InstrumentId instrument{};
  Timestamp from, to;
};

/// Events in order of (known_at, event_time, instrument name). Inner modules see only this.
class Source {
 public:
  virtual ~Source() = default;
  /// The next event; empty when there is none now (a recording: no more; a live source: try again later).
  /// Instruments are interned into the table given at construction, in event order.
  virtual Result<std::optional<Event>> next() = 0;
  /// All that was known by then has been given: a later event is known after it. A live loop runs no cycle beyond it.
  /// `now`: for sources of which next() has just said that there is nothing more now.
  virtual Timestamp told_until(Timestamp now) const { return now; }
  /// Where the next event will come from; a restart seeks there. Opaque, kept in the checkpoint.
  virtual std::string position() const = 0;
  virtual Result<void> seek(const std::string& position) = 0;
  virtual const SourceReport& report() const = 0;
  /// False: what was not read when it happened is gone. A restart then goes on from now, and the time between is a gap.
  virtual bool remembers() const { return true; }
  /// False: of what was read last more events are there, and position() is behind all of them.
  virtual bool given_whole() const { return true; }
  /// Asks for prices of the past; each hole is answered by one PastPrices, sooner or later. A source that has none
  /// never answers.
  virtual void ask_past(const std::vector<Hole>& holes) { (void)holes; }
  /// Fraction read in [0, 1] where the end is known (progress bar).
  virtual std::optional<double> progress() const = 0;
};

}  // namespace everlearn
