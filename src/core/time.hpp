// Time is int64 microseconds UTC. Two times stand on everything: event_time (the market's) and known_at (ours).
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "core/result.hpp"

namespace everlearn {

class Duration {
 public:
  constexpr Duration() = default;
  constexpr explicit Duration(std::int64_t microseconds) : us_{microseconds} {}
  static constexpr Duration seconds(std::int64_t n) { return Duration{n * 1'000'000}; }
  static constexpr Duration minutes(std::int64_t n) { return seconds(n * 60); }
  static constexpr Duration hours(std::int64_t n) { return seconds(n * 3'600); }
  static constexpr Duration days(std::int64_t n) { return seconds(n * 86'400); }

  /// "90s", "15m", "6h", "7d", "250ms", "10us"; a sum such as "1h30m". Errors: BadData.
  static Result<Duration> parse(std::string_view text);

  constexpr std::int64_t us() const { return us_; }
  constexpr double as_seconds() const { return static_cast<double>(us_) / 1e6; }
  /// The shortest exact text that parse() reads back: "1d", "90s", "1500ms".
  std::string text() const;

  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration other) const { return Duration{us_ + other.us_}; }
  constexpr Duration operator-(Duration other) const { return Duration{us_ - other.us_}; }
  constexpr Duration operator*(std::int64_t n) const { return Duration{us_ * n}; }
  constexpr std::int64_t operator/(Duration other) const { return us_ / other.us_; }

 private:
  std::int64_t us_ = 0;
};

class Timestamp {
 public:
  constexpr Timestamp() = default;
  constexpr explicit Timestamp(std::int64_t microseconds_since_1970_utc) : us_{microseconds_since_1970_utc} {}
  static constexpr Timestamp min() { return Timestamp{std::numeric_limits<std::int64_t>::min()}; }
  static constexpr Timestamp max() { return Timestamp{std::numeric_limits<std::int64_t>::max()}; }

  /// RFC 3339 with 'T' or space and a zone ("Z", "+01:00"); up to nine decimals, cut to microseconds; a leap second
  /// is the last microsecond of its minute. Errors: BadData, also for a time without a zone.
  static Result<Timestamp> parse(std::string_view text);

  constexpr std::int64_t us() const { return us_; }
  /// "2026-01-03T13:00:07.000000Z"
  std::string iso() const;
  /// "2026-01-03"
  std::string date() const;

  constexpr auto operator<=>(const Timestamp&) const = default;
  constexpr Timestamp operator+(Duration d) const { return Timestamp{us_ + d.us()}; }
  constexpr Timestamp operator-(Duration d) const { return Timestamp{us_ - d.us()}; }
  constexpr Duration operator-(Timestamp other) const { return Duration{us_ - other.us_}; }

 private:
  std::int64_t us_ = 0;
};

}  // namespace everlearn
