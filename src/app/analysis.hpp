// One run of the loop, for schedulers: all rows there are, the cycles that are due, what these start, alerts; then an
// end and a summary. The next run goes on from its last commit, as the daemon would. Where runs are missing between
// two, a gap says so, and the cycles of that time are made up for as late ones.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/live_session.hpp"
#include "app/progress.hpp"
#include "core/result.hpp"
#include "io/stop_signals.hpp"
#include "market/source.hpp"
#include "store/coverage.hpp"

namespace everlearn {

struct AnalysisRequest {
  LiveRequest live;
  StopSignals* signals = nullptr;      // what ends the run early, committed; null: nothing does
  std::function<Result<void>()> keep;  // called now and then: the lease of a state; empty: there is none
};

struct Analysis {
  struct Training {
    std::string target, outcome, model, reason, verdict;
  };

  std::string profile;
  Timestamp at;
  Progress before, after;
  SourceReport source;  // of this run
  std::vector<Training> trainings;
  std::int64_t alerts_raised = 0, alerts_sent = 0, alerts_waiting = 0;  // waiting: on some channel
  std::optional<Gap> no_run;                                            // since the run before
  bool stopped = false;                                                 // by a signal
  std::map<std::string, double> seconds;                                // "open" "rows and cycles" "trainings" "end"

  std::string text() const;
  std::string to_json() const;
};

/// Errors: those of LiveSession, the input and the engine; what was committed before stays.
Result<Analysis> analyze(AnalysisRequest request);

/// The time between two runs as a gap, if it is too long: more than one and a half cycles of open time; with one cycle
/// a session: two of them.
std::optional<Gap> missing_run(const CycleGrid& grid, Duration cycle, Timestamp before, Timestamp now);

}  // namespace everlearn
