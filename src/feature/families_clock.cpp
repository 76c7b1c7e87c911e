// Families over the clock and over other instruments: time, context.
#include "feature/family.hpp"
#include "feature/formula.hpp"

namespace everlearn {
namespace {

Expr weekday_turn(Graph& g) { return input(g, Input::Weekday) / 7.0; }
Expr month_turn(Graph& g) { return (input(g, Input::Month) - 1.0) / 12.0; }

Family plain(const char* stem, const char* formula, const char* unit, Input what) {
  return {.stem = stem, .formula = formula, .unit = unit, .source = "clock", .build = [what](Graph& g, int) {
            return input(g, what);
          }};
}

Expr context_return(Graph& g, int steps) { return cross(Op::Context, log_return(g, steps)); }
Expr market_return(Graph& g, int steps) { return cross(Op::CrossMean, log_return(g, steps)); }

Expr beta(Expr own, Expr other, int window) { return regression_slope(own, other, window); }

Expr rising(Graph& g, int window) { return greater(log_return(g, window), constant(g, 0)); }

}  // namespace

std::vector<Family> time_families() {
  return {
      {.stem = "hour_sin",
       .formula = "sin(2 pi t), t = fraction of the UTC day",
       .unit = "ratio",
       .source = "clock",
       .build = [](Graph& g, int) { return sine_turn(input(g, Input::DayFraction)); }},
      {.stem = "hour_cos",
       .formula = "cos(2 pi t), t = fraction of the UTC day",
       .unit = "ratio",
       .source = "clock",
       .build = [](Graph& g, int) { return cosine_turn(input(g, Input::DayFraction)); }},
      plain("weekday", "0 Monday .. 6 Sunday, UTC", "number", Input::Weekday),
      {.stem = "weekday_sin",
       .formula = "sin(2 pi weekday / 7)",
       .unit = "ratio",
       .source = "clock",
       .build = [](Graph& g, int) { return sine_turn(weekday_turn(g)); }},
      {.stem = "weekday_cos",
       .formula = "cos(2 pi weekday / 7)",
       .unit = "ratio",
       .source = "clock",
       .build = [](Graph& g, int) { return cosine_turn(weekday_turn(g)); }},
      plain("day_of_month", "1 .. 31, UTC", "number", Input::DayOfMonth),
      plain("month", "1 .. 12, UTC", "number", Input::Month),
      {.stem = "month_sin",
       .formula = "sin(2 pi (month - 1) / 12)",
       .unit = "ratio",
       .source = "clock",
       .build = [](Graph& g, int) { return sine_turn(month_turn(g)); }},
      {.stem = "month_cos",
       .formula = "cos(2 pi (month - 1) / 12)",
       .unit = "ratio",
       .source = "clock",
       .build = [](Graph& g, int) { return cosine_turn(month_turn(g)); }},
      plain("minutes_since_open", "minutes since the session's open; unknown outside a session", "minutes",
            Input::MinutesSinceOpen),
      plain("minutes_to_close", "minutes to the session's close; unknown outside a session", "minutes",
            Input::MinutesToClose),
      plain("session_progress", "0 at the open .. 1 at the close; unknown outside a session", "share",
            Input::SessionProgress),
      plain("half_day", "1 in a session shorter than the regular one; unknown outside a session", "0 or 1",
            Input::HalfDay),
      plain("days_since_session", "days from the close of the session before to this one's open", "days",
            Input::DaysSinceSession),
      plain("days_to_end", "days to the market's scheduled end, 0 after it; unknown without one", "days",
            Input::DaysToEnd),
      {.stem = "log_days_to_end",
       .formula = "ln(1 + days_to_end)",
       .unit = "log days",
       .source = "clock",
       .build = [](Graph& g, int) { return log_1p(input(g, Input::DaysToEnd)); }},
      {.stem = "days_since_update",
       .formula = "days since the event time of the price",
       .unit = "days",
       .source = "clock, price",
       .build = [](Graph& g, int) { return input(g, Input::AgeSeconds) / 86'400.0; }},
      {.stem = "hour",
       .formula = "24 t, t = fraction of the UTC day",
       .unit = "hours",
       .source = "clock",
       .build = [](Graph& g, int) { return input(g, Input::DayFraction) * 24.0; }},
      {.stem = "weekend",
       .formula = "1 on Saturday and Sunday, UTC",
       .unit = "0 or 1",
       .source = "clock",
       .build = [](Graph& g, int) { return greater(input(g, Input::Weekday), constant(g, 4)); }},
      {.stem = "ends_within_day",
       .formula = "1 where days_to_end < 1",
       .unit = "0 or 1",
       .source = "clock",
       .build = [](Graph& g, int) { return greater(constant(g, 1), input(g, Input::DaysToEnd)); }},
      plain("steps_since_update", "steps since the last event of the instrument", "steps", Input::QuietSteps),
  };
}

std::vector<Family> context_families() {
  return {
      {.stem = "ctx_ret",
       .formula = "X_{W}, the mean of ln(p / p[{W}]) over the context instruments",
       .unit = "log return",
       .source = "context",
       .build = [](Graph& g, int w) { return context_return(g, w); },
       .steps = {1, 5, 20, 60}},
      {.stem = "ctx_vol",
       .formula = "mean of std_{W}(r) over the context instruments",
       .unit = "log return",
       .source = "context",
       .build = [](Graph& g, int w) { return cross(Op::Context, volatility(g, w)); },
       .steps = {5, 20, 60},
       .least = 2},
      {.stem = "ctx_z",
       .formula = "mean of z_{W} over the context instruments",
       .unit = "standard deviations",
       .source = "context",
       .build = [](Graph& g, int w) { return cross(Op::Context, z_score(g, w)); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "excess_ret",
       .formula = "ln(p / p[{W}]) - X_{W}",
       .unit = "log return",
       .source = "price, context",
       .build = [](Graph& g, int w) { return log_return(g, w) - context_return(g, w); },
       .steps = {1, 5, 20, 60}},
      {.stem = "beta",
       .formula = "cov_{W}(r, X_1) / Var_{W}(X_1)",
       .unit = "ratio",
       .source = "price, context",
       .build = [](Graph& g, int w) { return beta(log_return(g, 1), context_return(g, 1), w); },
       .steps = {20, 60, 120, 250},
       .least = 3},
      {.stem = "ctx_corr",
       .formula = "corr_{W}(r, X_1)",
       .unit = "ratio",
       .source = "price, context",
       .build = [](Graph& g, int w) { return correlation(log_return(g, 1), context_return(g, 1), w); },
       .steps = {20, 60, 120, 250},
       .least = 3},
      {.stem = "idio_vol",
       .formula = "std_{W}(r) sqrt(1 - corr_{W}(r, X_1)^2); 0 where that is under 1e-9",
       .unit = "log return",
       .source = "price, context",
       .build =
           [](Graph& g, int w) {
             // A correlation of 1 leaves nothing; what its rounding leaves would be a square root of noise.
             const Expr own = 1.0 - square(correlation(log_return(g, 1), context_return(g, 1), w));
             return volatility(g, w) * square_root(choose(greater(constant(g, 1e-9), own), constant(g, 0), own));
           },
       .steps = {20, 60, 120},
       .least = 3,
       .reference = "Ang, Hodrick, Xing, Zhang (2006)"},
      {.stem = "market_ret",
       .formula = "M_{W}, the mean of ln(p / p[{W}]) over all instruments but the context",
       .unit = "log return",
       .source = "price, context",
       .build = [](Graph& g, int w) { return market_return(g, w); },
       .steps = {1, 5, 20, 60}},
      {.stem = "relative_ret",
       .formula = "ln(p / p[{W}]) - M_{W}",
       .unit = "log return",
       .source = "price, context",
       .build = [](Graph& g, int w) { return log_return(g, w) - market_return(g, w); },
       .steps = {1, 5, 20, 60}},
      {.stem = "cross_z",
       .formula = "(ln(p / p[{W}]) - M_{W}) / standard deviation over instruments",
       .unit = "standard deviations",
       .source = "price, context",
       .build =
           [](Graph& g, int w) {
             return ratio_or(log_return(g, w) - market_return(g, w), cross(Op::CrossDeviation, log_return(g, w)), 0);
           },
       .steps = {1, 5, 20, 60}},
      {.stem = "rank_ret",
       .formula = "share of the other instruments with a smaller ln(p / p[{W}]), ties half",
       .unit = "share",
       .source = "price, context",
       .build = [](Graph& g, int w) { return cross(Op::CrossRank, log_return(g, w)); },
       .steps = {1, 5, 20, 60},
       .reference = "Jegadeesh and Titman (1993)"},
      {.stem = "rank_vol",
       .formula = "share of the other instruments with a smaller std_{W}(r), ties half",
       .unit = "share",
       .source = "price, context",
       .build = [](Graph& g, int w) { return cross(Op::CrossRank, volatility(g, w)); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "dispersion",
       .formula = "standard deviation over instruments of ln(p / p[{W}])",
       .unit = "log return",
       .source = "price, context",
       .build = [](Graph& g, int w) { return cross(Op::CrossDeviation, log_return(g, w)); },
       .steps = {1, 5, 20}},
      {.stem = "breadth",
       .formula = "share of instruments with ln(p / p[{W}]) > 0",
       .unit = "share",
       .source = "price, context",
       .build = [](Graph& g, int w) { return cross(Op::CrossMean, rising(g, w)); },
       .steps = {1, 5, 20, 60}},
      {.stem = "market_corr",
       .formula = "corr_{W}(r, M_1)",
       .unit = "ratio",
       .source = "price, context",
       .build = [](Graph& g, int w) { return correlation(log_return(g, 1), market_return(g, 1), w); },
       .steps = {20, 60, 120},
       .least = 3},
      {.stem = "market_beta",
       .formula = "cov_{W}(r, M_1) / Var_{W}(M_1)",
       .unit = "ratio",
       .source = "price, context",
       .build = [](Graph& g, int w) { return beta(log_return(g, 1), market_return(g, 1), w); },
       .steps = {20, 60, 120},
       .least = 3},
  };
}

}  // namespace everlearn
