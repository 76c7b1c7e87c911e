#pragma once

#include <cstdint>

#include "app/data_directory.hpp"
#include "io/recording_options.hpp"
#include "market/source.hpp"

namespace everlearn {

struct ImportResult {
  SourceReport source;
  std::int64_t events = 0;    // prices and what else the recording has
  std::int64_t new_rows = 0;  // stored; the rest was there already
  std::int64_t new_instruments = 0;
};

/// Stores the prices and events of recordings, in order of known_at, and what they cover. Twice is once. Decides
/// nothing and makes no examples. The directory is open for Create. Errors: Config: a row contradicts one that is
/// stored (nothing is kept then); those of the recording and the store.
Result<ImportResult> import_recording(DataDirectory& directory, RecordingOptions recording);

}  // namespace everlearn
