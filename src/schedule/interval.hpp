#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

/// Periods of equal length that lie end to end, in UTC. A length is counted from 1970-01-01T00:00Z, whenever the engine
/// was started ("7d" begins on Thursdays); "monthly" and "quarterly" follow the calendar. Immutable: any thread. Good
/// for any time that Timestamp::parse() reads.
class Interval {
 public:
  /// "6h", "1h30m", "7d", "monthly", "quarterly". Errors: Config, also for less than a second.
  static Result<Interval> parse(std::string_view text);

  /// Start of the period that holds t.
  Timestamp start_of(Timestamp t) const;
  /// Start of the period after it.
  Timestamp next(Timestamp after) const;
  /// Periods that start in (from, to]; 0 if to <= from.
  std::int64_t starts_between(Timestamp from, Timestamp to) const;

  std::string text() const;

 private:
  struct Months {
    int count;
  };
  using Step = std::variant<Duration, Months>;

  explicit Interval(Step step) : step_{step} {}
  std::int64_t number_of(Timestamp t) const;
  Timestamp start(std::int64_t number) const;

  Step step_;
};

}  // namespace everlearn
