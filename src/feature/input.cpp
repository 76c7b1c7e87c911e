#include "feature/input.hpp"

namespace everlearn {

std::string_view name(Input input) {
  switch (input) {
    case Input::Price:
      return "price";
    case Input::TickSize:
      return "tick_size";
    case Input::BarOpen:
      return "bar_open";
    case Input::BarHigh:
      return "bar_high";
    case Input::BarLow:
      return "bar_low";
    case Input::BarClose:
      return "bar_close";
    case Input::BarVolume:
      return "bar_volume";
    case Input::BarVwap:
      return "bar_vwap";
    case Input::BarTrades:
      return "bar_trades";
    case Input::BuyCount:
      return "buy_count";
    case Input::SellCount:
      return "sell_count";
    case Input::TradeCount:
      return "trade_count";
    case Input::BuyVolume:
      return "buy_volume";
    case Input::SellVolume:
      return "sell_volume";
    case Input::TradeVolume:
      return "trade_volume";
    case Input::Notional:
      return "notional";
    case Input::LargestTrade:
      return "largest_trade";
    case Input::QuotedVolume:
      return "quoted_volume";
    case Input::TradeDistance:
      return "trade_distance";
    case Input::Bid:
      return "bid";
    case Input::Ask:
      return "ask";
    case Input::BidSize:
      return "bid_size";
    case Input::AskSize:
      return "ask_size";
    case Input::BidDepth:
      return "bid_depth";
    case Input::AskDepth:
      return "ask_depth";
    case Input::BidDepthPrice:
      return "bid_depth_price";
    case Input::AskDepthPrice:
      return "ask_depth_price";
    case Input::BidSlope:
      return "bid_slope";
    case Input::AskSlope:
      return "ask_slope";
    case Input::BuyCost:
      return "buy_cost";
    case Input::SellCost:
      return "sell_cost";
    case Input::BidLevels:
      return "bid_levels";
    case Input::AskLevels:
      return "ask_levels";
    case Input::Updates:
      return "updates";
    case Input::QuietSteps:
      return "quiet_steps";
    case Input::AgeSeconds:
      return "age_seconds";
    case Input::DayFraction:
      return "day_fraction";
    case Input::Weekday:
      return "weekday";
    case Input::DayOfMonth:
      return "day_of_month";
    case Input::Month:
      return "month";
    case Input::MinutesSinceOpen:
      return "minutes_since_open";
    case Input::MinutesToClose:
      return "minutes_to_close";
    case Input::SessionProgress:
      return "session_progress";
    case Input::HalfDay:
      return "half_day";
    case Input::DaysSinceSession:
      return "days_since_session";
    case Input::DaysToEnd:
      return "days_to_end";
    case Input::StepsPerYear:
      return "steps_per_year";
  }
  return "";
}

bool is_clock(Input input) {
  switch (input) {
    case Input::DayFraction:
    case Input::Weekday:
    case Input::DayOfMonth:
    case Input::Month:
    case Input::MinutesSinceOpen:
    case Input::MinutesToClose:
    case Input::SessionProgress:
    case Input::HalfDay:
    case Input::DaysSinceSession:
    case Input::StepsPerYear:
      return true;
    default:
      return false;
  }
}

}  // namespace everlearn
