#include "store/coverage.hpp"

#include <doctest/doctest.h>

using namespace everlearn;

namespace {

constexpr InstrumentId kFirst{0};
constexpr InstrumentId kThird{2};
const Timestamp kNoon{1'700'000'000'000'000};
const Duration kStep = Duration::minutes(10);

Coverage two_streams() {
  Coverage coverage;
  coverage.add(kFirst, kNoon, {}, kStep);
  coverage.add(kThird, kNoon + kStep, {}, kStep);
  coverage.add(kFirst, kNoon + Duration::hours(1), Duration::hours(1), kStep);
  return coverage;
}

}  // namespace

TEST_CASE("coverage: first, last and count of each stream") {
  const Coverage coverage = two_streams();
  REQUIRE(coverage.streams().size() == 3);
  CHECK(coverage.streams()[0].first == kNoon);
  CHECK(coverage.streams()[0].last == kNoon + Duration::hours(1));
  CHECK(coverage.streams()[0].count == 2);
  CHECK(coverage.streams()[1].instrument == InstrumentId{1});
  CHECK_FALSE(coverage.streams()[1].first.has_value());
  CHECK(coverage.streams()[2].count == 1);
  CHECK(coverage.points() == 3);
}

TEST_CASE("coverage: a silence longer than the expected step is a gap from the point before to the point after") {
  const Coverage coverage = two_streams();
  REQUIRE(coverage.gaps().size() == 1);
  CHECK(coverage.gaps()[0].instrument == kFirst);
  CHECK(coverage.gaps()[0].start == kNoon);
  CHECK(coverage.gaps()[0].end == kNoon + Duration::hours(1));
  CHECK(coverage.gaps()[0].reason == "no data");
  CHECK(coverage.longest_gap() == Duration::hours(1));
}

TEST_CASE("coverage: a silence of exactly the expected step, or of closed sessions, is no gap") {
  Coverage coverage;
  coverage.add(kFirst, kNoon, {}, kStep);
  coverage.add(kFirst, kNoon + kStep, kStep, kStep);
  coverage.add(kFirst, kNoon + Duration::days(3), kStep, kStep);  // the caller took the weekend off
  CHECK(coverage.gaps().empty());
  CHECK(coverage.longest_gap() == Duration{});
}

TEST_CASE("coverage: a point before the last one moves the beginning and opens no gap") {
  Coverage coverage;
  coverage.add(kFirst, kNoon, {}, kStep);
  coverage.add(kFirst, kNoon - Duration::days(1), Duration::days(1), kStep);
  CHECK(coverage.gaps().empty());
  CHECK(coverage.streams()[0].first == kNoon - Duration::days(1));
  CHECK(coverage.streams()[0].last == kNoon);
}

TEST_CASE("coverage: encoding and decoding give the same, and cut bytes are refused at every length") {
  ByteWriter out;
  two_streams().encode(out);
  ByteReader in{out.bytes()};
  const auto back = Coverage::decode(in);
  REQUIRE(back.has_value());
  CHECK(in.at_end());
  ByteWriter again;
  back->encode(again);
  CHECK(again.bytes() == out.bytes());
  for (std::size_t n = 0; n < out.bytes().size(); ++n) {
    ByteReader cut{std::string_view{out.bytes()}.substr(0, n)};
    CHECK_FALSE(Coverage::decode(cut).has_value());
  }
}
