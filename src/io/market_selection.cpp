#include "io/market_selection.hpp"

#include <algorithm>

namespace everlearn {
namespace {

using Oracle = GammaMarket::Oracle;

bool in_play(const GammaMarket& market, Timestamp now) {
  return market.live || (market.game && market.game_start && *market.game_start <= now);
}

}  // namespace

std::string_view refused_by(const GammaMarket& market, const VenueRules& rules, Timestamp now, bool followed) {
  if (market.tokens.size() != 2 || market.outcomes.size() != 2) return "no tokens";
  if (!market.trades() || market.oracle != Oracle::None) return "not accepting orders";
  if (!market.end_time) return "no end date";
  const std::int64_t horizons = followed ? 1 : rules.min_horizons;
  if (*market.end_time < now + rules.horizon * horizons) return "ends too soon";
  if (market.recurrence && *market.recurrence < rules.horizon * rules.min_horizons) return "recurring";
  if (in_play(market, now)) return "in play";
  const auto mid = market.mid();
  if (!mid) return followed ? "" : "no quotes";  // one side of a book is empty now and then
  const double from = followed ? rules.leave_below : rules.mid_from;
  const double to = followed ? rules.leave_above : rules.mid_to;
  if (*mid < from || *mid > to) return "price outside";
  const auto spread = static_cast<double>(market.ask->nanos() - market.bid->nanos()) / Price::kScale;
  if (spread > rules.max_spread * (followed ? 2 : 1) + 1e-9) return "spread";
  if (market.volume_24h.value_or(0) < rules.min_volume_24h * (followed ? 0.5 : 1)) return "volume";
  return "";
}

Selection select_markets(const std::vector<Candidate>& candidates, const VenueRules& rules, Timestamp now) {
  Selection selection;
  std::vector<std::size_t> ranked;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::string_view rule = refused_by(*candidates[i].market, rules, now, candidates[i].was != Tier::None);
    const bool let_off = candidates[i].was != Tier::None && (rule == "spread" || rule == "volume") &&
                         candidates[i].strikes + 1 < kStrikes;
    if (let_off) selection.let_off.push_back(i);
    if (rule.empty() || let_off) {
      ranked.push_back(i);
    } else {
      ++selection.left_out[std::string{rule}];
    }
  }
  std::ranges::sort(ranked, [&](std::size_t a, std::size_t b) {
    const GammaMarket& first = *candidates[a].market;
    const GammaMarket& second = *candidates[b].market;
    const double volume[] = {first.volume_24h.value_or(0), second.volume_24h.value_or(0)};
    if (volume[0] != volume[1]) return volume[0] > volume[1];
    const double liquidity[] = {first.liquidity.value_or(0), second.liquidity.value_or(0)};
    if (liquidity[0] != liquidity[1]) return liquidity[0] > liquidity[1];
    return first.condition < second.condition;
  });

  const auto limit = static_cast<std::size_t>(rules.markets);
  std::vector<bool> placed(candidates.size());
  for (std::size_t rank = 0; rank < ranked.size() && rank < limit + limit / 2; ++rank) {
    if (selection.first.size() < limit && candidates[ranked[rank]].was == Tier::First) {
      selection.first.push_back(ranked[rank]);
      placed[ranked[rank]] = true;
    }
  }
  for (const std::size_t i : ranked) {
    if (placed[i]) continue;
    if (selection.first.size() < limit) {
      selection.first.push_back(i);
    } else if (rules.rest) {
      selection.second.push_back(i);
    } else {
      ++selection.left_out["limit"];
    }
  }
  return selection;
}

}  // namespace everlearn
