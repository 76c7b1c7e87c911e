#include "learn/training_interval.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/json.hpp"

namespace everlearn {

TrainingIntervals united(TrainingIntervals intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const TrainingInterval& a, const TrainingInterval& b) { return a.first < b.first; });
  TrainingIntervals joined;
  for (const TrainingInterval& interval : intervals) {
    if (joined.empty() || interval.first > joined.back().last)
      joined.push_back(interval);
    else
      joined.back().last = std::max(joined.back().last, interval.last);
  }
  return joined;
}

bool touches(const TrainingIntervals& intervals, Timestamp event_time, Timestamp label_end, Duration embargo) {
  return std::any_of(intervals.begin(), intervals.end(), [&](const TrainingInterval& seen) {
    // Written so that an interval that reaches to the end of time does not overflow.
    const bool begins_after = event_time > seen.last && event_time - embargo > seen.last;
    return !begins_after && label_end >= seen.first;
  });
}

Timestamp last_of(const TrainingIntervals& intervals) {
  Timestamp last = Timestamp::min();
  for (const TrainingInterval& interval : intervals) last = std::max(last, interval.last);
  return last;
}

std::vector<std::string> interval_jsons(const TrainingIntervals& intervals) {
  std::vector<std::string> jsons;
  for (const TrainingInterval& interval : intervals)
    jsons.push_back(JsonOut{}.put("first", interval.first).put("last", interval.last).text());
  return jsons;
}

Result<TrainingIntervals> intervals_from(const std::vector<std::string>& jsons) {
  TrainingIntervals intervals;
  for (const std::string& json : jsons) {
    EL_TRY(JsonIn in, JsonIn::parse(json));
    TrainingInterval interval;
    in.get("first", interval.first);
    in.get("last", interval.last);
    EL_CHECK(in.finish("training interval"));
    if (interval.last < interval.first)
      return fail(Code::BadData, fmt::format("training interval: it ends at {}, before it begins at {}",
                                             interval.last.us(), interval.first.us()));
    intervals.push_back(interval);
  }
  return intervals;
}

}  // namespace everlearn
