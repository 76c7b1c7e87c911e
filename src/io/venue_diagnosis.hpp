// Can this machine watch the venue? Step by step, from the names to a first book over a socket: the first step that
// fails is the one to repair. Reads only, and asks for little.
#pragma once

#include <string>
#include <vector>

#include "core/time.hpp"
#include "io/diagnosis_step.hpp"
#include "io/venue_options.hpp"

namespace everlearn {

/// Steps: "host", "network" and "TLS" of each service, "market list", "time", "book", "market socket", "history".
/// `now`: what the venue's clock is compared with. Waits up to some seconds a step. `authorities`: a file of
/// certificates; empty: the system's.
std::vector<DiagnosisStep> diagnose_venue(const VenueOptions& options, Timestamp now,
                                          const std::string& authorities = {});

/// What watching takes of the venue's limits, "clob /books" after "clob /books"; offline.
std::vector<DiagnosisStep> diagnose_venue_limits(const VenueOptions& options);

}  // namespace everlearn
