// What a review of a candidate found, as figures; kept for ever, inside the bundle and in the catalogue.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "learn/reliability.hpp"

namespace everlearn {

/// One requirement, measured. `passed` is decided where it is measured; a check that only informs has required = NaN
/// and passed = true. A required figure that the rows do not determine is NaN and not passed.
struct Check {
  std::string name;  // "r2", "direction_accuracy", "better_than_champion", ...
  double measured = 0;
  double required = 0;
  bool passed = false;
  std::string note;  // "majority 0.547 + 0.010", "12 blocks of 10 sessions"
};

enum class Outcome : std::uint8_t { Promoted, Refused, Insufficient, Failed };
std::string_view text(Outcome outcome);

/// The gate's answer, with all its evidence in figures.
struct Verdict {
  Outcome outcome = Outcome::Failed;
  std::string reason;  // one sentence a person can read
  std::vector<Check> checks;
  std::int64_t rows = 0, effective = 0;               // of the hold-out
  std::int64_t rows_used_before = 0;                  // hold-out rows that an earlier verdict used too
  Timestamp holdout_first, holdout_last;              // event_time
  Reliability reliability_before, reliability_after;  // classes, of calibration: what the report draws; else no bins

  /// {"outcome","reason","rows","effective","rows_used_before","holdout_first","holdout_last","checks":[{"name",
  /// "measured","required","passed","note"}]} and, where there are bins, "reliability": {"before","after"}; times in
  /// microseconds, NaN null, infinities "inf" and "-inf"; figures read back to the same bits.
  std::string to_json() const;
  /// Errors: BadData.
  static Result<Verdict> from_json(std::string_view json);
  /// Text for the ledger: outcome, counts and every check with 17 significant digits; no times of day, no paths.
  std::string canonical() const;
};

}  // namespace everlearn
