#include "core/price.hpp"

#include <fmt/format.h>

#include "core/decimal.hpp"

namespace everlearn {
namespace {

constexpr DecimalKind kPrice{"price", 9};
constexpr double kPriceLimit = 9e9;
constexpr DecimalKind kQuantity{"quantity", 6};
constexpr double kQuantityLimit = 9e12;

}  // namespace

Result<Price> Price::from(double value) {
  EL_TRY(const std::int64_t nanos, decimal_from(value, kPriceLimit, kPrice));
  return Price{nanos};
}

Result<Price> Price::parse(std::string_view text) {
  EL_TRY(const std::int64_t nanos, parse_decimal(text, kPrice));
  return Price{nanos};
}

std::string Price::text() const { return decimal_text(nanos_, kPrice.places); }

Result<Quantity> Quantity::from(double value) {
  EL_TRY(const std::int64_t micros, decimal_from(value, kQuantityLimit, kQuantity));
  return Quantity{micros};
}

Result<Quantity> Quantity::parse(std::string_view text) {
  EL_TRY(const std::int64_t micros, parse_decimal(text, kQuantity));
  return Quantity{micros};
}

std::string Quantity::text() const { return decimal_text(micros_, kQuantity.places); }

Result<Probability> Probability::from(double p) {
  if (!(p >= 0.0 && p <= 1.0)) return fail(Code::OutOfRange, fmt::format("probability {} not in [0, 1]", p));
  return Probability{p};
}

}  // namespace everlearn
