// How many requests watching a venue takes, beside what is allowed: arithmetic for people, before anything is asked.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/venue_options.hpp"

namespace everlearn {

/// What is watched. Each market has two tokens.
struct VenueScale {
  std::int64_t listed = 0;       // markets on the venue's list
  std::int64_t first_tier = 0;   // markets
  std::int64_t second_tier = 0;  // markets
};

/// Requests in ten seconds of one group of endpoints.
struct RequestRate {
  std::string group;       // "gamma /markets"
  double usual = 0;        // in the long run, while all sockets tell what they should
  std::int64_t most = 0;   // where everything falls into the same ten seconds and no socket tells anything; what is
                           // beyond our limit waits
  std::int64_t limit = 0;  // ours
  std::int64_t documented = 0;  // the venue's

  /// In the long run nothing waits, and the venue is asked no more than it allows.
  bool fits() const { return usual <= static_cast<double>(limit) && limit <= documented; }
};

/// One entry a group that is asked, then the sums over each service.
std::vector<RequestRate> request_plan(const VenueOptions& options, const VenueScale& scale);

}  // namespace everlearn
