#include "core/decimal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "core/quoted.hpp"

namespace everlearn {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Beyond this an exponent decides alone; clipping keeps the sums below in range.
constexpr std::int64_t kExponentLimit = 1'000'000'000'000;

std::int64_t power_of_ten(int n) {
  std::int64_t power = 1;
  for (int i = 0; i < n; ++i) power *= 10;
  return power;
}

}  // namespace

Result<std::int64_t> parse_decimal(std::string_view text, DecimalKind kind) {
  const auto bad = [&] { return fail(Code::BadData, fmt::format("{} {} is not a number", kind.name, quoted(text))); };
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative) rest.remove_prefix(1);

  std::size_t whole = 0;
  while (whole < rest.size() && is_digit(rest[whole])) ++whole;
  const std::string_view before = rest.substr(0, whole);
  rest.remove_prefix(whole);
  std::string_view after;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    std::size_t n = 0;
    while (n < rest.size() && is_digit(rest[n])) ++n;
    after = rest.substr(0, n);
    rest.remove_prefix(n);
  }
  if (before.empty() && after.empty()) return bad();

  std::int64_t exponent = 0;
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    const bool down = rest.starts_with('-');
    if (down || rest.starts_with('+')) rest.remove_prefix(1);
    if (rest.empty()) return bad();
    while (!rest.empty() && is_digit(rest.front())) {
      exponent = std::min(exponent * 10 + (rest.front() - '0'), kExponentLimit);
      rest.remove_prefix(1);
    }
    if (down) exponent = -exponent;
  }
  if (!rest.empty()) return bad();

  // The digits before this position count units; the one on it decides the rounding.
  const std::int64_t end = static_cast<std::int64_t>(before.size()) + exponent + kind.places;
  const auto count = static_cast<std::int64_t>(before.size() + after.size());
  const auto digit = [&](std::int64_t i) {
    const auto at = static_cast<std::size_t>(i);
    return at < before.size() ? before[at] - '0' : after[at - before.size()] - '0';
  };
  std::int64_t units = 0;  // counted below zero, where the int64 range is one larger
  bool too_large = false;
  for (std::int64_t i = 0; i < std::min(count, end) && !too_large; ++i) {
    too_large = __builtin_mul_overflow(units, std::int64_t{10}, &units) ||
                __builtin_sub_overflow(units, std::int64_t{digit(i)}, &units);
  }
  for (std::int64_t i = count; i < end && units != 0 && !too_large; ++i) {
    too_large = __builtin_mul_overflow(units, std::int64_t{10}, &units);
  }
  if (!too_large && end >= 0 && end < count && digit(end) >= 5) {
    too_large = __builtin_sub_overflow(units, std::int64_t{1}, &units);
  }
  if (!negative && units == std::numeric_limits<std::int64_t>::min()) too_large = true;
  if (too_large) {
    return fail(Code::OutOfRange, fmt::format("{} {} is beyond {}", kind.name, quoted(text),
                                              decimal_text(std::numeric_limits<std::int64_t>::max(), kind.places)));
  }
  return negative ? units : -units;
}

Result<std::int64_t> decimal_from(double value, double limit, DecimalKind kind) {
  if (!(std::abs(value) <= limit)) {
    return fail(Code::OutOfRange, fmt::format("{} {} is not within +-{}", kind.name, value, limit));
  }
  // product + error is the exact product, so a half is seen even where the product itself was rounded onto it.
  const auto scale = static_cast<double>(power_of_ten(kind.places));
  const double size = std::abs(value);
  const double product = size * scale;
  const double error = std::fma(size, scale, -product);
  const double whole = std::floor(product);
  const double part = product - whole;
  auto units = static_cast<std::int64_t>(whole);
  if (product >= 0x1p52) {
    units += std::llround(error);
  } else if (part > 0.5 || (part == 0.5 && error >= 0.0)) {
    units += 1;
  }
  return value < 0 ? -units : units;
}

std::string decimal_text(std::int64_t units, int places) {
  const std::uint64_t size = units < 0 ? 0 - static_cast<std::uint64_t>(units) : static_cast<std::uint64_t>(units);
  const auto scale = static_cast<std::uint64_t>(power_of_ten(places));
  std::string text = fmt::format("{}{}", units < 0 ? "-" : "", size / scale);
  if (size % scale != 0) {
    text += fmt::format(".{:0{}}", size % scale, places);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text;
}

}  // namespace everlearn
