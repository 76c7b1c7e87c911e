// Where values lie on paper, and the round numbers written beside them.
#pragma once

#include <string>
#include <vector>

#include "core/time.hpp"

namespace everlearn {

/// Maps [low, high] onto [from, to]; what lies outside lands on the edge.
class Scale {
 public:
  Scale(double low, double high, double from, double to);
  double operator()(double value) const;
  bool inside(double value) const { return value >= low_ && value <= high_; }
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  double low_, high_, from_, to_;
};

struct Range {
  double low = 0, high = 0;
};

/// The range of the finite values, without those that would squeeze all others: what lies further from the
/// middle four fifths than 0.4 of their width is left outside. Holds `anchor`. Never empty.
Range robust_range(std::vector<double> values, double anchor);

enum class Unit { Number, Percent, Money };

struct Tick {
  double at = 0;
  std::string label;
};

/// Multiples of 1, 2 or 5 times a power of ten within [low, high], about `wanted` of them.
std::vector<Tick> value_ticks(double low, double high, int wanted, Unit unit);
/// Starts of years, months, days or hours (UTC) within [from, to], at most `most`; at in microseconds.
std::vector<Tick> time_ticks(Timestamp from, Timestamp to, int most);

}  // namespace everlearn
