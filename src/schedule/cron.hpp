#pragma once

#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"
#include "schedule/zone.hpp"

namespace everlearn {

/// Times of a wall clock in five fields, as in crontab(5): minute 0-59, hour 0-23, day of month 1-31, month 1-12 or
/// jan-dec, day of week 0-7 or sun-sat (0 and 7 are Sunday).
///
/// A field is `*`, a number, a range `a-b`, a step `*/n` or `a-b/n`, or a list of these with commas. If both day fields
/// are restricted (do not begin with `*`) a day needs to match one of them, otherwise both.
/// @hourly, @daily, @midnight, @weekly (Sunday), @monthly and @yearly stand for the usual five fields.
///
/// Clock changes: a local time runs once. One that the clock skips runs at the first instant after the gap, one that it
/// shows twice runs the first time.
/// Immutable: any thread.
class Cron {
 public:
  /// `zone`: an IANA name. Errors: Config, naming the field and its limits; also for days that never come (30
  /// February).
  static Result<Cron> parse(std::string_view text, std::string_view zone);

  /// The first run after `after`; empty outside Zone::kBegin to Zone::kEnd.
  std::optional<Timestamp> next(Timestamp after) const;
  /// The last run at or before `at`; empty likewise.
  std::optional<Timestamp> previous(Timestamp at) const;

  /// As given to parse().
  const std::string& text() const { return text_; }
  const std::string& zone() const { return zone_.name(); }

 private:
  struct Fields {
    std::bitset<60> minutes;
    std::bitset<24> hours;
    std::bitset<32> days;    // of the month; bit 0 unused
    std::bitset<13> months;  // bit 0 unused
    std::bitset<7> weekdays;
    bool any_day_field = false;  // one matching day field is enough
  };

  Cron(std::string text, Zone zone, const Fields& fields);
  bool runs_on(std::int64_t day) const;

  std::string text_;
  Zone zone_;
  Fields fields_;
};

}  // namespace everlearn
