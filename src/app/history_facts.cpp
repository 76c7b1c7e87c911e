#include "app/history_facts.hpp"

#include <algorithm>

namespace everlearn {

HistoryFacts history_facts(const Coverage& coverage, std::int64_t backfilled, Duration step) {
  HistoryFacts facts{.points = coverage.points() + backfilled};
  Timestamp first = Timestamp::max(), last = Timestamp::min();
  double seconds = 0;
  std::int64_t intervals = 0;
  for (const StreamCoverage& stream : coverage.streams()) {
    if (!stream.first || !stream.last) continue;
    ++facts.tokens;
    first = std::min(first, *stream.first);
    last = std::max(last, *stream.last);
    seconds += (*stream.last - *stream.first).as_seconds();
    intervals += std::max<std::int64_t>(stream.count - 1, 0);
  }
  for (const Gap& gap : coverage.gaps()) {
    facts.open_holes += gap.open();
    // A hole was one interval; filled, it is as many as it has steps.
    if (!gap.open() && step.us() > 0) intervals += std::max<std::int64_t>((gap.end - gap.start) / step - 1, 0);
  }
  if (facts.tokens > 0) facts.days = (last - first).as_seconds() / 86'400;
  if (intervals > 0) facts.interval_minutes = seconds / 60 / static_cast<double>(intervals);
  return facts;
}

}  // namespace everlearn
