#include "feature/sense.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "core/civil.hpp"

namespace everlearn {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
constexpr double kDayUs = 86'400e6;
constexpr std::int64_t kNoSession = std::numeric_limits<std::int64_t>::min();

std::int64_t floor_days(Timestamp at) {
  const std::int64_t day = 86'400'000'000;
  return at.us() >= 0 ? at.us() / day : -((-at.us() + day - 1) / day);
}

bool has_quote(const InstrumentState& market) { return market.bid && market.ask; }

double sum_of_sizes(const std::vector<BookLevel>& side, int levels) {
  double total = 0;
  for (std::size_t i = 0; i < side.size() && i < static_cast<std::size_t>(levels); ++i) total += side[i].size;
  return total;
}

/// Size-weighted mean distance from the best price; exact at any price level.
double slope(const std::vector<BookLevel>& side, int levels) {
  double weighted = 0;
  for (std::size_t i = 0; i < side.size() && i < static_cast<std::size_t>(levels); ++i) {
    const std::int64_t away = side[i].price.nanos() - side[0].price.nanos();
    weighted += side[i].size * static_cast<double>(std::abs(away)) / Price::kScale;
  }
  return weighted / sum_of_sizes(side, levels);
}

/// Mean price of trading for `amount` of account currency against one side.
double cost(const std::vector<BookLevel>& side, double amount) {
  double left = amount;
  double units = 0;
  for (const BookLevel& level : side) {
    const double worth = level.price.value() * level.size;
    if (worth >= left) return amount / (units + left / level.price.value());
    left -= worth;
    units += level.size;
  }
  return kUnknown;
}

double of_book(Input input, int parameter, const Book& book) {
  if (!book.trusted) return kUnknown;
  const bool of_bids = input == Input::BidSize || input == Input::BidDepth || input == Input::BidDepthPrice ||
                       input == Input::BidSlope || input == Input::SellCost || input == Input::BidLevels;
  const std::vector<BookLevel>& side = of_bids ? book.bids : book.asks;
  const auto level = static_cast<std::size_t>(parameter);
  switch (input) {
    case Input::BidLevels:
    case Input::AskLevels:
      return static_cast<double>(side.size());
    case Input::BidSize:
    case Input::AskSize:
      return level <= side.size() ? side[level - 1].size : 0;
    case Input::BidDepth:
    case Input::AskDepth:
      return sum_of_sizes(side, parameter);
    case Input::BidDepthPrice:
      return side.empty() ? kUnknown : side[0].price.value() - slope(side, parameter);
    case Input::AskDepthPrice:
      return side.empty() ? kUnknown : side[0].price.value() + slope(side, parameter);
    case Input::BidSlope:
    case Input::AskSlope:
      return side.empty() ? kUnknown : slope(side, parameter);
    case Input::BuyCost:
    case Input::SellCost:
      return cost(side, parameter);
    default:
      return kUnknown;
  }
}

double of_bar(Input input, const Memory& memory, const InstrumentState& market) {
  if (!memory.has_bar) return kUnknown;
  const bool counts = input == Input::BarVolume || input == Input::BarTrades;
  if (!market.bar) return counts ? 0 : market.last.value();
  const Bar& bar = *market.bar;
  switch (input) {
    case Input::BarOpen:
      return bar.open.value();
    case Input::BarHigh:
      return bar.high.value();
    case Input::BarLow:
      return bar.low.value();
    case Input::BarVolume:
      return bar.volume;
    case Input::BarVwap:
      return bar.vwap.value_or(bar.close.value());
    case Input::BarTrades:
      return bar.trades ? static_cast<double>(*bar.trades) : kUnknown;
    default:
      return bar.close.value();
  }
}

double of_trades(Input input, const Memory& memory, const InstrumentState& market) {
  if (!memory.has_trade) return kUnknown;
  switch (input) {
    case Input::BuyCount:
      return market.buys;
    case Input::SellCount:
      return market.sells;
    case Input::TradeCount:
      return static_cast<double>(market.buys) + static_cast<double>(market.sells) +
             static_cast<double>(market.unknown_trades);
    case Input::BuyVolume:
      return market.buy_volume;
    case Input::SellVolume:
      return market.sell_volume;
    case Input::TradeVolume:
      return market.buy_volume + market.sell_volume + market.unknown_volume;
    case Input::Notional:
      return market.trade_notional;
    case Input::QuotedVolume:
      return market.quoted_volume;
    case Input::TradeDistance:
      return market.trade_distance;
    default:
      return market.largest_trade;
  }
}

Duration regular_session(const Calendar& calendar) {
  Duration longest{0};
  for (std::int32_t i = 0; i < 5; ++i) {
    const Session session = calendar.at(i);
    longest = std::max(longest, session.close - session.open);
  }
  return longest;
}

double steps_per_year(const Calendar& calendar, Duration regular, Duration step) {
  // A step of a day or more counts sessions; a shorter one counts the time that the market is open.
  const Duration unit = step >= Duration::days(1) ? Duration::days(1) : regular;
  return calendar.sessions_per_year() * static_cast<double>(unit.us()) / static_cast<double>(step.us());
}

}  // namespace

