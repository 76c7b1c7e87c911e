#include "core/price.hpp"

#include <cmath>
#include <limits>
#include <string>

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace everlearn;

namespace {

constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
constexpr auto kMax = std::numeric_limits<std::int64_t>::max();

std::int64_t nanos(std::string_view text) { return Price::parse(text).value().nanos(); }

}  // namespace

TEST_CASE("price: decimal text is read exactly") {
  CHECK(nanos("0.029") == 29'000'000);
  CHECK(nanos("-0.5") == -500'000'000);
  CHECK(nanos("12") == 12'000'000'000);
  CHECK(nanos(".48") == 480'000'000);
  CHECK(nanos("5.") == 5'000'000'000);
  CHECK(nanos("000.1") == 100'000'000);
  CHECK(nanos("0") == 0);
  CHECK(nanos("-0") == 0);
}

TEST_CASE("price: an exponent moves the point") {
  CHECK(nanos("1.5e-3") == 1'500'000);
  CHECK(nanos("1.5E+3") == 1'500'000'000'000);
  CHECK(nanos("25e-9") == 25);
  CHECK(nanos("0e18446744073709551617") == 0);
  CHECK(nanos("1e-18446744073709551617") == 0);
  CHECK(nanos("0.000000000000000001e18") == 1'000'000'000);
}

TEST_CASE("price: more than nine decimals round to the nearest, halves away from zero") {
  CHECK(nanos("0.0000000014") == 1);
  CHECK(nanos("0.0000000015") == 2);
  CHECK(nanos("0.00000000149999999999") == 1);
  CHECK(nanos("-0.0000000015") == -2);
  CHECK(nanos("0.29999999999999998") == 300'000'000);
  CHECK(nanos("5e-10") == 1);
  CHECK(nanos("4e-10") == 0);
  CHECK(nanos("9e-11") == 0);
  CHECK(nanos("0.9999999999") == 1'000'000'000);
}

TEST_CASE("price: what is no number is refused") {
  for (const auto* text : {"", ".", "-", "-.", "e5", "1e", "1e+", "1,5", "1.2.3", " 1", "1 ", "+1", "--1", "0x10",
                           "NaN", "inf", "1_000", "1e5.0", "1e--5"}) {
    const auto price = Price::parse(text);
    REQUIRE_MESSAGE(!price.has_value(), text);
    CHECK(price.error().code == Code::BadData);
    CHECK(price.error().message == "price \"" + std::string{text} + "\" is not a number");
  }
}

TEST_CASE("price: the range ends with int64") {
  CHECK(nanos("9223372036.854775807") == kMax);
  CHECK(nanos("-9223372036.854775808") == kMin);
  for (const auto* text : {"9223372036.854775808", "9223372036.8547758075", "-9223372036.854775809", "1e10",
                           "1e18446744073709551617", "99999999999999999999999"}) {
    const auto price = Price::parse(text);
    REQUIRE_MESSAGE(!price.has_value(), text);
    CHECK(price.error().code == Code::OutOfRange);
    CHECK(price.error().message == "price \"" + std::string{text} + "\" is beyond 9223372036.854775807");
  }
}

TEST_CASE("price: a double becomes the nearest price") {
  CHECK(Price::from(0.029).value().nanos() == 29'000'000);
  CHECK(Price::from(0.1 + 0.2).value().nanos() == 300'000'000);
  CHECK(Price::from(-1.5).value().nanos() == -1'500'000'000);
  CHECK(Price::from(9e9).value().nanos() == 9'000'000'000'000'000'000);
  CHECK(Price::from(-0.0).value() == Price{});
  CHECK(Price::from(1e-300).value() == Price{});
  // 0.5e-9 and 1.5e-9 are no doubles: the nearest ones lie a hair above and below the halves.
  CHECK(Price::from(0.5e-9).value().nanos() == 1);
  CHECK(Price::from(std::nextafter(0.5e-9, 0.0)).value().nanos() == 0);
}

TEST_CASE("price: a double outside the range is refused") {
  CHECK(Price::from(9.1e9).error().message == "price 9100000000 is not within +-9000000000");
  CHECK(Price::from(-9.1e9).error().code == Code::OutOfRange);
  CHECK(Price::from(std::numeric_limits<double>::quiet_NaN()).error().message ==
        "price nan is not within +-9000000000");
  CHECK(Price::from(std::numeric_limits<double>::infinity()).error().code == Code::OutOfRange);
}

TEST_CASE("price: its text is the shortest") {
  CHECK(Price::from_nanos(29'000'000).text() == "0.029");
  CHECK(Price::from_nanos(-29'000'000).text() == "-0.029");
  CHECK(Price::from_nanos(12'000'000'000).text() == "12");
  CHECK(Price::from_nanos(1).text() == "0.000000001");
  CHECK(Price{}.text() == "0");
  CHECK(Price::from_nanos(kMin).text() == "-9223372036.854775808");
}

TEST_CASE("price: parse reads back every text") {
  CHECK(Price::parse(Price::from_nanos(kMin).text()).value().nanos() == kMin);
  CHECK(rc::check([](std::int64_t n) {
    for (const std::int64_t units : {n, n % 1'000'000, n - n % 1'000'000'000}) {
      const Price price = Price::from_nanos(units);
      RC_ASSERT(Price::parse(price.text()).value() == price);
    }
  }));
}

TEST_CASE("price: a price within 2^52 units survives the way through a double") {
  CHECK(rc::check([] {
    const Price price = Price::from_nanos(*rc::gen::inRange<std::int64_t>(-(1ll << 52), 1ll << 52));
    RC_ASSERT(Price::from(price.value()).value() == price);
  }));
}

TEST_CASE("price: a double rounds as its exact decimal text does") {
  CHECK(rc::check([] {
    const auto bits = *rc::gen::inRange<std::int64_t>(-(1ll << 53), 1ll << 53);
    const double value = std::ldexp(static_cast<double>(bits), *rc::gen::inRange(-90, -20));
    char text[512];
    std::snprintf(text, sizeof text, "%.200f", value);
    RC_ASSERT(Price::from(value).value() == Price::parse(text).value());
  }));
}

TEST_CASE("price: prices compare by value") {
  CHECK(Price::parse("0.10").value() == Price::parse("0.1").value());
  CHECK(Price::parse("0.09").value() < Price::parse("0.1").value());
}

TEST_CASE("quantity: millionths, with the words of its own") {
  CHECK(Quantity::parse("12.5").value().micros() == 12'500'000);
  CHECK(Quantity::from(0.1).value().micros() == 100'000);
  CHECK(Quantity::from_micros(12'500'000).text() == "12.5");
  CHECK(Quantity::from_micros(12'500'000).value() == 12.5);
  CHECK(Quantity::parse("0.0000005").value().micros() == 1);
  CHECK(Quantity::parse("x").error().message == "quantity \"x\" is not a number");
  CHECK(Quantity::parse("1e13").error().message == "quantity \"1e13\" is beyond 9223372036854.775807");
  CHECK(Quantity::from(1e13).error().message == "quantity 10000000000000 is not within +-9000000000000");
  CHECK(rc::check([](std::int64_t n) {
    const Quantity quantity = Quantity::from_micros(n);
    RC_ASSERT(Quantity::parse(quantity.text()).value() == quantity);
  }));
}

TEST_CASE("probability: from 0 to 1 with both ends, and nothing else") {
  CHECK(Probability::from(0.0).value().value() == 0.0);
  CHECK(Probability::from(1.0).value().value() == 1.0);
  CHECK(Probability::from(1.5).error().message == "probability 1.5 not in [0, 1]");
  CHECK(Probability::from(-1e-9).error().code == Code::OutOfRange);
  CHECK(Probability::from(std::numeric_limits<double>::quiet_NaN()).error().message == "probability nan not in [0, 1]");
}
