// Formulas that more than one family uses.
#pragma once

#include "feature/graph.hpp"

namespace everlearn {

Expr price(Graph& g);
Expr change(Expr x);                   // x - x one step ago
Expr log_return(Graph& g, int steps);  // ln(p / p[steps]), exact for small moves at any price level
Expr relative_change(Expr x, int steps);
Expr share_where(Expr condition, int window);  // of the last `window` steps
Expr z_score(Graph& g, int window);            // (p - mean) / std, 0 where std is 0
Expr efficiency(Graph& g, int window);
Expr semi_volatility(Graph& g, int window, bool up);
Expr trend_r2(Graph& g, int window);
Expr risk_adjusted(Graph& g, int window);  // the window's return in standard deviations, 0 where nothing moved
Expr volatility(Graph& g, int window);
Expr wilder(Expr x, int window);                 // exponential mean with weight 1 / window
Expr exponential(Expr x, int window);            // exponential mean with weight 2 / (window + 1)
Expr exponential_deviation(Expr x, int window);  // x minus that
Expr rsi(Graph& g, int window);
Expr autocorrelation(Expr x, int steps, int window);
Expr variance_ratio(Graph& g, int steps, int window);

/// The open, high, low, close and volume of the step's bar.
struct BarExprs {
  explicit BarExprs(Graph& g);
  Expr open, high, low, close, volume;
  Expr range() const { return high - low; }
  Expr typical() const { return (high + low + close) / 3.0; }
  Expr true_range() const;
};

}  // namespace everlearn
