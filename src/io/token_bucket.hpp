// How often a venue may be asked. Its limits count requests in a sliding window of ten seconds: a bucket that holds a
// quarter of the limit and fills with the rest over ten seconds never goes beyond it in any window.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/rng.hpp"
#include "core/time.hpp"

namespace everlearn {

/// Pure: `now` is a time on a clock that never jumps, from any zero, and never goes back.
class TokenBucket {
 public:
  /// `per_10s` >= 1.
  explicit TokenBucket(std::int64_t per_10s);

  /// Takes one, or says how long to wait until there is one; then nothing was taken.
  Duration take(Duration now);

 private:
  double burst_, per_second_;
  double held_;
  Duration filled_at_;
};

/// One group of endpoints: its bucket, and how long to stay away after it refused or failed.
class RequestGate {
 public:
  explicit RequestGate(std::int64_t per_10s) : bucket_{per_10s} {}

  /// Zero: ask now, a token was taken. Else: not before so long.
  Duration wait(Duration now);
  /// What a request came to. `status` 0: no answer. After 429, 5xx or none, the next wait is what the venue asked for
  /// (`retry_after`), else 0.5 s doubled for each failure in a row up to a minute, half to all of it drawn from `rng`.
  void answered(int status, std::optional<Duration> retry_after, Duration now, Rng& rng);

  int failures() const { return failures_; }  // in a row

 private:
  TokenBucket bucket_;
  Duration closed_until_;
  int failures_ = 0;
};

/// May the same request be tried again: no answer, 408, 425, 429, 5xx.
bool may_pass(int http_status);

/// What Retry-After says: seconds, or an HTTP date seen from `now`; at most ten minutes. Empty where it says nothing.
std::optional<Duration> retry_after(std::string_view header, Timestamp now);

}  // namespace everlearn
