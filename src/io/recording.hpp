// Recordings that a user brings, as a Source: CSV or Parquet of prices and bars, CSV of book events, JSON lines of
// venue messages; plain or gzip. Everything is read, checked and sorted when it is opened (about 80 bytes a price, 120
// a bar), because a file may be grouped by instrument while events come in order of known_at.
//
// Each file must go forward in time instrument by instrument, and several files may continue an instrument but not
// overlap. A row that breaks this, its format or the market's logic is refused: counted, and kept in the quarantine
// with its file, line and reason; what was good is used. With `strict` the first refusal is an Error.
#pragma once

#include <memory>

#include "core/world.hpp"
#include "io/recording_options.hpp"
#include "market/source.hpp"

namespace everlearn {

/// `instruments` outlives the source. The source's position is the number of events it has given.
/// Errors: NotFound, Storage; Usage for options that mean nothing; BadData for a file that cannot be used at all (not a
/// recording, a missing column, an undecidable time unit, none of its first 100 rows good), and if no row is left.
Result<std::unique_ptr<Source>> open_recording(World world, const RecordingOptions& options, Instruments& instruments);

}  // namespace everlearn
