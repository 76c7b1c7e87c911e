// What the daemon and a single run of `analyze` share: the directory opened and its settings compared, the log, the
// input, the engine on it, and what people are told. How long it goes on, and who may interrupt, is the caller's.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/alert_delivery.hpp"
#include "app/config/config.hpp"
#include "app/data_directory.hpp"
#include "app/engine.hpp"
#include "app/outlet_delivery.hpp"
#include "core/scaled_clock.hpp"
#include "core/system_clock.hpp"
#include "io/log.hpp"
#include "io/recording_options.hpp"

namespace everlearn {

class Teller;

struct LiveRequest {
  Config config;
  std::string source;          // "db", or a path; empty: the recording's one input
  RecordingOptions recording;  // how the rows of a file look
  std::string data_directory;
  std::string trainer;     // path of everlearn-train
  bool console = true;     // log on stderr too
  std::string begins;      // what the journal says of this start: "the daemon begins"
  bool trains = true;      // false: a due base training is another run's
  Clock* clock = nullptr;  // null: the real one; else a replay, which sends no alerts
  // For tests and demonstrations: the real clock, made to run faster from an anchor on. Sends no alerts either.
  std::optional<ClockAnchor> clock_anchor;
  double clock_speed = 1;
  std::string record;  // file that all a venue tells is appended to; empty: none
};

/// Holds the directory's lock while it lives. One thread, the decision thread.
class LiveSession {
 public:
  /// Errors: InUse; Config: the directory is of another profile, other targets or features, or holds a simulation;
  /// those of the store and the disk.
  static Result<std::unique_ptr<LiveSession>> open(LiveRequest request);
  ~LiveSession();

  /// Opens the input and builds the engine; engine() and source() are there from now on. Errors: those of both.
  Result<void> start();
  /// What the input has now and the cycles that the clock has passed: committed, then told, alerts on their way.
  Result<Engine::LiveStep> step();
  /// Says in the journal why it ends, commits, and waits a few seconds for alerts that can still be sent.
  Result<void> stop(const std::string& why);

  DataDirectory& directory() { return *directory_; }
  Log& log() { return *log_; }
  Clock& clock() const { return world_.clock; }
  Engine& engine() { return *engine_; }
  const Source& source() const { return *source_; }

 private:
  LiveSession(LiveRequest request, std::unique_ptr<DataDirectory> directory);
  Result<void> prepare_directory();
  Result<std::string> switch_on_in_settings_file();

  const LiveRequest request_;
  const std::unique_ptr<DataDirectory> directory_;
  SystemClock system_clock_;
  std::optional<ScaledClock> scaled_clock_;
  Rng rng_;
  const World world_;
  std::unique_ptr<Log> log_;
  std::vector<std::string> warnings_;  // from before there was a log
  Instruments instruments_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<AlertDelivery> delivery_;
  std::unique_ptr<OutletDelivery> outlet_;
  std::unique_ptr<Teller> teller_;
};

}  // namespace everlearn
