#include "feature/stored_precision.hpp"

#include <doctest/doctest.h>

#include <limits>

#include <rapidcheck.h>

using namespace everlearn;

TEST_CASE("stored precision: within 2^-16 of the value, and the same when stored again") {
  CHECK(rc::check([](float value) {
    RC_PRE(std::isnormal(value));
    const float stored = stored_precision(value);
    RC_ASSERT(stored_precision(stored) == stored);
    RC_ASSERT(std::fabs(stored - value) <= std::fabs(value) * 0x1p-16F);
    RC_ASSERT((std::bit_cast<std::uint32_t>(stored) & 0xffu) == 0u);
  }));
}

TEST_CASE("stored precision: ties go to even, what is missing stays missing") {
  CHECK(stored_precision(1.0F + 0x1p-16F) == 1.0F);
  CHECK(stored_precision(1.0F + 3 * 0x1p-16F) == 1.0F + 4 * 0x1p-16F);
  CHECK(std::isnan(stored_precision(std::numeric_limits<float>::quiet_NaN())));
  CHECK(stored_precision(std::numeric_limits<float>::infinity()) == std::numeric_limits<float>::infinity());
  CHECK(stored_precision(std::numeric_limits<float>::max()) == std::numeric_limits<float>::max());
  CHECK(std::signbit(stored_precision(-0.0F)));
}
