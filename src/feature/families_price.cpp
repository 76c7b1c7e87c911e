// Families over the price alone: time series, regime, derived.
#include <cmath>
#include <limits>

#include "feature/family.hpp"
#include "feature/formula.hpp"

namespace everlearn {
namespace {

constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

/// The listed windows from `least` on.
std::vector<int> from(int least) {
  std::vector<int> windows;
  for (int w : kStepGrid) {
    if (w >= least) windows.push_back(w);
  }
  return windows;
}

Expr log_odds(Graph& g) {
  const Expr p = price(g);
  return natural_log(p / (1.0 - p));
}

/// Slope of ln Var(r_k) against ln k for k = 1, 2, .. 32, halved. Weights: least squares on j = 0..5.
Expr hurst(Graph& g, int window) {
  Expr slope = constant(g, 0);
  for (int j = 0; j <= 5; ++j) {
    slope = slope + natural_log(variance(log_return(g, 1 << j), window)) * ((j - 2.5) / 17.5);
  }
  return slope / (2 * std::log(2.0));
}

Expr momentum_agreement(Graph& g) {
  Expr total = constant(g, 0);
  for (int w : {1, 5, 20, 60}) total = total + sign(log_return(g, w));
  return total / 4.0;
}

/// Moves of more than four standard deviations of the returns of the window before.
Expr jump(Graph& g, int window) { return greater(absolute(log_return(g, 1)), lag(volatility(g, window), 1) * 4.0); }

Expr binary_deviation(Graph& g) {
  const Expr p = price(g);
  return square_root(p * (1.0 - p));
}

Expr edge(Graph& g) {
  const Expr p = price(g);
  return choose(greater(p, constant(g, 1)), constant(g, kUnknown), smaller(p, 1.0 - p));
}

Expr asymmetry(Graph& g, int window) {
  const Expr up = semi_volatility(g, window, true);
  const Expr down = semi_volatility(g, window, false);
  return ratio_or(up - down, up + down, 0);
}

Expr volatility_rank(Graph& g, int window) { return rank(volatility(g, 20), window); }

Expr volatility_regime(Graph& g, int window) {
  const Expr where = volatility_rank(g, window);
  return greater(where, constant(g, 0.75)) - greater(constant(g, 0.25), where);
}

Expr slope(Graph& g, int window) { return regression_slope(price(g), run(price(g)), window) / price(g); }

}  // namespace

std::vector<Family> time_series_families() {
  return {
      {.stem = "ret",
       .formula = "ln(p / p[{W}])",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return log_return(g, w); },
       .steps = from(1)},
      {.stem = "mom",
       .formula = "p / p[{W}] - 1",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return relative_change(price(g), w); },
       .steps = from(1)},
      {.stem = "diff",
       .formula = "p - p[{W}]",
       .unit = "price",
       .source = "price",
       .build = [](Graph& g, int w) { return price(g) - lag(price(g), w); },
       .steps = from(1)},
      {.stem = "logit",
       .formula = "ln(p / (1 - p)) - ln(p[{W}] / (1 - p[{W}])); unknown outside (0, 1)",
       .unit = "log odds",
       .source = "price",
       .build = [](Graph& g, int w) { return log_odds(g) - lag(log_odds(g), w); },
       .steps = from(1)},
      {.stem = "lag_ret",
       .formula = "r[{W}]",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return lag(log_return(g, 1), w); },
       .steps = {1, 2, 3, 5, 10}},
      {.stem = "accel",
       .formula = "ln(p / p[{W}]) - ln(p[{W}] / p[2 {W}])",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return log_return(g, w) - lag(log_return(g, w), w); },
       .steps = from(1),
       .most = 2500},
      {.stem = "vol",
       .formula = "std_{W}(r)",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return volatility(g, w); },
       .steps = from(2),
       .least = 2},
      {.stem = "vol_ann",
       .formula = "std_{W}(r) sqrt(steps per year)",
       .unit = "1/sqrt(year)",
       .source = "price",
       .build = [](Graph& g, int w) { return volatility(g, w) * square_root(input(g, Input::StepsPerYear)); },
       .steps = from(5),
       .least = 2},
      {.stem = "rv",
       .formula = "sqrt(sum_{W}(r^2))",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return square_root(sum(square(log_return(g, 1)), w)); },
       .steps = from(2),
       .reference = "Andersen, Bollerslev, Diebold, Labys (2003)"},
      {.stem = "semivol_up",
       .formula = "sqrt(mean_{W}(max(r, 0)^2))",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return semi_volatility(g, w, true); },
       .steps = from(5),
       .reference = "Barndorff-Nielsen, Kinnebrock, Shephard (2010)"},
      {.stem = "semivol_down",
       .formula = "sqrt(mean_{W}(min(r, 0)^2))",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return semi_volatility(g, w, false); },
       .steps = from(5),
       .reference = "Barndorff-Nielsen, Kinnebrock, Shephard (2010)"},
      {.stem = "mean_abs_ret",
       .formula = "mean_{W}(|r|)",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return mean(absolute(log_return(g, 1)), w); },
       .steps = from(5)},
      {.stem = "max_abs_ret",
       .formula = "max_{W}(|r|)",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return highest(absolute(log_return(g, 1)), w); },
       .steps = from(5)},
      {.stem = "max_ret",
       .formula = "max_{W}(r)",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return highest(log_return(g, 1), w); },
       .steps = from(5),
       .reference = "Bali, Cakici, Whitelaw (2011)"},
      {.stem = "min_ret",
       .formula = "min_{W}(r)",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return lowest(log_return(g, 1), w); },
       .steps = from(5)},
      {.stem = "vol_of_vol",
       .formula = "std_{W}(|r|) / mean_{W}(|r|)",
       .unit = "ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr size = absolute(log_return(g, 1));
             return standard_deviation(size, w) / mean(size, w);
           },
       .steps = from(10),
       .least = 2},
      {.stem = "skew",
       .formula = "mean_{W}((r - mean)^3) / std_{W}(r)^3",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return skewness(log_return(g, 1), w); },
       .steps = from(20),
       .least = 4},
      {.stem = "kurt",
       .formula = "mean_{W}((r - mean)^4) / std_{W}(r)^4 - 3",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return excess_kurtosis(log_return(g, 1), w); },
       .steps = from(20),
       .least = 4},
      {.stem = "acf1",
       .formula = "corr_{W}(r, r[1])",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return autocorrelation(log_return(g, 1), 1, w); },
       .steps = from(20),
       .least = 5},
      {.stem = "acf2",
       .formula = "corr_{W}(r, r[2])",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return autocorrelation(log_return(g, 1), 2, w); },
       .steps = from(20),
       .least = 5},
      {.stem = "acf5",
       .formula = "corr_{W}(r, r[5])",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return autocorrelation(log_return(g, 1), 5, w); },
       .steps = from(20),
       .least = 5},
      {.stem = "acf_abs1",
       .formula = "corr_{W}(|r|, |r[1]|)",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return autocorrelation(absolute(log_return(g, 1)), 1, w); },
       .steps = from(20),
       .least = 5,
       .reference = "Ding, Granger, Engle (1993)"},
      {.stem = "hurst",
       .formula = "half the least-squares slope of ln Var_{W}(r_k) on ln k, k = 1, 2, 4, 8, 16, 32",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return hurst(g, w); },
       .steps = from(60),
       .least = 40,
       .reference = "structure function of order 2 (generalised Hurst exponent): Di Matteo (2007)"},
      {.stem = "variance_ratio2",
       .formula = "Var_{W}(r_2) / (2 Var_{W}(r))",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return variance_ratio(g, 2, w); },
       .steps = from(20),
       .least = 5,
       .reference = "Lo and MacKinlay (1988)"},
      {.stem = "variance_ratio5",
       .formula = "Var_{W}(r_5) / (5 Var_{W}(r))",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return variance_ratio(g, 5, w); },
       .steps = from(20),
       .least = 10,
       .reference = "Lo and MacKinlay (1988)"},
      {.stem = "drawdown",
       .formula = "p / max_{W}(p) - 1",
       .unit = "ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr top = highest(price(g), w);
             return (price(g) - top) / top;
           },
       .steps = from(5),
       .least = 2},
      {.stem = "above_low",
       .formula = "p / min_{W}(p) - 1",
       .unit = "ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr bottom = lowest(price(g), w);
             return (price(g) - bottom) / bottom;
           },
       .steps = from(5),
       .least = 2},
      {.stem = "range_position",
       .formula = "(p - min_{W}(p)) / (max_{W}(p) - min_{W}(p)); 0.5 where flat",
       .unit = "ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr bottom = lowest(price(g), w);
             return ratio_or(price(g) - bottom, highest(price(g), w) - bottom, 0.5);
           },
       .steps = from(5),
       .least = 2,
       .reference = "%K of Lane (1984), on prices"},
      {.stem = "range_width",
       .formula = "(max_{W}(p) - min_{W}(p)) / p",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return (highest(price(g), w) - lowest(price(g), w)) / price(g); },
       .steps = from(5),
       .least = 2},
      {.stem = "up_share",
       .formula = "share of r > 0 in {W} steps",
       .unit = "share",
       .source = "price",
       .build = [](Graph& g, int w) { return share_where(greater(change(price(g)), constant(g, 0)), w); },
       .steps = from(5)},
      {.stem = "flat_share",
       .formula = "share of r = 0 in {W} steps",
       .unit = "share",
       .source = "price",
       .build = [](Graph& g, int w) { return 1.0 - share_where(absolute(sign(change(price(g)))), w); },
       .steps = from(5)},
      {.stem = "efficiency",
       .formula = "|p - p[{W}]| / sum_{W}(|p - p[1]|); 0 where nothing moved",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return efficiency(g, w); },
       .steps = from(5),
       .least = 2,
       .reference = "Kaufman (1995)"},
      {.stem = "z",
       .formula = "(p - mean_{W}(p)) / std_{W}(p); 0 where flat",
       .unit = "standard deviations",
       .source = "price",
       .build = [](Graph& g, int w) { return z_score(g, w); },
       .steps = from(5),
       .least = 2},
      {.stem = "sma_ratio",
       .formula = "p / mean_{W}(p) - 1",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return deviation(price(g), w) / mean(price(g), w); },
       .steps = from(2),
       .least = 2},
      {.stem = "ema_ratio",
       .formula = "p / ema_{W}(p) - 1",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return exponential_deviation(price(g), w) / exponential(price(g), w); },
       .steps = from(2),
       .least = 2},
      {.stem = "tstat",
       .formula = "mean_{W}(r) / std_{W}(r); 0 where flat",
       .unit = "ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr r = log_return(g, 1);
             return ratio_or(mean(r, w), standard_deviation(r, w), 0);
           },
       .steps = from(5),
       .least = 2,
       .reference = "information ratio per step"},
      {.stem = "slope",
       .formula = "least-squares slope of p on the step number over {W} steps, / p",
       .unit = "ratio per step",
       .source = "price",
       .build = [](Graph& g, int w) { return slope(g, w); },
       .steps = from(5),
       .least = 2},
      {.stem = "price_rank",
       .formula = "share of up to 64 evenly spaced earlier prices of {W} below p, ties half",
       .unit = "share",
       .source = "price",
       .build = [](Graph& g, int w) { return rank(price(g), w); },
       .steps = from(20),
       .least = 2},
  };
}

