#include "trade/paper_account.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace everlearn {
namespace {

constexpr double kBps = 1e-4;
constexpr double kDust = 1e-9;  // units

std::int64_t utc_day(Timestamp t) { return t.us() / Duration::days(1).us(); }

// What an event tells about where one could trade now.
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

}  // namespace

PaperAccount::PaperAccount(PaperRules rules) : rules_{std::move(rules)}, cash_{rules_.limits.capital} {
  day_start_equity_ = last_equity_ = cash_;
}

Result<PaperAccount> PaperAccount::make(PaperRules rules) {
  const RiskLimits& l = rules.limits;
  for (const auto& [name, value] :
       {std::pair{"capital", l.capital}, std::pair{"order", l.order}, std::pair{"instrument", l.instrument},
        std::pair{"total", l.total}, std::pair{"daily_loss", l.daily_loss},
        std::pair{"kelly_fraction", l.kelly_fraction}, std::pair{"depth_share", l.depth_share},
        std::pair{"cost_bps", rules.cost_bps}, std::pair{"half_spread_bps", rules.half_spread_bps}})
    if (!(value >= 0) || !std::isfinite(value))
      return fail(Code::Config, fmt::format("trade.{} is {}, it must be a number >= 0", name, value));
  if (l.order > l.instrument && l.instrument > 0)
    return fail(Code::Config, fmt::format("trade.order {} is above trade.instrument {}", l.order, l.instrument));
  if (l.instrument > l.total && l.total > 0)
    return fail(Code::Config, fmt::format("trade.instrument {} is above trade.total {}", l.instrument, l.total));
  return PaperAccount{std::move(rules)};
}

// Notional the limits still allow, and the limit that binds.
std::pair<double, std::string> PaperAccount::allowance(const Decision& decision) const {
  const RiskLimits& limits = rules_.limits;
  double committed = 0, here = 0;
  for (const auto& [id, position] : positions_) {
    const double notional = std::fabs(position.entry_value);
    committed += notional;
    if (id == decision.signal.instrument) here += notional;
  }
  for (const Open& open : open_) {
    const double notional = std::fabs(open.intent.quantity) * open.intent.limit.value();
    committed += notional;
    if (open.intent.instrument == decision.signal.instrument) here += notional;
  }
  // Kelly for a bet with known mean and variance: edge / variance of the capital.
  const double kelly = decision.variance > 0
                           ? limits.kelly_fraction * decision.signal.expected_value / decision.variance * limits.capital
                           : limits.order;
  std::pair<double, std::string> least{limits.order, "order limit"};
  const auto take = [&least](double notional, const char* name) {
    if (notional < least.first) least = {notional, name};
  };
  take(kelly, "Kelly size");
  take(limits.instrument - here, "instrument limit");
  take(limits.total - committed, "total limit");
  take(std::min(limits.capital, last_equity_) - committed, "capital");  // what was lost can be risked no more
  if (decision.depth) take(limits.depth_share * *decision.depth * decision.price, "share of depth");
  return least;
}

std::vector<IntentRow> PaperAccount::decide(Timestamp now, const std::vector<Decision>& decisions,
                                            std::int64_t first_id) {
  std::vector<IntentRow> intents;
  for (const Decision& decision : decisions) {
    const Signal& signal = decision.signal;
    const auto held = positions_.find(signal.instrument);
    if (held != positions_.end()) {
      // The same side again keeps the position for the new horizon; the other side closes it at the next price.
      const bool same_side = (held->second.quantity > 0) == (signal.side > 0);
      held->second.exit_at = same_side ? std::max(held->second.exit_at, decision.exit_at) : now;
      held->second.opposed = !same_side;
      continue;
    }
    const bool waiting = std::any_of(open_.begin(), open_.end(),
                                     [&](const Open& open) { return open.intent.instrument == signal.instrument; });
    if (waiting) continue;

    IntentRow intent{.id = first_id++,
                     .instrument = signal.instrument,
                     .created = now,
                     .expires = now + rules_.intent_expiry,
                     .expected_value = signal.expected_value,
                     .state = "open",
                     .reason = signal.side > 0 ? "expected to rise" : "expected to fall"};
    const auto [notional, limit] = allowance(decision);
    const bool lost_too_much = day_start_equity_ - last_equity_ >= rules_.limits.daily_loss;
    const auto price = Price::from(decision.price);
    if (!price || decision.price <= 0 || lost_too_much || notional <= kDust) {
      intent.state = "rejected";
      intent.reason = lost_too_much ? fmt::format("daily loss limit {}", rules_.limits.daily_loss) : limit;
      if (price) intent.limit = *price;
      intents.push_back(std::move(intent));
      continue;
    }
    intent.quantity = signal.side * notional / decision.price;
    intent.limit = *price;
    open_.push_back({intent, now + rules_.latency, decision.exit_at});
    intents.push_back(std::move(intent));
  }
  return intents;
}

