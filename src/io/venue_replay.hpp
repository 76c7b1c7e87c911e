// The recording of a venue's run as a Source: the same lines through the same interpreter as when they came, so the
// same events. Lines are read as they are needed; several files are one recording, in order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/world.hpp"
#include "io/input_files.hpp"
#include "io/recording_options.hpp"
#include "market/source.hpp"

namespace everlearn {

/// Whether the inputs hold more of a run than the frames of a market socket: among the first lines of one is a channel
/// that only the interpreter reads. Errors: those of the file system; BadData where a table is among the inputs.
Result<bool> is_venue_run(Fs& fs, const std::vector<InputFile>& files);

/// `options.venue` is set. The position is the number of events given; a restart reads up to there again.
Result<std::unique_ptr<Source>> open_venue_replay(World world, const RecordingOptions& options,
                                                  std::vector<InputFile> files, Instruments& instruments);

}  // namespace everlearn
