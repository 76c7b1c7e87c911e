// How often a position was won. A win is a position that brought more than it cost: what came back from its exits or
// its settlement less what its entry took and all fees is above zero. Nothing gained is not won; an annulled one is
// neither.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace everlearn {

struct WinTally {
  std::int64_t won = 0, lost = 0;
  double pnl = 0;  // of both, after costs

  std::int64_t closed() const { return won + lost; }
  /// NaN: nothing was closed.
  double rate() const;
};

/// By the UTC month of the close: "2026-01".
using WinMonths = std::map<std::string, WinTally>;

/// Of a share of `won` in `of`: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
/// JASA 22 (1927), for 95 %. Stays inside [0, 1] and says something for few trials too. Of nothing: {0, 1}.
std::pair<double, double> wilson_interval(std::int64_t won, std::int64_t of);

}  // namespace everlearn
