#include "trade/paper_account.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "trade/limit_price.hpp"
#include "trade/paper_parts.hpp"

namespace everlearn {

std::optional<InstrumentId> MarketView::complement(InstrumentId id) const {
  const std::string& name = instruments[id].complement;
  return name.empty() ? std::nullopt : instruments.find(name);
}

bool MarketView::same_market(InstrumentId a, InstrumentId b) const {
  return a == b || (!instruments[a].market.empty() && instruments[a].market == instruments[b].market);
}

PaperAccount::PaperAccount(PaperRules rules) : rules_{std::move(rules)}, cash_{rules_.limits.capital} {
  day_start_equity_ = last_equity_ = cash_;
}

Result<PaperAccount> PaperAccount::make(PaperRules rules) {
  const RiskLimits& l = rules.limits;
  for (const auto& [name, value] :
       {std::pair{"capital", l.capital}, std::pair{"order", l.order}, std::pair{"instrument", l.instrument},
        std::pair{"total", l.total}, std::pair{"daily_loss", l.daily_loss},
        std::pair{"kelly_fraction", l.kelly_fraction}, std::pair{"depth_share", l.depth_share},
        std::pair{"cost_bps", rules.cost_bps}, std::pair{"half_spread_bps", rules.half_spread_bps},
        std::pair{"size_step", rules.size_step}, std::pair{"min_notional", rules.min_notional}})
    if (!(value >= 0) || !std::isfinite(value))
      return fail(Code::Config, fmt::format("trade.{} is {}, it must be a number >= 0", name, value));
  if (rules.tolerance_ticks && *rules.tolerance_ticks < 0)
    return fail(Code::Config, fmt::format("trade.tolerance_ticks is {}, at least 0", *rules.tolerance_ticks));
  if (l.order > l.instrument && l.instrument > 0)
    return fail(Code::Config, fmt::format("trade.order {} is above trade.instrument {}", l.order, l.instrument));
  if (l.instrument > l.total && l.total > 0)
    return fail(Code::Config, fmt::format("trade.instrument {} is above trade.total {}", l.instrument, l.total));
  return PaperAccount{std::move(rules)};
}

double PaperAccount::tick_of(const Instrument& instrument) const {
  return instrument.tick_size ? instrument.tick_size->value() : rules_.tick_size;
}

// What one pays: the quote on the other side, or half the profile's spread beyond the price where there are no quotes.
// A spread of a market of probabilities is a tick at least.
double PaperAccount::executable(double price, int side, const InstrumentState& state,
                                const Instrument& instrument) const {
  if (state.bid && state.ask) return side > 0 ? state.ask->value() : state.bid->value();
  double paid = price * (1 + side * rules_.half_spread_bps * kBps);
  if (!rules_.probability_price) return paid;
  if (const double half_tick = tick_of(instrument) / 2; std::fabs(paid - price) < half_tick)
    paid = price + side * half_tick;
  return std::clamp(paid, 0.0, 1.0);
}

PaperAccount::Positions::iterator PaperAccount::held_in_market(InstrumentId id, const MarketView& market) {
  if (const auto held = positions_.find(id); held != positions_.end()) return held;
  const auto other = market.complement(id);
  return other ? positions_.find(*other) : positions_.end();
}

bool PaperAccount::asked_in_market(InstrumentId id, const MarketView& market) const {
  const auto other = market.complement(id);
  return std::any_of(open_.begin(), open_.end(), [&](const Open& open) {
    return open.intent.instrument == id || (other && open.intent.instrument == *other);
  });
}

// Notional the limits still allow, and the limit that binds.
std::pair<double, std::string> PaperAccount::allowance(const Order& order, const Decision& decision,
                                                       const MarketView& market) const {
  const RiskLimits& limits = rules_.limits;
  double committed = 0, here = 0;
  const auto commit = [&](InstrumentId id, double notional) {
    committed += notional;
    if (market.same_market(id, order.instrument)) here += notional;
  };
  for (const auto& [id, position] : positions_) commit(id, std::fabs(position.entry_value));
  for (const Open& open : open_) commit(open.intent.instrument, std::fabs(open.rest()) * open.intent.limit.value());
  // Kelly for a bet with known mean and variance: edge / variance of the capital.
  const double kelly = decision.variance > 0 ? limits.kelly_fraction * decision.signal.expected_value /
                                                   decision.variance * limits.capital / order.ratio
                                             : limits.order;
  std::pair<double, std::string> least{limits.order, "order limit"};
  const auto take = [&least](double notional, const char* name) {
    if (notional < least.first) least = {notional, name};
  };
  take(kelly, "Kelly size");
  take(limits.instrument - here, "instrument limit");
  take(limits.total - committed, "total limit");
  take(std::min(limits.capital, last_equity_) - committed, "capital");  // what was lost can be risked no more
  const InstrumentState& state = *market.find(order.instrument);
  if (!state.booked) return least;
  double depth = 0;
  const bool buys = order.side > 0;
  for (const BookLevel& level : buys ? state.book.asks : state.book.bids) {
    if (rules_.tolerance_ticks && (buys ? level.price > order.limit : level.price < order.limit)) break;
    depth += taken_.left(order.instrument, buys ? BookSide::Asks : BookSide::Bids, level);
  }
  take(limits.depth_share * depth * order.limit.value(), "share of depth");
  return least;
}

// What the order would be, but for its size.
PaperAccount::Order PaperAccount::order_for(const Decision& decision, const MarketView& market) const {
  const Signal& signal = decision.signal;
  Order order{.instrument = signal.instrument, .side = signal.side, .worth = decision.price};
  const auto refuse = [&](std::string rule) {
    order.rule = order.why = std::move(rule);
    return order;
  };
  if (!Price::from(decision.price) || decision.price <= 0) return refuse("no price");
  order.limit = Price::from(decision.price).value();
  double last = decision.price;
  if (signal.side < 0 && !market.instruments[signal.instrument].complement.empty()) {
    const auto other = market.complement(signal.instrument);
    const InstrumentState* state = other ? market.find(*other) : nullptr;
    if (state == nullptr || decision.price >= 1) return refuse("no price of the other outcome");
    order.instrument = *other;
    order.side = 1;
    order.worth = 1 - decision.price;
    order.ratio = decision.price / order.worth;
    last = state->priced ? state->last.value() : order.worth;
  }
  const Instrument& instrument = market.instruments[order.instrument];
  const InstrumentState& state = *market.find(order.instrument);
  if (state.phase != Phase::Trading || state.payout) return refuse("not trading");
  if (state.booked && !state.book.trusted) return refuse("untrusted book");
  Price best;
  if (state.booked) {
    const auto& levels = order.side > 0 ? state.book.asks : state.book.bids;
    if (levels.empty()) return refuse("empty book");
    best = levels.front().price;
  } else {
    best = Price::from(executable(last, order.side, state, instrument)).value_or(Price{});
  }
  if (rules_.tolerance_ticks)
    order.limit = limit_price(
        best, order.side,
        {.tick = tick_of(instrument), .tolerance = *rules_.tolerance_ticks, .probability = rules_.probability_price});
  else if (order.instrument != signal.instrument)
    order.limit = best;
  return order;
}

void PaperAccount::size_order(Order& order, const Decision& decision, const MarketView& market) const {
  const auto [notional, limit] = allowance(order, decision, market);
  const auto refuse = [&order](std::string rule, std::string why) {
    order.rule = std::move(rule);
    order.why = std::move(why);
  };
  if (notional <= kDust) return refuse(limit, limit);
  const double unit = order.limit.value();
  const double units = whole_steps(notional / unit, rules_.size_step);
  const auto least = market.instruments[order.instrument].min_size;
  if (units <= kDust || (least && units < *least))
    return refuse("minimum size", fmt::format("{:.2f} units by the {}, under the market's least of {}", units, limit,
                                              least.value_or(rules_.size_step)));
  if (units * unit < rules_.min_notional)
    return refuse("minimum notional", fmt::format("worth {:.2f} by the {}, under the least of {}", units * unit, limit,
                                                  rules_.min_notional));
  order.quantity = order.side * units;
}

std::vector<IntentRow> PaperAccount::decide(Timestamp now, const std::vector<Decision>& decisions,
                                            std::int64_t first_id, const MarketView& market) {
  std::vector<IntentRow> intents;
  std::map<InstrumentId, std::string> refused;
  for (const Decision& decision : decisions) {
    const Signal& signal = decision.signal;
    if (const auto held = held_in_market(signal.instrument, market); held != positions_.end()) {
      // The same side again keeps the position for the new horizon; the other side closes it at the next price.
      const bool rises = (held->second.quantity > 0) == (held->first == signal.instrument);
      const bool same_side = rises == (signal.side > 0);
      held->second.exit_at = same_side ? std::max(held->second.exit_at, decision.exit_at) : now;
      held->second.opposed = !same_side;
      continue;
    }
    if (asked_in_market(signal.instrument, market)) continue;

    Order order = order_for(decision, market);
    if (order.rule.empty() && day_start_equity_ - last_equity_ >= rules_.limits.daily_loss) {
      order.rule = "daily loss limit";
      order.why = fmt::format("daily loss limit {}", rules_.limits.daily_loss);
    }
    if (order.rule.empty()) size_order(order, decision, market);

    IntentRow intent{.id = first_id,
                     .instrument = order.instrument,
                     .created = now,
                     .expires = now + rules_.intent_expiry,
                     .quantity = order.quantity,
                     .limit = order.limit,
                     .expected_value = signal.expected_value * order.ratio,
                     .state = rules_.by_hand ? "waiting" : "open",
                     .reason = signal.side > 0 ? "expected to rise" : "expected to fall"};
    if (!order.rule.empty()) {
      refused[signal.instrument] = order.rule;
      const auto before = refused_.find(signal.instrument);
      if (before != refused_.end() && before->second == order.rule) continue;
      intent.state = "rejected";
      intent.reason = std::move(order.why);
      intent.quantity = 0;
    } else {
      intent.reason +=
          rules_.probability_price
              ? fmt::format(": {:.2f} points after spread and fees{}", signal.expected_value * decision.price * 100,
                            order.instrument != signal.instrument ? "; the other outcome is bought" : "")
              : fmt::format(": {:.1f} bps after costs", signal.expected_value / kBps);
      open_.push_back(
          {.intent = intent, .earliest = now + rules_.latency, .exit_at = decision.exit_at, .waits = rules_.by_hand});
    }
    ++first_id;
    intents.push_back(std::move(intent));
  }
  refused_ = std::move(refused);
  return intents;
}

void PaperAccount::change(const Open& open, std::string state, const std::string& what) {
  std::string reason = open.intent.reason;
  if (!what.empty()) reason += "; " + what;
  changes_.push_back({open.intent.id, std::move(state), std::move(reason)});
}

void PaperAccount::expire(Timestamp now) {
  std::erase_if(open_, [&](const Open& open) {
    if (open.intent.expires >= now) return false;
    if (open.filled != 0)
      change(open, "part filled",
             fmt::format("{:.6g} of {:.6g} units, the rest found no price in time", std::fabs(open.filled),
                         std::fabs(open.intent.quantity)));
    else
      change(open, "expired", open.waits ? "nobody approved it in time" : "no price in time");
    return true;
  });
}

Result<IntentRow> PaperAccount::approve(std::int64_t id, Timestamp now) {
  for (Open& open : open_) {
    if (open.intent.id != id || !open.waits) continue;
    if (open.intent.expires < now)
      return fail(Code::NotFound, fmt::format("intent {} expired at {}", id, open.intent.expires.iso()));
    open.waits = false;
    open.intent.state = "open";
    open.intent.reason += "; approved by hand";
    open.earliest = std::max(open.earliest, now + rules_.latency);
    change(open, "open", "");
    return open.intent;
  }
  return fail(Code::NotFound, fmt::format("intent {} does not wait for approval", id));
}

std::optional<Timestamp> PaperAccount::exit_of(std::int64_t intent) const {
  for (const Open& open : open_)
    if (open.intent.id == intent) return open.exit_at;
  return std::nullopt;
}

Result<void> PaperAccount::reject(std::int64_t id) {
  for (auto open = open_.begin(); open != open_.end(); ++open) {
    if (open->intent.id != id || !open->waits) continue;
    change(*open, "rejected", "rejected by hand");
    open_.erase(open);
    return {};
  }
  return fail(Code::NotFound, fmt::format("intent {} does not wait for approval", id));
}

void PaperAccount::encode(ByteWriter& out) const {
  out.f64(cash_);
  out.f64(costs_);
  out.i64(trades_);
  out.i64(day_);
  out.f64(day_start_equity_);
  out.f64(last_equity_);
  out.u32(static_cast<std::uint32_t>(positions_.size()));
  for (const auto& [id, p] : positions_) {
    out.u32(static_cast<std::uint32_t>(id));
    out.f64(p.quantity);
    out.f64(p.entry_value);
    out.f64(p.flow);
    out.time(p.entered_at);
    out.time(p.exit_at);
    out.i64(p.intent);
    out.boolean(p.opposed);
  }
  out.u32(static_cast<std::uint32_t>(open_.size()));
  for (const Open& open : open_) {
    const IntentRow& i = open.intent;
    out.i64(i.id);
    out.u32(static_cast<std::uint32_t>(i.instrument));
    out.time(i.created);
    out.time(i.expires);
    out.f64(i.quantity);
    out.i64(i.limit.nanos());
    out.f64(i.expected_value);
    out.text(i.reason);
    out.time(open.earliest);
    out.time(open.exit_at);
    out.f64(open.filled);
    out.boolean(open.waits);
  }
  taken_.encode(out);
  out.u32(static_cast<std::uint32_t>(months_.size()));
  for (const auto& [month, tally] : months_) {
    out.text(month);
    out.i64(tally.won);
    out.i64(tally.lost);
    out.f64(tally.pnl);
  }
  out.u32(static_cast<std::uint32_t>(refused_.size()));
  for (const auto& [id, rule] : refused_) {
    out.u32(static_cast<std::uint32_t>(id));
    out.text(rule);
  }
}

Result<void> PaperAccount::decode(ByteReader& in) {
  cash_ = in.f64();
  costs_ = in.f64();
  trades_ = in.i64();
  day_ = in.i64();
  day_start_equity_ = in.f64();
  last_equity_ = in.f64();
  positions_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const InstrumentId id{in.u32()};
    Position p;
    p.quantity = in.f64();
    p.entry_value = in.f64();
    p.flow = in.f64();
    p.entered_at = in.time();
    p.exit_at = in.time();
    p.intent = in.i64();
    p.opposed = in.boolean();
    positions_[id] = p;
  }
  open_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    Open open;
    open.intent.id = in.i64();
    open.intent.instrument = InstrumentId{in.u32()};
    open.intent.created = in.time();
    open.intent.expires = in.time();
    open.intent.quantity = in.f64();
    open.intent.limit = Price::from_nanos(in.i64());
    open.intent.expected_value = in.f64();
    open.intent.reason = in.text();
    open.earliest = in.time();
    open.exit_at = in.time();
    open.filled = in.f64();
    open.waits = in.boolean();
    open.intent.state = open.waits ? "waiting" : open.filled != 0 ? "part filled" : "open";
    open_.push_back(std::move(open));
  }
  taken_.decode(in);
  months_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    WinTally& tally = months_[in.text()];
    tally.won = in.i64();
    tally.lost = in.i64();
    tally.pnl = in.f64();
  }
  refused_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    const InstrumentId id{in.u32()};
    refused_[id] = in.text();
  }
  if (!in.ok()) return fail(Code::Damaged, "the checkpoint's paper account ends early");
  return {};
}

}  // namespace everlearn
