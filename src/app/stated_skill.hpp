// What somebody else says of a model's skill, to stand beside what was measured. As it was written; we do not count
// with it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace everlearn {

struct StatedSkill {
  struct AtRows {
    std::int64_t rows = 0;
    std::string r2, direction;  // "0.02 to 0.04", "52 to 54 %"
  };
  std::vector<AtRows> by_rows;
  std::vector<std::string> wins;  // gain in win rate of month 1, 2, ...
  std::string by;                 // who says so
};

}  // namespace everlearn
