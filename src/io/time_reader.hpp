// The time column of a recording. One form per file: text (RFC 3339, or local time where a zone is given), bare dates,
// or an epoch in one unit, which is given or found out.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"
#include "io/refusal.hpp"
#include "market/calendar.hpp"

namespace everlearn {

struct TimeFormat {
  std::optional<std::string> zone;        // of times written without one: "America/New_York"
  std::optional<std::string> epoch_unit;  // "s", "ms", "us", "ns"; empty: found out
  const Calendar* calendar = nullptr;     // gives a bare date its session; may be absent
};

struct ReadTime {
  Timestamp time;                  // of a bare date: its session's close
  std::int64_t day = 0;            // days since 1970 of the date as written (epochs: UTC)
  std::optional<Session> session;  // of a bare date
};

class TimeReader {
 public:
  /// Errors: Usage for a unit or a zone that does not exist.
  static Result<TimeReader> make(const TimeFormat& format);
  ~TimeReader();
  TimeReader(TimeReader&&) noexcept;
  TimeReader& operator=(TimeReader&&) noexcept;

  /// Decides on the form, and for epochs on the unit, from the times of a file's first rows; what cannot be read at all
  /// is left for read() to refuse. An epoch's unit must put all of them between 1990 and 2100.
  /// Errors: BadData, naming the units that fit some.
  Result<void> learn(std::span<const std::string> first_times);

  /// Refuses what is not of the learned form, local times without a zone or in a gap of daylight saving (of a time that
  /// comes twice the first is meant), dates that are no session, and anything outside 1990 to 2100.
  RowResult<ReadTime> read(std::string_view text);

  /// "rfc3339", "local", "date", "s", "ms", "us" or "ns"; empty before the first time.
  const std::string& unit() const;

 private:
  struct State;
  explicit TimeReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Whether `text` is a number as epochs are written: digits, maybe a sign and a fraction.
bool looks_like_epoch(std::string_view text);

}  // namespace everlearn
