#include "feature/testing/plain_features.hpp"

#include <numbers>
#include <optional>

#include "core/assert.hpp"
#include "core/civil.hpp"
#include "market/market_state.hpp"

namespace everlearn::testing {
namespace {

constexpr Real kPi = std::numbers::pi_v<Real>;

Real value(const std::optional<Price>& price) { return price ? static_cast<Real>(price->value()) : kNaN; }

Real take(const std::vector<BookLevel>& side, double amount) {
  Real left = amount;
  Real units = 0;
  for (const BookLevel& level : side) {
    const Real worth = static_cast<Real>(level.price.value()) * level.size;
    if (worth >= left) return amount / (units + left / level.price.value());
    left -= worth;
    units += level.size;
  }
  return kNaN;
}

bool stale(const Calendar& calendar, Timestamp then, Timestamp at) {
  int closes = 0;
  for (Session s = calendar.next(then); s.close <= at && closes <= 5; s = calendar.next(s.close)) ++closes;
  return closes > 5;
}

/// What the trades of one step cost against the mid of their moment.
struct TradeCosts {
  Real quoted = 0, distance = 0;
};

void add_trade(TradeCosts& costs, const Trade& trade, const InstrumentState& before) {
  if (!before.bid || !before.ask) return;
  costs.quoted += trade.size;
  costs.distance += std::fabs(static_cast<Real>(trade.price.value()) - (value(before.bid) + value(before.ask)) / 2) *
                    static_cast<Real>(trade.size);
}

void note(Observed& seen, const InstrumentState& market, const Calendar& calendar, const Instrument& instrument,
          Timestamp at, const TradeCosts& costs, bool& had_bar, bool& had_trade, Real& quiet) {
  const bool trading = market.phase == Phase::Trading && !market.payout;
  const bool alive = market.seen && trading && !stale(calendar, market.last_event_time, at);
  had_bar = alive && (had_bar || market.bar);
  had_trade = alive && (had_trade || market.buys + market.sells + market.unknown_trades > 0);
  quiet = !alive ? 0 : market.updates > 0 ? 0 : quiet + 1;
  const Real last = market.last.value();
  const auto push = [](Series& s, bool known, Real x) { s.v.push_back(known ? x : kNaN); };
  push(seen.p, alive, last);
  const auto& bar = market.bar;
  push(seen.o, had_bar, bar ? bar->open.value() : last);
  push(seen.h, had_bar, bar ? bar->high.value() : last);
  push(seen.l, had_bar, bar ? bar->low.value() : last);
  push(seen.c, had_bar, bar ? bar->close.value() : last);
  push(seen.v, had_bar, bar ? bar->volume : 0);
  push(seen.vwap, had_bar, bar ? bar->vwap.value_or(bar->close.value()) : last);
  push(seen.bar_trades, had_bar, !bar ? 0 : bar->trades ? static_cast<Real>(*bar->trades) : kNaN);
  push(seen.buys, had_trade, market.buys);
  push(seen.sells, had_trade, market.sells);
  push(seen.trades, had_trade, market.buys + market.sells + market.unknown_trades);
  push(seen.bought, had_trade, market.buy_volume);
  push(seen.sold, had_trade, market.sell_volume);
  push(seen.traded, had_trade, market.buy_volume + market.sell_volume + market.unknown_volume);
  push(seen.notional, had_trade, market.trade_notional);
  push(seen.largest, had_trade, market.largest_trade);
  push(seen.quoted, had_trade, costs.quoted);
  push(seen.distance, had_trade, costs.distance);
  const bool quoted = alive && market.bid && market.ask;
  push(seen.bid, quoted, value(market.bid));
  push(seen.ask, quoted, value(market.ask));
  const bool book = alive && market.book.trusted;
  const auto& bids = market.book.bids;
  const auto& asks = market.book.asks;
  push(seen.bid_levels, book, static_cast<Real>(bids.size()));
  push(seen.ask_levels, book, static_cast<Real>(asks.size()));
  seen.bid_size.resize(5);
  seen.ask_size.resize(5);
  for (std::size_t i = 0; i < 5; ++i) {
    push(seen.bid_size[i], book, i < bids.size() ? bids[i].size : 0);
    push(seen.ask_size[i], book, i < asks.size() ? asks[i].size : 0);
  }
  for (int amount : {10, 50, 100}) {
    push(seen.buy_cost[amount], book, take(asks, amount));
    push(seen.sell_cost[amount], book, take(bids, amount));
  }
  seen.bids.push_back(book ? bids : std::vector<BookLevel>{});
  seen.asks.push_back(book ? asks : std::vector<BookLevel>{});
  push(seen.updates, alive, market.updates);
  push(seen.quiet, alive, quiet);
  push(seen.age_s, alive, (at - market.last_event_time).as_seconds());
  push(seen.days_to_end, alive && instrument.end_time,
       instrument.end_time ? std::max((*instrument.end_time - at).as_seconds() / 86400, 0.0) : 0);
}

void note_clock(Clock& clock, const Calendar& calendar, Timestamp at) {
  const std::int64_t day_us = 86'400'000'000;
  const std::int64_t days = at.us() / day_us;
  const CivilDate date = civil_date(days);
  clock.day_fraction.v.push_back(static_cast<Real>(at.us() % day_us) / day_us);
  clock.weekday.v.push_back((weekday(days) + 6) % 7);
  clock.day.v.push_back(date.day);
  clock.month.v.push_back(date.month);
  const auto session = calendar.session_at(at);
  const Real open = session ? (at - session->open).as_seconds() / 60 : kNaN;
  const Real close = session ? (session->close - at).as_seconds() / 60 : kNaN;
  clock.since_open.v.push_back(open);
  clock.to_close.v.push_back(close);
  clock.progress.v.push_back(open / (open + close));
  const Real full = calendar.always_open() ? 24 * 60 : 390;
  clock.half_day.v.push_back(session ? (open + close < full ? 1.0L : 0.0L) : kNaN);
  clock.since_session.v.push_back(session ? (session->open - calendar.at(session->index - 1).close).as_seconds() / 86400
                                          : kNaN);
  clock.session.v.push_back(session ? session->index : clock.session.v.empty() ? -1 : clock.session.v.back());
}

struct View {
  const PlainMarket& market;
  const Observed& self;
  int w;

