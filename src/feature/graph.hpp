// What a feature computes, as a graph of small operations over one instrument's series. Equal nodes are one node, so
// whatever two features share is computed once; a node's digest changes whenever its computation does. Values are
// double; NaN = unknown, and one rule holds everywhere: a result is known when all values it needs are known.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "feature/input.hpp"

namespace everlearn {

using NodeId = std::uint32_t;

enum class Op : std::uint8_t {
  Input,     // what the bank senses at each step; `window` is the input's parameter (book level, ...)
  Constant,  // `number`
  // Element by element.
  Add,
  Subtract,
  Multiply,
  Divide,    // x / 0 is unknown
  DivideOr,  // a / b, `number` where b is 0
  Max,
  Min,
  Abs,
  SquareRoot,
  Log,
  Log1p,
  Sign,
  SineTurn,    // sin(2 pi x)
  CosineTurn,  // cos(2 pi x)
  Greater,     // 1 where a > b, else 0
  Choose,      // a != 0 ? b : c
  // Over one instrument's past.
  Lag,               // the value `window` steps ago, if all since then are known
  Moments2,          // [x - mean, variance] of the last `window` values (variance: divided by window)
  Moments4,          // [x - mean, variance, skewness, excess kurtosis]
  CoMoments,         // [covariance, variance of a, variance of b] of the last `window` pairs
  MeanAbsDeviation,  // mean |x - mean| of the last `window` values; costs O(window)
  Rank,              // share of (up to 64, evenly spaced) earlier values of the window below x, ties to 9 digits half
  Ema,               // x - exponential mean, weight `number`, weights normalised from the first value on
  Run,               // how many values up to now were known without a break
  Since,             // steps since x was last not 0
  SessionFirst,      // of the running session
  SessionMax,
  SessionMin,
  SessionSum,
  PreviousSession,  // last value of the session before
  // Over all instruments at this step.
  CrossMean,       // of the instruments that are not context; at least two known
  CrossDeviation,  // standard deviation of the same
  CrossRank,       // share of the others below this one, ties half
  Context,         // mean of x over the context instruments
  Pick,            // output number `window` of a node with several
};

/// Number of outputs of a node of this kind.
int outputs(Op op);
std::string_view name(Op op);

struct Node {
  Op op = Op::Constant;
  Input input = Input::Price;
  std::int32_t window = 0;
  double number = 0;
  std::array<NodeId, 3> in{};
  int inputs = 0;
};

/// Nodes in the order of their making, so that each stands after what it needs.
class Graph {
 public:
  /// Finds or adds.
  NodeId add(const Node& node);
  const Node& operator[](NodeId id) const { return nodes_[id]; }
  std::size_t size() const { return nodes_.size(); }
  /// Steps with a known price that the node needs, the present one included.
  std::int64_t needs(NodeId id) const { return needs_[id]; }
  /// Digest of the node and of all it is made from.
  const std::string& digest(NodeId id) const { return digests_[id]; }

 private:
  std::vector<Node> nodes_;
  std::vector<std::int64_t> needs_;
  std::vector<std::string> digests_;
  std::map<std::string, NodeId> by_digest_;
};

/// A node while a formula is written down.
struct Expr {
  Graph* graph = nullptr;
  NodeId id = 0;
};

Expr input(Graph& graph, Input what, int parameter = 0);
Expr constant(Graph& graph, double value);

Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator/(Expr a, Expr b);
Expr operator+(Expr a, double b);
Expr operator-(Expr a, double b);
Expr operator*(Expr a, double b);
Expr operator/(Expr a, double b);
Expr operator-(double a, Expr b);
Expr operator-(Expr a);

Expr ratio_or(Expr a, Expr b, double where_b_is_0);
Expr larger(Expr a, Expr b);
Expr smaller(Expr a, Expr b);
Expr absolute(Expr x);
Expr square(Expr x);
Expr square_root(Expr x);
Expr natural_log(Expr x);
Expr log_1p(Expr x);
Expr sign(Expr x);
Expr sine_turn(Expr x);
Expr cosine_turn(Expr x);
Expr greater(Expr a, Expr b);
Expr choose(Expr condition, Expr then, Expr otherwise);

Expr lag(Expr x, int steps);
Expr deviation(Expr x, int window);  // x - mean
Expr mean(Expr x, int window);
Expr sum(Expr x, int window);
Expr variance(Expr x, int window);
Expr standard_deviation(Expr x, int window);
Expr skewness(Expr x, int window);
Expr excess_kurtosis(Expr x, int window);
Expr covariance(Expr a, Expr b, int window);
Expr correlation(Expr a, Expr b, int window);
Expr regression_slope(Expr y, Expr x, int window);
Expr highest(Expr x, int window);
Expr lowest(Expr x, int window);
Expr mean_abs_deviation(Expr x, int window);
Expr rank(Expr x, int window);
Expr ema_deviation(Expr x, double weight, int warm_up);  // x - ema, known after `warm_up` values
Expr ema(Expr x, double weight, int warm_up);
Expr run(Expr x);
Expr since(Expr x);
Expr session(Op op, Expr x);
Expr cross(Op op, Expr x);

}  // namespace everlearn
