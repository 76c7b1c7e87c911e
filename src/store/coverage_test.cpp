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

namespace {

Timestamp at(int hour) { return kNoon + Duration::hours(hour); }

Gap gap(InstrumentId instrument, int from, int to, std::string reason = "no data") {
  return {.instrument = instrument, .start = at(from), .end = at(to), .reason = std::move(reason), .filled_from = ""};
}

/// "0 0-4 filled", one per gap, hours since noon.
std::vector<std::string> words(const std::vector<Gap>& gaps) {
  std::vector<std::string> all;
  for (const Gap& g : gaps) {
    const auto hour = [](Timestamp t) { return std::to_string((t - kNoon).us() / Duration::hours(1).us()); };
    const std::string whose = g.instrument == kEveryInstrument ? "all" : std::to_string(index(g.instrument));
    all.push_back(whose + " " + hour(g.start) + "-" + hour(g.end) + (g.open() ? "" : " " + g.filled_from));
  }
  return all;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("coverage: what was filled of a gap is marked with where from and when, the rest stays a gap") {
  Coverage coverage;
  coverage.add(gap(kFirst, 0, 8));
  coverage.add(gap(kThird, 0, 8));
  SUBCASE("in the middle") {
    CHECK(coverage.fill(kFirst, at(2), at(5), "history", at(9)).value() == Duration::hours(3));
    CHECK(words(coverage.gaps()) == Words{"0 2-5 history", "2 0-8", "0 0-2", "0 5-8"});
    CHECK(coverage.gaps()[0].filled_at == at(9));
    CHECK(coverage.gaps()[0].reason == "no data");
    CHECK_FALSE(coverage.gaps()[2].filled_at.has_value());
    CHECK(words(coverage.open(kFirst)) == Words{"0 0-2", "0 5-8"});
  }
  SUBCASE("whole, and more than it") {
    CHECK(coverage.fill(kFirst, at(-3), at(12), "history", at(9)).value() == Duration::hours(8));
    CHECK(words(coverage.gaps()) == Words{"0 0-8 history", "2 0-8"});
    CHECK(coverage.open(kFirst).empty());
  }
  SUBCASE("twice: the second one fills what the first one left") {
    REQUIRE(coverage.fill(kFirst, at(0), at(4), "history", at(9)).has_value());
    CHECK(coverage.fill(kFirst, at(2), at(8), "trades", at(10)).value() == Duration::hours(4));
    CHECK(words(coverage.gaps()) == Words{"0 0-4 history", "2 0-8", "0 4-8 trades"});
  }
  SUBCASE("beside it: nothing") {
    CHECK(coverage.fill(kFirst, at(8), at(9), "history", at(9)).value() == Duration{});
    CHECK(words(coverage.gaps()) == Words{"0 0-8", "2 0-8"});
  }
}

TEST_CASE("coverage: a gap of every stream is filled stream by stream, and stays open for the others") {
  Coverage coverage;
  coverage.add(gap(kEveryInstrument, 0, 8, "no run"));
  CHECK(coverage.fill(kFirst, at(0), at(3), "history", at(9)).value() == Duration::hours(3));
  CHECK(coverage.fill(kFirst, at(2), at(6), "history", at(9)).value() == Duration::hours(3));
  CHECK(words(coverage.gaps()) == Words{"all 0-8", "0 0-3 history", "0 3-6 history"});
  CHECK(coverage.gaps()[1].reason == "no run");
  CHECK(words(coverage.open(kFirst)) == Words{"all 6-8"});
  CHECK(words(coverage.open(kThird)) == Words{"all 0-8"});
}

TEST_CASE("coverage: a gap of a stream within one of all streams is missing once") {
  Coverage coverage;
  coverage.add(gap(kEveryInstrument, 2, 5, "no run"));
  coverage.add(gap(kFirst, 1, 6));
  CHECK(words(coverage.open(kFirst)) == Words{"0 1-6"});
  CHECK(coverage.fill(kFirst, at(1), at(6), "history", at(9)).value() == Duration::hours(5));
  CHECK(coverage.open(kFirst).empty());
}

TEST_CASE("coverage: nobody fills backwards, from nowhere, or all streams at once") {
  Coverage coverage;
  CHECK_FALSE(coverage.fill(kFirst, at(1), at(1), "history", at(9)).has_value());
  CHECK_FALSE(coverage.fill(kFirst, at(1), at(2), "", at(9)).has_value());
  CHECK_FALSE(coverage.fill(kEveryInstrument, at(1), at(2), "history", at(9)).has_value());
}
