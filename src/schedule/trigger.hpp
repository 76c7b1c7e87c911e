// Whether a model is trained again outside its schedule: a pure decision on figures that the caller has, with a reason
// that a person can read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/time.hpp"

namespace everlearn {

/// What asks for a training. An absent limit never asks.
struct TriggerLimits {
  std::optional<Duration> age = {};             // the serving model is at least so old
  std::optional<double> sharpe = {};            // the recent live Sharpe ratio (annualised) is below this
  std::int64_t sharpe_sessions = 20;            // over at least so many sessions
  std::optional<std::int64_t> new_labels = {};  // so many new effective examples

  /// No training with fewer new effective examples, whatever asks.
  std::int64_t new_labels_min = 0;
  /// Between two triggered trainings.
  Duration gap_min = {};
};

struct TriggerInputs {
  std::optional<Duration> model_age = {};             // absent: no model has been trained
  std::optional<double> sharpe = {};                  // absent or not finite: unknown
  std::int64_t sharpe_sessions = 0;                   // sessions behind it
  std::int64_t new_labels = 0;                        // effective, since the last training
  std::optional<Duration> since_last_triggered = {};  // absent: none yet
  bool by_hand = false;                               // goes before every limit
};

struct TriggerDecision {
  bool train = false;
  std::string reason;  // "model is 8.2 days old, limit 7 days"; if not, what is missing: "42 of 100 new examples"
};

TriggerDecision decide_training(const TriggerLimits& limits, const TriggerInputs& inputs);

}  // namespace everlearn
