// The doctor's look at a table that a profile reads, and at what one run would do. Changes nothing.
#pragma once

#include <vector>

#include "app/data_directory.hpp"
#include "app/doctor.hpp"

namespace everlearn {

/// Step by step: the connection, the table, its columns, its newest row; a venue from its names to a first book, unless
/// `offline`. Empty where the profile reads files.
std::vector<Finding> examine_source(const Profile& profile, bool offline);

/// How many rows wait, which stream would serve, when the next base training is due. `data`: null before the first run.
/// `reads`: the table was found in order.
std::vector<Finding> examine_next_run(const Profile& profile, DataDirectory* data, bool reads);

}  // namespace everlearn
