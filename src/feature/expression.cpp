#include "feature/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "core/quoted.hpp"

namespace everlearn {
namespace {

using Op = Expression::Op;

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kDeepest = 64;  // values on the stack, and brackets in brackets
constexpr std::size_t kLongest = 4096;
constexpr std::size_t kAny = 0;

struct Function {
  std::string_view name;
  Op op;
  std::size_t arguments;  // kAny: two or more
};
constexpr auto kFunctions = std::to_array<Function>({
    {"abs", Op::Abs, 1},
    {"log", Op::Log, 1},
    {"log1p", Op::Log1p, 1},
    {"sqrt", Op::Sqrt, 1},
    {"exp", Op::Exp, 1},
    {"sign", Op::Sign, 1},
    {"min", Op::Min, kAny},
    {"max", Op::Max, kAny},
    {"where", Op::Where, 3},
});

struct Operator {
  std::string_view sign;
  Op op;
};
constexpr auto kComparisons = std::to_array<Operator>({{"<=", Op::LessEqual},
                                                       {">=", Op::GreaterEqual},
                                                       {"==", Op::Equal},
                                                       {"!=", Op::NotEqual},
                                                       {"<", Op::Less},
                                                       {">", Op::Greater}});
constexpr auto kSums = std::to_array<Operator>({{"+", Op::Add}, {"-", Op::Subtract}});
constexpr auto kProducts = std::to_array<Operator>({{"*", Op::Multiply}, {"/", Op::Divide}});

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Values that an operation takes from the stack.
std::size_t taken(Op op) {
  switch (op) {
    case Op::Number:
    case Op::Column:
      return 0;
    case Op::Negate:
    case Op::Abs:
    case Op::Log:
    case Op::Log1p:
    case Op::Sqrt:
    case Op::Exp:
    case Op::Sign:
      return 1;
    case Op::Where:
      return 3;
    default:
      return 2;
  }
}

/// Recursive descent; each rule adds its steps and gives back its normalised text.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_{text} {}

  Result<std::string> whole() {
    if (text_.size() > kLongest)
      return fail(Code::Config, fmt::format("an expression of {} characters, {} at most", text_.size(), kLongest));
    EL_TRY(std::string normalised, comparison());
    skip_spaces();
    if (at_ < text_.size()) return expected("an operator or the end");
    return normalised;
  }

  std::vector<Expression::Step> steps;
  std::vector<Expression::Name> names;

 private:
  Result<std::string> comparison() {
    EL_TRY(std::string left, sum());
    if (const Operator* found = take(kComparisons)) {
      EL_TRY(const std::string right, sum());
      EL_TRY(left, binary(*found, left, right));
      if (skip_spaces(); starts_any(kComparisons))
        return fail(Code::Config, fmt::format("at {}: a comparison of a comparison needs brackets", at_ + 1));
    }
    return left;
  }

  Result<std::string> sum() {
    EL_TRY(std::string left, product());
    while (const Operator* found = take(kSums)) {
      EL_TRY(const std::string right, product());
      EL_TRY(left, binary(*found, left, right));
    }
    return left;
  }

  Result<std::string> product() {
    EL_TRY(std::string left, negated());
    while (const Operator* found = take(kProducts)) {
      EL_TRY(const std::string right, negated());
      EL_TRY(left, binary(*found, left, right));
    }
    return left;
  }

  Result<std::string> negated() {
    skip_spaces();
    if (!take_sign("-")) return power();
    EL_CHECK(deeper());
    EL_TRY(const std::string of, negated());
    --nested_;
    EL_CHECK(add({.op = Op::Negate}));
    return fmt::format("(- {})", of);
  }

  Result<std::string> power() {
    EL_TRY(const std::string base, single());
    skip_spaces();
    if (!take_sign("^")) return base;
    EL_CHECK(deeper());
    EL_TRY(const std::string exponent, negated());
    --nested_;
    return binary({"^", Op::Power}, base, exponent);
  }

  Result<std::string> single() {
    skip_spaces();
    if (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) return number();
    if (at_ < text_.size() && is_letter(text_[at_])) return name();
    if (!take_sign("(")) return expected("a number, a column, a function or \"(\"");
    EL_CHECK(deeper());
    EL_TRY(std::string inner, comparison());
    --nested_;
    skip_spaces();
    if (!take_sign(")")) return expected("\")\"");
    return inner;
  }

  Result<std::string> number() {
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    const auto stop = static_cast<std::size_t>(end - text_.data());
    const bool runs_on = stop < text_.size() && (is_letter(text_[stop]) || is_digit(text_[stop]) || text_[stop] == '.');
    if (error != std::errc{} || runs_on) return expected("a number");
    at_ = stop;
    EL_CHECK(add({.op = Op::Number, .number = value}));
    return fmt::format("{}", value);
  }

