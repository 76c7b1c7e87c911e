#include "feature/expression.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace everlearn;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

const std::vector<std::string> kColumns{"a", "b", "c", "none", "ret_1h"};
const std::vector<float> kRow{2, 3, -4, kNaN, 0.5f};

double value(std::string_view text) {
  const auto expression = Expression::parse(text);
  REQUIRE_MESSAGE(expression.has_value(), text);
  std::vector<std::size_t> from;
  for (const Expression::Name& name : expression->names()) {
    const auto at = std::find(kColumns.begin(), kColumns.end(), name.text);
    REQUIRE(at != kColumns.end());
    from.push_back(static_cast<std::size_t>(at - kColumns.begin()));
  }
  return expression->evaluate(kRow, from);
}

std::string refused(std::string_view text) {
  const auto expression = Expression::parse(text);
  REQUIRE_MESSAGE(!expression.has_value(), text);
  CHECK(expression.error().code == Code::Config);
  return expression.error().message;
}

std::string normalised(std::string_view text) { return Expression::parse(text).value().normalised(); }

}  // namespace

TEST_CASE("expression: numbers, columns and the order of operations") {
  CHECK(value("1") == 1);
  CHECK(value(".5") == 0.5);
  CHECK(value("2e-3") == 0.002);
  CHECK(value("ret_1h") == 0.5);
  CHECK(value("a + b * c") == -10);
  CHECK(value("(a + b) * c") == -20);
  CHECK(value("a - b - c") == 3);  // from the left
  CHECK(value("12 / b / a") == 2);
  CHECK(value("2 ^ 3 ^ 2") == 512);  // from the right
  CHECK(value("-a ^ 2") == -4);
  CHECK(value("(-a) ^ 2") == 4);
  CHECK(value("2 ^ -1") == 0.5);
  CHECK(value("a--b") == 5);
  CHECK(value("  a\n+\tb ") == 5);
}

TEST_CASE("expression: a comparison is 1 or 0 and binds loosest") {
  CHECK(value("a + 1 >= b") == 1);
  CHECK(value("a > b") == 0);
  CHECK(value("a < b") == 1);
  CHECK(value("a <= 2") == 1);
  CHECK(value("a == 2") == 1);
  CHECK(value("a != 2") == 0);
  CHECK(value("(a < b) + (b < a)") == 1);
}

TEST_CASE("expression: functions") {
  CHECK(value("abs(c)") == 4);
  CHECK(value("log(exp(a))") == doctest::Approx(2));
  CHECK(value("log1p(0)") == 0);
  CHECK(value("sqrt(-c)") == 2);
  CHECK(value("sign(c)") == -1);
  CHECK(value("sign(0)") == 0);
  CHECK(value("min(a, b, c)") == -4);
  CHECK(value("max(a, b + 1, c)") == 4);
  CHECK(value("where(a > b, 10, 20)") == 20);
  CHECK(value("where(a < b, max(a, 7), 20)") == 7);
}

TEST_CASE("expression: missing in, missing out; what is no finite number is missing") {
  for (const char* text :
       {"none", "none + 1", "0 * none", "none ^ 0", "1 ^ none", "none < 1", "none == none", "none != 1", "min(none, 1)",
        "max(1, none)", "abs(none)", "sign(none)", "where(none, 1, 1)", "where(1, none, 1)", "-none",
        // and
        "a / 0", "0 / 0", "a / (b - 3)", "log(0)", "log(c)", "log1p(-1)", "sqrt(c)", "exp(1000)", "(-2) ^ 0.5",
        "0 ^ -1", "1e308 * 10", "exp(1000) < 1"})
    CHECK_MESSAGE(std::isnan(value(text)), text);
  CHECK(value("where(1, 5, none)") == 5);  // the branch that is not taken is not needed
  CHECK(value("where(0, 1 / 0, 6)") == 6);
}

TEST_CASE("expression: the columns it reads, each once, where it first stands") {
  const Expression expression = Expression::parse("b + abs(a) * b").value();
  REQUIRE(expression.names().size() == 2);
  CHECK(expression.names()[0].text == "b");
  CHECK(expression.names()[0].at == 1);
  CHECK(expression.names()[1].text == "a");
  CHECK(expression.names()[1].at == 9);
}

TEST_CASE("expression: spaces and spare brackets do not change what it says; anything else does") {
  CHECK(normalised("a+b*c") == "(+ a (* b c))");
  CHECK(normalised(" ( a + ((b) * c) ) ") == normalised("a+b*c"));
  CHECK(normalised("(a + b) * c") != normalised("a + b * c"));
  CHECK(normalised("0.50") == normalised("5e-1"));
  CHECK(normalised("min(a, b)") == "(min a b)");
  CHECK(normalised("-a") == "(- a)");
  CHECK(normalised("a - b") == "(- a b)");
  CHECK(normalised("a - b") != normalised("b - a"));
}

TEST_CASE("expression: an error names the place, what stands there and what may") {
  CHECK(refused("") == "at 1: a number, a column, a function or \"(\" is expected, the end stands there");
  CHECK(refused("a + * b") == "at 5: a number, a column, a function or \"(\" is expected, \"*\" stands there");
  CHECK(refused("(a + b") == "at 7: \")\" is expected, the end stands there");
  CHECK(refused("a b") == "at 3: an operator or the end is expected, \"b\" stands there");
  CHECK(refused("a < b < c") == "at 7: a comparison of a comparison needs brackets");
  CHECK(refused("sin(a)") == "at 1: no function \"sin\"; there are abs, log, log1p, sqrt, exp, sign, min, max, where");
  CHECK(refused("1 + where(a, b)") == "at 5: where takes 3 values, 2 given");
  CHECK(refused("abs(a, b)") == "at 1: abs takes 1 value, 2 given");
  CHECK(refused("min(a)") == "at 1: min takes 2 values or more, 1 given");
  CHECK(refused("abs()").starts_with("at 5: "));
  CHECK(refused("1.2.3") == "at 1: a number is expected, \"1\" stands there");
  CHECK(refused("3x") == "at 1: a number is expected, \"3\" stands there");
  CHECK(refused("a @ b").starts_with("at 3: an operator or the end is expected"));
}

TEST_CASE("expression: what is nested too deep or too long is refused, not a crash") {
  const auto many = [](const std::string& text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i) all += text;
    return all;
  };
  CHECK(refused(many("(", 1000)).find("more than 64 brackets") != std::string::npos);
  CHECK(refused(many("-", 1000) + "a").find("more than 64") != std::string::npos);
  CHECK(refused(many("abs(", 100) + "a" + many(")", 100)).find("more than 64") != std::string::npos);
  CHECK(refused(many("2^", 100) + "2").find("more than 64") != std::string::npos);
  CHECK(refused(many("a+", 3000) + "a").find("4096 at most") != std::string::npos);
  CHECK(value(many("a+", 500) + "a") == 1002);  // long is not deep
  CHECK(value(many("(", 60) + "a" + many(")", 60)) == 2);
}