std::vector<Family> regime_families() {
  return {
      {.stem = "vol_ratio5",
       .formula = "std_5(r) / std_{W}(r)",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return volatility(g, 5) / volatility(g, w); },
       .steps = from(20),
       .least = 6},
      {.stem = "vol_ratio20",
       .formula = "std_20(r) / std_{W}(r)",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return volatility(g, 20) / volatility(g, w); },
       .steps = from(60),
       .least = 21},
      {.stem = "vol_trend",
       .formula = "ln(std_{W}(r) / std_{W}(r)[{W}])",
       .unit = "log ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr v = volatility(g, w);
             return natural_log(v / lag(v, w));
           },
       .steps = from(5),
       .least = 2,
       .most = 2500},
      {.stem = "vol_rank",
       .formula = "share of up to 64 evenly spaced earlier std_20(r) of {W} below the present one",
       .unit = "share",
       .source = "price",
       .build = [](Graph& g, int w) { return volatility_rank(g, w); },
       .steps = from(60),
       .least = 5},
      {.stem = "regime",
       .formula = "-1 calm: vol_rank < 0.25; 0 normal; 1 volatile: vol_rank > 0.75",
       .unit = "class",
       .source = "price",
       .build = [](Graph& g, int w) { return volatility_regime(g, w); },
       .steps = from(60),
       .least = 5},
      {.stem = "trend_r2",
       .formula = "corr_{W}(p, step number)^2",
       .unit = "share",
       .source = "price",
       .build = [](Graph& g, int w) { return trend_r2(g, w); },
       .steps = from(10),
       .least = 3},
      {.stem = "trend_regime",
       .formula = "sign of slope_{W} where trend_r2_{W} > 0.5, else 0",
       .unit = "class",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             return choose(greater(trend_r2(g, w), constant(g, 0.5)), sign(slope(g, w)), constant(g, 0));
           },
       .steps = from(20),
       .least = 3},
      {.stem = "jump_share",
       .formula = "max_{W}(r^2) / sum_{W}(r^2); 0 where nothing moved",
       .unit = "share",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr squares = square(log_return(g, 1));
             return ratio_or(highest(squares, w), sum(squares, w), 0);
           },
       .steps = from(10),
       .least = 2},
      {.stem = "leverage",
       .formula = "corr_{W}(r, |r|)",
       .unit = "ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr r = log_return(g, 1);
             return correlation(r, absolute(r), w);
           },
       .steps = from(20),
       .least = 5,
       .reference = "Black (1976)"},
  };
}

