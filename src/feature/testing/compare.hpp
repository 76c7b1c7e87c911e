// Test only: the bank against the plain reference.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "feature/testing/tape.hpp"

namespace everlearn::testing {

struct Comparison {
  double worst = 0;  // largest difference in units of what is allowed; at most 1 is equal
  std::string where = "nothing";
  std::set<std::string> known;  // features that were known at least once
};

/// Allowed: the rounding to float, and 1e-9 of the largest value that the feature takes on the instrument.
Comparison compare(const Tape& tape, const std::vector<std::string>& features);

/// Every family at each of these windows that it has; families without a window once.
std::vector<std::string> every_family(const std::vector<int>& windows);

}  // namespace everlearn::testing
