// Families over bars, and the indicators that need only prices.
#include <cmath>

#include "feature/family.hpp"
#include "feature/formula.hpp"

namespace everlearn {
namespace {

// ema_12 - ema_26 as a difference of deviations: nothing cancels at high price levels.
Expr macd_line(Graph& g) { return exponential_deviation(price(g), 26) - exponential_deviation(price(g), 12); }

Expr directional(Graph& g, int window, bool up) {
  const BarExprs bar{g};
  const Expr rise = change(bar.high);
  const Expr fall = -change(bar.low);
  const Expr move = up ? rise : fall;
  const Expr other = up ? fall : rise;
  const Expr zero = constant(g, 0);
  const Expr counted = choose(greater(move, other), larger(move, zero), zero);
  return ratio_or(wilder(counted, window) * 100.0, wilder(bar.true_range(), window), 0);
}

Expr adx(Graph& g, int window) {
  const Expr plus = directional(g, window, true);
  const Expr minus = directional(g, window, false);
  return wilder(ratio_or(absolute(plus - minus) * 100.0, plus + minus, 0), window);
}

Expr stochastic(Graph& g, int window) {
  const BarExprs bar{g};
  const Expr bottom = lowest(bar.low, window);
  return ratio_or((bar.close - bottom) * 100.0, highest(bar.high, window) - bottom, 50);
}

Expr cci(Expr x, int window) { return ratio_or(deviation(x, window), mean_abs_deviation(x, window) * 0.015, 0); }

Expr money_flow_index(Graph& g, int window) {
  const BarExprs bar{g};
  const Expr typical = bar.typical();
  const Expr flow = typical * bar.volume;
  // The mean of three prices is rounded: a move of its last digit is none.
  const Expr least = typical * 1e-12;
  const Expr up = sum(flow * greater(change(typical), least), window);
  const Expr down = sum(flow * greater(-change(typical), least), window);
  return ratio_or(up * 100.0, up + down, 50);
}

Expr close_location_value(const BarExprs& bar) {
  return ratio_or((bar.close - bar.low) - (bar.high - bar.close), bar.range(), 0);
}

// c - vwap = (c - typical) + (typical - mean) - cov(typical, v) / mean(v): small numbers only, at any price level.
Expr vwap_distance(Graph& g, int window) {
  const BarExprs bar{g};
  const Expr typical = bar.typical();
  const Expr gap = (bar.close - typical) + deviation(typical, window) -
                   covariance(typical, bar.volume, window) / mean(bar.volume, window);
  return gap / (bar.close - gap);
}

Expr session_vwap_distance(Graph& g) {
  const BarExprs bar{g};
  const Expr typical = bar.typical();
  const Expr first = session(Op::SessionFirst, typical);
  const Expr gap = (bar.close - first) -
                   session(Op::SessionSum, (typical - first) * bar.volume) / session(Op::SessionSum, bar.volume);
  return gap / (bar.close - gap);
}

Expr log_ratio(Expr a, Expr b) { return log_1p((a - b) / b); }

Expr parkinson(Graph& g, int window) {
  const BarExprs bar{g};
  return square_root(mean(square(log_ratio(bar.high, bar.low)), window) / (4 * std::log(2.0)));
}

Expr garman_klass(Graph& g, int window) {
  const BarExprs bar{g};
  const Expr daily =
      square(log_ratio(bar.high, bar.low)) * 0.5 - square(log_ratio(bar.close, bar.open)) * (2 * std::log(2.0) - 1);
  return square_root(larger(mean(daily, window), constant(g, 0)));
}

Expr rogers_satchell(Graph& g, int window) {
  const BarExprs bar{g};
  const Expr daily = log_ratio(bar.high, bar.close) * log_ratio(bar.high, bar.open) +
                     log_ratio(bar.low, bar.close) * log_ratio(bar.low, bar.open);
  return square_root(larger(mean(daily, window), constant(g, 0)));
}

Expr part_of_range(Graph& g, Expr part, double where_flat) { return ratio_or(part, BarExprs{g}.range(), where_flat); }

}  // namespace

std::vector<Family> indicator_families() {
  return {
      {.stem = "rsi",
       .formula = "100 G / (G + L), G and L = wilder_{W} of rises and falls of p; 50 where both are 0",
       .unit = "0..100",
       .source = "price",
       .build = [](Graph& g, int w) { return rsi(g, w); },
       .steps = {7, 14, 21, 60},
       .least = 2,
       .reference = "Wilder (1978)"},
      {.stem = "rsi_simple",
       .formula = "100 G / (G + L), G and L = sum_{W} of rises and falls of p; 50 where both are 0",
       .unit = "0..100",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr move = change(price(g));
             const Expr up = sum(larger(move, constant(g, 0)), w);
             return ratio_or(up * 100.0, sum(absolute(move), w), 50);
           },
       .steps = {14, 60, 120},
       .least = 2,
       .reference = "Cutler"},
      {.stem = "macd",
       .formula = "(ema_12(p) - ema_26(p)) / p",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int) { return macd_line(g) / price(g); },
       .reference = "Appel (1979)"},
      {.stem = "macd_signal",
       .formula = "ema_9(ema_12(p) - ema_26(p)) / p",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int) { return exponential(macd_line(g), 9) / price(g); },
       .reference = "Appel (1979)"},
      {.stem = "macd_hist",
       .formula = "macd - macd_signal",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int) { return exponential_deviation(macd_line(g), 9) / price(g); },
       .reference = "Appel (1979)"},
      {.stem = "trix",
       .formula = "ema_{W}(ema_{W}(ema_{W}(r)))",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return exponential(exponential(exponential(log_return(g, 1), w), w), w); },
       .steps = {5, 15, 30},
       .least = 2,
       .most = 1600,
       .reference = "Hutson (1983), on log prices"},
      {.stem = "bollinger_b",
       .formula = "(p - (mean_{W}(p) - 2 std_{W}(p))) / (4 std_{W}(p)); 0.5 where flat",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return z_score(g, w) / 4.0 + 0.5; },
       .steps = {10, 20, 60, 120},
       .least = 2,
       .reference = "Bollinger (2001)"},
      {.stem = "bollinger_width",
       .formula = "4 std_{W}(p) / mean_{W}(p)",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return standard_deviation(price(g), w) * 4.0 / mean(price(g), w); },
       .steps = {10, 20, 60, 120},
       .least = 2,
       .reference = "Bollinger (2001)"},
      {.stem = "cci_close",
       .formula = "(p - mean_{W}(p)) / (0.015 mad_{W}(p)); 0 where flat",
       .unit = "index",
       .source = "price",
       .build = [](Graph& g, int w) { return cci(price(g), w); },
       .steps = {20, 60},
       .least = 2,
       .most = 250,
       .reference = "Lambert (1980), on prices"},
      {.stem = "atr_close",
       .formula = "wilder_{W}(|p - p[1]|) / p",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return wilder(absolute(change(price(g))), w) / price(g); },
       .steps = {7, 14, 21, 60},
       .least = 2,
       .reference = "Wilder (1978), on prices"},
      {.stem = "atr",
       .formula = "wilder_{W}(max(h - l, |h - c[1]|, |l - c[1]|)) / c",
       .unit = "ratio",
       .source = "bar",
       .build =
           [](Graph& g, int w) {
             const BarExprs bar{g};
             return wilder(bar.true_range(), w) / bar.close;
           },
       .steps = {7, 14, 21, 60},
       .least = 2,
       .reference = "Wilder (1978)"},
      {.stem = "keltner",
       .formula = "(c - ema_{W}(c)) / (2 wilder_{W}(true range)); 0 where flat",
       .unit = "ratio",
       .source = "bar",
       .build =
           [](Graph& g, int w) {
             const BarExprs bar{g};
             return ratio_or(exponential_deviation(bar.close, w), wilder(bar.true_range(), w) * 2.0, 0);
           },
       .steps = {20, 60},
       .least = 2,
       .reference = "Keltner (1960), Raschke's form"},
      {.stem = "stoch_k",
       .formula = "100 (c - min_{W}(l)) / (max_{W}(h) - min_{W}(l)); 50 where flat",
       .unit = "0..100",
       .source = "bar",
       .build = [](Graph& g, int w) { return stochastic(g, w); },
       .steps = {14, 60, 120},
       .reference = "Lane (1984)"},
      {.stem = "stoch_d",
       .formula = "mean_3(stoch_k_{W})",
       .unit = "0..100",
       .source = "bar",
       .build = [](Graph& g, int w) { return mean(stochastic(g, w), 3); },
       .steps = {14, 60, 120},
       .reference = "Lane (1984)"},
      {.stem = "williams_r",
       .formula = "stoch_k_{W} - 100",
       .unit = "-100..0",
       .source = "bar",
       .build = [](Graph& g, int w) { return stochastic(g, w) - 100.0; },
       .steps = {14, 60},
       .reference = "Williams (1973)"},
      {.stem = "di_plus",
       .formula = "100 wilder_{W}(+DM) / wilder_{W}(true range); +DM = h - h[1] where above 0 and "
                  "above l[1] - l, else 0",
       .unit = "0..100",
       .source = "bar",
       .build = [](Graph& g, int w) { return directional(g, w, true); },
       .steps = {14, 60},
       .least = 2,
       .reference = "Wilder (1978)"},
      {.stem = "di_minus",
       .formula = "100 wilder_{W}(-DM) / wilder_{W}(true range); -DM = l[1] - l where above 0 and "
                  "above h - h[1], else 0",
       .unit = "0..100",
       .source = "bar",
       .build = [](Graph& g, int w) { return directional(g, w, false); },
       .steps = {14, 60},
       .least = 2,
       .reference = "Wilder (1978)"},
      {.stem = "adx",
       .formula = "wilder_{W}(100 |di_plus_{W} - di_minus_{W}| / (di_plus_{W} + di_minus_{W}))",
       .unit = "0..100",
       .source = "bar",
       .build = [](Graph& g, int w) { return adx(g, w); },
       .steps = {14, 60},
       .least = 2,
       .most = 2500,
       .reference = "Wilder (1978)"},
      {.stem = "cci",
       .formula = "(y - mean_{W}(y)) / (0.015 mad_{W}(y)), y = (h + l + c) / 3; 0 where flat",
       .unit = "index",
       .source = "bar",
       .build = [](Graph& g, int w) { return cci(BarExprs{g}.typical(), w); },
       .steps = {20, 60},
       .least = 2,
       .most = 250,
       .reference = "Lambert (1980)"},
      {.stem = "obv",
       .formula = "sum_{W}(sign(c - c[1]) v) / sum_{W}(v)",
       .unit = "ratio",
       .source = "bar",
       .build =
           [](Graph& g, int w) {
             const BarExprs bar{g};
             return ratio_or(sum(sign(change(bar.close)) * bar.volume, w), sum(bar.volume, w), 0);
           },
       .steps = {5, 20, 60, 120},
       .reference = "Granville (1963): secant slope of on-balance volume"},
      {.stem = "mfi",
       .formula = "100 U / (U + D), U and D = sum_{W} of y v where y = (h + l + c) / 3 rose or fell; 50 "
                  "where both are 0",
       .unit = "0..100",
       .source = "bar",
       .build = [](Graph& g, int w) { return money_flow_index(g, w); },
       .steps = {14, 60},
       .reference = "Quong and Soudack (1989)"},
      {.stem = "cmf",
       .formula = "sum_{W}(v ((c - l) - (h - c)) / (h - l)) / sum_{W}(v)",
       .unit = "ratio",
       .source = "bar",
       .build =
           [](Graph& g, int w) {
             const BarExprs bar{g};
             return ratio_or(sum(close_location_value(bar) * bar.volume, w), sum(bar.volume, w), 0);
           },
       .steps = {20, 60},
       .reference = "Chaikin"},
      {.stem = "vwap_dist",
       .formula = "c / vwap_{W} - 1, vwap = sum_{W}(y v) / sum_{W}(v), y = (h + l + c) / 3",
       .unit = "ratio",
       .source = "bar",
       .build = [](Graph& g, int w) { return vwap_distance(g, w); },
       .steps = {5, 20, 60, 120},
       .least = 2},
      {.stem = "session_vwap_dist",
       .formula = "c / vwap since the open - 1",
       .unit = "ratio",
       .source = "bar, clock",
       .build = [](Graph& g, int) { return session_vwap_distance(g); }},
      {.stem = "volume_ratio",
       .formula = "v / mean_{W}(v)",
       .unit = "ratio",
       .source = "bar",
       .build =
           [](Graph& g, int w) {
             const Expr v = BarExprs{g}.volume;
             return v / mean(v, w);
           },
       .steps = {5, 20, 60, 120},
       .least = 2},
      {.stem = "volume_z",
       .formula = "(ln(1 + v) - mean_{W}) / std_{W} of ln(1 + v); 0 where flat",
       .unit = "standard deviations",
       .source = "bar",
       .build =
           [](Graph& g, int w) {
             const Expr v = log_1p(BarExprs{g}.volume);
             return ratio_or(deviation(v, w), standard_deviation(v, w), 0);
           },
       .steps = {20, 60, 120},
       .least = 2},
      {.stem = "awesome",
       .formula = "(mean_5(m) - mean_34(m)) / c, m = (h + l) / 2",
       .unit = "ratio",
       .source = "bar",
       .build =
           [](Graph& g, int) {
             const BarExprs bar{g};
             const Expr middle = (bar.high + bar.low) / 2.0;
             return (deviation(middle, 34) - deviation(middle, 5)) / bar.close;
           },
       .reference = "Williams (1995)"},
  };
}

