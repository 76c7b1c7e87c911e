// Families over trades, books and the quality of the stream.
#include <fmt/format.h>

#include "feature/family.hpp"
#include "feature/formula.hpp"

namespace everlearn {
namespace {

const std::vector<int> kFlowGrid{1, 5, 20, 60};

Expr bought(Graph& g) { return input(g, Input::BuyVolume); }
Expr sold(Graph& g) { return input(g, Input::SellVolume); }
Expr traded(Graph& g) { return input(g, Input::TradeVolume); }
Expr trades(Graph& g) { return input(g, Input::TradeCount); }
Expr net_flow(Graph& g) { return bought(g) - sold(g); }
Expr flow_imbalance(Graph& g, int window) { return ratio_or(sum(net_flow(g), window), sum(traded(g), window), 0); }
Expr traded_price(Graph& g, int window) { return sum(input(g, Input::Notional), window) / sum(traded(g), window); }

Expr bid(Graph& g) { return input(g, Input::Bid); }
Expr ask(Graph& g) { return input(g, Input::Ask); }
Expr middle(Graph& g) { return (bid(g) + ask(g)) / 2.0; }
Expr spread(Graph& g) { return ask(g) - bid(g); }
Expr relative_spread(Graph& g) { return spread(g) / middle(g); }

Expr imbalance(Graph& g, int levels) {
  const Expr bids = input(g, Input::BidDepth, levels);
  const Expr asks = input(g, Input::AskDepth, levels);
  return ratio_or(bids - asks, bids + asks, 0);
}

/// Size of the first five levels of both sides.
Expr depth(Graph& g) { return input(g, Input::BidDepth, 5) + input(g, Input::AskDepth, 5); }

/// What buying and selling again for `amount` at once costs.
Expr round_trip(Graph& g, int amount) {
  return (input(g, Input::BuyCost, amount) - input(g, Input::SellCost, amount)) / middle(g);
}

/// High where the book is deep and tight.
Expr liquidity(Graph& g) { return natural_log(middle(g) * depth(g) / relative_spread(g)); }

// Sizes and spreads are round numbers: what is just twice or half of another is none of these events, however it is
// rounded.
constexpr double kMore = 1 + 1e-9;

/// More than half of the depth is gone within a step.
Expr liquidity_event(Graph& g) { return greater(lag(depth(g), 1) * 0.5, depth(g) * kMore); }

/// The price moved by more than the spread of the step before.
Expr price_gap(Graph& g) { return greater(absolute(change(price(g))), lag(spread(g), 1) * kMore); }

/// Size-weighted distance of trades from the mid of their moment, there and back.
Expr effective_spread(Graph& g, int window) {
  return sum(input(g, Input::TradeDistance), window) * 2.0 / sum(input(g, Input::QuotedVolume), window) / middle(g);
}

/// Counts less where the spread is wide: a spread of 1 % halves it.
Expr by_quality(Graph& g, Expr x) { return x / (relative_spread(g) * 100.0 + 1.0); }

/// Of a share: where it hardly varies only its rounding would speak.
Expr z_of(Expr x, int window) {
  const Expr scale = standard_deviation(x, window);
  return choose(greater(scale, constant(*x.graph, 1e-9)), deviation(x, window) / scale, constant(*x.graph, 0));
}

/// The mid that leans away from the heavier side, of the first `levels` levels.
Expr weighted_middle(Graph& g, int levels) {
  const Expr bids = input(g, Input::BidDepth, levels);
  const Expr asks = input(g, Input::AskDepth, levels);
  const Expr bid_price = input(g, Input::BidDepthPrice, levels);
  return bid_price + (input(g, Input::AskDepthPrice, levels) - bid_price) * (bids / (bids + asks));
}

void add_levels(std::vector<Family>& all) {
  for (int level = 1; level <= 5; ++level) {
    all.push_back({.stem = fmt::format("bid_size{}", level),
                   .formula = fmt::format("ln(1 + size of bid level {})", level),
                   .unit = "log units",
                   .source = "book",
                   .build = [level](Graph& g, int) { return log_1p(input(g, Input::BidSize, level)); }});
  }
  for (int level = 1; level <= 5; ++level) {
    all.push_back({.stem = fmt::format("ask_size{}", level),
                   .formula = fmt::format("ln(1 + size of ask level {})", level),
                   .unit = "log units",
                   .source = "book",
                   .build = [level](Graph& g, int) { return log_1p(input(g, Input::AskSize, level)); }});
  }
  for (int levels : {1, 3, 5}) {
    all.push_back({.stem = fmt::format("imbalance{}", levels),
                   .formula = fmt::format("(B - A) / (B + A), B and A = size of the first {} levels", levels),
                   .unit = "ratio",
                   .source = "book",
                   .build = [levels](Graph& g, int) { return imbalance(g, levels); },
                   .reference = "Cont, Kukanov, Stoikov (2014)"});
  }
  for (int levels : {3, 5}) {
    all.push_back(
        {.stem = fmt::format("weighted_mid{}", levels),
         .formula = fmt::format("(b A + a B) / (A + B) / mid - 1, with sizes and mean prices of {} levels", levels),
         .unit = "ratio",
         .source = "book",
         .build = [levels](Graph& g, int) { return (weighted_middle(g, levels) - middle(g)) / middle(g); }});
  }
  for (int amount : {10, 50, 100}) {
    all.push_back(
        {.stem = fmt::format("buy_impact{}", amount),
         .formula = fmt::format("mean price of buying for {} / mid - 1; unknown where too thin", amount),
         .unit = "ratio",
         .source = "book",
         .build = [amount](Graph& g, int) { return (input(g, Input::BuyCost, amount) - middle(g)) / middle(g); }});
  }
  for (int amount : {10, 50, 100}) {
    all.push_back(
        {.stem = fmt::format("sell_impact{}", amount),
         .formula = fmt::format("1 - mean price of selling for {} / mid; unknown where too thin", amount),
         .unit = "ratio",
         .source = "book",
         .build = [amount](Graph& g, int) { return (middle(g) - input(g, Input::SellCost, amount)) / middle(g); }});
  }
}

Family log_of(const char* stem, const char* formula, const char* unit, const char* source, Input what, int parameter) {
  return {.stem = stem, .formula = formula, .unit = unit, .source = source, .build = [what, parameter](Graph& g, int) {
            return log_1p(input(g, what, parameter));
          }};
}

Family round_trip_family(const char* stem, int amount) {
  return {
      .stem = stem,
      .formula = fmt::format("(mean price of buying for {0} - mean price of selling for {0}) / mid; unknown where too "
                             "thin",
                             amount),
      .unit = "ratio",
      .source = "book",
      .build = [amount](Graph& g, int) { return round_trip(g, amount); }};
}

}  // namespace

std::vector<Family> trade_flow_families() {
  return {
      {.stem = "trade_count",
       .formula = "ln(1 + trades in {W} steps)",
       .unit = "log count",
       .source = "trades",
       .build = [](Graph& g, int w) { return log_1p(sum(trades(g), w)); },
       .steps = kFlowGrid},
      {.stem = "trade_volume",
       .formula = "ln(1 + units traded in {W} steps)",
       .unit = "log units",
       .source = "trades",
       .build = [](Graph& g, int w) { return log_1p(sum(traded(g), w)); },
       .steps = kFlowGrid},
      {.stem = "trade_notional",
       .formula = "ln(1 + account currency traded in {W} steps)",
       .unit = "log account currency",
       .source = "trades",
       .build = [](Graph& g, int w) { return log_1p(sum(input(g, Input::Notional), w)); },
       .steps = kFlowGrid},
      {.stem = "buy_ratio",
       .formula = "bought / (bought + sold) units in {W} steps; 0.5 without trades",
       .unit = "share",
       .source = "trades",
       .build = [](Graph& g, int w) { return ratio_or(sum(bought(g), w), sum(bought(g) + sold(g), w), 0.5); },
       .steps = kFlowGrid},
      {.stem = "buy_count_ratio",
       .formula = "buys / (buys + sells) in {W} steps; 0.5 without trades",
       .unit = "share",
       .source = "trades",
       .build =
           [](Graph& g, int w) {
             const Expr buys = input(g, Input::BuyCount);
             return ratio_or(sum(buys, w), sum(buys + input(g, Input::SellCount), w), 0.5);
           },
       .steps = kFlowGrid},
      {.stem = "flow_imbalance",
       .formula = "(bought - sold) / traded units in {W} steps; 0 without trades",
       .unit = "ratio",
       .source = "trades",
       .build = [](Graph& g, int w) { return flow_imbalance(g, w); },
       .steps = kFlowGrid,
       .reference = "Easley, Lopez de Prado, O'Hara (2012)"},
      {.stem = "flow_z",
       .formula = "(f - mean_{W}(f)) / std_{W}(f), f = bought - sold units; 0 where flat",
       .unit = "standard deviations",
       .source = "trades",
       .build = [](Graph& g,
                   int w) { return ratio_or(deviation(net_flow(g), w), standard_deviation(net_flow(g), w), 0); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "trade_intensity",
       .formula = "trades / mean_{W}(trades)",
       .unit = "ratio",
       .source = "trades",
       .build = [](Graph& g, int w) { return trades(g) / mean(trades(g), w); },
       .steps = {5, 20, 60},
       .least = 2},
      {.stem = "volume_burst",
       .formula = "traded units / mean_{W}(traded units)",
       .unit = "ratio",
       .source = "trades",
       .build = [](Graph& g, int w) { return traded(g) / mean(traded(g), w); },
       .steps = {5, 20, 60},
       .least = 2},
      {.stem = "mean_trade_size",
       .formula = "traded units / trades in {W} steps",
       .unit = "units",
       .source = "trades",
       .build = [](Graph& g, int w) { return sum(traded(g), w) / sum(trades(g), w); },
       .steps = kFlowGrid},
      {.stem = "largest_trade",
       .formula = "ln(1 + largest trade in {W} steps)",
       .unit = "log units",
       .source = "trades",
       .build = [](Graph& g, int w) { return log_1p(highest(input(g, Input::LargestTrade), w)); },
       .steps = kFlowGrid},
      {.stem = "largest_share",
       .formula = "largest trade / traded units in {W} steps; 0 without trades",
       .unit = "share",
       .source = "trades",
       .build = [](Graph& g,
                   int w) { return ratio_or(highest(input(g, Input::LargestTrade), w), sum(traded(g), w), 0); },
       .steps = kFlowGrid},
      {.stem = "trade_vwap_dist",
       .formula = "p / (account currency / units traded in {W} steps) - 1",
       .unit = "ratio",
       .source = "trades, price",
       .build =
           [](Graph& g, int w) {
             const Expr vwap = traded_price(g, w);
             return (price(g) - vwap) / vwap;
           },
       .steps = kFlowGrid},
      {.stem = "unknown_side_share",
       .formula = "units of unknown side / traded units in {W} steps; 0 without trades",
       .unit = "share",
       .source = "trades",
       .build = [](Graph& g, int w) { return ratio_or(sum(traded(g) - bought(g) - sold(g), w), sum(traded(g), w), 0); },
       .steps = {20, 60}},
      {.stem = "flow_corr",
       .formula = "corr_{W}(bought - sold units, p - p[1])",
       .unit = "ratio",
       .source = "trades, price",
       .build = [](Graph& g, int w) { return correlation(net_flow(g), change(price(g)), w); },
       .steps = {20, 60},
       .least = 5},
      {.stem = "flow_persistence",
       .formula = "corr_{W}(f, f[1]), f = bought - sold units",
       .unit = "ratio",
       .source = "trades",
       .build = [](Graph& g, int w) { return autocorrelation(net_flow(g), 1, w); },
       .steps = {20, 60},
       .least = 5},
      {.stem = "trade_rate",
       .formula = "mean_{W}(trades of a step)",
       .unit = "trades per step",
       .source = "trades",
       .build = [](Graph& g, int w) { return mean(trades(g), w); },
       .steps = kFlowGrid},
      {.stem = "flow_trend",
       .formula = "flow_imbalance_{W} - flow_imbalance_4{W}",
       .unit = "ratio",
       .source = "trades",
       .build = [](Graph& g, int w) { return flow_imbalance(g, w) - flow_imbalance(g, 4 * w); },
       .steps = kFlowGrid,
       .most = 1250},
      {.stem = "trade_momentum",
       .formula = "mean traded price of {W} steps / that of 4 {W} steps - 1",
       .unit = "ratio",
       .source = "trades",
       .build = [](Graph& g, int w) { return (traded_price(g, w) - traded_price(g, 4 * w)) / traded_price(g, 4 * w); },
       .steps = kFlowGrid,
       .most = 1250},
      {.stem = "steps_since_trade",
       .formula = "steps since the last trade",
       .unit = "steps",
       .source = "trades",
       .build = [](Graph& g, int) { return since(trades(g)); }},
  };
}

std::vector<Family> book_families() {
  std::vector<Family> all{
      {.stem = "spread",
       .formula = "a - b",
       .unit = "price",
       .source = "book",
       .build = [](Graph& g, int) { return spread(g); }},
      {.stem = "relative_spread",
       .formula = "(a - b) / mid",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int) { return relative_spread(g); }},
      {.stem = "spread_ticks",
       .formula = "(a - b) / tick size",
       .unit = "ticks",
       .source = "book",
       .build = [](Graph& g, int) { return spread(g) / input(g, Input::TickSize); }},
      {.stem = "spread_change",
       .formula = "(a - b) - (a - b)[{W}]",
       .unit = "price",
       .source = "book",
       .build = [](Graph& g, int w) { return spread(g) - lag(spread(g), w); },
       .steps = {1, 5, 20}},
      {.stem = "spread_ratio",
       .formula = "(a - b) / mean_{W}(a - b)",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int w) { return spread(g) / mean(spread(g), w); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "mid_dist",
       .formula = "p / mid - 1",
       .unit = "ratio",
       .source = "book, price",
       .build = [](Graph& g, int) { return (price(g) - middle(g)) / middle(g); }},
      {.stem = "microprice",
       .formula = "(b A + a B) / (A + B) / mid - 1, with the best sizes",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int) { return (weighted_middle(g, 1) - middle(g)) / middle(g); },
       .reference = "Stoikov (2018), first approximation"},
      {.stem = "imbalance_mean",
       .formula = "mean_{W}(imbalance5)",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int w) { return mean(imbalance(g, 5), w); },
       .steps = {5, 20, 60}},
      {.stem = "imbalance_change",
       .formula = "imbalance5 - imbalance5[{W}]",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int w) { return imbalance(g, 5) - lag(imbalance(g, 5), w); },
       .steps = {1, 5, 20}},
      {.stem = "depth_change",
       .formula = "ln(D / D[{W}]), D = size of the first 5 levels of both sides",
       .unit = "log ratio",
       .source = "book",
       .build = [](Graph& g, int w) { return natural_log(depth(g) / lag(depth(g), w)); },
       .steps = {1, 5, 20}},
      log_of("bid_depth5", "ln(1 + size of the first 5 bid levels)", "log units", "book", Input::BidDepth, 5),
      log_of("ask_depth5", "ln(1 + size of the first 5 ask levels)", "log units", "book", Input::AskDepth, 5),
      {.stem = "bid_slope5",
       .formula = "(b - size-weighted mean price of 5 bid levels) / mid",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int) { return input(g, Input::BidSlope, 5) / middle(g); }},
      {.stem = "ask_slope5",
       .formula = "(size-weighted mean price of 5 ask levels - a) / mid",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int) { return input(g, Input::AskSlope, 5) / middle(g); }},
      {.stem = "depth_ratio",
       .formula = "D / mean_{W}(D), D = size of the first 5 levels of both sides",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int w) { return depth(g) / mean(depth(g), w); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "depth_slope5",
       .formula = "size-weighted mean distance of 5 levels of both sides from their best price / mid",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g,
                   int) { return (input(g, Input::BidSlope, 5) + input(g, Input::AskSlope, 5)) / 2.0 / middle(g); }},
      {.stem = "microprice_change",
       .formula = "microprice - microprice[{W}]",
       .unit = "ratio",
       .source = "book",
       .build =
           [](Graph& g, int w) {
             const Expr lean = (weighted_middle(g, 1) - middle(g)) / middle(g);
             return lean - lag(lean, w);
           },
       .steps = {1, 5, 20}},
      {.stem = "bid_levels",
       .formula = "price levels on the bid side",
       .unit = "count",
       .source = "book",
       .build = [](Graph& g, int) { return input(g, Input::BidLevels); }},
      {.stem = "ask_levels",
       .formula = "price levels on the ask side",
       .unit = "count",
       .source = "book",
       .build = [](Graph& g, int) { return input(g, Input::AskLevels); }},
  };
  add_levels(all);
  return all;
}