bool is_stale(const Calendar& calendar, Timestamp price_time, Timestamp at) {
  if (at - price_time <= Duration::days(kStaleSessions)) return false;
  try {
    return calendar.previous(at).index - calendar.previous(price_time).index > kStaleSessions;
  } catch (const std::out_of_range&) {
    // The calendar knows nothing of that time: a week of days is as good as it gets.
    return at - price_time > Duration::days(7);
  }
}

void update(Memory& memory, const InstrumentState& market, const Calendar& calendar, Timestamp at) {
  const bool trades = market.phase == Phase::Trading && !market.payout;
  memory.alive = market.seen && trades && !is_stale(calendar, market.last_event_time, at);
  if (!memory.alive) {
    memory = Memory{};
    return;
  }
  memory.has_bar |= market.bar.has_value();
  memory.has_trade |= market.buys + market.sells + market.unknown_trades > 0;
  memory.quiet_steps = market.updates > 0 ? 0 : memory.quiet_steps + 1;
}

double sense(Input input, int parameter, const Memory& memory, const Instrument& instrument,
             const InstrumentState& market, Timestamp at) {
  switch (input) {
    case Input::Price:
      return market.priced ? market.last.value() : kUnknown;
    case Input::TickSize:
      return instrument.tick_size ? instrument.tick_size->value() : kUnknown;
    case Input::BarOpen:
    case Input::BarHigh:
    case Input::BarLow:
    case Input::BarClose:
    case Input::BarVolume:
    case Input::BarVwap:
    case Input::BarTrades:
      return of_bar(input, memory, market);
    case Input::BuyCount:
    case Input::SellCount:
    case Input::TradeCount:
    case Input::BuyVolume:
    case Input::SellVolume:
    case Input::TradeVolume:
    case Input::Notional:
    case Input::LargestTrade:
    case Input::QuotedVolume:
    case Input::TradeDistance:
      return of_trades(input, memory, market);
    case Input::Bid:
      return has_quote(market) ? market.bid->value() : kUnknown;
    case Input::Ask:
      return has_quote(market) ? market.ask->value() : kUnknown;
    case Input::Updates:
      return market.updates;
    case Input::QuietSteps:
      return static_cast<double>(memory.quiet_steps);
    case Input::AgeSeconds:
      return std::max((at - market.last_event_time).as_seconds(), 0.0);
    case Input::DaysToEnd:
      if (!instrument.end_time) return kUnknown;
      return std::max(static_cast<double>((*instrument.end_time - at).us()) / kDayUs, 0.0);
    default:
      return of_book(input, parameter, market.book);
  }
}

StepClock::StepClock(const Calendar& calendar, Duration step)
    : calendar_{calendar},
      regular_{regular_session(calendar)},
      steps_per_year_{steps_per_year(calendar, regular_, step)},
      session_index_{kNoSession} {}

void StepClock::advance(Timestamp at) {
  at_ = at;
  session_ = calendar_.session_at(at);
  session_changed_ = session_ && session_->index != session_index_;
  if (!session_) return;
  session_index_ = session_->index;
  try {
    const Session before = calendar_.at(session_->index - 1);
    days_since_session_ = static_cast<double>((session_->open - before.close).us()) / kDayUs;
  } catch (const std::out_of_range&) {
    days_since_session_ = kUnknown;
  }
}

double StepClock::value(Input input) const {
  const std::int64_t days = floor_days(at_);
  const CivilDate date = civil_date(days);
  switch (input) {
    case Input::DayFraction:
      return static_cast<double>(at_.us() - days * 86'400'000'000) / kDayUs;
    case Input::Weekday:
      return (weekday(days) + 6) % 7;
    case Input::DayOfMonth:
      return date.day;
    case Input::Month:
      return date.month;
    case Input::StepsPerYear:
      return steps_per_year_;
    default:
      break;
  }
  if (!session_) return kUnknown;
  const double since_open = (at_ - session_->open).as_seconds();
  const double length = (session_->close - session_->open).as_seconds();
  switch (input) {
    case Input::MinutesSinceOpen:
      return since_open / 60;
    case Input::MinutesToClose:
      return (length - since_open) / 60;
    case Input::SessionProgress:
      return since_open / length;
    case Input::HalfDay:
      return session_->close - session_->open < regular_ ? 1 : 0;
    case Input::DaysSinceSession:
      return days_since_session_;
    default:
      return kUnknown;
  }
}

}  // namespace everlearn
