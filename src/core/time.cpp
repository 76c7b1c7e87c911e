#include "core/time.hpp"

#include <array>
#include <optional>

#include <fmt/format.h>

#include "core/civil.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t us;
};

// Large to small: a sum names its units in this order, each at most once.
constexpr std::array kUnits = {Unit{"d", 86'400'000'000}, Unit{"h", 3'600'000'000}, Unit{"m", 60'000'000},
                               Unit{"s", 1'000'000},      Unit{"ms", 1'000},        Unit{"us", 1}};

constexpr std::int64_t kDayUs = 86'400'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_sign(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text;
}

/// Reads a text from left to right; a field that is not there reads as nothing.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_{text} {}

  bool at_end() const { return rest_.empty(); }
  bool at_digit() const { return !rest_.empty() && is_digit(rest_.front()); }
  bool skip(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool skip_any(std::string_view of) {
    if (rest_.empty() || of.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  /// Exactly `n` digits.
  std::optional<int> digits(int n) {
    if (rest_.size() < static_cast<std::size_t>(n)) return std::nullopt;
    int value = 0;
    for (int i = 0; i < n; ++i) {
      if (!at_digit()) return std::nullopt;
      value = value * 10 + (rest_.front() - '0');
      rest_.remove_prefix(1);
    }
    return value;
  }
  /// All digits that follow.
  std::string_view all_digits() {
    std::size_t n = 0;
    while (n < rest_.size() && is_digit(rest_[n])) ++n;
    const std::string_view run = rest_.substr(0, n);
    rest_.remove_prefix(n);
    return run;
  }

 private:
  std::string_view rest_;
};

tl::unexpected<Error> bad_duration(std::string_view text, std::string_view why) {
  return fail(Code::BadData, fmt::format("duration {}: {}", quoted(text), why));
}

tl::unexpected<Error> bad_time(std::string_view text, std::string_view why) {
  return fail(Code::BadData, fmt::format("time {}: {}", quoted(text), why));
}

std::uint64_t magnitude(std::int64_t v) {
  return v < 0 ? 0 - static_cast<std::uint64_t>(v) : static_cast<std::uint64_t>(v);
}

/// Microseconds of the fraction's digits: the first six, the rest cut.
std::int64_t fraction_us(std::string_view digits) {
  std::int64_t us = 0;
  for (std::size_t i = 0; i < 6; ++i) us = us * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return us;
}

/// Whole days before `us`, rounded down also before 1970.
std::int64_t floor_days(std::int64_t us) { return us / kDayUs - (us % kDayUs < 0 ? 1 : 0); }

std::string date_text(const CivilDate& date) {
  const char* sign = date.year < 0 ? "-" : "";
  return fmt::format("{}{:04}-{:02}-{:02}", sign, date.year < 0 ? -date.year : date.year, date.month, date.day);
}

}  // namespace

Result<Duration> Duration::parse(std::string_view text) {
  const bool negative = text.starts_with('-');
  std::string_view rest = without_sign(text);
  if (rest.empty()) return bad_duration(text, "empty; write for example 90s, 15m, 6h or 1h30m");
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  while (!rest.empty()) {
    std::int64_t number = 0;
    std::size_t n = 0;
    for (; n < rest.size() && is_digit(rest[n]); ++n) {
      // Counted below zero, where the int64 range is one larger.
      if (__builtin_mul_overflow(number, std::int64_t{10}, &number) ||
          __builtin_sub_overflow(number, std::int64_t{rest[n] - '0'}, &number)) {
        return bad_duration(text, "longer than 292,000 years");
      }
    }
    if (n == 0) return bad_duration(text, "expected a number");
    rest.remove_prefix(n);
    std::size_t letters = 0;
    while (letters < rest.size() && rest[letters] >= 'a' && rest[letters] <= 'z') ++letters;
    const std::string_view name = rest.substr(0, letters);
    rest.remove_prefix(letters);
    std::size_t unit = 0;
    while (unit < kUnits.size() && kUnits[unit].name != name) ++unit;
    if (unit == kUnits.size()) {
      return bad_duration(text, fmt::format("unit {} is none of d, h, m, s, ms, us", quoted(name)));
    }
    if (unit < next_unit) return bad_duration(text, "units must go from large to small, each once");
    next_unit = unit + 1;
    if (__builtin_mul_overflow(number, kUnits[unit].us, &number) || __builtin_add_overflow(total, number, &total)) {
      return bad_duration(text, "longer than 292,000 years");
    }
  }
  if (negative) return Duration{total};
  if (total == std::numeric_limits<std::int64_t>::min()) return bad_duration(text, "longer than 292,000 years");
  return Duration{-total};
}

std::string Duration::text() const {
  if (us_ == 0) return "0s";
  // Every choice of units gives one exact text; 64 choices are few enough to try them all.
  std::string best;
  for (unsigned chosen = 1; chosen < (1u << kUnits.size()); ++chosen) {
    std::uint64_t rest = magnitude(us_);
    std::string sum;
    for (std::size_t i = 0; i < kUnits.size(); ++i) {
      const auto unit = static_cast<std::uint64_t>(kUnits[i].us);
      if ((chosen >> i & 1u) == 0 || rest < unit) continue;
      sum += fmt::format("{}{}", rest / unit, kUnits[i].name);
      rest %= unit;
    }
    if (rest == 0 && (best.empty() || sum.size() < best.size())) best = std::move(sum);
  }
  return us_ < 0 ? "-" + best : best;
}

Result<Timestamp> Timestamp::parse(std::string_view text) {
  Cursor in{text};
  const auto year = in.digits(4);
  const bool dash1 = in.skip('-');
  const auto month = in.digits(2);
  const bool dash2 = in.skip('-');
  const auto day = in.digits(2);
  if (!year || !dash1 || !month || !dash2 || !day) return bad_time(text, "expected 2026-01-03T13:00:07Z");
  const CivilDate date{*year, *month, *day};
  if (!is_valid(date)) return bad_time(text, "no such date");
  if (in.at_end()) return bad_time(text, "a date without a time of day");

  const bool separator = in.skip_any("Tt ");
  const auto hour = in.digits(2);
  const bool colon1 = in.skip(':');
  const auto minute = in.digits(2);
  const bool colon2 = in.skip(':');
  const auto second = in.digits(2);
  if (!separator || !hour || !colon1 || !minute || !colon2 || !second) {
    return bad_time(text, "expected 2026-01-03T13:00:07Z");
  }
  if (*hour > 23 || *minute > 59 || *second > 60) return bad_time(text, "no such time of day");
  std::string_view fraction;
  if (in.skip('.')) {
    fraction = in.all_digits();
    if (fraction.empty() || fraction.size() > 9) return bad_time(text, "a fraction has one to nine digits");
  }

  std::int64_t offset_minutes = 0;
  if (in.at_end()) return bad_time(text, "no zone; write Z or an offset such as +01:00");
  if (!in.skip_any("Zz")) {
    const bool west = in.skip('-');
    const bool east = !west && in.skip('+');
    const auto offset_hour = in.digits(2);
    const bool colon = in.skip(':');
    const auto offset_minute = in.digits(2);
    if (!(west || east) || !offset_hour || !colon || !offset_minute || *offset_hour > 23 || *offset_minute > 59) {
      return bad_time(text, "the zone is neither Z nor an offset such as +01:00");
    }
    offset_minutes = (std::int64_t{*offset_hour} * 60 + *offset_minute) * (west ? -1 : 1);
  }
  if (!in.at_end()) return bad_time(text, "text after the zone");

  const std::int64_t utc_minute = days_since_epoch(date) * 1'440 + std::int64_t{*hour} * 60 + *minute - offset_minutes;
  if (*second == 60) {
    // A leap second ends a month in UTC and nothing else does.
    const std::int64_t next = utc_minute + 1;
    if (next % 1'440 != 0 || civil_date(next / 1'440).day != 1) return bad_time(text, "no leap second there");
    return Timestamp{next * 60'000'000 - 1};
  }
  return Timestamp{(utc_minute * 60 + *second) * 1'000'000 + fraction_us(fraction)};
}

std::string Timestamp::iso() const {
  const std::int64_t days = floor_days(us_);
  const std::int64_t in_day = us_ % kDayUs + (us_ % kDayUs < 0 ? kDayUs : 0);
  const std::int64_t seconds = in_day / 1'000'000;
  return fmt::format("{}T{:02}:{:02}:{:02}.{:06}Z", date_text(civil_date(days)), seconds / 3'600, seconds / 60 % 60,
                     seconds % 60, in_day % 1'000'000);
}

std::string Timestamp::date() const { return date_text(civil_date(floor_days(us_))); }

}  // namespace everlearn
