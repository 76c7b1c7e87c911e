// Layout version 1 of everlearn.db (docs/formats/database-v1.md): creating it, and refusing what is not it.
#pragma once

#include "store/sqlite.hpp"

namespace everlearn {

/// True for a database without any table.
Result<bool> is_new(const sqlite::Database& database);
/// One transaction. `database` must be new.
Result<void> create_schema(sqlite::Database& database);
/// Errors: Damaged (another program's file), Unsupported (a newer layout).
Result<void> check_schema(const sqlite::Database& database);
/// When a gap was filled is younger than the rest: a writer makes the table, a reader does without it.
Result<bool> has_gap_filled(const sqlite::Database& database);
Result<void> add_gap_filled(sqlite::Database& database, bool read_only);
/// What every writing connection runs with; the pragmas are read back where SQLite may refuse silently.
Result<void> set_up_writer(sqlite::Database& database);
/// A reading connection keeps one snapshot for its whole life.
Result<void> set_up_reader(sqlite::Database& database);

}  // namespace everlearn
