// Decimal text and fixed-point int64: what Price and Quantity have in common. A value counts units of 10^-places.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace everlearn {

struct DecimalKind {
  std::string_view name;  // for messages: "price"
  int places;             // 0..18
};

/// "12", "-0.5", ".5", "1.25e-3"; further decimals are rounded, halves away from zero. No sign "+", no spaces.
/// Errors: BadData, OutOfRange beyond int64.
Result<std::int64_t> parse_decimal(std::string_view text, DecimalKind kind);

/// The nearest count of units to the exact value of the double, halves away from zero.
/// Errors: OutOfRange for NaN, infinity and |value| > limit; limit * 10^places < 2^63.
Result<std::int64_t> decimal_from(double value, double limit, DecimalKind kind);

/// The shortest text parse_decimal() reads back as `units`.
std::string decimal_text(std::int64_t units, int places);

}  // namespace everlearn
