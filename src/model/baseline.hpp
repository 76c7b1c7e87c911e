// What anyone could say without a model; the last rung of the ladder that may speak, and what a model has to beat.
// All of it trails: nothing is fitted.
//   Return: samples_per_horizon * w * m with m the mean of the last k sample returns in the target's unit (k = 8, one
//     sample step each) and w = n / (n + k), shrinkage momentum. Thresholds and weights count what does not overlap: n
//     is the returns there are (at most k) divided by samples_per_horizon. 0 from the first price until the first
//     return. On prices in [0, 1] clipped so that the price stays inside.
//   Volatility: root mean square (unit Log: its logarithm) of the last 4 * samples_per_horizon sample log returns. "No
//   change" is the same over the
//     last samples_per_horizon. Both speak from half a horizon's returns on.
//   Classes: frequencies of the instrument's last 200 known labels with one pseudo-count a class.
//   Value of a table's column: mean of the instrument's last 200 known labels; "no change" is the last one.
// A sample return needs both prices usable (relative: the first above 0; log: both); others are left out.
// Decision thread only.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "core/ids.hpp"
#include "core/price.hpp"
#include "label/label.hpp"

namespace everlearn {

class Baseline {
 public:
  virtual ~Baseline() = default;
  /// The price of an instrument at each sample, in time order, before predict() for that time. One that is not later
  /// than its predecessor is ignored.
  virtual void observe(InstrumentId instrument, Timestamp at, Price price) = 0;
  /// A label of this target became known (baselines of classes and columns learn from these).
  virtual void observe(const Label& label) = 0;
  /// Regression: one value. Classes: one probability a class. NaN while nothing is known.
  virtual void predict(InstrumentId instrument, std::span<double> out) const = 0;
  /// What "no change" says: 0 for a return, the trailing value of the target's own window for a volatility, the last
  /// known label for a column; NaN for classes and while unknown.
  virtual double no_change(InstrumentId instrument) const = 0;

  /// The whole state. decode() needs a baseline made alike. Errors: Damaged.
  virtual void encode(ByteWriter& out) const = 0;
  virtual Result<void> decode(ByteReader& in) = 0;
};

/// `bounded`: prices are probabilities. `samples_per_horizon` >= 1: sample steps in the label's horizon; for a
/// volatility a sample step is the label's own step (a session, a bar), so that both are per step.
std::unique_ptr<Baseline> make_baseline(const LabelSpec& spec, int samples_per_horizon, bool bounded);

}  // namespace everlearn
