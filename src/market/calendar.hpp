// When a market is open. "n days ahead" means n sessions, a daily bar closes with its session, and nobody is alarmed by
// a silent market that is closed: all three ask here. Where the hours come from, and what is uncertain, is
// docs/calendars.md.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

/// One trading day. A moment belongs to it if open < t <= close: the price of the close is the session's own.
struct Session {
  Timestamp open;
  Timestamp close;
  std::int32_t index = 0;  // the first session of 1990 is 0; earlier ones are negative

  bool operator==(const Session&) const = default;
};

/// The sessions of one market, in order. Immutable: any thread.
///
/// next(), previous() and at() throw std::out_of_range where the calendar has no sessions (US equities: outside
/// 1989 to 2037): a wrong neighbour would silently move labels. session_at() and session_on() are empty there.
class Calendar {
 public:
  virtual ~Calendar() = default;
  virtual std::string_view name() const = 0;  // "24/7", "us_equities"
  virtual bool always_open() const = 0;
  /// The session with open < t <= close; empty while the market is closed.
  virtual std::optional<Session> session_at(Timestamp t) const = 0;
  /// The session of a local date; empty for a holiday, a weekend or a date that does not exist.
  virtual std::optional<Session> session_on(std::int32_t year, unsigned month, unsigned day) const = 0;
  /// The first session with close > t.
  virtual Session next(Timestamp t) const = 0;
  /// The last session with close <= t.
  virtual Session previous(Timestamp t) const = 0;
  virtual Session at(std::int32_t index) const = 0;
  /// 252 or 365: what annualises daily figures.
  virtual double sessions_per_year() const = 0;
  /// Later sessions are projected by rule: the exchange has not announced them, and nobody foresees a day of mourning.
  virtual Timestamp valid_until() const = 0;
};

/// "24/7": sessions are UTC days, in all of time.
std::unique_ptr<const Calendar> make_always_open();
/// "us_equities": NYSE and Nasdaq, regular hours. Errors: NotFound if the machine has no America/New_York.
Result<std::unique_ptr<const Calendar>> make_us_equities();
/// By name. Errors: Config for another name.
Result<std::unique_ptr<const Calendar>> make_calendar(std::string_view name);

}  // namespace everlearn
