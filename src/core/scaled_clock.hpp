#pragma once

#include <cmath>

#include "core/clock.hpp"

namespace everlearn {

/// Where a clock that runs faster than the real one stands: VIRTUAL + (real - REAL) x speed.
struct ClockAnchor {
  Timestamp real, shown;
};

/// For tests and demonstrations against a venue whose time runs alike. Any thread, as its base.
class ScaledClock final : public Clock {
 public:
  /// `base` outlives it; `speed` above 0.
  ScaledClock(const Clock& base, ClockAnchor anchor, double speed) : base_{base}, anchor_{anchor}, speed_{speed} {}
  Timestamp now() const override {
    const auto real = static_cast<double>((base_.now() - anchor_.real).us());
    return anchor_.shown + Duration{static_cast<std::int64_t>(std::floor(real * speed_))};
  }

 private:
  const Clock& base_;
  const ClockAnchor anchor_;
  const double speed_;
};

}  // namespace everlearn
