// Rows of a table that others write, as a Source. It reads on from the last row in order of (time, id), and again what
// lies within the lookback, so that rows are found that came late or say something else now.
//
//   known_at   the known column's time, or event_time + delay. A row that was not there when its time was read (next()
//              had said: nothing now) is known when it is read; so is a corrected one, which comes as a new event of
//              the same instrument and time with the next revision. Nothing given before is taken back.
//   at once    a batch comes from one view of the table, whole or not at all; where it breaks off nothing of it is
//              given, and the next look reads it again.
//   position   the place of the last row, and digests of the rows within the lookback: a restart loses no row and gives
//              none twice, also one in the middle of a batch.
//
// A table that cannot be read now (Unavailable) is no Error: next() gives nothing, report().trouble says why, and the
// next look is put off, longer each time. A column that is gone or has become another kind is an Error (BadData) that
// names it; so is all that needs a person.
#pragma once

#include <memory>

#include "core/world.hpp"
#include "io/live_table.hpp"
#include "io/table_options.hpp"
#include "market/source.hpp"

namespace everlearn {

/// `instruments`, the options' calendar and the world outlive the source. Errors: Usage for a time zone or unit that
/// does not exist; those of the table come from next().
Result<std::unique_ptr<Source>> open_table(World world, const TableOptions& options, std::unique_ptr<LiveTable> table,
                                           Instruments& instruments);

}  // namespace everlearn
