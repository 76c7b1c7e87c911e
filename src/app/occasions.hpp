// What people are told of, and in which words: an AlertRow for each occasion, for the engine to append in the
// transaction of what it tells about. Pure functions of what was decided: no clock, no wall times, so that a simulation
// raises the same alerts under the same keys. The first line stands for the whole in a list of many.
#pragma once

#include <cstdint>
#include <string>

#include "app/profile.hpp"
#include "app/streams.hpp"
#include "registry/verdict.hpp"
#include "store/rows.hpp"

namespace everlearn {

/// A prediction that passed all filters. Key: signal/<instrument>/<event_time>. Expires with its horizon, may be held
/// by quiet hours.
struct SignalOccasion {
  const PredictionRow& row;      // as served
  std::string instrument;        // its name
  int side = 0;                  // +1 buy, -1 sell
  Timestamp until;               // end of the label's window
  std::int64_t recent_rows = 0;  // that row.recent_accuracy counts; 0: not said
};
AlertRow signal_alert(const TargetProfile& target, const SignalOccasion& occasion);

/// A training of a base came to a verdict. Key: training/<target>/<as_of>/<model>. Warning where it failed or was
/// insufficient.
struct TrainingOccasion {
  Timestamp as_of;
  std::string reason;            // why it started
  std::string bundle;            // empty: none was made
  std::string champion_before;   // empty: none
  std::int64_t rows_used = 0;    // fit and stop
  std::int64_t rows_wanted = 0;  // by the profile's scaling or by hand; 0: all of the window
  std::int64_t rows_there = 0;   // of the wanted ones; unused where none are wanted
};
AlertRow training_alert(const TargetProfile& target, const TrainingOccasion& occasion, const Verdict& verdict);

/// The model that should speak does not. Key: fall-back/<target>/<rung>/<model>/<at>.
struct FallBackOccasion {
  Timestamp at;
  std::string model;   // that should speak; empty: there is none
  std::string rung;    // "previous champion", "baseline", "none", "from scratch"
  std::string speaks;  // the model that speaks instead; empty: none
  std::string reason;  // "past its expiry of 2026-01-10", "forest.bin: wrong checksum"
};
AlertRow fall_back_alert(const TargetProfile& target, const FallBackOccasion& occasion);

/// What was served is right too seldom. Key: accuracy/<target>/<at>.
struct AccuracyOccasion {
  Timestamp at;
  std::string model;
  std::int64_t rows = 0;  // matured predictions that were looked at
  double accuracy = 0;    // of them
  double majority = 0;    // what always saying the most frequent class would have got
  double least = 0;       // wanted
  std::string now;        // what happens: "a model is trained from scratch; no signals until then"
};
AlertRow accuracy_alert(const TargetProfile& target, const AccuracyOccasion& occasion);

/// The gate picked the other stream. Key: stream/<at>.
AlertRow stream_alert(const TargetProfile& target, const StreamVerdict& verdict);

/// The source gives nothing, or not what it should; and that it does again. Keys: source/<since>, source/<since>/over.
AlertRow source_trouble_alert(Timestamp since, const std::string& source, const std::string& problem);
AlertRow source_recovered_alert(Timestamp since, Timestamp at, const std::string& source);

}  // namespace everlearn