std::vector<Family> market_quality_families() {
  return {
      log_of("log_updates", "ln(1 + events of the step)", "log count", "stream", Input::Updates, 0),
      {.stem = "update_rate",
       .formula = "mean_{W}(events of a step)",
       .unit = "events per step",
       .source = "stream",
       .build = [](Graph& g, int w) { return mean(input(g, Input::Updates), w); },
       .steps = {5, 20, 60}},
      {.stem = "update_burst",
       .formula = "events / mean_{W}(events)",
       .unit = "ratio",
       .source = "stream",
       .build = [](Graph& g, int w) { return input(g, Input::Updates) / mean(input(g, Input::Updates), w); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "quiet_share",
       .formula = "share of {W} steps without an event",
       .unit = "share",
       .source = "stream",
       .build = [](Graph& g, int w) { return 1.0 - share_where(sign(input(g, Input::Updates)), w); },
       .steps = {5, 20, 60}},
      log_of("log_age", "ln(1 + seconds since the event time of the price)", "log seconds", "stream, clock",
             Input::AgeSeconds, 0),
      {.stem = "reversal_share",
       .formula = "share of {W} steps with r r[1] < 0",
       .unit = "share",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr r = log_return(g, 1);
             return share_where(greater(constant(g, 0), r * lag(r, 1)), w);
           },
       .steps = {20, 60}},
      {.stem = "inefficiency",
       .formula = "|Var_{W}(r_5) / (5 Var_{W}(r)) - 1|",
       .unit = "ratio",
       .source = "price",
       .build = [](Graph& g, int w) { return absolute(variance_ratio(g, 5, w) - 1.0); },
       .steps = {60, 120},
       .least = 10},
      {.stem = "roll_spread",
       .formula = "2 sqrt(max(0, -cov_{W}(d, d[1]))) / p, d = p - p[1]",
       .unit = "ratio",
       .source = "price",
       .build =
           [](Graph& g, int w) {
             const Expr move = change(price(g));
             const Expr bounce = -covariance(move, lag(move, 1), w);
             // Where there is no bounce only rounding is left, and its root would look like a spread.
             const Expr real = greater(bounce, variance(move, w) * 1e-12);
             return square_root(choose(real, bounce, constant(g, 0))) * 2.0 / price(g);
           },
       .steps = {20, 60, 120},
       .least = 5,
       .reference = "Roll (1984)"},
      {.stem = "amihud",
       .formula = "1e6 mean of |c / c[1] - 1| / (c v) over the steps of {W} with volume",
       .unit = "1e-6 / account currency",
       .source = "bar",
       .build =
           [](Graph& g, int w) {
             const BarExprs bar{g};
             const Expr impact = ratio_or(absolute(relative_change(bar.close, 1)), bar.close * bar.volume, 0);
             return sum(impact, w) * 1e6 / sum(sign(bar.volume), w);
           },
       .steps = {20, 60, 120},
       .reference = "Amihud (2002)"},
      {.stem = "kyle_lambda",
       .formula = "cov_{W}(p - p[1], f) / Var_{W}(f), f = bought - sold units",
       .unit = "price per unit",
       .source = "trades, price",
       .build = [](Graph& g, int w) { return regression_slope(change(price(g)), net_flow(g), w); },
       .steps = {20, 60, 120},
       .least = 5,
       .reference = "Kyle (1985)"},
      {.stem = "zero_volume_share",
       .formula = "share of {W} bars with v = 0",
       .unit = "share",
       .source = "bar",
       .build = [](Graph& g, int w) { return 1.0 - share_where(sign(BarExprs{g}.volume), w); },
       .steps = {20, 60},
       .reference = "Lesmond, Ogden, Trzcinka (1999)"},
      {.stem = "spread_mean",
       .formula = "mean_{W}((a - b) / mid)",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int w) { return mean(relative_spread(g), w); },
       .steps = {20, 60}},
      {.stem = "spread_vol",
       .formula = "std_{W}((a - b) / mid)",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int w) { return standard_deviation(relative_spread(g), w); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "effective_spread",
       .formula =
           "2 sum_{W}(|trade price - mid then| x size) / units traded in {W} steps / mid; of trades while a and b "
           "were known",
       .unit = "ratio",
       .source = "trades, book",
       .build = [](Graph& g, int w) { return effective_spread(g, w); },
       .steps = {20, 60},
       .reference = "Huang and Stoll (1996)"},
      {.stem = "effective_ratio",
       .formula = "effective_spread_{W} / mean_{W}((a - b) / mid)",
       .unit = "ratio",
       .source = "trades, book",
       .build = [](Graph& g, int w) { return effective_spread(g, w) / mean(relative_spread(g), w); },
       .steps = {20, 60}},
      round_trip_family("round_trip10", 10),
      round_trip_family("round_trip50", 50),
      round_trip_family("round_trip100", 100),
      {.stem = "impact_growth",
       .formula = "round_trip100 - round_trip10",
       .unit = "ratio",
       .source = "book",
       .build = [](Graph& g, int) { return round_trip(g, 100) - round_trip(g, 10); }},
      {.stem = "liquidity_score",
       .formula = "ln(mid D / ((a - b) / mid)), D = size of the first 5 levels of both sides",
       .unit = "log account currency",
       .source = "book",
       .build = [](Graph& g, int) { return liquidity(g); }},
      {.stem = "liquidity_rank",
       .formula = "share of up to 64 evenly spaced earlier liquidity_scores of {W} below the present one",
       .unit = "share",
       .source = "book",
       .build = [](Graph& g, int w) { return rank(liquidity(g), w); },
       .steps = {60, 120},
       .least = 5},
      {.stem = "spread_z",
       .formula = "(s - mean_{W}(s)) / std_{W}(s), s = (a - b) / mid; 0 where that is at most 1e-9",
       .unit = "standard deviations",
       .source = "book",
       .build = [](Graph& g, int w) { return z_of(relative_spread(g), w); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "spread_regime",
       .formula =
           "-1 tight: under a quarter of up to 64 evenly spaced earlier (a - b) / mid of {W} are below this one; 0; "
           "1 wide: over three quarters",
       .unit = "class",
       .source = "book",
       .build =
           [](Graph& g, int w) {
             const Expr where = rank(relative_spread(g), w);
             return greater(where, constant(g, 0.75)) - greater(constant(g, 0.25), where);
           },
       .steps = {60, 120},
       .least = 5},
  };
}

