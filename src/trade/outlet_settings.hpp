#pragma once

#include <string>

#include "core/secret.hpp"

namespace everlearn {

/// Where intents are handed to a program of the user's own. Nothing set: they stay here.
struct OutletSettings {
  std::string file;  // JSON lines are appended to it; without a leading / inside the data directory
  std::string url;   // each is posted to it,
  Secret secret;     // signed with this

  bool any() const { return !file.empty() || !url.empty(); }
};

}  // namespace everlearn