  const Series& p() const { return self.p; }
  Series d() const { return p() - lag(p(), 1); }
  Series ret(const Series& x, int k) const { return log1p((x - lag(x, k)) / lag(x, k)); }
  Series r(int k = 1) const { return ret(p(), k); }
  Series vol(int n) const { return sd(r(), n); }
  Series z(int n) const { return over(p() - mean(p(), n), sd(p(), n), 0); }
  Series er(int n) const { return over(abs(p() - lag(p(), n)), sum(abs(d()), n), 0); }
  Series number() const {
    Series out = p();
    for (std::size_t t = 0; t < out.size(); ++t) out.v[t] = static_cast<Real>(t);
    return out;
  }
  Series semi(bool up, int n) const {
    return sqrt(mean(map(r(), [up](Real x) { return (x > 0) == up ? x * x : 0; }), n));
  }
  Series r2(int n) const { return corr(p(), number(), n) * corr(p(), number(), n); }
  Series slope(int n) const { return regress(p(), number(), n) / p(); }
  Series rsi(const Series& gain, const Series& loss) const { return over(gain * 100, gain + loss, 50); }
  Series gain() const {
    return map(d(), [](Real x) { return x > 0 ? x : 0; });
  }
  Series loss() const {
    return map(d(), [](Real x) { return x < 0 ? -x : 0; });
  }
  Series macd() const { return ema_gap(p(), 26) - ema_gap(p(), 12); }
  Series odds() const { return log(p() / (1 - p())); }
  Series jump(int n) const {
    return zip(abs(r()), lag(vol(n), 1), [](Real move, Real sigma) { return move > 4 * sigma ? 1.0L : 0.0L; });
  }
  Series binary_sd() const { return sqrt(p() * (1 - p())); }
  Series tr() const {
    const Series before = lag(self.c, 1);
    return max(self.h - self.l, max(abs(self.h - before), abs(self.l - before)));
  }
  Series typical() const { return (self.h + self.l + self.c) / 3; }
  Series cci(const Series& y, int n) const {
    const Series mad = rolling(y, n, [](const Window& x) {
      const Real center = plain_mean(x);
      Real total = 0;
      for (const Real value : x) total += std::fabs(value - center);
      return total / static_cast<Real>(x.size());
    });
    return over(y - mean(y, n), mad * 0.015L, 0);
  }
  Series stoch(int n) const {
    return over((self.c - lowest(self.l, n)) * 100, highest(self.h, n) - lowest(self.l, n), 50);
  }
  Series di(bool up, int n) const {
    const Series rise = self.h - lag(self.h, 1);
    const Series fall = lag(self.l, 1) - self.l;
    const Series counted = up ? zip(rise, fall, [](Real a, Real b) { return a > b && a > 0 ? a : 0; })
                              : zip(fall, rise, [](Real a, Real b) { return a > b && a > 0 ? a : 0; });
    return over(wilder(counted, n) * 100, wilder(tr(), n), 0);
  }
  Series lnr(const Series& a, const Series& b) const { return log1p((a - b) / b); }
  Series of_range(const Series& part, Real flat) const { return over(part, self.h - self.l, flat); }
  Series flow() const { return self.bought - self.sold; }
  Series flow_imbalance(int n) const { return over(sum(flow(), n), sum(self.traded, n), 0); }
  Series traded_price(int n) const { return sum(self.notional, n) / sum(self.traded, n); }
  Series risk_adjusted(int n) const { return over(r(n), vol(n) * std::sqrt(Real(n)), 0); }
  Series book_depth() const { return depth(self.bid_size, 5) + depth(self.ask_size, 5); }
  Series round_trip(int amount) const { return (self.buy_cost.at(amount) - self.sell_cost.at(amount)) / mid(); }
  Series tightness() const { return spread() / mid(); }
  Series liquidity() const { return log(mid() * book_depth() / tightness()); }
  Series liquidity_event() const {
    return zip(book_depth(), lag(book_depth(), 1),
               [](Real now, Real before) { return now * (1 + 1e-9L) < before / 2 ? 1.0L : 0.0L; });
  }
  Series price_gap() const {
    return zip(abs(d()), lag(spread(), 1), [](Real move, Real s) { return move > s * (1 + 1e-9L) ? 1.0L : 0.0L; });
  }
  Series effective_spread(int n) const { return sum(self.distance, n) * 2 / sum(self.quoted, n) / mid(); }
  Series z_of_share(const Series& x, int n) const {
    return zip(x - mean(x, n), sd(x, n), [](Real away, Real scale) { return scale > 1e-9L ? away / scale : 0; });
  }
  Series by_quality(const Series& x) const { return x / (tightness() * 100 + 1); }
  Series mid() const { return (self.bid + self.ask) / 2; }
  Series spread() const { return self.ask - self.bid; }
  Series depth(const std::vector<Series>& sizes, int levels) const {
    Series total = sizes[0];
    for (int i = 1; i < levels; ++i) total = total + sizes[static_cast<std::size_t>(i)];
    return total;
  }
  Series imbalance(int levels) const {
    const Series b = depth(self.bid_size, levels);
    const Series a = depth(self.ask_size, levels);
    return over(b - a, b + a, 0);
  }
  Series side_price(const std::vector<std::vector<BookLevel>>& side, std::size_t levels) const {
    Series out = p();
    for (std::size_t t = 0; t < side.size(); ++t) {
      Real worth = 0;
      Real units = 0;
      for (std::size_t i = 0; i < levels && i < side[t].size(); ++i) {
        worth += static_cast<Real>(side[t][i].price.value()) * side[t][i].size;
        units += side[t][i].size;
      }
      out.v[t] = worth / units;
    }
    return out;
  }
  Series weighted_mid(int levels) const {
    const Series b = depth(self.bid_size, levels);
    const Series a = depth(self.ask_size, levels);
    const auto n = static_cast<std::size_t>(levels);
    return (side_price(self.bids, n) * a + side_price(self.asks, n) * b) / (a + b) / mid() - 1;
  }
  /// A statistic of each step over other instruments' series.
  Series across(bool context, const std::function<Series(const View&)>& of,
                const std::function<Real(const Window&)>& statistic, std::size_t least) const {
    std::vector<Series> all;
    for (std::size_t i = 0; i < market.size(); ++i) {
      if (market[i].context == context) all.push_back(of(View{market, market[i], w}));
    }
    Series out = p();
    for (std::size_t t = 0; t < out.size(); ++t) {
      Window now;
      for (const Series& s : all) {
        if (!std::isnan(s.v[t])) now.push_back(s.v[t]);
      }
      if (std::isnan(out.v[t])) continue;
      out.v[t] = now.size() < least ? kNaN : statistic(now);
    }
    return out;
  }
  Series ctx(const std::function<Series(const View&)>& of) const { return across(true, of, plain_mean, 1); }
  Series all_mean(const std::function<Series(const View&)>& of) const { return across(false, of, plain_mean, 2); }
  Series all_sd(const std::function<Series(const View&)>& of) const {
    return across(
        false, of, [](const Window& x) { return std::sqrt(central(x, 2)); }, 2);
  }
  Series all_rank(const std::function<Series(const View&)>& of) const {
    const Series own = of(*this);
    std::vector<Series> all;
    for (std::size_t i = 0; i < market.size(); ++i) {
      if (!market[i].context) all.push_back(of(View{market, market[i], w}));
    }
    Series out = own;
    for (std::size_t t = 0; t < out.size(); ++t) {
      Real below = 0;
      int others = -1;
      for (const Series& one : all) {
        const Real other = one.v[t];
        if (std::isnan(other)) continue;
        ++others;
        below += other < own.v[t] ? 1.0L : other == own.v[t] ? 0.5L : 0.0L;
      }
      const bool ranked = !std::isnan(own.v[t]) && others >= 1 && !self.context;
      out.v[t] = ranked ? (below - 0.5L) / others : kNaN;  // itself is tied with itself
    }
    return out;
  }
  /// f of the values since the session began, itself included.
  Series in_session(const Series& x, const std::function<Real(const Window&)>& f) const {
    Series out = x;
    Window seen;
    for (std::size_t t = 0; t < x.size(); ++t) {
      if (t == 0 || market.clock().session.v[t] != market.clock().session.v[t - 1]) seen.clear();
      if (std::isnan(x.v[t])) {
        seen.clear();
        continue;
      }
      seen.push_back(x.v[t]);
      out.v[t] = f(seen);
    }
    return out;
  }
  Series first_of_session(const Series& x) const {
    return in_session(x, [](const Window& s) { return s.front(); });
  }
  Series sum_of_session(const Series& x) const {
    return in_session(x, [](const Window& s) {
      Real total = 0;
      for (const Real v : s) total += v;
      return total;
    });
  }
  Series max_of_session(const Series& x) const {
    return in_session(x, [](const Window& s) { return *std::max_element(s.begin(), s.end()); });
  }
  Series min_of_session(const Series& x) const {
    return in_session(x, [](const Window& s) { return *std::min_element(s.begin(), s.end()); });
  }
  Series previous_session(const Series& x) const {
    Series out = x;
    Real before = kNaN;
    for (std::size_t t = 0; t < x.size(); ++t) {
      if (t > 0 && market.clock().session.v[t] != market.clock().session.v[t - 1]) before = x.v[t - 1];
      if (std::isnan(x.v[t])) before = kNaN;
      out.v[t] = before;
    }
    return out;
  }
  Series clock(const Series& x) const { return p() * 0 + x; }
};

using Formula = std::function<Series(const View&)>;

Series turn(const Series& x, bool sine) {
  return map(x, [sine](Real t) { return sine ? std::sin(2 * kPi * t) : std::cos(2 * kPi * t); });
}

std::map<std::string, Formula, std::less<>> price_formulas() {
  return {
      {"ret", [](const View& m) { return m.r(m.w); }},
      {"mom", [](const View& m) { return m.p() / lag(m.p(), m.w) - 1; }},
      {"diff", [](const View& m) { return m.p() - lag(m.p(), m.w); }},
      {"logit", [](const View& m) { return m.odds() - lag(m.odds(), m.w); }},
      {"lag_ret", [](const View& m) { return lag(m.r(), m.w); }},
      {"accel", [](const View& m) { return m.r(m.w) - lag(m.r(m.w), m.w); }},
      {"vol", [](const View& m) { return m.vol(m.w); }},
      {"vol_ann", [](const View& m) { return m.vol(m.w) * std::sqrt(m.market.clock().steps_per_year); }},
      {"rv", [](const View& m) { return sqrt(sum(m.r() * m.r(), m.w)); }},
      {"semivol_up", [](const View& m) { return m.semi(true, m.w); }},
      {"semivol_down", [](const View& m) { return m.semi(false, m.w); }},
      {"mean_abs_ret", [](const View& m) { return mean(abs(m.r()), m.w); }},
      {"max_abs_ret", [](const View& m) { return highest(abs(m.r()), m.w); }},
      {"max_ret", [](const View& m) { return highest(m.r(), m.w); }},
      {"min_ret", [](const View& m) { return lowest(m.r(), m.w); }},
      {"vol_of_vol", [](const View& m) { return sd(abs(m.r()), m.w) / mean(abs(m.r()), m.w); }},
      {"skew",
       [](const View& m) {
         return rolling(m.r(), m.w, [](const Window& x) {
           const Real v = central(x, 2);
           return v > 0 ? central(x, 3) / std::pow(v, 1.5L) : kNaN;
         });
       }},
      {"kurt",
       [](const View& m) {
         return rolling(m.r(), m.w, [](const Window& x) {
           const Real v = central(x, 2);
           return v > 0 ? central(x, 4) / (v * v) - 3 : kNaN;
         });
       }},
      {"acf1", [](const View& m) { return corr(m.r(), lag(m.r(), 1), m.w); }},
      {"acf2", [](const View& m) { return corr(m.r(), lag(m.r(), 2), m.w); }},
      {"acf5", [](const View& m) { return corr(m.r(), lag(m.r(), 5), m.w); }},
      {"acf_abs1", [](const View& m) { return corr(abs(m.r()), lag(abs(m.r()), 1), m.w); }},
      {"hurst",
       [](const View& m) {
         // Least squares of ln Var on ln k by the normal equations.
         Series sy = m.p() * 0;
         Series sxy = m.p() * 0;
         Real sx = 0;
         Real sxx = 0;
         for (int j = 0; j <= 5; ++j) {
           const Real x = std::log(static_cast<Real>(1 << j));
           const Series y = log(var(m.r(1 << j), m.w));
           sy = sy + y;
           sxy = sxy + y * x;
           sx += x;
           sxx += x * x;
         }
         return (sxy * 6 - sy * sx) / (6 * sxx - sx * sx) / 2;
       }},
      {"variance_ratio2", [](const View& m) { return var(m.r(2), m.w) / (var(m.r(), m.w) * 2); }},
      {"variance_ratio5", [](const View& m) { return var(m.r(5), m.w) / (var(m.r(), m.w) * 5); }},
      {"drawdown", [](const View& m) { return m.p() / highest(m.p(), m.w) - 1; }},
      {"above_low", [](const View& m) { return m.p() / lowest(m.p(), m.w) - 1; }},
      {"range_position",
       [](const View& m) { return over(m.p() - lowest(m.p(), m.w), highest(m.p(), m.w) - lowest(m.p(), m.w), 0.5L); }},
      {"range_width", [](const View& m) { return (highest(m.p(), m.w) - lowest(m.p(), m.w)) / m.p(); }},
      {"up_share", [](const View& m) { return mean(positive(m.d()), m.w); }},
      {"flat_share", [](const View& m) { return mean(where(m.d(), [](Real x) { return x == 0; }), m.w); }},
      {"efficiency", [](const View& m) { return m.er(m.w); }},
      {"z", [](const View& m) { return m.z(m.w); }},
      {"sma_ratio", [](const View& m) { return m.p() / mean(m.p(), m.w) - 1; }},
      {"ema_ratio", [](const View& m) { return ema_gap(m.p(), m.w) / ema(m.p(), m.w); }},
      {"tstat", [](const View& m) { return over(mean(m.r(), m.w), sd(m.r(), m.w), 0); }},
      {"slope", [](const View& m) { return m.slope(m.w); }},
      {"price_rank", [](const View& m) { return rank(m.p(), m.w); }},
      // regime
      {"vol_ratio5", [](const View& m) { return m.vol(5) / m.vol(m.w); }},
      {"vol_ratio20", [](const View& m) { return m.vol(20) / m.vol(m.w); }},
      {"vol_trend", [](const View& m) { return log(m.vol(m.w) / lag(m.vol(m.w), m.w)); }},
      {"vol_rank", [](const View& m) { return rank(m.vol(20), m.w); }},
      {"regime",
       [](const View& m) {
         return map(rank(m.vol(20), m.w), [](Real x) { return x < 0.25L ? -1.0L : x > 0.75L ? 1.0L : 0.0L; });
       }},
      {"trend_r2", [](const View& m) { return m.r2(m.w); }},
      {"trend_regime",
       [](const View& m) {
         return zip(m.r2(m.w), sign(m.slope(m.w)), [](Real fit, Real direction) { return fit > 0.5L ? direction : 0; });
       }},
      {"jump_share", [](const View& m) { return over(highest(m.r() * m.r(), m.w), sum(m.r() * m.r(), m.w), 0); }},
      {"leverage", [](const View& m) { return corr(m.r(), abs(m.r()), m.w); }},
      // derived
      {"reversion", [](const View& m) { return m.z(m.w) * (m.er(m.w) - 1); }},
      {"momentum_agreement",
       [](const View& m) { return (sign(m.r(1)) + sign(m.r(5)) + sign(m.r(20)) + sign(m.r(60))) / 4; }},
      {"trend_quality", [](const View& m) { return m.r(m.w) * m.r2(m.w); }},
      {"risk_adjusted", [](const View& m) { return m.risk_adjusted(m.w); }},
      {"combined_momentum",
       [](const View& m) { return (m.risk_adjusted(m.w) + m.risk_adjusted(2 * m.w) + m.risk_adjusted(4 * m.w)) / 3; }},
      {"max_move", [](const View& m) { return highest(abs(m.d()), m.w); }},
      {"diff_sd", [](const View& m) { return sd(m.d(), m.w); }},
      {"momentum_spread", [](const View& m) { return m.r(m.w) - m.r(4 * m.w) / 4; }},
      {"rsi_signal", [](const View& m) { return m.rsi(wilder(m.gain(), m.w), wilder(m.loss(), m.w)) / 50 - 1; }},
      {"z_regime", [](const View& m) { return m.z(m.w) * m.vol(m.w) / m.vol(4 * m.w); }},
      {"surprise", [](const View& m) { return m.r() / lag(m.vol(m.w), 1); }},
      {"jump_count", [](const View& m) { return sum(m.jump(m.w), m.w); }},
      {"steps_since_jump", [](const View& m) { return since(m.jump(60)); }},
      {"steps_since_move", [](const View& m) { return since(m.d()); }},
      {"vol_asymmetry",
       [](const View& m) {
         const Series up = m.semi(true, m.w);
         const Series down = m.semi(false, m.w);
         return over(up - down, up + down, 0);
       }},
      {"breakout_up", [](const View& m) { return m.p() / highest(lag(m.p(), 1), m.w) - 1; }},
      {"breakout_down", [](const View& m) { return m.p() / lowest(lag(m.p(), 1), m.w) - 1; }},
      {"session_return", [](const View& m) { return m.p() / m.first_of_session(m.p()) - 1; }},
      {"session_gap", [](const View& m) { return m.first_of_session(m.p()) / m.previous_session(m.p()) - 1; }},
      {"previous_close", [](const View& m) { return m.p() / m.previous_session(m.p()) - 1; }},
      {"session_high", [](const View& m) { return m.p() / m.max_of_session(m.p()) - 1; }},
      {"session_low", [](const View& m) { return m.p() / m.min_of_session(m.p()) - 1; }},
      {"level", [](const View& m) { return m.p(); }},
      {"edge", [](const View& m) { return map(m.p(), [](Real x) { return x > 1 ? kNaN : std::min(x, 1 - x); }); }},
      {"binary_sd", [](const View& m) { return m.binary_sd(); }},
      {"binary_move", [](const View& m) { return (m.p() - lag(m.p(), m.w)) / m.binary_sd(); }},
      {"ticks", [](const View& m) { return (m.p() - lag(m.p(), m.w)) / m.self.tick; }},
      // indicators over prices
      {"rsi", [](const View& m) { return m.rsi(wilder(m.gain(), m.w), wilder(m.loss(), m.w)); }},
      {"rsi_simple", [](const View& m) { return m.rsi(sum(m.gain(), m.w), sum(m.loss(), m.w)); }},
      {"macd", [](const View& m) { return m.macd() / m.p(); }},
      {"macd_signal", [](const View& m) { return ema(m.macd(), 9) / m.p(); }},
      {"macd_hist", [](const View& m) { return (m.macd() - ema(m.macd(), 9)) / m.p(); }},
      {"trix", [](const View& m) { return ema(ema(ema(m.r(), m.w), m.w), m.w); }},
      {"bollinger_b",
       [](const View& m) {
         const Series low = mean(m.p(), m.w) - sd(m.p(), m.w) * 2;
         return over(m.p() - low, sd(m.p(), m.w) * 4, 0.5L);
       }},
      {"bollinger_width", [](const View& m) { return sd(m.p(), m.w) * 4 / mean(m.p(), m.w); }},
      {"cci_close", [](const View& m) { return m.cci(m.p(), m.w); }},
      {"atr_close", [](const View& m) { return wilder(abs(m.d()), m.w) / m.p(); }},
      // market quality over prices
      {"reversal_share",
       [](const View& m) { return mean(where(m.r() * lag(m.r(), 1), [](Real x) { return x < 0; }), m.w); }},
      {"inefficiency", [](const View& m) { return abs(var(m.r(5), m.w) / (var(m.r(), m.w) * 5) - 1); }},
      {"roll_spread",
       [](const View& m) {
         const Series bounce = zip(cov(m.d(), lag(m.d(), 1), m.w), var(m.d(), m.w),
                                   [](Real c, Real v) { return -c > 1e-12L * v ? -c : 0; });
         return sqrt(bounce) * 2 / m.p();
       }},
  };
}

std::map<std::string, Formula, std::less<>> bar_formulas() {
  return {
      {"atr", [](const View& m) { return wilder(m.tr(), m.w) / m.self.c; }},
      {"keltner", [](const View& m) { return over(ema_gap(m.self.c, m.w), wilder(m.tr(), m.w) * 2, 0); }},
      {"stoch_k", [](const View& m) { return m.stoch(m.w); }},
      {"stoch_d", [](const View& m) { return mean(m.stoch(m.w), 3); }},
      {"williams_r", [](const View& m) { return m.stoch(m.w) - 100; }},
      {"di_plus", [](const View& m) { return m.di(true, m.w); }},
      {"di_minus", [](const View& m) { return m.di(false, m.w); }},
      {"adx",
       [](const View& m) {
         const Series a = m.di(true, m.w);
         const Series b = m.di(false, m.w);
         return wilder(over(abs(a - b) * 100, a + b, 0), m.w);
       }},
      {"cci", [](const View& m) { return m.cci(m.typical(), m.w); }},
      {"obv",
       [](const View& m) {
         return over(sum(sign(m.self.c - lag(m.self.c, 1)) * m.self.v, m.w),
                     sum(m.self.v, m.w) + lag(m.self.c, m.w) * 0, 0);
       }},
      {"mfi",
       [](const View& m) {
         const Series y = m.typical();
         const Series move = y - lag(y, 1);
         const Series up = sum(y * m.self.v * positive(move - y * 1e-12L), m.w);
         const Series down = sum(y * m.self.v * positive(move * -1 - y * 1e-12L), m.w);
         return m.rsi(up, down);
       }},
      {"cmf",
       [](const View& m) {
         const Series where = over((m.self.c - m.self.l) - (m.self.h - m.self.c), m.self.h - m.self.l, 0);
         return over(sum(where * m.self.v, m.w), sum(m.self.v, m.w), 0);
       }},
      {"vwap_dist",
       [](const View& m) { return m.self.c / (sum(m.typical() * m.self.v, m.w) / sum(m.self.v, m.w)) - 1; }},
      {"session_vwap_dist",
       [](const View& m) {
         return m.self.c / (m.sum_of_session(m.typical() * m.self.v) / m.sum_of_session(m.self.v)) - 1;
       }},
      {"volume_ratio", [](const View& m) { return m.self.v / mean(m.self.v, m.w); }},
      {"volume_z",
       [](const View& m) {
         const Series y = log1p(m.self.v);
         return over(y - mean(y, m.w), sd(y, m.w), 0);
       }},
      {"awesome",
       [](const View& m) {
         const Series y = (m.self.h + m.self.l) / 2;
         return (mean(y, 5) - mean(y, 34)) / m.self.c;
       }},
      {"bar_return", [](const View& m) { return m.lnr(m.self.c, m.self.o); }},
      {"bar_range", [](const View& m) { return (m.self.h - m.self.l) / m.self.c; }},
      {"bar_body", [](const View& m) { return m.of_range(abs(m.self.c - m.self.o), 0); }},
      {"upper_wick", [](const View& m) { return m.of_range(m.self.h - max(m.self.o, m.self.c), 0); }},
      {"lower_wick", [](const View& m) { return m.of_range(min(m.self.o, m.self.c) - m.self.l, 0); }},
      {"close_location", [](const View& m) { return m.of_range(m.self.c - m.self.l, 0.5L); }},
      {"gap", [](const View& m) { return m.self.o / lag(m.self.c, 1) - 1; }},
      {"bar_vwap_dist", [](const View& m) { return m.self.c / m.self.vwap - 1; }},
      {"log_volume", [](const View& m) { return log1p(m.self.v); }},
      {"session_volume", [](const View& m) { return log1p(m.sum_of_session(m.self.v)); }},
      {"session_range",
       [](const View& m) { return (m.max_of_session(m.self.h) - m.min_of_session(m.self.l)) / m.self.c; }},
      {"mean_range", [](const View& m) { return mean((m.self.h - m.self.l) / m.self.c, m.w); }},
      {"range_ratio", [](const View& m) { return (m.self.h - m.self.l) / mean(m.self.h - m.self.l, m.w); }},
      {"body_share", [](const View& m) { return mean(m.of_range(abs(m.self.c - m.self.o), 0), m.w); }},
      {"parkinson",
       [](const View& m) {
         const Series y = m.lnr(m.self.h, m.self.l);
         return sqrt(mean(y * y, m.w) / (4 * std::log(2.0L)));
       }},
      {"garman_klass",
       [](const View& m) {
         const Series hl = m.lnr(m.self.h, m.self.l);
         const Series co = m.lnr(m.self.c, m.self.o);
         const Series y = mean(hl * hl / 2 - co * co * (2 * std::log(2.0L) - 1), m.w);
         return sqrt(map(y, [](Real x) { return std::max(x, Real{0}); }));
       }},
      {"rogers_satchell",
       [](const View& m) {
         const Observed& b = m.self;
         const Series y = mean(m.lnr(b.h, b.c) * m.lnr(b.h, b.o) + m.lnr(b.l, b.c) * m.lnr(b.l, b.o), m.w);
         return sqrt(map(y, [](Real x) { return std::max(x, Real{0}); }));
       }},
      {"volume_corr", [](const View& m) { return corr(m.self.v, abs(m.self.c - lag(m.self.c, 1)), m.w); }},
      {"up_volume",
       [](const View& m) {
         const Series up = positive(m.self.c - lag(m.self.c, 1));
         return over(sum(m.self.v * up, m.w), sum(m.self.v, m.w), 0.5L);
       }},
      {"log_turnover", [](const View& m) { return log1p(sum(m.self.c * m.self.v, m.w)); }},
      {"bar_trade_size", [](const View& m) { return sum(m.self.v, m.w) / sum(m.self.bar_trades, m.w); }},
      {"amihud",
       [](const View& m) {
         const Series impact = over(abs(m.self.c / lag(m.self.c, 1) - 1), m.self.c * m.self.v, 0);
         return sum(impact, m.w) * 1e6L / sum(positive(m.self.v), m.w);
       }},
      {"zero_volume_share", [](const View& m) { return mean(where(m.self.v, [](Real x) { return x == 0; }), m.w); }},
  };
}

std::map<std::string, Formula, std::less<>> flow_formulas() {
  std::map<std::string, Formula, std::less<>> all{
      {"trade_count", [](const View& m) { return log1p(sum(m.self.trades, m.w)); }},
      {"trade_volume", [](const View& m) { return log1p(sum(m.self.traded, m.w)); }},
      {"trade_notional", [](const View& m) { return log1p(sum(m.self.notional, m.w)); }},
      {"buy_ratio",
       [](const View& m) {
         const Series b = sum(m.self.bought, m.w);
         return over(b, b + sum(m.self.sold, m.w), 0.5L);
       }},
      {"buy_count_ratio",
       [](const View& m) {
         const Series b = sum(m.self.buys, m.w);
         return over(b, b + sum(m.self.sells, m.w), 0.5L);
       }},
      {"flow_imbalance", [](const View& m) { return m.flow_imbalance(m.w); }},
      {"flow_trend", [](const View& m) { return m.flow_imbalance(m.w) - m.flow_imbalance(4 * m.w); }},
      {"trade_rate", [](const View& m) { return sum(m.self.trades, m.w) / m.w; }},
      {"trade_momentum", [](const View& m) { return m.traded_price(m.w) / m.traded_price(4 * m.w) - 1; }},
      {"flow_z", [](const View& m) { return over(m.flow() - mean(m.flow(), m.w), sd(m.flow(), m.w), 0); }},
      {"trade_intensity", [](const View& m) { return m.self.trades / mean(m.self.trades, m.w); }},
      {"volume_burst", [](const View& m) { return m.self.traded / mean(m.self.traded, m.w); }},
      {"mean_trade_size", [](const View& m) { return sum(m.self.traded, m.w) / sum(m.self.trades, m.w); }},
      {"largest_trade", [](const View& m) { return log1p(highest(m.self.largest, m.w)); }},
      {"largest_share", [](const View& m) { return over(highest(m.self.largest, m.w), sum(m.self.traded, m.w), 0); }},
      {"trade_vwap_dist",
       [](const View& m) { return m.p() / (sum(m.self.notional, m.w) / sum(m.self.traded, m.w)) - 1; }},
      {"unknown_side_share",
       [](const View& m) {
         return over(sum(m.self.traded - m.self.bought - m.self.sold, m.w), sum(m.self.traded, m.w), 0);
       }},
      {"flow_corr", [](const View& m) { return corr(m.flow(), m.d(), m.w); }},
      {"flow_persistence", [](const View& m) { return corr(m.flow(), lag(m.flow(), 1), m.w); }},
      {"steps_since_trade", [](const View& m) { return since(m.self.trades); }},
      {"kyle_lambda", [](const View& m) { return regress(m.d(), m.flow(), m.w); }},
      {"log_updates", [](const View& m) { return log1p(m.self.updates); }},
      {"update_rate", [](const View& m) { return mean(m.self.updates, m.w); }},
      {"update_burst", [](const View& m) { return m.self.updates / mean(m.self.updates, m.w); }},
      {"quiet_share", [](const View& m) { return mean(where(m.self.updates, [](Real x) { return x == 0; }), m.w); }},
      {"log_age", [](const View& m) { return log1p(m.self.age_s); }},
      // book
      {"spread", [](const View& m) { return m.spread(); }},
      {"relative_spread", [](const View& m) { return m.spread() / m.mid(); }},
      {"spread_ticks", [](const View& m) { return m.spread() / m.self.tick; }},
      {"spread_change", [](const View& m) { return m.spread() - lag(m.spread(), m.w); }},
      {"spread_ratio", [](const View& m) { return m.spread() / mean(m.spread(), m.w); }},
      {"spread_mean", [](const View& m) { return mean(m.spread() / m.mid(), m.w); }},
      {"spread_vol", [](const View& m) { return sd(m.spread() / m.mid(), m.w); }},
      {"mid_dist", [](const View& m) { return m.p() / m.mid() - 1; }},
      {"microprice", [](const View& m) { return m.weighted_mid(1); }},
      {"weighted_mid3", [](const View& m) { return m.weighted_mid(3); }},
      {"weighted_mid5", [](const View& m) { return m.weighted_mid(5); }},
      {"imbalance_mean", [](const View& m) { return mean(m.imbalance(5), m.w); }},
      {"imbalance_change", [](const View& m) { return m.imbalance(5) - lag(m.imbalance(5), m.w); }},
      {"depth_change",
       [](const View& m) {
         const Series d = m.depth(m.self.bid_size, 5) + m.depth(m.self.ask_size, 5);
         return log(d / lag(d, m.w));
       }},
      {"bid_depth5", [](const View& m) { return log1p(m.depth(m.self.bid_size, 5)); }},
      {"ask_depth5", [](const View& m) { return log1p(m.depth(m.self.ask_size, 5)); }},
      {"bid_slope5", [](const View& m) { return (m.self.bid - m.side_price(m.self.bids, 5)) / m.mid(); }},
      {"ask_slope5", [](const View& m) { return (m.side_price(m.self.asks, 5) - m.self.ask) / m.mid(); }},
      {"depth_ratio", [](const View& m) { return m.book_depth() / mean(m.book_depth(), m.w); }},
      {"depth_slope5",
       [](const View& m) {
         return ((m.self.bid - m.side_price(m.self.bids, 5)) + (m.side_price(m.self.asks, 5) - m.self.ask)) / 2 /
                m.mid();
       }},
      {"microprice_change", [](const View& m) { return m.weighted_mid(1) - lag(m.weighted_mid(1), m.w); }},
      // market quality
      {"effective_spread", [](const View& m) { return m.effective_spread(m.w); }},
      {"effective_ratio", [](const View& m) { return m.effective_spread(m.w) / mean(m.tightness(), m.w); }},
      {"round_trip10", [](const View& m) { return m.round_trip(10); }},
      {"round_trip50", [](const View& m) { return m.round_trip(50); }},
      {"round_trip100", [](const View& m) { return m.round_trip(100); }},
      {"impact_growth", [](const View& m) { return m.round_trip(100) - m.round_trip(10); }},
      {"liquidity_score", [](const View& m) { return m.liquidity(); }},
      {"liquidity_rank", [](const View& m) { return rank(m.liquidity(), m.w); }},
      {"spread_z", [](const View& m) { return m.z_of_share(m.tightness(), m.w); }},
      {"spread_regime",
       [](const View& m) {
         return map(rank(m.tightness(), m.w), [](Real x) { return x < 0.25L ? -1.0L : x > 0.75L ? 1.0L : 0.0L; });
       }},
      // derived
      {"flow_depth", [](const View& m) { return m.flow_imbalance(m.w) * m.imbalance(5); }},
      {"flow_pressure", [](const View& m) { return sum(m.flow(), m.w) / m.book_depth(); }},
      {"book_momentum", [](const View& m) { return m.r(m.w) * m.imbalance(5); }},
      {"imbalance_z", [](const View& m) { return m.z_of_share(m.imbalance(5), m.w); }},
      {"quality_momentum", [](const View& m) { return m.by_quality(m.risk_adjusted(m.w)); }},
      {"quality_reversion", [](const View& m) { return m.by_quality(m.z(m.w) * -1); }},
      {"quality_flow", [](const View& m) { return m.by_quality(m.flow_imbalance(m.w)); }},
      {"move_in_spreads", [](const View& m) { return abs(m.d()) / lag(m.spread(), 1); }},
      {"gap_count", [](const View& m) { return sum(m.price_gap(), m.w); }},
      {"steps_since_gap", [](const View& m) { return since(m.price_gap()); }},
      {"liquidity_events", [](const View& m) { return sum(m.liquidity_event(), m.w); }},
      {"steps_since_liquidity_event", [](const View& m) { return since(m.liquidity_event()); }},
      {"spread_events",
       [](const View& m) {
         return sum(zip(m.spread(), lag(mean(m.spread(), m.w), 1),
                        [](Real now, Real usual) { return now > 2 * (1 + 1e-9L) * usual ? 1.0L : 0.0L; }),
                    m.w);
       }},
      {"bid_levels", [](const View& m) { return m.self.bid_levels; }},
      {"ask_levels", [](const View& m) { return m.self.ask_levels; }},
  };
  for (std::size_t level = 1; level <= 5; ++level) {
    all["bid_size" + std::to_string(level)] = [level](const View& m) { return log1p(m.self.bid_size[level - 1]); };
    all["ask_size" + std::to_string(level)] = [level](const View& m) { return log1p(m.self.ask_size[level - 1]); };
  }
  for (const int levels : {1, 3, 5}) {
    all["imbalance" + std::to_string(levels)] = [levels](const View& m) { return m.imbalance(levels); };
  }
  for (const int amount : {10, 50, 100}) {
    all["buy_impact" + std::to_string(amount)] = [amount](const View& m) {
      return m.self.buy_cost.at(amount) / m.mid() - 1;
    };
    all["sell_impact" + std::to_string(amount)] = [amount](const View& m) {
      return 1 - m.self.sell_cost.at(amount) / m.mid();
    };
  }
  return all;
}

Series ret_of(const View& m) { return m.r(m.w); }
Series ret1_of(const View& m) { return m.r(1); }
Series vol_of(const View& m) { return m.vol(m.w); }

std::map<std::string, Formula, std::less<>> clock_formulas() {
  return {
      {"hour_sin", [](const View& m) { return m.clock(turn(m.market.clock().day_fraction, true)); }},
      {"hour_cos", [](const View& m) { return m.clock(turn(m.market.clock().day_fraction, false)); }},
      {"hour", [](const View& m) { return m.clock(m.market.clock().day_fraction * 24); }},
      {"weekend",
       [](const View& m) { return m.clock(where(m.market.clock().weekday, [](Real x) { return x == 5 || x == 6; })); }},
      {"ends_within_day", [](const View& m) { return where(m.self.days_to_end, [](Real x) { return x < 1; }); }},
      {"weekday", [](const View& m) { return m.clock(m.market.clock().weekday); }},
      {"weekday_sin", [](const View& m) { return m.clock(turn(m.market.clock().weekday / 7, true)); }},
      {"weekday_cos", [](const View& m) { return m.clock(turn(m.market.clock().weekday / 7, false)); }},
      {"day_of_month", [](const View& m) { return m.clock(m.market.clock().day); }},
      {"month", [](const View& m) { return m.clock(m.market.clock().month); }},
      {"month_sin", [](const View& m) { return m.clock(turn((m.market.clock().month - 1) / 12, true)); }},
      {"month_cos", [](const View& m) { return m.clock(turn((m.market.clock().month - 1) / 12, false)); }},
      {"minutes_since_open", [](const View& m) { return m.clock(m.market.clock().since_open); }},
      {"minutes_to_close", [](const View& m) { return m.clock(m.market.clock().to_close); }},
      {"session_progress", [](const View& m) { return m.clock(m.market.clock().progress); }},
      {"half_day", [](const View& m) { return m.clock(m.market.clock().half_day); }},
      {"days_since_session", [](const View& m) { return m.clock(m.market.clock().since_session); }},
      {"days_to_end", [](const View& m) { return m.self.days_to_end; }},
      {"log_days_to_end", [](const View& m) { return log1p(m.self.days_to_end); }},
      {"days_since_update", [](const View& m) { return m.self.age_s / 86400; }},
      {"steps_since_update", [](const View& m) { return m.self.quiet; }},
      // context
      {"ctx_ret", [](const View& m) { return m.ctx(ret_of); }},
      {"ctx_vol", [](const View& m) { return m.ctx(vol_of); }},
      {"ctx_z", [](const View& m) { return m.ctx([](const View& other) { return other.z(other.w); }); }},
      {"excess_ret", [](const View& m) { return m.r(m.w) - m.ctx(ret_of); }},
      {"beta", [](const View& m) { return regress(m.r(), m.ctx(ret1_of), m.w); }},
      {"ctx_corr", [](const View& m) { return corr(m.r(), m.ctx(ret1_of), m.w); }},
      {"idio_vol",
       [](const View& m) {
         const Series c = corr(m.r(), m.ctx(ret1_of), m.w);
         return m.vol(m.w) * sqrt(map(1 - c * c, [](Real x) { return x < 1e-9L ? 0 : x; }));
       }},
      {"market_ret", [](const View& m) { return m.all_mean(ret_of); }},
      {"relative_ret", [](const View& m) { return m.r(m.w) - m.all_mean(ret_of); }},
      {"cross_z", [](const View& m) { return over(m.r(m.w) - m.all_mean(ret_of), m.all_sd(ret_of), 0); }},
      {"rank_ret", [](const View& m) { return m.all_rank(ret_of); }},
      {"rank_vol", [](const View& m) { return m.all_rank(vol_of); }},
      {"dispersion", [](const View& m) { return m.all_sd(ret_of); }},
      {"breadth",
       [](const View& m) { return m.all_mean([](const View& other) { return positive(other.r(other.w)); }); }},
      {"market_corr", [](const View& m) { return corr(m.r(), m.all_mean(ret1_of), m.w); }},
      {"market_beta", [](const View& m) { return regress(m.r(), m.all_mean(ret1_of), m.w); }},
  };
}

}  // namespace

PlainMarket::PlainMarket(const Tape& tape) : all_(tape.instruments.size()) {
  std::vector<char> had_bar(all_.size());
  std::vector<char> had_trade(all_.size());
  std::vector<Real> quiet(all_.size());
  MarketState market;
  const InstrumentState never;
  for (std::size_t t = 0; t < tape.at.size(); ++t) {
    std::vector<TradeCosts> costs(all_.size());
    for (const Event& event : tape.events[t]) {
      const std::size_t i = index(event.instrument);
      if (const auto* trade = std::get_if<Trade>(&event.what))
        add_trade(costs[i], *trade, i < market.size() ? market[event.instrument] : never);
      (void)market.apply(event);
    }
    note_clock(clock_, *tape.calendar, tape.at[t]);
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const auto id = static_cast<InstrumentId>(i);
      bool bar = had_bar[i];
      bool trade = had_trade[i];
      note(all_[i], i < market.size() ? market[id] : never, *tape.calendar, tape.instruments[id], tape.at[t], costs[i],
           bar, trade, quiet[i]);
      had_bar[i] = bar;
      had_trade[i] = trade;
    }
    market.end_step();
  }
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const Instrument& instrument = tape.instruments[static_cast<InstrumentId>(i)];
    all_[i].context = instrument.context;
    all_[i].tick = value(instrument.tick_size);
  }
  const bool daily = tape.step >= Duration::days(1);
  const Real open_seconds = daily || tape.calendar->always_open() ? 86'400 : 390 * 60;
  clock_.steps_per_year = tape.calendar->sessions_per_year() * open_seconds / tape.step.as_seconds();
}

Series PlainMarket::feature(std::string_view stem, int window, std::size_t instrument) const {
  for (const auto& formulas : {price_formulas(), bar_formulas(), flow_formulas(), clock_formulas()}) {
    if (const auto at = formulas.find(stem); at != formulas.end()) {
      // Nothing is known of an instrument without a price, not even what it was before.
      return at->second(View{*this, all_[instrument], window}) + all_[instrument].p * 0;
    }
  }
  EL_ASSERT(false, "a family without a plain reference");
}

}  // namespace everlearn::testing