std::vector<Family> flow_derived_families() {
  return {
      {.stem = "flow_depth",
       .formula = "flow_imbalance_{W} imbalance5",
       .unit = "ratio",
       .source = "trades, book",
       .build = [](Graph& g, int w) { return flow_imbalance(g, w) * imbalance(g, 5); },
       .steps = {5, 20, 60}},
      {.stem = "flow_pressure",
       .formula = "(bought - sold units in {W} steps) / D, D = size of the first 5 levels of both sides",
       .unit = "ratio",
       .source = "trades, book",
       .build = [](Graph& g, int w) { return sum(net_flow(g), w) / depth(g); },
       .steps = {5, 20, 60}},
      {.stem = "book_momentum",
       .formula = "ln(p / p[{W}]) imbalance5",
       .unit = "log return",
       .source = "book, price",
       .build = [](Graph& g, int w) { return log_return(g, w) * imbalance(g, 5); },
       .steps = {5, 20, 60}},
      {.stem = "imbalance_z",
       .formula = "(imbalance5 - mean_{W}(imbalance5)) / std_{W}(imbalance5); 0 where that is at most 1e-9",
       .unit = "standard deviations",
       .source = "book",
       .build = [](Graph& g, int w) { return z_of(imbalance(g, 5), w); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "quality_momentum",
       .formula = "risk_adjusted_{W} / (1 + 100 (a - b) / mid)",
       .unit = "standard deviations",
       .source = "book, price",
       .build = [](Graph& g, int w) { return by_quality(g, risk_adjusted(g, w)); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "quality_reversion",
       .formula = "-z_{W} / (1 + 100 (a - b) / mid)",
       .unit = "standard deviations",
       .source = "book, price",
       .build = [](Graph& g, int w) { return by_quality(g, -z_score(g, w)); },
       .steps = {20, 60},
       .least = 2},
      {.stem = "quality_flow",
       .formula = "flow_imbalance_{W} / (1 + 100 (a - b) / mid)",
       .unit = "ratio",
       .source = "trades, book",
       .build = [](Graph& g, int w) { return by_quality(g, flow_imbalance(g, w)); },
       .steps = {5, 20, 60}},
      {.stem = "move_in_spreads",
       .formula = "|p - p[1]| / (a - b)[1]",
       .unit = "spreads",
       .source = "book, price",
       .build = [](Graph& g, int) { return absolute(change(price(g))) / lag(spread(g), 1); }},
      {.stem = "gap_count",
       .formula = "count in {W} steps of |p - p[1]| > (a - b)[1] (1 + 1e-9)",
       .unit = "count",
       .source = "book, price",
       .build = [](Graph& g, int w) { return sum(price_gap(g), w); },
       .steps = {20, 60}},
      {.stem = "steps_since_gap",
       .formula = "steps since |p - p[1]| > (a - b)[1] (1 + 1e-9); unknown before the first",
       .unit = "steps",
       .source = "book, price",
       .build = [](Graph& g, int) { return since(price_gap(g)); }},
      {.stem = "liquidity_events",
       .formula = "count in {W} steps of D (1 + 1e-9) < D[1] / 2, D = size of the first 5 levels of both sides",
       .unit = "count",
       .source = "book",
       .build = [](Graph& g, int w) { return sum(liquidity_event(g), w); },
       .steps = {20, 60}},
      {.stem = "steps_since_liquidity_event",
       .formula = "steps since D (1 + 1e-9) < D[1] / 2, D = size of the first 5 levels of both sides; unknown before "
                  "the first",
       .unit = "steps",
       .source = "book",
       .build = [](Graph& g, int) { return since(liquidity_event(g)); }},
      {.stem = "spread_events",
       .formula = "count in {W} steps of s > 2 mean_{W}(s)[1] (1 + 1e-9), s = a - b",
       .unit = "count",
       .source = "book",
       .build = [](Graph& g, int w) { return sum(greater(spread(g), lag(mean(spread(g), w), 1) * (2 * kMore)), w); },
       .steps = {20, 60}},
  };
}

}  // namespace everlearn
