// What a run has done so far: kept with every commit, read by `status`, the progress bar and the report.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"
#include "trade/win_rate.hpp"

namespace everlearn {

struct Progress {
  std::string learning;  // "off" "collecting" "training" "active"
  std::optional<Timestamp> first_cycle, last_cycle;
  std::optional<Timestamp> scaling_start;  // of the weeks by which trainings take more rows: the first training
  std::int64_t cycles = 0, events = 0, predictions = 0;
  // Labels are those of the target that acts: examples = labelled + void_labels + waiting.
  std::int64_t examples = 0, labelled = 0, effective = 0, void_labels = 0, waiting = 0;
  std::map<std::string, std::int64_t> labelled_of;  // target -> known labels
  std::optional<Timestamp> auto_enabled;            // when learning became active by itself
  std::int64_t trainings = 0, promoted = 0;
  std::optional<Timestamp> last_training;            // as of
  std::map<std::string, std::int64_t> last_periods;  // job of the schedule -> its latest period, microseconds
  std::int64_t signals = 0, intents = 0, fills = 0;
  std::int64_t contradictions = 0;               // books that said what cannot be
  std::int64_t backfilled = 0;                   // dense prices that came from a history
  std::map<std::string, std::int64_t> stopped;   // filter -> signals
  std::map<std::string, std::string> champions;  // target -> bundle
  // Of what was served by the target that acts, if it is a class: the last matured predictions.
  std::optional<double> recent_accuracy, recent_majority;
  std::int64_t recent_rows = 0;
  // Two streams, where models are fine-tuned.
  std::string stream;                             // the one that serves; empty: there is one only
  std::map<std::string, double> stream_accuracy;  // as written down before the outcome, of each stream
  std::map<std::string, std::string> stream_ledgers;
  std::int64_t tunes = 0;                         // made and used
  std::map<std::string, std::int64_t> tunes_not;  // why not -> how often
  std::string tune;                               // the latest
  double equity = 0, baseline_equity = 0, costs = 0;
  std::int64_t round_trips = 0;
  // Of the account on paper now: committed to positions and open intents, and the part of it in markets that do not
  // trade; how many positions, and how many intents wait for a person.
  double committed = 0, locked = 0;
  std::int64_t positions = 0, locked_positions = 0, waiting_intents = 0;
  WinMonths wins, baseline_wins;  // of both accounts, closed positions by month
  std::string ledger_sha256;
  bool finished = false;           // the input was read to its end
  std::optional<double> fraction;  // of the input
  // Wall time, not part of any result:
  double wall_seconds = 0;
  std::map<std::string, double> split_seconds;  // "features" "labels" "predict" "training" "gate" "store" "read" ...

  std::string to_json() const;
  static Result<Progress> from_json(std::string_view text);
};

}  // namespace everlearn
