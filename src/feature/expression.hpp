// A user's feature written as an expression over the other columns of the same row, such as
// "where(spread > 0.02, 0, imbalance5 * ret_5m)". The row is all it can see, so it knows no future and can be computed
// again for every stored row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace everlearn {

/// A parsed expression. A value; any thread may evaluate it.
///
///   numbers        1, 0.5, 2e-3            columns   ret_1h, imbalance5
///   from loose to tight: < <= > >= == !=   + -   * /   unary -   ^ (from the right: 2^3^2 = 2^9, -x^2 = -(x^2))
///   abs(x) log(x) log1p(x) sqrt(x) exp(x) sign(x) min(x, y, ..) max(x, y, ..) where(condition, then, otherwise)
///
/// A comparison is 1 or 0. Missing (NaN) gives missing, and so does what is no finite number: x / 0, the root or the
/// logarithm of what has none. `where` needs its condition and the branch that it takes.
class Expression {
 public:
  struct Name {
    std::string text;
    std::size_t at = 0;  // first place in the expression, from 1
  };

  /// Errors: Config, naming the place, what stands there and what may.
  static Result<Expression> parse(std::string_view text);

  /// The columns it reads, each once, in order of appearance.
  const std::vector<Name>& names() const { return names_; }
  /// What it says, whatever the spaces and spare brackets: each operation in brackets, its sign first.
  const std::string& normalised() const { return normalised_; }
  /// `from`: for each of names(), its place in `row`.
  double evaluate(std::span<const float> row, std::span<const std::size_t> from) const;

  enum class Op : std::uint8_t {
    Number,
    Column,
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    Abs,
    Log,
    Log1p,
    Sqrt,
    Exp,
    Sign,
    Min,
    Max,
    Where
  };
  struct Step {
    Op op = Op::Number;
    double number = 0;
    std::uint32_t column = 0;  // of names()
  };

 private:
  std::vector<Step> steps_;  // for a stack machine
  std::vector<Name> names_;
  std::string normalised_;
};

}  // namespace everlearn
