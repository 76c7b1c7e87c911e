#include "io/token_bucket.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/civil.hpp"

namespace everlearn {
namespace {

constexpr Duration kMostRetryAfter = Duration::minutes(10);
constexpr Duration kFirstBackOff{500'000}, kMostBackOff = Duration::minutes(1);

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

// "Wed, 21 Oct 2026 07:28:00 GMT" (RFC 9110).
std::optional<Timestamp> http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const auto month = std::ranges::find(kMonths, text.substr(8, 3));
  const auto day = whole_number(text.substr(5, 2)), year = whole_number(text.substr(12, 4)),
             hour = whole_number(text.substr(17, 2)), minute = whole_number(text.substr(20, 2)),
             second = whole_number(text.substr(23, 2));
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const CivilDate date{*year, static_cast<int>(month - kMonths.begin()) + 1, static_cast<int>(*day)};
  if (!is_valid(date)) return std::nullopt;
  return Timestamp{} + Duration::days(days_since_epoch(date)) + Duration::hours(*hour) + Duration::minutes(*minute) +
         Duration::seconds(*second);
}

}  // namespace

TokenBucket::TokenBucket(std::int64_t per_10s)
    : burst_{std::max(1.0, std::floor(static_cast<double>(per_10s) / 4))},
      per_second_{std::max(static_cast<double>(per_10s) - burst_, 0.5) / 10},
      held_{burst_} {}

Duration TokenBucket::take(Duration now) {
  held_ = std::min(burst_, held_ + (now - filled_at_).as_seconds() * per_second_);
  filled_at_ = now;
  // Less than a microsecond's filling short of one is one: else the last wait would be none.
  if (held_ > 1 - 1e-6 * per_second_) {
    held_ -= 1;
    return {};
  }
  return Duration{static_cast<std::int64_t>(std::ceil((1 - held_) / per_second_ * 1e6))};
}

Duration RequestGate::wait(Duration now) {
  if (now < closed_until_) return closed_until_ - now;
  return bucket_.take(now);
}

void RequestGate::answered(int status, std::optional<Duration> retry_after, Duration now, Rng& rng) {
  if (!may_pass(status)) {
    failures_ = 0;
    return;
  }
  const std::int64_t doubled = kFirstBackOff.us() << std::min(failures_, 10);
  const double most = static_cast<double>(std::min(doubled, kMostBackOff.us()));
  ++failures_;
  const Duration own{static_cast<std::int64_t>(most * (0.5 + 0.5 * rng.uniform()))};
  closed_until_ = std::max(closed_until_, now + std::max(own, retry_after.value_or(Duration{})));
}

bool may_pass(int http_status) {
  return http_status == 0 || http_status == 408 || http_status == 425 || http_status == 429 || http_status >= 500;
}

std::optional<Duration> retry_after(std::string_view header, Timestamp now) {
  std::optional<Duration> wait;
  if (const auto seconds = whole_number(header); seconds && *seconds >= 0)
    wait = Duration::seconds(std::min<std::int64_t>(*seconds, 86'400));
  else if (const auto date = http_date(header))
    wait = *date - now;
  if (wait) wait = std::clamp(*wait, Duration{}, kMostRetryAfter);
  return wait;
}

}  // namespace everlearn
