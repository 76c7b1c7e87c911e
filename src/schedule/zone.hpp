#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

/// A place's wall time as seconds since 1970-01-01T00:00:00 on its own clock: not an instant.
using LocalSeconds = std::int64_t;

/// An IANA time zone of the machine's tzdata. Copies are cheap; any thread.
///
/// Good for instants from kBegin to kEnd: tzdata writes clock changes out until 2037 and gives a rule for later, which
/// the date library does not read.
class Zone {
 public:
  static constexpr Timestamp kBegin = Timestamp{} - Duration::days(25'567);  // 1900-01-01
  static constexpr Timestamp kEnd = Timestamp{} + Duration::days(24'837);    // 2038-01-01

  /// "America/New_York", "UTC". Errors: Config for a name that tzdata does not have.
  static Result<Zone> find(std::string_view name);

  const std::string& name() const { return name_; }

  /// What the clock shows at t, cut to seconds.
  LocalSeconds local(Timestamp t) const;
  /// The latest time that the clock has shown up to t: not local(t) after the clock was set back.
  LocalSeconds latest_local(Timestamp t) const;
  /// When the clock first shows `local`: the first of two instants if it shows it twice, the first instant after the
  /// gap if it skips it. Never decreases as `local` grows.
  Timestamp first_instant(LocalSeconds local) const;

 private:
  Zone(std::string name, const void* zone) : name_{std::move(name)}, zone_{zone} {}

  std::string name_;
  const void* zone_;  // of the date library, which keeps it until the process ends
};

}  // namespace everlearn
