#include "feature/formula.hpp"

#include <cmath>

namespace everlearn {

Expr price(Graph& g) { return input(g, Input::Price); }

Expr change(Expr x) { return x - lag(x, 1); }

Expr relative_change(Expr x, int steps) {
  const Expr before = lag(x, steps);
  return (x - before) / before;
}

Expr log_return(Graph& g, int steps) { return log_1p(relative_change(price(g), steps)); }

Expr share_where(Expr condition, int window) { return mean(condition, window); }

Expr z_score(Graph& g, int window) {
  const Expr p = price(g);
  return ratio_or(deviation(p, window), standard_deviation(p, window), 0);
}

Expr efficiency(Graph& g, int window) {
  const Expr p = price(g);
  return ratio_or(absolute(p - lag(p, window)), sum(absolute(change(p)), window), 0);
}

Expr semi_volatility(Graph& g, int window, bool up) {
  const Expr zero = constant(g, 0);
  const Expr r = log_return(g, 1);
  return square_root(mean(square(up ? larger(r, zero) : smaller(r, zero)), window));
}

Expr trend_r2(Graph& g, int window) {
  const Expr p = price(g);
  return square(correlation(p, run(p), window));
}

Expr risk_adjusted(Graph& g, int window) {
  return ratio_or(log_return(g, window), volatility(g, window) * std::sqrt(static_cast<double>(window)), 0);
}

Expr volatility(Graph& g, int window) { return standard_deviation(log_return(g, 1), window); }

Expr wilder(Expr x, int window) { return ema(x, 1.0 / window, window); }
Expr exponential(Expr x, int window) { return ema(x, 2.0 / (window + 1), window); }
Expr exponential_deviation(Expr x, int window) { return ema_deviation(x, 2.0 / (window + 1), window); }

Expr rsi(Graph& g, int window) {
  const Expr move = change(price(g));
  const Expr zero = constant(g, 0);
  const Expr gain = wilder(larger(move, zero), window);
  const Expr loss = wilder(larger(-move, zero), window);
  return ratio_or(gain * 100.0, gain + loss, 50);
}

Expr autocorrelation(Expr x, int steps, int window) { return correlation(x, lag(x, steps), window); }

Expr variance_ratio(Graph& g, int steps, int window) {
  return variance(log_return(g, steps), window) / (variance(log_return(g, 1), window) * static_cast<double>(steps));
}

BarExprs::BarExprs(Graph& g)
    : open{input(g, Input::BarOpen)},
      high{input(g, Input::BarHigh)},
      low{input(g, Input::BarLow)},
      close{input(g, Input::BarClose)},
      volume{input(g, Input::BarVolume)} {}

Expr BarExprs::true_range() const {
  const Expr before = lag(close, 1);
  return larger(range(), larger(absolute(high - before), absolute(low - before)));
}

}  // namespace everlearn
