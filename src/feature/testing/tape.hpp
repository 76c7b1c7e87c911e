// Test only: made-up and recorded markets as lists of steps, and what an observer would have noted at each.
#pragma once

#include <string>
#include <vector>

#include "core/rng.hpp"
#include "feature/feature_bank.hpp"
#include "feature/testing/plain_series.hpp"
#include "market/calendar.hpp"
#include "market/event.hpp"
#include "market/instrument.hpp"

namespace everlearn::testing {

/// A market over time: the steps, and the events known by each (since the one before).
struct Tape {
  Duration step;
  const Calendar* calendar = nullptr;
  Instruments instruments;
  std::vector<Timestamp> at;
  std::vector<std::vector<Event>> events;  // one list a step
};

/// The rows of every step: [step][instrument][column].
using Rows = std::vector<std::vector<std::vector<float>>>;

/// Steps a fresh bank through the tape's first `steps` steps (all: -1). Instruments appear with their first event.
Rows run(const Tape& tape, const FeatureSet& set, std::ptrdiff_t steps = -1);

enum class Path {
  RandomWalk,   // returns of 1 %
  Constant,     // with a move now and then
  Jumps,        // a walk that is thrown by a factor of 3 and comes back
  Offset,       // 1e8 plus a walk of steps around 1
  Trend,        // the same absolute step for ever
  Probability,  // in (0, 1) on a grid of 0.01, mostly flat
};

struct TapeOptions {
  Path path = Path::RandomWalk;
  int steps = 300;
  int instruments = 3;  // besides one context instrument, the first
  Duration step = Duration::minutes(15);
  bool bars = true;
  bool trades = true;
  bool books = true;
  bool gaps = false;  // steps without news, a stale spell, a late starter, doubted books, a closed spell, a resolution
};

Tape make_tape(const TapeOptions& options, const Calendar& calendar, std::uint64_t seed);

}  // namespace everlearn::testing
