#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"
#include "io/venue_options.hpp"
#include "market/calendar.hpp"

namespace everlearn {

/// What a user says about the recordings he brings.
struct RecordingOptions {
  std::vector<std::string> inputs;             // files, or directories: their recordings in order of path
  std::map<std::string, std::string> columns;  // our name -> the file's: {"token", "market_slug"}; empty: leave it out
  std::optional<std::string> time_zone;        // of times written without one
  std::optional<std::string> time_unit;        // of epochs: "s", "ms", "us", "ns"; empty: found out per file
  bool bar_stamp_start = true;                 // a bar's stamp is its opening; else its close
  std::optional<Duration> bar_length;          // empty: found out per file
  bool daily_bars_close_with_session = true;
  std::string symbol;                  // of bars without a symbol column, if they are all of one
  bool symbol_from_file = false;       // or each file's name up to the first _ or .
  Duration delay;                      // known_at = event_time + delay, where no time of reception is recorded
  bool strict = false;                 // the first row that cannot be used is an Error
  std::string quarantine_dir;          // where such rows go; empty: they are only counted
  std::optional<Timestamp> from, to;   // events with from <= known_at < to
  const Calendar* calendar = nullptr;  // gives bare dates and daily bars their sessions; outlives the call
  std::vector<std::string> context;    // names, or paths that are read too: instruments that feed others
  bool probability = false;            // prices are probabilities in [0, 1]
  std::optional<VenueRules> venue;     // how a venue's run is read; empty: only its market frames are
};

}  // namespace everlearn
