#pragma once

#include <memory>
#include <string>

#include "app/profile.hpp"
#include "core/world.hpp"
#include "io/recording_options.hpp"
#include "io/venue_options.hpp"
#include "market/source.hpp"

namespace everlearn {

/// What only a venue asks of a run.
struct VenueRun {
  std::string record;  // file that all it tells is appended to; empty: none
  double speed = 1;    // of the world's clock
};

/// The input of a live run. `source_flag`: "db": the profile's Postgres table; a path: a CSV or Parquet file with the
/// columns of that table, or, where the profile reads files, a CSV that is being appended to; empty: the recording's
/// one input, which grows, else what the profile's source.kind says. `recording` brings the calendar, the quarantine
/// and what the flags say about times and bars. Errors: Config, Usage; those of the input come from next().
Result<std::unique_ptr<Source>> open_live_source(World world, const Profile& profile, const std::string& source_flag,
                                                 const RecordingOptions& recording, Instruments& instruments,
                                                 const VenueRun& venue = {});

/// The same for a simulation: the table from its first row to its last, once, whatever the clock says. Errors: Usage
/// where the profile reads no table.
Result<std::unique_ptr<Source>> open_whole_source(World world, const Profile& profile, const std::string& source_flag,
                                                  const RecordingOptions& recording, Instruments& instruments);

/// What open_live_source() would read, for people: "table market.rows", "prices.csv". No secret in it.
std::string live_source_name(const Profile& profile, const std::string& source_flag, const RecordingOptions& recording);

/// The profile's table with what `recording` adds.
TableOptions table_options(const Profile& profile, const RecordingOptions& recording);

/// The profile's venue with what the rest of the profile says of it.
VenueOptions venue_options(const Profile& profile, const RecordingOptions& recording);

}  // namespace everlearn
