#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/config.hpp"

namespace everlearn {

enum class Health : std::uint8_t { Ok, Warn, Fail };
std::string_view text(Health health);

struct Finding {
  Health health = Health::Ok;
  std::string what;  // "disk", "database", "trainer"
  std::string text;
};

struct Examination {
  Config config;
  std::string directory;
  std::string trainer;   // path of everlearn-train
  bool deep = false;     // read every stored row, too
  bool dry_run = false;  // ask what is outside, too: the channels of alerts; nothing is sent
};

/// Looks at everything a run needs, changes nothing, and goes on after what it finds: settings, clock, time zones,
/// trainer, then the data directory: owner, disk, database, models and pointers, leftovers.
std::vector<Finding> examine(const Examination& examination);

}  // namespace everlearn