std::vector<Family> bar_families() {
  return {
      {.stem = "bar_return",
       .formula = "ln(c / o)",
       .unit = "log return",
       .source = "bar",
       .build = [](Graph& g, int) { return log_ratio(BarExprs{g}.close, BarExprs{g}.open); }},
      {.stem = "bar_range",
       .formula = "(h - l) / c",
       .unit = "ratio",
       .source = "bar",
       .build = [](Graph& g, int) { return BarExprs{g}.range() / BarExprs{g}.close; }},
      {.stem = "bar_body",
       .formula = "|c - o| / (h - l); 0 where flat",
       .unit = "share",
       .source = "bar",
       .build = [](Graph& g, int) { return part_of_range(g, absolute(BarExprs{g}.close - BarExprs{g}.open), 0); }},
      {.stem = "upper_wick",
       .formula = "(h - max(o, c)) / (h - l); 0 where flat",
       .unit = "share",
       .source = "bar",
       .build =
           [](Graph& g, int) {
             const BarExprs bar{g};
             return part_of_range(g, bar.high - larger(bar.open, bar.close), 0);
           }},
      {.stem = "lower_wick",
       .formula = "(min(o, c) - l) / (h - l); 0 where flat",
       .unit = "share",
       .source = "bar",
       .build =
           [](Graph& g, int) {
             const BarExprs bar{g};
             return part_of_range(g, smaller(bar.open, bar.close) - bar.low, 0);
           }},
      {.stem = "close_location",
       .formula = "(c - l) / (h - l); 0.5 where flat",
       .unit = "share",
       .source = "bar",
       .build = [](Graph& g, int) { return part_of_range(g, BarExprs{g}.close - BarExprs{g}.low, 0.5); }},
      {.stem = "gap",
       .formula = "o / c[1] - 1",
       .unit = "ratio",
       .source = "bar",
       .build =
           [](Graph& g, int) {
             const Expr before = lag(BarExprs{g}.close, 1);
             return (BarExprs{g}.open - before) / before;
           }},
      {.stem = "bar_vwap_dist",
       .formula = "c / (vwap of the bar) - 1; 0 where the source gives none",
       .unit = "ratio",
       .source = "bar",
       .build =
           [](Graph& g, int) {
             const Expr vwap = input(g, Input::BarVwap);
             return (BarExprs{g}.close - vwap) / vwap;
           }},
      {.stem = "log_volume",
       .formula = "ln(1 + v)",
       .unit = "log units",
       .source = "bar",
       .build = [](Graph& g, int) { return log_1p(BarExprs{g}.volume); }},
      {.stem = "session_volume",
       .formula = "ln(1 + volume since the open)",
       .unit = "log units",
       .source = "bar, clock",
       .build = [](Graph& g, int) { return log_1p(session(Op::SessionSum, BarExprs{g}.volume)); }},
      {.stem = "session_range",
       .formula = "(highest h - lowest l) since the open / c",
       .unit = "ratio",
       .source = "bar, clock",
       .build =
           [](Graph& g, int) {
             const BarExprs bar{g};
             return (session(Op::SessionMax, bar.high) - session(Op::SessionMin, bar.low)) / bar.close;
           }},
      {.stem = "mean_range",
       .formula = "mean_{W}((h - l) / c)",
       .unit = "ratio",
       .source = "bar",
       .build = [](Graph& g, int w) { return mean(BarExprs{g}.range() / BarExprs{g}.close, w); },
       .steps = {5, 20, 60, 120}},
      {.stem = "range_ratio",
       .formula = "(h - l) / mean_{W}(h - l)",
       .unit = "ratio",
       .source = "bar",
       .build = [](Graph& g, int w) { return BarExprs{g}.range() / mean(BarExprs{g}.range(), w); },
       .steps = {5, 20, 60, 120},
       .least = 2},
      {.stem = "body_share",
       .formula = "mean_{W}(|c - o| / (h - l)), 0 for a flat bar",
       .unit = "share",
       .source = "bar",
       .build = [](Graph& g,
                   int w) { return mean(part_of_range(g, absolute(BarExprs{g}.close - BarExprs{g}.open), 0), w); },
       .steps = {5, 20, 60}},
      {.stem = "parkinson",
       .formula = "sqrt(mean_{W}(ln(h / l)^2) / (4 ln 2))",
       .unit = "log return",
       .source = "bar",
       .build = [](Graph& g, int w) { return parkinson(g, w); },
       .steps = {5, 20, 60, 120},
       .reference = "Parkinson (1980)"},
      {.stem = "garman_klass",
       .formula = "sqrt(mean_{W}(ln(h / l)^2 / 2 - (2 ln 2 - 1) ln(c / o)^2))",
       .unit = "log return",
       .source = "bar",
       .build = [](Graph& g, int w) { return garman_klass(g, w); },
       .steps = {5, 20, 60, 120},
       .reference = "Garman and Klass (1980)"},
      {.stem = "rogers_satchell",
       .formula = "sqrt(mean_{W}(ln(h / c) ln(h / o) + ln(l / c) ln(l / o)))",
       .unit = "log return",
       .source = "bar",
       .build = [](Graph& g, int w) { return rogers_satchell(g, w); },
       .steps = {5, 20, 60, 120},
       .reference = "Rogers and Satchell (1991)"},
      {.stem = "volume_corr",
       .formula = "corr_{W}(v, |c - c[1]|)",
       .unit = "ratio",
       .source = "bar",
       .build = [](Graph& g, int w) { return correlation(BarExprs{g}.volume, absolute(change(BarExprs{g}.close)), w); },
       .steps = {20, 60, 120},
       .least = 5,
       .reference = "Karpoff (1987)"},
      {.stem = "up_volume",
       .formula = "sum_{W}(v where c > c[1]) / sum_{W}(v); 0.5 without volume",
       .unit = "share",
       .source = "bar",
       .build =
           [](Graph& g, int w) {
             const BarExprs bar{g};
             const Expr rising = greater(change(bar.close), constant(g, 0));
             return ratio_or(sum(bar.volume * rising, w), sum(bar.volume, w), 0.5);
           },
       .steps = {5, 20, 60, 120}},
      {.stem = "log_turnover",
       .formula = "ln(1 + sum_{W}(c v))",
       .unit = "log account currency",
       .source = "bar",
       .build = [](Graph& g, int w) { return log_1p(sum(BarExprs{g}.close * BarExprs{g}.volume, w)); },
       .steps = {5, 20, 60}},
      {.stem = "bar_trade_size",
       .formula = "sum_{W}(v) / sum_{W}(trades)",
       .unit = "units",
       .source = "bar",
       .build = [](Graph& g, int w) { return sum(BarExprs{g}.volume, w) / sum(input(g, Input::BarTrades), w); },
       .steps = {5, 20, 60}},
  };
}

}  // namespace everlearn
