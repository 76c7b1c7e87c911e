// A CSV (plain or gzip) or Parquet file as a LiveTable: a drop-in for the database table whose columns it has. It is
// read again when its bytes changed.
//
// A file that is not there yet, or that changes while it is read, is looked at again later (Unavailable); one that is
// replaced by rename is never seen half. A last CSV line without its line end is taken once the file has stood still
// between two looks.
#pragma once

#include <memory>

#include "core/fs.hpp"
#include "io/live_table.hpp"
#include "io/table_options.hpp"

namespace everlearn {

/// `options.table` is the path; `fs` and the calendar outlive the table. Errors: Usage for a time zone or unit that
/// does not exist.
Result<std::unique_ptr<LiveTable>> open_file_table(Fs& fs, const TableOptions& options);

}  // namespace everlearn
