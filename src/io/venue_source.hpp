// A venue as a Source on the real clock: what the feed receives, recorded where that is wanted, and read by the same
// interpreter that reads recordings.
#pragma once

#include <memory>
#include <string>

#include "core/world.hpp"
#include "io/venue_feed.hpp"
#include "market/source.hpp"

namespace everlearn {

struct VenueSourceOptions {
  FeedSettings feed;
  std::string record;  // file that all Received are appended to, one JSON line each; empty: none
};

/// Connects at the first next(). `instruments` and the world outlive the source. A disk that is full ends the
/// recording, with a line in report().health, and nothing else. Errors: Config; Storage for a recording that cannot be
/// opened.
Result<std::unique_ptr<Source>> open_venue(World world, const VenueSourceOptions& options, Instruments& instruments);

}  // namespace everlearn
