#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "io/replaced_file.hpp"
#include "io/table_writer.hpp"

namespace everlearn {

/// zstd, page checksums, row groups of 64k rows. `path` is for messages.
Result<std::unique_ptr<TableWriter>> make_parquet_writer(ReplacedFile file, std::string path,
                                                         std::vector<TableColumn> columns);

/// As many cells as columns, each absent or of its column's type. Errors: Internal.
Result<void> check_row(const std::vector<TableColumn>& columns, std::span<const Cell> row);

}  // namespace everlearn
