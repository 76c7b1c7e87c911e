#include "learn/training_interval.hpp"

#include <doctest/doctest.h>

using namespace everlearn;

namespace {

TrainingInterval span(std::int64_t first, std::int64_t last) { return {Timestamp{first}, Timestamp{last}}; }

bool touched(const TrainingIntervals& seen, std::int64_t event_time, std::int64_t end, std::int64_t embargo = 0) {
  return touches(seen, Timestamp{event_time}, Timestamp{end}, Duration{embargo});
}

}  // namespace

TEST_CASE("training intervals: what shares a moment is one, what does not stays apart") {
  CHECK(united({span(30, 40), span(0, 10), span(10, 20)}) == TrainingIntervals{span(0, 20), span(30, 40)});
  CHECK(united({span(0, 50), span(10, 20)}) == TrainingIntervals{span(0, 50)});
  CHECK(united({}).empty());
  CHECK(last_of({span(30, 90), span(0, 10)}) == Timestamp{90});
  CHECK(last_of({}) == Timestamp::min());
}

TEST_CASE("training intervals: a row is touched where its window and an interval share a moment") {
  const TrainingIntervals seen{span(100, 200), span(300, 400)};
  CHECK(!touched(seen, 50, 99));
  CHECK(touched(seen, 50, 100));  // its outcome is a price the model has seen
  CHECK(touched(seen, 150, 160));
  CHECK(touched(seen, 200, 220));
  CHECK(!touched(seen, 201, 299));
  CHECK(touched(seen, 50, 500));
  CHECK(touched(seen, 350, 500));
  CHECK(!touched(seen, 401, 500));
  CHECK(!touched({}, 0, 1000));

  // An embargo makes an interval longer at its end only.
  CHECK(touched(seen, 210, 220, 10));
  CHECK(!touched(seen, 211, 220, 10));
  CHECK(!touched(seen, 95, 99, 10));
  CHECK(touched({{Timestamp::min(), Timestamp{400}}}, -500, -400, 10));
  CHECK(touched({{Timestamp::min(), Timestamp::max()}}, 5, 6, 10));
}

TEST_CASE("training intervals: read back from a card, and refused where they run backwards") {
  const TrainingIntervals seen{span(100, 200), span(300, 400)};
  CHECK(intervals_from(interval_jsons(seen)).value() == seen);
  CHECK(!intervals_from({"{\"first\":5,\"last\":4}"}));
  CHECK(!intervals_from({"{\"first\":5}"}));
}
