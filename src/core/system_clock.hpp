// The only place that reads the machine's clocks.
#pragma once

#include <chrono>

#include "core/clock.hpp"

namespace everlearn {

/// The machine's idea of UTC. It may jump, also backwards. Any thread.
class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

/// Elapsed real time on a clock that never jumps. For measuring and progress only: nothing that is stored or decided
/// may depend on it.
class Stopwatch {
 public:
  Stopwatch();
  /// Since construction or the last restart().
  double seconds() const;
  void restart();

 private:
  std::chrono::steady_clock::time_point start_;
};

}  // namespace everlearn
