// One operation over the lanes of a block.
#pragma once

#include <cstdint>

#include "feature/plan.hpp"

namespace everlearn {

/// What an operation works on: rows of kLanes doubles.
struct Lanes {
  double* values;        // results of this step
  double* state;         // kept from step to step
  double* history;       // rings
  std::int64_t step;     // number of this step, from 0
  std::size_t block;     // number of the block: spreads the fixed re-anchoring over the steps
  bool session_changed;  // the step is the first of its session
};

/// Asks for the rows of history that a block will read at this step: they lie far apart, and waiting for each of them
/// in turn would make long windows cost more than short ones.
void prefetch(const Stage& stage, const double* history, std::int64_t step);

/// Everything but inputs and crossings.
void evaluate(const Operation& operation, const Lanes& lanes);

/// Appends the result to its history and counts its run of known values. Infinities become unknown.
void remember(const Operation& operation, const Lanes& lanes);

}  // namespace everlearn
