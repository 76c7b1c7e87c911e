// Which of a venue's markets are followed. A new one must pass every rule; one that is followed stays until it breaks a
// leave rule, so that the set does not flicker. Those that pass compete by 24 h volume, then liquidity. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"
#include "io/gamma_markets.hpp"
#include "io/venue_options.hpp"

namespace everlearn {

enum class Tier : std::uint8_t { None, First, Second };

/// A market of the list, and where it stood.
struct Candidate {
  const GammaMarket* market = nullptr;
  Tier was = Tier::None;
  std::uint32_t strikes = 0;  // listings in a row, up to the last one, at which it was let off
};

/// A followed market leaves for its spread or its volume only at so many listings in a row: one wide book is no reason.
inline constexpr std::uint32_t kStrikes = 3;

struct Selection {
  std::vector<std::size_t> first, second;        // numbers of candidates; of `first` those that were there come first
  std::vector<std::size_t> let_off;              // of those chosen, who broke such a rule
  std::map<std::string, std::int64_t> left_out;  // rule -> markets
};

/// The first rule that keeps the market out; empty: it qualifies. `followed`: judged by the leave rules.
///   "no tokens"             there is nothing to subscribe to, or not two outcomes
///   "not accepting orders"  closed, paused, or an outcome is proposed or disputed
///   "no end date", "ends too soon", "recurring", "in play", "no quotes", "price outside", "spread", "volume"
std::string_view refused_by(const GammaMarket& market, const VenueRules& rules, Timestamp now, bool followed);

/// What is beyond the limit is left out as "limit", or is the second tier where `rules.rest`. A market of the first
/// tier keeps its place until half as many again rank before it.
Selection select_markets(const std::vector<Candidate>& candidates, const VenueRules& rules, Timestamp now);

}  // namespace everlearn
