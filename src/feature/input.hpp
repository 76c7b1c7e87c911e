// What a step reads of the market: the leaves of every feature.
#pragma once

#include <cstdint>
#include <string_view>

namespace everlearn {

enum class Input : std::uint8_t {
  Price,  // latest price; unknown before the first, and while the instrument is unseen, stale or resolved, or its
          // market does not trade (then all else is)
  TickSize,
  // Bars. Before the first one unknown; a step without a bar is a flat bar at the price, with volume 0.
  BarOpen,
  BarHigh,
  BarLow,
  BarClose,
  BarVolume,
  BarVwap,    // the close where the source gives none
  BarTrades,  // unknown where the source gives none
  // Trades of the step. Before the first one unknown, then 0 in a step without.
  BuyCount,
  SellCount,
  TradeCount,  // with those of unknown side
  BuyVolume,
  SellVolume,
  TradeVolume,  // with that of unknown side
  Notional,
  LargestTrade,
  QuotedVolume,   // of the trades while bid and ask were known
  TradeDistance,  // sum of |price - mid| x size of the same
  // Quotes and book; unknown without a trusted one. Parameter: level, levels or amount.
  Bid,
  Ask,
  BidSize,  // at level n
  AskSize,
  BidDepth,  // sum of the first n levels (as many as there are)
  AskDepth,
  BidDepthPrice,  // size-weighted mean price of the first n levels
  AskDepthPrice,
  BidSlope,  // mean distance of a unit of size in the first n levels from the best price
  AskSlope,
  BuyCost,  // mean price of buying for n units of account currency; unknown where the book is too thin
  SellCost,
  BidLevels,
  AskLevels,
  // Quality of the stream.
  Updates,     // events of the step
  QuietSteps,  // steps since the last event
  AgeSeconds,  // since the event time of the price
  // Clock: of the step, the same for all instruments, apart from the market's end.
  DayFraction,  // of the UTC day, in [0, 1)
  Weekday,      // UTC, Monday 0
  DayOfMonth,
  Month,
  MinutesSinceOpen,  // unknown outside a session, like the next three
  MinutesToClose,
  SessionProgress,   // 0 open .. 1 close
  HalfDay,           // 1 in a shortened session
  DaysSinceSession,  // calendar days from the close of the session before to the open of this one
  DaysToEnd,         // of the market's life; unknown without a scheduled end, 0 after it
  StepsPerYear,      // for annualising
};

std::string_view name(Input input);
/// True for what is the same for all instruments.
bool is_clock(Input input);

}  // namespace everlearn
