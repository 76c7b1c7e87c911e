// Fills, settlement and what an account is worth.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "trade/limit_price.hpp"
#include "trade/paper_parts.hpp"
#include "trade/taker_fee.hpp"

namespace everlearn {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// What an event tells about where one could trade now, where there is no book.
std::optional<Price> traded_price(const Event& event) {
  if (const auto* point = std::get_if<PricePoint>(&event.what)) return point->price;
  if (const auto* bar = std::get_if<Bar>(&event.what)) return bar->open;  // the first price of the new bar
  if (const auto* trade = std::get_if<Trade>(&event.what)) return trade->price;
  return std::nullopt;
}

Timestamp price_time(const Event& event) {
  if (const auto* bar = std::get_if<Bar>(&event.what)) return bar->open_time;
  return event.event_time;
}

double middle(const InstrumentState& state) {
  return state.bid && state.ask ? (state.bid->value() + state.ask->value()) / 2 : kNaN;
}

}  // namespace

std::vector<FillRow> PaperAccount::observe(const Event& event, const MarketView& market) {
  if (const auto* resolution = std::get_if<Resolution>(&event.what)) return settle(event, *resolution);
  const InstrumentState& state = market.state[event.instrument];
  const bool book_changed = std::holds_alternative<BookUpdate>(event.what) && state.book.trusted;
  if (book_changed) taken_.forget_changed(event.instrument, state.book);
  std::vector<FillRow> fills;
  // What left the followed markets trades on and is quoted for a while: what is held can be sold, nothing is bought.
  const bool left = state.phase == Phase::Left;
  if (state.payout || (state.phase != Phase::Trading && !left)) return fills;
  if (left && !(state.bid && state.ask)) return fills;
  Offer offer{market, state, market.instruments[event.instrument], price_time(event)};
  if (state.booked && !left) {
    // A trade may have taken what the book still shows: the book's next word counts.
    if (!book_changed) return fills;
    offer.booked = true;
    offer.seen = middle(state);
  } else {
    const auto price = traded_price(event);
    if (!price || price->value() <= 0) return fills;
    offer.seen = price->value();
  }
  close_position(event, offer, fills);
  if (!left) fill_intents(event, offer, fills);
  return fills;
}

void PaperAccount::close_position(const Event& event, const Offer& offer, std::vector<FillRow>& fills) {
  const auto held = positions_.find(event.instrument);
  if (held == positions_.end()) return;
  Position& position = held->second;
  if (offer.at < position.exit_at || offer.at <= position.entered_at) return;
  const int side = position.quantity > 0 ? -1 : 1;
  std::optional<Price> limit;
  double worth = offer.seen;
  if (offer.booked) {
    const auto& levels = side > 0 ? offer.state.book.asks : offer.state.book.bids;
    if (levels.empty()) return;
    worth = levels.front().price.value();
    if (rules_.tolerance_ticks)
      limit = limit_price(levels.front().price, side,
                          {.tick = tick_of(offer.instrument),
                           .tolerance = *rules_.tolerance_ticks,
                           .probability = rules_.probability_price});
  }
  // A venue takes no order that small: what is left waits for the market's end.
  const double units = std::fabs(position.quantity);
  if (units < offer.instrument.min_size.value_or(0) || units * worth < rules_.min_notional) return;
  trade(event, offer, -position.quantity, limit, position, position.intent,
        position.opposed ? "opposite signal" : "horizon", fills);
  if (std::fabs(position.quantity) > kDust) return;
  count_win(position, offer.at);
  positions_.erase(held);
  ++trades_;
}

void PaperAccount::fill_intents(const Event& event, const Offer& offer, std::vector<FillRow>& fills) {
  for (auto open = open_.begin(); open != open_.end();) {
    const IntentRow& intent = open->intent;
    const bool ours = intent.instrument == event.instrument && !open->waits && offer.at > intent.created &&
                      offer.at >= open->earliest && offer.at <= intent.expires;
    if (!ours) {
      ++open;
      continue;
    }
    const auto held = positions_.find(event.instrument);
    Position position{.entered_at = offer.at, .exit_at = open->exit_at, .intent = intent.id};
    if (held != positions_.end()) position = held->second;
    const auto limit = rules_.tolerance_ticks ? std::optional{intent.limit} : std::nullopt;
    const double done = trade(event, offer, open->rest(), limit, position, intent.id, "entry", fills);
    if (done == 0) {
      ++open;
      continue;
    }
    positions_[event.instrument] = position;
    open->filled += done;
    if (std::fabs(open->rest()) <= kDust) {
      change(*open, "filled", "");
      open = open_.erase(open);
    } else {
      change(*open, "part filled",
             fmt::format("{:.6g} of {:.6g} units so far", std::fabs(open->filled), std::fabs(intent.quantity)));
      ++open;
    }
  }
}

