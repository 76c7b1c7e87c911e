// The loop on the real clock: what the input has now, the cycles the clock has passed, then a wait of at most 200 ms
// for a caller at DIR/control.sock or a signal. Everything a caller changes happens between two cycles, and is
// committed before he is answered. A kill at any moment loses nothing that was committed; the next start goes on from
// there.
#pragma once

#include <string>

#include "app/config/config.hpp"
#include "core/result.hpp"
#include "io/recording_options.hpp"

namespace everlearn {

struct DaemonRequest {
  Config config;
  RecordingOptions recording;  // one input: the file that grows
  std::string data_directory;
  std::string trainer;  // path of everlearn-train
  bool console = true;  // log on stderr too
};

/// Returns after SIGTERM, SIGINT or the verb "stop", with everything committed.
/// Errors: InUse; Config: the directory is of another profile, other targets or features, or holds a simulation; those
/// of the input, the store and the disk.
Result<void> run_daemon(const DaemonRequest& request);

}  // namespace everlearn
