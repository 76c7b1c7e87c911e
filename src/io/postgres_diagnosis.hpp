// What is wrong with a connection, step by step from the name to the newest row: the first step that fails is the one
// to repair. Reads only.
#pragma once

#include <vector>

#include "core/time.hpp"
#include "io/diagnosis_step.hpp"
#include "io/table_options.hpp"

namespace everlearn {

/// Steps: "host", "network", "TLS", "login", "pooler", "table", "columns", "rights", "index", "newest row".
/// `now`: what the newest row's age is told by. No step's text holds the password. Touches the network; waits up to the
/// options' time limits.
std::vector<DiagnosisStep> diagnose_postgres(const TableOptions& options, Timestamp now);

}  // namespace everlearn