  Result<std::string> name() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    const std::string_view word = text_.substr(begin, at_ - begin);
    skip_spaces();
    if (take_sign("(")) return call(word, begin);
    auto known = std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.text == word; });
    if (known == names.end()) known = names.insert(names.end(), {std::string{word}, begin + 1});
    EL_CHECK(add({.op = Op::Column, .column = static_cast<std::uint32_t>(known - names.begin())}));
    return std::string{word};
  }

  Result<std::string> call(std::string_view word, std::size_t begin) {
    const auto function =
        std::find_if(kFunctions.begin(), kFunctions.end(), [&](const auto& f) { return f.name == word; });
    if (function == kFunctions.end()) {
      std::vector<std::string_view> known;
      for (const Function& f : kFunctions) known.push_back(f.name);
      return fail(Code::Config,
                  fmt::format("at {}: no function {}; there are {}", begin + 1, quoted(word), fmt::join(known, ", ")));
    }
    EL_CHECK(deeper());
    std::string normalised = fmt::format("({}", word);
    std::size_t count = 0;
    do {
      EL_TRY(const std::string argument, comparison());
      normalised += " " + argument;
      // The least of three is the lesser of the least of two and the third.
      if (++count > 1 && function->arguments == kAny) EL_CHECK(add({.op = function->op}));
      skip_spaces();
    } while (take_sign(","));
    --nested_;
    if (!take_sign(")")) return expected("\",\" or \")\"");
    const bool fits = function->arguments == kAny ? count >= 2 : count == function->arguments;
    if (!fits)
      return fail(Code::Config, fmt::format("at {}: {} takes {}, {} given", begin + 1, word,
                                            function->arguments == kAny ? "2 values or more"
                                            : function->arguments == 1  ? "1 value"
                                                                        : "3 values",
                                            count));
    if (function->arguments != kAny) EL_CHECK(add({.op = function->op}));
    return normalised + ")";
  }

  Result<std::string> binary(const Operator& sign, const std::string& left, const std::string& right) {
    EL_CHECK(add({.op = sign.op}));
    return fmt::format("({} {} {})", sign.sign, left, right);
  }

  Result<void> add(const Expression::Step& step) {
    stack_ += 1;
    stack_ -= taken(step.op);
    if (stack_ > kDeepest) return too_deep();
    steps.push_back(step);
    return {};
  }

  Result<void> deeper() {
    if (++nested_ > kDeepest) return too_deep();
    return {};
  }
  Result<void> too_deep() const {
    return fail(Code::Config,
                fmt::format("at {}: more than {} brackets or open operations in one another", at_ + 1, kDeepest));
  }

  Result<std::string> expected(std::string_view what) const {
    std::size_t here = at_;
    while (here < text_.size() && is_space(text_[here])) ++here;
    const std::string there = here < text_.size() ? quoted(text_.substr(here, 1)) : "the end";
    return fail(Code::Config, fmt::format("at {}: {} is expected, {} stands there", here + 1, what, there));
  }

  void skip_spaces() {
    while (at_ < text_.size() && is_space(text_[at_])) ++at_;
  }
  bool take_sign(std::string_view sign) {
    if (!text_.substr(at_).starts_with(sign)) return false;
    at_ += sign.size();
    return true;
  }
  template <std::size_t N>
  bool starts_any(const std::array<Operator, N>& operators) const {
    return std::any_of(operators.begin(), operators.end(),
                       [&](const Operator& o) { return text_.substr(at_).starts_with(o.sign); });
  }
  template <std::size_t N>
  const Operator* take(const std::array<Operator, N>& operators) {
    skip_spaces();
    for (const Operator& one : operators)
      if (take_sign(one.sign)) return &one;
    return nullptr;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t nested_ = 0;
  std::size_t stack_ = 0;
};

double finite(double x) { return std::isfinite(x) ? x : kMissing; }

double of_one(Op op, double x) {
  switch (op) {
    case Op::Negate:
      return -x;
    case Op::Abs:
      return std::fabs(x);
    case Op::Log:
      return x > 0 ? std::log(x) : kMissing;
    case Op::Log1p:
      return x > -1 ? std::log1p(x) : kMissing;
    case Op::Sqrt:
      return x >= 0 ? std::sqrt(x) : kMissing;
    case Op::Exp:
      return std::exp(x);
    default:
      return x > 0 ? 1 : x < 0 ? -1 : x;
  }
}

double of_two(Op op, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return kMissing;  // a comparison, and NaN ^ 0, would give a number
  switch (op) {
    case Op::Add:
      return a + b;
    case Op::Subtract:
      return a - b;
    case Op::Multiply:
      return a * b;
    case Op::Divide:
      return b == 0 ? kMissing : a / b;
    case Op::Power:
      return std::pow(a, b);
    case Op::Less:
      return a < b ? 1 : 0;
    case Op::LessEqual:
      return a <= b ? 1 : 0;
    case Op::Greater:
      return a > b ? 1 : 0;
    case Op::GreaterEqual:
      return a >= b ? 1 : 0;
    case Op::Equal:
      return a == b ? 1 : 0;
    case Op::NotEqual:
      return a != b ? 1 : 0;
    case Op::Min:
      return std::min(a, b);
    default:
      return std::max(a, b);
  }
}

}  // namespace

Result<Expression> Expression::parse(std::string_view text) {
  Parser parser{text};
  Expression expression;
  EL_TRY(expression.normalised_, parser.whole());
  expression.steps_ = std::move(parser.steps);
  expression.names_ = std::move(parser.names);
  return expression;
}

double Expression::evaluate(std::span<const float> row, std::span<const std::size_t> from) const {
  std::array<double, kDeepest> stack;
  std::size_t size = 0;
  for (const Step& step : steps_) {
    double* top = stack.data() + size - taken(step.op);  // the first value it takes
    if (step.op == Op::Number) {
      *top = step.number;
    } else if (step.op == Op::Column) {
      *top = row[from[step.column]];
    } else if (step.op == Op::Where) {
      *top = std::isnan(top[0]) ? kMissing : top[0] != 0 ? top[1] : top[2];
    } else {
      *top = taken(step.op) == 1 ? of_one(step.op, top[0]) : of_two(step.op, top[0], top[1]);
    }
    *top = finite(*top);
    size += 1;
    size -= taken(step.op);
  }
  return stack[0];
}

}  // namespace everlearn
