// When a bar opened and closed, from the one stamp a file gives it.
#pragma once

#include <cstdint>
#include <optional>

#include "core/result.hpp"
#include "core/time.hpp"
#include "io/refusal.hpp"
#include "io/time_reader.hpp"
#include "market/calendar.hpp"

namespace everlearn {

struct BarTimesOptions {
  bool stamp_is_start = true;      // else the stamp is the close
  std::optional<Duration> length;  // empty: found out
  bool daily_with_session = true;  // a daily bar opens and closes with its session, where the calendar has any
  const Calendar* calendar = nullptr;
};

struct BarSpan {
  Timestamp open, close;
};

class BarTimes {
 public:
  explicit BarTimes(const BarTimesOptions& options) : options_{options}, length_{options.length} {}

  /// Time between two neighbouring stamps of one symbol. The smallest is the bars' length: a silent market leaves bars
  /// out and makes longer steps, never shorter ones.
  void see(Duration step);
  bool can_decide() const { return length_ || smallest_; }
  /// Errors: BadData where no step was seen or the smallest is none of 1s 5s 1m 3m 5m 15m 30m 1h 4h 1d.
  Result<void> decide();
  /// Empty before it is decided.
  std::optional<Duration> length() const { return length_; }
  /// After decide(). Refuses a daily bar of a date without a session.
  RowResult<BarSpan> span(Timestamp stamp, std::int64_t day) const;

 private:
  std::optional<Session> session_of(Timestamp stamp, std::int64_t day) const;

  BarTimesOptions options_;
  std::optional<Duration> smallest_;
  std::optional<Duration> length_;
};

}  // namespace everlearn
