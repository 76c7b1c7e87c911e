// The folders of recordings, read as markets. What each folder holds and which of its defects are met, docs/venue.md.
#pragma once

#include <string>
#include <vector>

#include "core/fs.hpp"
#include "core/result.hpp"
#include "venue/recorded_market.hpp"

namespace everlearn::venue {

/// The names that read_recording() knows.
const std::vector<std::string>& known_recordings();

/// `data`: the folder with the folders. Every market is complete: ids, tokens, ticks, fees, at least one point and one
/// volume; those that are not recorded are derived from its slug, always the same way.
/// Errors: Usage for a name that is not known; NotFound, Storage, BadData.
Result<std::vector<RecordedMarket>> read_recording(Fs& fs, const std::string& data, const std::string& name);

}  // namespace everlearn::venue
