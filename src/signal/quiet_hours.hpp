#pragma once

#include <memory>
#include <string>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

/// A daily span of local time in which no signal passes; it may cross midnight. Immutable.
class QuietHours {
 public:
  /// "01:00", "09:00", "Asia/Kolkata": [from, to) in local time. Errors: Config for a time or a zone that does not
  /// exist.
  static Result<QuietHours> make(const std::string& from, const std::string& to, const std::string& zone);
  bool contains(Timestamp t) const;
  /// Hours after local midnight, and when the quiet hours end: "09:30" is 9.5.
  double local_hours(Timestamp t) const { return into_day(t).as_seconds() / 3600; }
  double end_hours() const { return to_ / 60.0; }

 private:
  QuietHours() = default;
  Duration into_day(Timestamp t) const;  // since local midnight
  int from_ = 0, to_ = 0;                // minutes after local midnight
  const void* zone_ = nullptr;           // date::time_zone: lives as long as the process
};

}  // namespace everlearn
