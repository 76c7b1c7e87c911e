#include "feature/graph.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "core/assert.hpp"
#include "core/hash.hpp"

namespace everlearn {

std::string_view name(Op op) {
  switch (op) {
    case Op::Input:
      return "input";
    case Op::Constant:
      return "constant";
    case Op::Add:
      return "add";
    case Op::Subtract:
      return "subtract";
    case Op::Multiply:
      return "multiply";
    case Op::Divide:
      return "divide";
    case Op::DivideOr:
      return "divide_or";
    case Op::Max:
      return "max";
    case Op::Min:
      return "min";
    case Op::Abs:
      return "abs";
    case Op::SquareRoot:
      return "sqrt";
    case Op::Log:
      return "log";
    case Op::Log1p:
      return "log1p";
    case Op::Sign:
      return "sign";
    case Op::SineTurn:
      return "sine_turn";
    case Op::CosineTurn:
      return "cosine_turn";
    case Op::Greater:
      return "greater";
    case Op::Choose:
      return "choose";
    case Op::Lag:
      return "lag";
    case Op::Moments2:
      return "moments2";
    case Op::Moments4:
      return "moments4";
    case Op::CoMoments:
      return "comoments";
    case Op::MeanAbsDeviation:
      return "mean_abs_deviation";
    case Op::Rank:
      return "rank";
    case Op::Ema:
      return "ema";
    case Op::Run:
      return "run";
    case Op::Since:
      return "since";
    case Op::SessionFirst:
      return "session_first";
    case Op::SessionMax:
      return "session_max";
    case Op::SessionMin:
      return "session_min";
    case Op::SessionSum:
      return "session_sum";
    case Op::PreviousSession:
      return "previous_session";
    case Op::CrossMean:
      return "cross_mean";
    case Op::CrossDeviation:
      return "cross_deviation";
    case Op::CrossRank:
      return "cross_rank";
    case Op::Context:
      return "context";
    case Op::Pick:
      return "pick";
  }
  return "";
}

int outputs(Op op) {
  if (op == Op::Moments2) return 2;
  if (op == Op::Moments4) return 4;
  if (op == Op::CoMoments) return 3;
  return 1;
}

namespace {

std::int64_t steps_needed(const Node& node, std::int64_t of_inputs) {
  switch (node.op) {
    case Op::Lag:
      return of_inputs + node.window;
    case Op::Moments2:
    case Op::Moments4:
    case Op::CoMoments:
    case Op::MeanAbsDeviation:
    case Op::Rank:
    case Op::Ema:
      return of_inputs + node.window - 1;
    case Op::PreviousSession:
      return of_inputs + 1;
    default:
      return of_inputs;
  }
}

}  // namespace

NodeId Graph::add(const Node& node) {
  std::string text = fmt::format("{} {} {}", name(node.op), node.window, node.number);
  if (node.op == Op::Input) text += fmt::format(" {}", name(node.input));
  std::int64_t needed = 1;
  for (int i = 0; i < node.inputs; ++i) {
    EL_ASSERT(node.in[i] < nodes_.size(), "a node stands after its inputs");
    text += ' ';
    text += digests_[node.in[i]];
    needed = std::max(needed, needs_[node.in[i]]);
  }
  const std::string digest = sha256_hex(text);
  const auto [at, is_new] = by_digest_.try_emplace(digest, static_cast<NodeId>(nodes_.size()));
  if (is_new) {
    nodes_.push_back(node);
    needs_.push_back(steps_needed(node, needed));
    digests_.push_back(digest);
  }
  return at->second;
}

namespace {

Expr make(Op op, Expr a, int window = 0, double number = 0) {
  return {a.graph, a.graph->add({.op = op, .window = window, .number = number, .in = {a.id}, .inputs = 1})};
}

Expr make(Op op, Expr a, Expr b, int window = 0, double number = 0) {
  return {a.graph, a.graph->add({.op = op, .window = window, .number = number, .in = {a.id, b.id}, .inputs = 2})};
}

Expr pick(Expr a, int output) { return make(Op::Pick, a, output); }

// Doubling: the extreme of 2^j values is the extreme of two halves, and any window is covered by two overlapping
// powers of two. O(log window), no branches, nothing but lags to keep; the halves are shared between windows.
Expr extreme(Op op, Expr x, int window) {
  int power = 1;
  while (2 * power <= window) {
    x = make(op, x, lag(x, power));
    power *= 2;
  }
  return power == window ? x : make(op, x, lag(x, window - power));
}

}  // namespace

Expr input(Graph& graph, Input what, int parameter) {
  return {&graph, graph.add({.op = Op::Input, .input = what, .window = parameter})};
}
Expr constant(Graph& graph, double value) { return {&graph, graph.add({.op = Op::Constant, .number = value})}; }

Expr operator+(Expr a, Expr b) { return make(Op::Add, a, b); }
Expr operator-(Expr a, Expr b) { return make(Op::Subtract, a, b); }
Expr operator*(Expr a, Expr b) { return make(Op::Multiply, a, b); }
Expr operator/(Expr a, Expr b) { return make(Op::Divide, a, b); }
Expr operator+(Expr a, double b) { return a + constant(*a.graph, b); }
Expr operator-(Expr a, double b) { return a - constant(*a.graph, b); }
Expr operator*(Expr a, double b) { return a * constant(*a.graph, b); }
Expr operator/(Expr a, double b) { return a / constant(*a.graph, b); }
Expr operator-(double a, Expr b) { return constant(*b.graph, a) - b; }
Expr operator-(Expr a) { return a * -1.0; }

Expr ratio_or(Expr a, Expr b, double where_b_is_0) { return make(Op::DivideOr, a, b, 0, where_b_is_0); }
Expr larger(Expr a, Expr b) { return make(Op::Max, a, b); }
Expr smaller(Expr a, Expr b) { return make(Op::Min, a, b); }
Expr absolute(Expr x) { return make(Op::Abs, x); }
Expr square(Expr x) { return x * x; }
Expr square_root(Expr x) { return make(Op::SquareRoot, x); }
Expr natural_log(Expr x) { return make(Op::Log, x); }
Expr log_1p(Expr x) { return make(Op::Log1p, x); }
Expr sign(Expr x) { return make(Op::Sign, x); }
Expr sine_turn(Expr x) { return make(Op::SineTurn, x); }
Expr cosine_turn(Expr x) { return make(Op::CosineTurn, x); }
Expr greater(Expr a, Expr b) { return make(Op::Greater, a, b); }
Expr choose(Expr condition, Expr then, Expr otherwise) {
  return {condition.graph,
          condition.graph->add({.op = Op::Choose, .in = {condition.id, then.id, otherwise.id}, .inputs = 3})};
}

Expr lag(Expr x, int steps) { return steps == 0 ? x : make(Op::Lag, x, steps); }
Expr deviation(Expr x, int window) { return pick(make(Op::Moments2, x, window), 0); }
Expr mean(Expr x, int window) { return window == 1 ? x : x - deviation(x, window); }
Expr sum(Expr x, int window) { return window == 1 ? x : mean(x, window) * static_cast<double>(window); }
Expr variance(Expr x, int window) { return pick(make(Op::Moments2, x, window), 1); }
Expr standard_deviation(Expr x, int window) { return square_root(variance(x, window)); }
Expr skewness(Expr x, int window) { return pick(make(Op::Moments4, x, window), 2); }
Expr excess_kurtosis(Expr x, int window) { return pick(make(Op::Moments4, x, window), 3); }
Expr covariance(Expr a, Expr b, int window) { return pick(make(Op::CoMoments, a, b, window), 0); }
Expr correlation(Expr a, Expr b, int window) {
  const Expr joint = make(Op::CoMoments, a, b, window);
  return pick(joint, 0) / square_root(pick(joint, 1) * pick(joint, 2));
}
Expr regression_slope(Expr y, Expr x, int window) {
  const Expr joint = make(Op::CoMoments, y, x, window);
  return pick(joint, 0) / pick(joint, 2);
}
Expr highest(Expr x, int window) { return extreme(Op::Max, x, window); }
Expr lowest(Expr x, int window) { return extreme(Op::Min, x, window); }
Expr mean_abs_deviation(Expr x, int window) { return make(Op::MeanAbsDeviation, x, window); }
Expr rank(Expr x, int window) { return make(Op::Rank, x, window); }
Expr ema_deviation(Expr x, double weight, int warm_up) { return make(Op::Ema, x, warm_up, weight); }
Expr ema(Expr x, double weight, int warm_up) { return x - ema_deviation(x, weight, warm_up); }
Expr run(Expr x) { return make(Op::Run, x); }
Expr since(Expr x) { return make(Op::Since, x); }
Expr session(Op op, Expr x) { return make(op, x); }
Expr cross(Op op, Expr x) { return make(op, x); }

}  // namespace everlearn
