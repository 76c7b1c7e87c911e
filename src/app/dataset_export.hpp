// What is stored, as tables for other programs. The columns of each dataset: docs/formats/export-v1.md.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/data_directory.hpp"
#include "io/table_writer.hpp"

namespace everlearn {

/// "prices", "examples", "labels", "predictions", "intents", "fills", "positions", "verdicts", "equity".
const std::vector<std::string>& export_datasets();

/// Writes `path` and returns its rows. `range` is over event_time (intents: when they were made; verdicts: as of).
/// Errors: Usage for an unknown dataset; those of the store and the disk.
Result<std::int64_t> export_dataset(DataDirectory& directory, const std::string& dataset, TimeRange range,
                                    const std::string& path, TableFileFormat format);

}  // namespace everlearn
