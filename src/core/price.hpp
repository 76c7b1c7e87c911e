// Prices are integers of 1e-9 units, so that equal prices are equal and sums are exact. Range: about +-9.2e9 units.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace everlearn {

class Price {
 public:
  static constexpr std::int64_t kScale = 1'000'000'000;

  constexpr Price() = default;
  static constexpr Price from_nanos(std::int64_t nanos) { return Price{nanos}; }
  /// Rounds to the nearest 1e-9. Errors: OutOfRange for NaN, infinity or |value| > 9e9.
  static Result<Price> from(double value);
  /// Decimal text, optionally with an exponent. Errors: BadData, OutOfRange.
  static Result<Price> parse(std::string_view text);

  constexpr std::int64_t nanos() const { return nanos_; }
  constexpr double value() const { return static_cast<double>(nanos_) / kScale; }
  /// Shortest decimal text: "0.029".
  std::string text() const;
  constexpr auto operator<=>(const Price&) const = default;

 private:
  constexpr explicit Price(std::int64_t nanos) : nanos_{nanos} {}
  std::int64_t nanos_ = 0;
};

/// How much: shares, contracts, coins. Integers of 1e-6 units; range about +-9.2e12 units.
class Quantity {
 public:
  static constexpr std::int64_t kScale = 1'000'000;

  constexpr Quantity() = default;
  static constexpr Quantity from_micros(std::int64_t micros) { return Quantity{micros}; }
  /// Rounds to the nearest 1e-6. Errors: OutOfRange for NaN, infinity or |value| > 9e12.
  static Result<Quantity> from(double value);
  /// Decimal text, optionally with an exponent. Errors: BadData, OutOfRange.
  static Result<Quantity> parse(std::string_view text);

  constexpr std::int64_t micros() const { return micros_; }
  constexpr double value() const { return static_cast<double>(micros_) / kScale; }
  /// Shortest decimal text: "12.5".
  std::string text() const;
  constexpr auto operator<=>(const Quantity&) const = default;

 private:
  constexpr explicit Quantity(std::int64_t micros) : micros_{micros} {}
  std::int64_t micros_ = 0;
};

class Probability {
 public:
  /// `p` in [0, 1]. Errors: OutOfRange, also for NaN.
  static Result<Probability> from(double p);
  double value() const { return p_; }
  auto operator<=>(const Probability&) const = default;

 private:
  explicit Probability(double p) : p_{p} {}
  double p_;
};

}  // namespace everlearn