// What one pays beyond the seen price: half the quoted spread, or the profile's where there are no quotes.
double PaperAccount::executable(double price, double quantity, const InstrumentState& state) const {
  if (state.bid && state.ask) return quantity > 0 ? state.ask->value() : state.bid->value();
  const double paid = price * (1 + (quantity > 0 ? 1 : -1) * rules_.half_spread_bps * kBps);
  return rules_.probability_price ? std::clamp(paid, 0.0, 1.0) : paid;
}

FillRow PaperAccount::fill(const Event& event, double seen, double paid, double quantity, std::int64_t intent,
                           std::string reason) {
  const double fee = std::fabs(quantity) * paid * rules_.cost_bps * kBps;
  cash_ -= quantity * paid + fee;
  costs_ += fee + std::fabs(quantity) * std::fabs(paid - seen);
  return {.intent = intent,
          .instrument = event.instrument,
          .event_time = price_time(event),
          .quantity = quantity,
          .price = Price::from(paid).value_or(Price{}),
          .cost = fee,
          .reason = std::move(reason)};
}

std::vector<FillRow> PaperAccount::observe(const Event& event, const MarketState& market) {
  std::vector<FillRow> fills;
  const auto held = positions_.find(event.instrument);
  if (const auto* resolution = std::get_if<Resolution>(&event.what)) {
    if (held == positions_.end()) return fills;
    const double quantity = held->second.quantity;
    cash_ += quantity * resolution->payout;  // settlement: no fee, no spread
    fills.push_back({.intent = held->second.intent,
                     .instrument = event.instrument,
                     .event_time = event.event_time,
                     .quantity = -quantity,
                     .price = Price::from(resolution->payout).value_or(Price{}),
                     .cost = 0,
                     .reason = "resolution"});
    positions_.erase(held);
    ++trades_;
    return fills;
  }
  const auto price = traded_price(event);
  if (!price || price->value() <= 0) return fills;
  const double seen = price->value();
  const InstrumentState& state = market[event.instrument];

  if (held != positions_.end() && price_time(event) >= held->second.exit_at &&
      price_time(event) > held->second.entered_at) {
    const double quantity = -held->second.quantity;
    fills.push_back(fill(event, seen, executable(seen, quantity, state), quantity, held->second.intent,
                         held->second.opposed ? "opposite signal" : "horizon"));
    positions_.erase(held);
    ++trades_;
  }
  for (auto open = open_.begin(); open != open_.end();) {
    const bool ours = open->intent.instrument == event.instrument && price_time(event) > open->intent.created &&
                      price_time(event) >= open->earliest && price_time(event) <= open->intent.expires;
    if (!ours) {
      ++open;
      continue;
    }
    const double quantity = open->intent.quantity;
    const double paid = executable(seen, quantity, state);
    fills.push_back(fill(event, seen, paid, quantity, open->intent.id, "entry"));
    positions_[event.instrument] = {.quantity = quantity,
                                    .entry_value = quantity * paid,
                                    .entered_at = price_time(event),
                                    .exit_at = open->exit_at,
                                    .intent = open->intent.id,
                                    .opposed = false};
    open = open_.erase(open);
  }
  return fills;
}

std::vector<std::int64_t> PaperAccount::expire(Timestamp now) {
  std::vector<std::int64_t> expired;
  std::erase_if(open_, [&](const Open& open) {
    if (open.intent.expires >= now) return false;
    expired.push_back(open.intent.id);
    return true;
  });
  return expired;
}

double PaperAccount::mark(Timestamp now, const MarketState& market) {
  last_equity_ = equity(market);
  if (utc_day(now) != day_) {
    day_ = utc_day(now);
    day_start_equity_ = last_equity_;
  }
  return last_equity_;
}

double PaperAccount::equity(const MarketState& market) const {
  double value = cash_;
  for (const auto& [id, position] : positions_) value += position.quantity * market[id].last.value();
  return value;
}

double PaperAccount::costs() const { return costs_; }
double PaperAccount::cash() const { return cash_; }
std::int64_t PaperAccount::trades() const { return trades_; }
const std::map<InstrumentId, PaperAccount::Position>& PaperAccount::positions() const { return positions_; }

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
    p.entered_at = in.time();
    p.exit_at = in.time();
    p.intent = in.i64();
    p.opposed = in.boolean();
    positions_[id] = p;
  }
  open_.clear();
  for (std::uint32_t n = in.u32(); n > 0 && in.ok(); --n) {
    Open open;
    open.intent.state = "open";
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
    open_.push_back(std::move(open));
  }
  if (!in.ok()) return fail(Code::Damaged, "the checkpoint's paper account ends early");
  return {};
}

}  // namespace everlearn
