#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "io/recording_options.hpp"

namespace CLI {
class App;
}

namespace everlearn::cli {

/// The flags that say what a user's recordings look like.
struct RecordingFlags {
  std::vector<std::string> inputs;
  std::string columns, symbol, time_zone, time_unit, bar_stamp = "start", bar_length, from, to;
  bool symbol_from_file = false, strict = false;

  void add_to(CLI::App& verb, bool inputs_required);
  /// Errors: Usage naming the flag and what it wants.
  Result<RecordingOptions> options() const;
};

}  // namespace everlearn::cli
