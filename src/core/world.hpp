#pragma once

#include "core/clock.hpp"
#include "core/fs.hpp"
#include "core/proc.hpp"
#include "core/rng.hpp"

namespace everlearn {

/// Everything the engine takes from outside. Passed in, never global: the same code runs live, in replay and in
/// simulation.
struct World {
  Clock& clock;
  Rng& rng;
  Fs& fs;
  Proc& proc;
};

}  // namespace everlearn
