#pragma once

#include "core/time.hpp"

namespace everlearn {

/// Where time comes from. Time stands still within a step: a cycle reads it once.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

/// Stands where it is put; simulations and tests drive it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start = Timestamp{}) : now_{start} {}
  Timestamp now() const override { return now_; }
  void set(Timestamp t) { now_ = t; }

 private:
  Timestamp now_;
};

}  // namespace everlearn
