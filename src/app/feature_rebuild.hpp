// `features rebuild`: a data directory again, with the features that the settings have now. The old directory stays as
// it is. docs/decisions/0013.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "core/result.hpp"

namespace everlearn {

struct RebuildRequest {
  std::string from;  // a directory that no engine runs in
  Config before;     // the settings that it runs with
  Config now;        // the same, with other features
  std::string to;    // must not be there yet
  std::function<void(std::int64_t done, std::int64_t of)> on_progress = {};
};

struct RebuildResult {
  std::int64_t examples = 0;
  std::vector<std::string> kept;      // columns whose values were copied
  std::vector<std::string> computed;  // made anew from what is stored
  std::vector<std::string> missing;   // their raw input is not stored: missing in every example of the past
  std::vector<std::string> dropped;   // of the old directory alone
};

/// Prices, events, labels, predictions, models, accounts and state are the old ones; each example gets the columns of
/// the new settings: those it has as they are, expressions from its own row, dense features from the dense prices known
/// then, features of the cycles from what is stored of their input. An interrupted rebuild leaves `to` not there.
/// Errors: Config where more than features differ, or nothing does; InUse; Usage if `to` is there; of the store.
Result<RebuildResult> rebuild_features(const RebuildRequest& request);

}  // namespace everlearn
