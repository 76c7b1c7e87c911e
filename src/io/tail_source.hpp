// A CSV of prices or bars that somebody appends to, as a Source on the real clock: next() gives what whole lines have
// come since, and nothing when there is nothing new.
//
// A row is known when it is read: known_at = max(event_time, now). Rows pass the checks of a recording, and none may
// lie more than a minute ahead of the clock. Fields may not hold line breaks.
//
// The position names the bytes that were read and how many of their events were given, and a checksum of the file's
// beginning: a file that was replaced, rotated or cut is an Error, never read on as if it were the same. seek() reads
// the earlier rows again, without giving them, to know the last time of each instrument.
#pragma once

#include <memory>

#include "core/world.hpp"
#include "io/recording_options.hpp"
#include "market/source.hpp"

namespace everlearn {

/// options.inputs names the one file, which may not exist yet; delay, from and to do not apply. `instruments` and the
/// world outlive the source. Errors: Usage; those of the file come from next().
Result<std::unique_ptr<Source>> open_tail(World world, const RecordingOptions& options, Instruments& instruments);

}  // namespace everlearn
