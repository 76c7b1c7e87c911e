#include "forest/compiled.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace everlearn {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kMax = std::numeric_limits<float>::max();
constexpr float kTiny = std::numeric_limits<float>::denorm_min();

TEST_CASE("a threshold becomes the largest float that is not above it") {
  CHECK(floor_to_float(1.0) == 1.0F);
  CHECK(floor_to_float(std::nextafter(1.0, 2.0)) == 1.0F);
  CHECK(floor_to_float(std::nextafter(1.0, 0.0)) == std::nextafter(1.0F, 0.0F));
  CHECK(floor_to_float(1e-300) == 0.0F);
  CHECK(floor_to_float(-1e-300) == -kTiny);
  CHECK(floor_to_float(1e300) == kMax);
  CHECK(floor_to_float(-1e300) == -kInf);
  CHECK(floor_to_float(std::numeric_limits<double>::infinity()) == kInf);
  CHECK(floor_to_float(-std::numeric_limits<double>::infinity()) == -kInf);
}

TEST_CASE("no float changes sides when a threshold is narrowed") {
  CHECK(rc::check([](std::uint64_t threshold_bits, std::uint32_t value_bits, bool near_float) {
    double threshold = std::bit_cast<double>(threshold_bits);
    // Half of the thresholds lie where floats are: a float, moved by at most one unit of double.
    if (near_float) {
      const auto base = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(threshold_bits)));
      threshold = threshold_bits >> 63 != 0 ? base : std::nextafter(base, threshold_bits >> 62 != 0 ? 1e308 : -1e308);
    }
    RC_PRE(!std::isnan(threshold));
    const float narrowed = floor_to_float(threshold);
    for (const float x : {std::bit_cast<float>(value_bits), narrowed, std::nextafter(narrowed, kInf),
                          std::nextafter(narrowed, -kInf), 0.0F, -0.0F, kInf, -kInf}) {
      RC_PRE(!std::isnan(x));
      RC_ASSERT((x <= narrowed) == (static_cast<double>(x) <= threshold));
    }
  }));
}

}  // namespace
}  // namespace everlearn
