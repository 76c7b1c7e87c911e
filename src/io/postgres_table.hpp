// A table or query of a PostgreSQL database as a LiveTable. Each look is a connection of its own and one read-only
// transaction that sees one moment (REPEATABLE READ), so that it works through a transaction pooler; nothing is held
// between looks.
#pragma once

#include <memory>

#include "io/live_table.hpp"
#include "io/table_options.hpp"

namespace everlearn {

/// Errors: Config: the connection string or the table's name cannot be read, or neither table nor query is given. The
/// database is not touched before look().
Result<std::unique_ptr<LiveTable>> open_postgres_table(const TableOptions& options);

/// What stands behind FROM. Errors: Config.
Result<std::string> postgres_relation(const TableOptions& options);

}  // namespace everlearn
