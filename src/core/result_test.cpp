#include "core/result.hpp"

#include <memory>
#include <string>

#include <doctest/doctest.h>

using namespace everlearn;

namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail(Code::BadData, "odd: " + std::to_string(n));
  return n / 2;
}

Result<int> quarter(int n) {
  EL_TRY(const int h, half(n));
  return half(h);
}

Result<void> must_halve(int n) {
  EL_CHECK(half(n));
  return {};
}

}  // namespace

TEST_CASE("result: EL_TRY hands the value on, or returns the error") {
  CHECK(quarter(12).value() == 3);
  REQUIRE_FALSE(quarter(6).has_value());
  CHECK(quarter(6).error().code == Code::BadData);
  CHECK(quarter(6).error().message == "odd: 3");
}

TEST_CASE("result: EL_CHECK returns the error of a void function") {
  CHECK(must_halve(4).has_value());
  CHECK(must_halve(5).error().message == "odd: 5");
}

TEST_CASE("result: an error passed on with a context keeps its code") {
  const Result<int> wrapped = fail(half(3).error(), "row 7");
  CHECK(wrapped.error().code == Code::BadData);
  CHECK(wrapped.error().message == "row 7: odd: 3");
}

TEST_CASE("result: a value that can only be moved passes through") {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(5); };
  const auto use = [&]() -> Result<int> {
    EL_TRY(const auto owned, make());
    return *owned;
  };
  CHECK(use().value() == 5);
}
