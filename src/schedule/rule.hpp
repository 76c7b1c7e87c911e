#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "core/result.hpp"
#include "core/time.hpp"
#include "schedule/cron.hpp"
#include "schedule/interval.hpp"

namespace everlearn {

/// When the periods of a job begin: at times of a wall clock, or one after the other. Immutable: any thread.
class Rule {
 public:
  /// "30 2 * * mon-fri" and "@daily" are read as Cron in `zone`, "6h", "every 6h" and "quarterly" as Interval (UTC).
  /// Errors: Config.
  static Result<Rule> parse(std::string_view text, std::string_view zone = "UTC");

  Rule(Cron cron) : when_{std::move(cron)} {}   // NOLINT(google-explicit-constructor): a Cron is a Rule
  Rule(Interval interval) : when_{interval} {}  // NOLINT(google-explicit-constructor)

  /// The first period that begins after `after`; empty where a Cron ends.
  std::optional<Timestamp> next(Timestamp after) const;
  /// The last period that begins at or before `at`; empty likewise.
  std::optional<Timestamp> previous(Timestamp at) const;
  /// Periods that begin in (from, to], counted up to `most`.
  std::int64_t starts_between(Timestamp from, Timestamp to, std::int64_t most) const;
  /// "30 2 * * mon-fri (America/New_York)", "every 6h".
  std::string text() const;

 private:
  std::variant<Cron, Interval> when_;
};

}  // namespace everlearn