std::vector<Family> derived_families() {
  return {
      {.stem = "reversion",
       .formula = "-z_{W} (1 - efficiency_{W})",
       .unit = "standard deviations",
       .source = "price",
       .build = [](Graph& g, int w) { return -z_score(g, w) * (1.0 - efficiency(g, w)); },
       .steps = from(10),
       .least = 2},
      {.stem = "momentum_agreement",
       .formula = "mean sign of ln(p / p[k]), k = 1, 5, 20, 60",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int) { return momentum_agreement(g); }},
      {.stem = "trend_quality",
       .formula = "ln(p / p[{W}]) trend_r2_{W}",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return log_return(g, w) * trend_r2(g, w); },
       .steps = from(10),
       .least = 3},
      {.stem = "risk_adjusted",
       .formula = "ln(p / p[{W}]) / (std_{W}(r) sqrt({W})); 0 where std is 0",
       .unit = "standard deviations",
       .source = "price",
       .build = [](Graph& g, int w) { return risk_adjusted(g, w); },
       .steps = from(5),
       .least = 2},
      {.stem = "momentum_spread",
       .formula = "ln(p / p[{W}]) - ln(p / p[4 {W}]) / 4",
       .unit = "log return",
       .source = "price",
       .build = [](Graph& g, int w) { return log_return(g, w) - log_return(g, 4 * w) / 4.0; },
       .steps = {5, 10, 20, 60},
       .most = 1250},
      {.stem = "rsi_signal",
       .formula = "(rsi_{W} - 50) / 50",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return (rsi(g, w) - 50.0) / 50.0; },
       .steps = {7, 14, 21, 60},
       .least = 2},
      {.stem = "z_regime",
       .formula = "z_{W} std_{W}(r) / std_4{W}(r); {W} up to 1250",
       .unit = "standard deviations",
       .source = "price",
       .build = [](Graph& g, int w) { return z_score(g, w) * (volatility(g, w) / volatility(g, 4 * w)); },
       .steps = {5, 10, 20, 60},
       .least = 2,
       .most = 1250},
      {.stem = "surprise",
       .formula = "r / std_{W}(r)[1]",
       .unit = "standard deviations",
       .source = "price",
       .build = [](Graph& g, int w) { return log_return(g, 1) / lag(volatility(g, w), 1); },
       .steps = from(10),
       .least = 2},
      {.stem = "jump_count",
       .formula = "count in {W} steps of |r| > 4 std_{W}(r)[1]",
       .unit = "count",
       .source = "price",
       .build = [](Graph& g, int w) { return sum(jump(g, w), w); },
       .steps = from(20),
       .least = 5},
      {.stem = "steps_since_jump",
       .formula = "steps since |r| > 4 std_60(r)[1]; unknown before the first",
       .unit = "steps",
       .source = "price",
       .build = [](Graph& g, int) { return since(jump(g, 60)); }},
      {.stem = "steps_since_move",
       .formula = "steps since r was not 0; unknown before the first move",
       .unit = "steps",
       .source = "price",
       .build = [](Graph& g, int) { return since(change(price(g))); }},
      {.stem = "vol_asymmetry",
       .formula = "(semivol_up_{W} - semivol_down_{W}) / (semivol_up_{W} + semivol_down_{W}); 0 where flat",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return asymmetry(g, w); },
       .steps = from(10)},
      {.stem = "breakout_up",
       .formula = "p / max_{W}(p)[1] - 1",
       .unit = "ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr top = lag(highest(price(g), w), 1);
             return (price(g) - top) / top;
           },
       .steps = from(20)},
      {.stem = "breakout_down",
       .formula = "p / min_{W}(p)[1] - 1",
       .unit = "ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr bottom = lag(lowest(price(g), w), 1);
             return (price(g) - bottom) / bottom;
           },
       .steps = from(20)},
      {.stem = "session_return",
       .formula = "p / first p of the session - 1",
       .unit = "ratio",
       .source = "price, clock",
       .build =
           [](Graph& g, int) {
             const Expr first = session(Op::SessionFirst, price(g));
             return (price(g) - first) / first;
           }},
      {.stem = "session_gap",
       .formula = "first p of the session / last p of the session before - 1",
       .unit = "ratio",
       .source = "price, clock",
       .build =
           [](Graph& g, int) {
             const Expr before = session(Op::PreviousSession, price(g));
             return (session(Op::SessionFirst, price(g)) - before) / before;
           }},
      {.stem = "previous_close",
       .formula = "p / last p of the session before - 1",
       .unit = "ratio",
       .source = "price, clock",
       .build =
           [](Graph& g, int) {
             const Expr before = session(Op::PreviousSession, price(g));
             return (price(g) - before) / before;
           }},
      {.stem = "session_high",
       .formula = "p / highest p of the session - 1",
       .unit = "ratio",
       .source = "price, clock",
       .build =
           [](Graph& g, int) {
             const Expr top = session(Op::SessionMax, price(g));
             return (price(g) - top) / top;
           }},
      {.stem = "session_low",
       .formula = "p / lowest p of the session - 1",
       .unit = "ratio",
       .source = "price, clock",
       .build =
           [](Graph& g, int) {
             const Expr bottom = session(Op::SessionMin, price(g));
             return (price(g) - bottom) / bottom;
           }},
      {.stem = "level",
       .formula = "p",
       .unit = "price",
       .source = "price",
       .build = [](Graph& g, int) { return price(g); }},
      {.stem = "edge",
       .formula = "min(p, 1 - p); unknown above 1",
       .unit = "probability",
       .source = "price",
       .build = [](Graph& g, int) { return edge(g); }},
      {.stem = "binary_sd",
       .formula = "sqrt(p (1 - p)); unknown above 1",
       .unit = "probability",
       .source = "price",
       .build = [](Graph& g, int) { return binary_deviation(g); }},
      {.stem = "binary_move",
       .formula = "(p - p[{W}]) / sqrt(p (1 - p)); unknown outside (0, 1)",
       .unit = "standard deviations",
       .source = "price",
       .build = [](Graph& g, int w) { return (price(g) - lag(price(g), w)) / binary_deviation(g); },
       .steps = {1, 5, 20, 60}},
      {.stem = "ticks",
       .formula = "(p - p[{W}]) / tick size",
       .unit = "ticks",
       .source = "price",
       .build = [](Graph& g, int w) { return (price(g) - lag(price(g), w)) / input(g, Input::TickSize); },
       .steps = {1, 5, 20, 60}},
      {.stem = "combined_momentum",
       .formula = "mean of risk_adjusted_{W}, risk_adjusted_2{W}, risk_adjusted_4{W}",
       .unit = "standard deviations",
       .source = "price",
       .build = [](Graph& g,
                   int w) { return (risk_adjusted(g, w) + risk_adjusted(g, 2 * w) + risk_adjusted(g, 4 * w)) / 3.0; },
       .steps = {5, 10, 20, 60},
       .least = 2,
       .most = 1250},
      {.stem = "max_move",
       .formula = "max_{W}(|p - p[1]|)",
       .unit = "price",
       .source = "price",
       .build = [](Graph& g, int w) { return highest(absolute(change(price(g))), w); },
       .steps = {20, 60, 120}},
      {.stem = "diff_sd",
       .formula = "std_{W}(p - p[1])",
       .unit = "price",
       .source = "price",
       .build = [](Graph& g, int w) { return standard_deviation(change(price(g)), w); },
       .steps = {20, 60, 120},
       .least = 2},
  };
}

}  // namespace everlearn
