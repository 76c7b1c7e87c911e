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
};

/// Events in order of (known_at, event_time, instrument name). Inner modules see only this.
class Source {
 public:
  virtual ~Source() = default;
  /// The next event; empty when there is none now (a recording: no more; a live source: try again later).
  /// Instruments are interned into the table given at construction, in event order.
  virtual Result<std::optional<Event>> next() = 0;
  /// Where the next event will come from; a restart seeks there. Opaque, kept in the checkpoint.
  virtual std::string position() const = 0;
  virtual Result<void> seek(const std::string& position) = 0;
  virtual const SourceReport& report() const = 0;
  /// Fraction read in [0, 1] where the end is known (progress bar).
  virtual std::optional<double> progress() const = 0;
};

}  // namespace everlearn
