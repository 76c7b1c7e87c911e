// A time in the name of a file.
#pragma once

#include <string>

#include "core/time.hpp"

namespace everlearn {

/// "20260104_120000", UTC.
inline std::string file_time(Timestamp at) {
  const std::string iso = at.iso();  // 2026-01-04T12:00:00.000000Z
  return iso.substr(0, 4) + iso.substr(5, 2) + iso.substr(8, 2) + "_" + iso.substr(11, 2) + iso.substr(14, 2) +
         iso.substr(17, 2);
}

}  // namespace everlearn
