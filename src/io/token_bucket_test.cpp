#include "io/token_bucket.hpp"

#include <deque>

#include <doctest/doctest.h>

namespace everlearn {
namespace {

TEST_CASE("token bucket: whoever asks as soon as it says never has more than the limit in any ten seconds") {
  for (const std::int64_t limit : {1, 2, 7, 150, 750}) {
    TokenBucket bucket{limit};
    std::deque<Duration> taken;
    std::size_t most = 0;
    Duration now;
    while (now < Duration::seconds(65)) {
      const Duration wait = bucket.take(now);
      if (wait.us() > 0) {
        now = now + wait;
        continue;
      }
      taken.push_back(now);
      while (now - taken.front() >= Duration::seconds(10)) taken.pop_front();
      most = std::max(most, taken.size());
    }
    CAPTURE(limit);
    CHECK(most <= static_cast<std::size_t>(limit));
    CHECK(most >= static_cast<std::size_t>(limit) / 2);  // nor far less
  }
}

TEST_CASE("request gate: after a refusal nobody asks before the venue's own time") {
  Rng rng{1};
  RequestGate gate{100};
  const Duration now = Duration::seconds(5);
  CHECK(gate.wait(now) == Duration{});
  gate.answered(429, Duration::seconds(17), now, rng);
  CHECK(gate.wait(now) == Duration::seconds(17));
  CHECK(gate.wait(now + Duration::seconds(17)) == Duration{});
}

TEST_CASE(
    "request gate: without such a time the wait doubles up to a minute, half of it by chance, until one succeeds") {
  Rng rng{1};
  RequestGate gate{100};
  Duration now;
  Duration most{500'000};
  for (int failure = 1; failure <= 10; ++failure) {
    gate.answered(failure % 2 == 0 ? 503 : 0, std::nullopt, now, rng);
    CHECK(gate.failures() == failure);
    const Duration wait = gate.wait(now);
    CHECK(wait * 2 >= most);
    CHECK(wait <= most);
    most = std::min(most * 2, Duration::minutes(1));
    now = now + wait;
  }
  gate.answered(200, std::nullopt, now, rng);
  CHECK(gate.failures() == 0);
  gate.answered(500, std::nullopt, now, rng);
  CHECK(gate.wait(now) <= Duration{500'000});
}

TEST_CASE("request gate: what is refused for good is no reason to stay away") {
  Rng rng{1};
  RequestGate gate{100};
  for (const int status : {200, 400, 404, 451}) gate.answered(status, std::nullopt, {}, rng);
  CHECK(gate.wait({}) == Duration{});
}

TEST_CASE("retry-after: seconds or a date, ten minutes at most, nonsense says nothing") {
  const Timestamp now = Timestamp::parse("2026-10-21T07:27:43Z").value();
  CHECK(retry_after("17", now) == Duration::seconds(17));
  CHECK(retry_after("Wed, 21 Oct 2026 07:28:00 GMT", now) == Duration::seconds(17));
  CHECK(retry_after("Wed, 21 Oct 2026 07:00:00 GMT", now) == Duration{});
  CHECK(retry_after("99999999", now) == Duration::minutes(10));
  for (const char* text : {"", "-1", "soon", "Wed, 31 Feb 2026 07:28:00 GMT", "17 "})
    CHECK_FALSE(retry_after(text, now).has_value());
}

}  // namespace
}  // namespace everlearn
