#include "market/market_state.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/assert.hpp"
#include "market/body_bytes.hpp"

namespace everlearn {
namespace {

/// Halfway, rounded down to a unit of the price.
Price middle(Price bid, Price ask) { return Price::from_nanos(bid.nanos() + (ask.nanos() - bid.nanos()) / 2); }

void set_last(InstrumentState& state, const Event& event, Price price) {
  // Events come in the order in which we learned of them; one about an older moment must not undo a newer price.
  if (state.priced && event.event_time < state.last_event_time) return;
  state.seen = true;
  state.priced = true;
  state.last = price;
  state.last_event_time = event.event_time;
  state.last_known_at = event.known_at;
}

/// Better(a, b): level a stands before level b.
template <class Better>
std::vector<BookLevel> sorted(std::vector<BookLevel> levels, Better better) {
  std::stable_sort(levels.begin(), levels.end(),
                   [&](const BookLevel& a, const BookLevel& b) { return better(a.price, b.price); });
  std::erase_if(levels, [](const BookLevel& level) { return !(level.size > 0); });
  return levels;
}

template <class Better>
void set_level(std::vector<BookLevel>& levels, const BookLevel& level, Better better) {
  const auto at = std::lower_bound(levels.begin(), levels.end(), level,
                                   [&](const BookLevel& a, const BookLevel& b) { return better(a.price, b.price); });
  const bool there = at != levels.end() && at->price == level.price;
  if (!(level.size > 0)) {
    if (there) levels.erase(at);
  } else if (there) {
    at->size = level.size;
  } else {
    levels.insert(at, level);
  }
}

bool is_crossed(const Book& book) {
  return !book.bids.empty() && !book.asks.empty() && book.bids.front().price >= book.asks.front().price;
}

Result<void> apply_book(InstrumentState& state, const Event& event, const BookUpdate& update) {
  // A delta says nothing about the levels it leaves out: without a book to change it cannot be used.
  if (!update.snapshot && !state.book.trusted) return {};
  Book next;
  if (update.snapshot) {
    next.bids = sorted(update.bids, std::greater<>{});
    next.asks = sorted(update.asks, std::less<>{});
  } else {
    next = state.book;
    for (const BookLevel& level : update.bids) set_level(next.bids, level, std::greater<>{});
    for (const BookLevel& level : update.asks) set_level(next.asks, level, std::less<>{});
  }
  if (is_crossed(next)) {
    state.book.trusted = false;
    state.bid.reset();  // nobody may trade on the quotes of a book that contradicts itself
    state.ask.reset();
    return fail(Code::BadData, fmt::format("crossed book at {}: bid {} is not below ask {}", event.event_time.iso(),
                                           next.bids.front().price.text(), next.asks.front().price.text()));
  }
  next.trusted = true;
  state.booked = true;
  state.book = std::move(next);
  state.bid = state.book.bids.empty() ? std::nullopt : std::optional{state.book.bids.front().price};
  state.ask = state.book.asks.empty() ? std::nullopt : std::optional{state.book.asks.front().price};
  if (state.bid && state.ask) set_last(state, event, middle(*state.bid, *state.ask));
  ++state.updates;
  return {};
}

void apply_point(InstrumentState& state, const Event& event, const PricePoint& point) {
  set_last(state, event, point.price);
  ++state.updates;
  // Where a book is kept, it knows the quotes better than a price that names none.
  if (!point.bid && !point.ask && state.book.trusted) return;
  state.bid = point.bid;
  state.ask = point.ask;
}

Bar merged(const Bar& first, const Bar& second) {
  Bar both = first;
  both.high = std::max(first.high, second.high);
  both.low = std::min(first.low, second.low);
  both.close = second.close;
  both.volume = first.volume + second.volume;
  both.vwap.reset();
  if (first.vwap && second.vwap && both.volume > 0) {
    both.vwap = (*first.vwap * first.volume + *second.vwap * second.volume) / both.volume;
  }
  both.trades.reset();
  if (first.trades && second.trades) both.trades = *first.trades + *second.trades;
  return both;
}

void apply_bar(InstrumentState& state, const Event& event, const Bar& bar) {
  // One that comes late or is corrected tells of the past: the bar of this step does not change with it.
  const bool of_the_past = event.revision > 0 || event.event_time < state.last_bar_close;
  set_last(state, event, bar.close);
  ++state.updates;
  if (of_the_past) return;
  state.last_bar_close = event.event_time;
  state.bar = state.bar ? merged(*state.bar, bar) : bar;
}

void apply_trade(InstrumentState& state, const Event& event, const Trade& trade) {
  state.last_trade = trade.price;
  // Trades jump between bid and ask; where both are known their middle is the price.
  if (!(state.book.trusted && state.bid && state.ask)) set_last(state, event, trade.price);
  ++state.updates;
  switch (trade.side) {
    case Side::Buy:
      ++state.buys;
      state.buy_volume += trade.size;
      break;
    case Side::Sell:
      ++state.sells;
      state.sell_volume += trade.size;
      break;
    case Side::Unknown:
      ++state.unknown_trades;
      state.unknown_volume += trade.size;
      break;
  }
  state.trade_notional += trade.price.value() * trade.size;
  state.largest_trade = std::max(state.largest_trade, trade.size);
  if (!state.bid || !state.ask) return;
  const double mid = (state.bid->value() + state.ask->value()) / 2;
  state.quoted_volume += trade.size;
  state.trade_distance += std::fabs(trade.price.value() - mid) * trade.size;
}

/// Only the values: what turned out is none of the market's business.
void apply_fields(InstrumentState& state, const Event& event, const Fields& fields) {
  if (!state.priced) ++state.updates;
  // A row that comes late is older than what is known; one of the same time corrects it.
  if (event.event_time < state.fields_event_time) return;
  state.fields = fields.values;
  state.fields_event_time = event.event_time;
  if (state.priced) return;
  state.seen = true;
  state.last_event_time = event.event_time;
  state.last_known_at = event.known_at;
}

void doubt_book(InstrumentState& state) {
  state.book = {};
  state.bid.reset();
  state.ask.reset();
}

void apply_phase(InstrumentState& state, Phase phase) {
  state.phase = phase;
  if (phase != Phase::Trading) doubt_book(state);
}

}  // namespace

Result<void> MarketState::apply(const Event& event) {
  if (index(event.instrument) >= all_.size()) all_.resize(index(event.instrument) + 1);
  InstrumentState& state = all_[index(event.instrument)];
  if (const auto* point = std::get_if<PricePoint>(&event.what)) {
    apply_point(state, event, *point);
  } else if (const auto* bar = std::get_if<Bar>(&event.what)) {
    apply_bar(state, event, *bar);
  } else if (const auto* trade = std::get_if<Trade>(&event.what)) {
    apply_trade(state, event, *trade);
  } else if (const auto* update = std::get_if<BookUpdate>(&event.what)) {
    return apply_book(state, event, *update);
  } else if (const auto* fields = std::get_if<Fields>(&event.what)) {
    apply_fields(state, event, *fields);
  } else if (const auto* change = std::get_if<PhaseChange>(&event.what)) {
    apply_phase(state, change->phase);
  } else if (std::holds_alternative<BookDoubt>(event.what)) {
    doubt_book(state);
  } else if (const auto* resolution = std::get_if<Resolution>(&event.what)) {
    state.payout = resolution->annulled ? std::numeric_limits<double>::quiet_NaN() : resolution->payout;
    ++state.updates;
  }
  return {};
}

void MarketState::end_step() {
  for (InstrumentState& state : all_) {
    state.updates = 0;
    state.bar.reset();
    state.buys = state.sells = state.unknown_trades = 0;
    state.buy_volume = state.sell_volume = state.unknown_volume = 0;
    state.trade_notional = state.largest_trade = state.quoted_volume = state.trade_distance = 0;
  }
}

void MarketState::encode(ByteWriter& out) const {
  out.u32(static_cast<std::uint32_t>(all_.size()));
  for (const InstrumentState& state : all_) {
    out.boolean(state.seen);
    out.boolean(state.priced);
    put_price(out, state.last);
    out.time(state.last_event_time);
    out.time(state.last_known_at);
    out.f32s(state.fields);
    out.time(state.fields_event_time);
    put_price(out, state.bid);
    put_price(out, state.ask);
    put_price(out, state.last_trade);
    out.u8(static_cast<std::uint8_t>(state.phase));
    out.boolean(state.payout.has_value());
    if (state.payout) out.f64(*state.payout);
    put_levels(out, state.book.bids);
    put_levels(out, state.book.asks);
    out.boolean(state.book.trusted);
    out.boolean(state.booked);
    out.u32(state.updates);
    out.boolean(state.bar.has_value());
    if (state.bar) put_bar(out, *state.bar);
    out.time(state.last_bar_close);
    for (const std::uint32_t count : {state.buys, state.sells, state.unknown_trades}) out.u32(count);
    for (const double v : {state.buy_volume, state.sell_volume, state.unknown_volume, state.trade_notional,
                           state.largest_trade, state.quoted_volume, state.trade_distance}) {
      out.f64(v);
    }
  }
}

Result<MarketState> MarketState::decode(ByteReader& in) {
  MarketState market;
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    InstrumentState& state = market.all_.emplace_back();
    state.seen = in.boolean();
    state.priced = in.boolean();
    state.last = get_price(in);
    state.last_event_time = in.time();
    state.last_known_at = in.time();
    state.fields = in.f32s();
    state.fields_event_time = in.time();
    state.bid = get_optional_price(in);
    state.ask = get_optional_price(in);
    state.last_trade = get_optional_price(in);
    const std::uint8_t phase = in.u8();
    if (phase > static_cast<std::uint8_t>(Phase::Disputed))
      return fail(Code::Damaged, fmt::format("market state: phase {} of {}", phase, static_cast<int>(Phase::Disputed)));
    state.phase = static_cast<Phase>(phase);
    if (in.boolean()) state.payout = in.f64();
    state.book.bids = get_levels(in);
    state.book.asks = get_levels(in);
    state.book.trusted = in.boolean();
    state.booked = in.boolean();
    state.updates = in.u32();
    if (in.boolean()) state.bar = get_bar(in);
    state.last_bar_close = in.time();
    for (std::uint32_t* n : {&state.buys, &state.sells, &state.unknown_trades}) *n = in.u32();
    for (double* v : {&state.buy_volume, &state.sell_volume, &state.unknown_volume, &state.trade_notional,
                      &state.largest_trade, &state.quoted_volume, &state.trade_distance}) {
      *v = in.f64();
    }
  }
  if (!in.ok()) return fail(Code::Damaged, fmt::format("market state: the bytes end before the last of {}", count));
  return market;
}

}  // namespace everlearn