double PaperAccount::trade(const Event& event, const Offer& offer, double wanted, std::optional<Price> limit,
                           Position& position, std::int64_t intent, const std::string& reason,
                           std::vector<FillRow>& fills) {
  const int side = wanted > 0 ? 1 : -1;
  const auto beyond = [&](Price price) { return limit && (side > 0 ? price > *limit : price < *limit); };
  double done = 0;
  const auto fill = [&](double paid, double quantity) {
    const double units = std::fabs(quantity);
    const double fee = offer.instrument.fee_rate > 0
                           ? taker_fee(units, paid, offer.instrument.fee_rate, offer.instrument.fee_exponent)
                           : units * paid * rules_.cost_bps * kBps;
    cash_ -= quantity * paid + fee;
    position.flow -= quantity * paid + fee;
    costs_ += fee + (std::isfinite(offer.seen) ? units * std::fabs(paid - offer.seen) : 0);
    if (position.quantity * side >= 0) {
      position.entry_value += quantity * paid;
      position.quantity += quantity;
    } else {
      const double rest = position.quantity + quantity;
      position.entry_value *= rest / position.quantity;
      position.quantity = rest;
    }
    done += quantity;
    fills.push_back({.intent = intent,
                     .instrument = event.instrument,
                     .event_time = offer.at,
                     .quantity = quantity,
                     .price = Price::from(paid).value_or(Price{}),
                     .cost = fee,
                     .reason = reason});
  };
  if (!offer.booked) {
    const double paid = executable(offer.seen, side, offer.state, offer.instrument);
    if (const auto price = Price::from(paid); price && !beyond(*price)) fill(paid, wanted);
    return done;
  }
  const BookSide book_side = side > 0 ? BookSide::Asks : BookSide::Bids;
  for (const BookLevel& level : side > 0 ? offer.state.book.asks : offer.state.book.bids) {
    const double rest = std::fabs(wanted - done);
    if (rest <= kDust || beyond(level.price)) break;
    const double units = std::min(rest, taken_.left(event.instrument, book_side, level));
    if (units <= kDust) continue;
    take(event.instrument, side, level, units, offer.market);
    fill(level.price.value(), side * units);
  }
  return done;
}

// Whoever buys one outcome at p takes what is bid for the other one at 1 - p: both books show the same order.
void PaperAccount::take(InstrumentId id, int side, const BookLevel& level, double units, const MarketView& market) {
  taken_.take(id, side > 0 ? BookSide::Asks : BookSide::Bids, level, units);
  const auto other = market.complement(id);
  const InstrumentState* state = other ? market.find(*other) : nullptr;
  if (state == nullptr) return;
  const Price mirrored = Price::from_nanos(Price::kScale - level.price.nanos());
  for (const BookLevel& there : side > 0 ? state->book.bids : state->book.asks)
    if (there.price == mirrored) taken_.take(*other, side > 0 ? BookSide::Bids : BookSide::Asks, there, units);
}

std::vector<FillRow> PaperAccount::settle(const Event& event, const Resolution& resolution) {
  std::erase_if(open_, [&](const Open& open) {
    if (open.intent.instrument != event.instrument) return false;
    change(open, open.filled != 0 ? "part filled" : "expired", "the market resolved");
    return true;
  });
  taken_.forget(event.instrument);
  std::vector<FillRow> fills;
  const auto held = positions_.find(event.instrument);
  if (held == positions_.end()) return fills;
  Position& position = held->second;
  // No fee, no spread. Annulled: what was paid for the units comes back, fees do not.
  const double price = resolution.annulled ? position.entry_value / position.quantity : resolution.payout;
  const double back = resolution.annulled ? position.entry_value : position.quantity * resolution.payout;
  cash_ += back;
  position.flow += back;
  fills.push_back({.intent = position.intent,
                   .instrument = event.instrument,
                   .event_time = event.event_time,
                   .quantity = -position.quantity,
                   .price = Price::from(price).value_or(Price{}),
                   .cost = 0,
                   .reason = resolution.annulled ? "annulled" : "resolution"});
  if (!resolution.annulled) count_win(position, event.event_time);
  positions_.erase(held);
  ++trades_;
  return fills;
}

void PaperAccount::count_win(const Position& position, Timestamp at) {
  WinTally& tally = months_[at.date().substr(0, 7)];
  ++(position.flow > 0 ? tally.won : tally.lost);
  tally.pnl += position.flow;
}

double PaperAccount::value_of(const Position& position, InstrumentId id, const MarketView& market) const {
  const InstrumentState& state = market.state[id];
  double price = state.last.value();
  if (state.phase == Phase::Trading) {
    const bool sells = position.quantity > 0;
    if (const auto& quote = sells ? state.bid : state.ask)
      price = quote->value();
    else if (sells && state.book.trusted)
      price = 0;  // nobody bids
  }
  return position.quantity * price;
}

double PaperAccount::equity(const MarketView& market) const {
  double value = cash_;
  for (const auto& [id, position] : positions_) value += value_of(position, id, market);
  return value;
}

double PaperAccount::mark(Timestamp now, const MarketView& market) {
  last_equity_ = equity(market);
  if (utc_day(now) != day_) {
    day_ = utc_day(now);
    day_start_equity_ = last_equity_;
  }
  return last_equity_;
}

PaperAccount::Exposure PaperAccount::exposure(const MarketView& market) const {
  Exposure exposure;
  for (const auto& [id, position] : positions_) {
    const double notional = std::fabs(position.entry_value);
    exposure.committed += notional;
    ++exposure.positions;
    if (market.state[id].phase == Phase::Trading) continue;
    exposure.locked += notional;
    ++exposure.locked_positions;
  }
  for (const Open& open : open_) {
    exposure.committed += std::fabs(open.rest()) * open.intent.limit.value();
    exposure.waiting += open.waits;
  }
  return exposure;
}

}  // namespace everlearn
