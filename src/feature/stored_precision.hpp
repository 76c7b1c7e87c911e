#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace everlearn {

/// A feature as it is stored and as models see it: rounded to 16 significant bits (1.5e-5 relative, to nearest, ties to
/// even). The rest is noise of the arithmetic that no compression can remove (docs/decisions/0004). NaN and infinities
/// stay.
inline float stored_precision(float value) {
  constexpr std::uint32_t kDropped = 8;  // of the 23 bits of the fraction
  if (!std::isfinite(value)) return value;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t half_less_one = (1u << (kDropped - 1)) - 1 + ((bits >> kDropped) & 1u);
  const auto rounded = std::bit_cast<float>((bits + half_less_one) & ~((1u << kDropped) - 1));
  return std::isfinite(rounded) ? rounded : value;
}

}  // namespace everlearn
