// One simulation from the outside: a data directory, a profile and recordings in; everything in the store out. Started
// again on the same directory it continues where it was, or does nothing if it was done.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/engine.hpp"
#include "app/progress.hpp"
#include "io/recording_options.hpp"

namespace everlearn {

struct SimulationRequest {
  Config config;
  RecordingOptions recording;  // inputs, columns ...; calendar, delay, context are taken from the profile
  std::string source;          // "db" or a table's file, read from its first row to its last; empty: recording.inputs
  std::string data_directory;
  std::string trainer;  // path of everlearn-train
  bool fresh = false;   // start over: what the directory holds is moved to quarantine/, not deleted
  std::function<void(const Progress&)> on_progress;
};

struct SimulationResult {
  Progress progress;
  SourceReport source;
  bool was_finished = false;  // nothing was left to do
};

/// Errors: InUse (another process), Config (the directory belongs to another profile, settings or input: use fresh),
/// BadData, Storage, Damaged, Training.
Result<SimulationResult> simulate(const SimulationRequest& request);

}  // namespace everlearn
