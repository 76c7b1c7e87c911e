// Depth and trades where none are recorded, by a stated rule (docs/venue.md): a function of the seed, the market and
// the time alone, so that the past can be asked for as well as the present. Made, never measured: nothing that is
// judged on these is called performance.
#pragma once

#include <cstdint>
#include <optional>

#include "venue/recorded_market.hpp"

namespace everlearn::venue {

struct MadeRule {
  std::uint64_t seed = 1;
  Duration every = Duration::seconds(10);  // one step
  bool trades = true;
};

/// The step that holds at `at`; steps of different markets begin at different times.
std::int64_t made_step(const MadeRule& rule, const RecordedMarket& market, Timestamp at);
Timestamp step_begin(const MadeRule& rule, const RecordedMarket& market, std::int64_t step);

/// The book of a market at an instant: the recorded one, or made around the recorded top or price. Empty before the
/// market's first price.
Book base_book(const MadeRule& rule, const RecordedMarket& market, Timestamp at);
/// Is any of it made?
bool makes_depth(const RecordedMarket& market);
/// The first instant after `after` at which base_book may change or a made trade may come.
std::optional<Timestamp> next_change(const MadeRule& rule, const RecordedMarket& market, Timestamp after);

/// The made trade that opens a step, if there is one.
std::optional<TradeAt> made_trade(const MadeRule& rule, const RecordedMarket& market, std::int64_t step);

/// 64 bits that depend on all of their parts.
std::uint64_t mixed(std::uint64_t a, std::uint64_t b, std::uint64_t c = 0, std::uint64_t d = 0);
/// Uniform in [0, 1).
double share_of(std::uint64_t bits);

}  // namespace everlearn::venue
