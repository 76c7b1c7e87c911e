// A sum of doubles that does not lose the small ones. Neumaier (1974).
#pragma once

#include <cmath>

namespace everlearn {

class CompensatedSum {
 public:
  void add(double x) {
    const double sum = sum_ + x;
    // The rounding error of the addition, exact where |larger| >= |smaller|.
    lost_ += std::abs(sum_) >= std::abs(x) ? (sum_ - sum) + x : (x - sum) + sum_;
    sum_ = sum;
  }
  double value() const { return sum_ + lost_; }

 private:
  double sum_ = 0, lost_ = 0;
};

}  // namespace everlearn
