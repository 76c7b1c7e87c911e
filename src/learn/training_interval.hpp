// What a model has seen, as intervals of time: from the first decision to the latest label end of the rows it was
// fitted or stopped on. A row whose own window [event_time, label_end] touches one may not judge the model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

struct TrainingInterval {
  Timestamp first;  // event_time of the first row
  Timestamp last;   // latest label end
  bool operator==(const TrainingInterval&) const = default;
};
using TrainingIntervals = std::vector<TrainingInterval>;

/// Ascending; intervals that share a moment become one.
TrainingIntervals united(TrainingIntervals intervals);

/// Whether [event_time, label_end] shares a moment with an interval, each made longer at its end by `embargo`.
bool touches(const TrainingIntervals& intervals, Timestamp event_time, Timestamp label_end, Duration embargo);

/// The latest end; min() without intervals.
Timestamp last_of(const TrainingIntervals& intervals);

/// [{"first","last"}] in microseconds, one text an interval: what JsonOut::put_list() and JsonIn::list() deal in.
std::vector<std::string> interval_jsons(const TrainingIntervals& intervals);
/// Errors: BadData, also for an interval that ends before it begins.
Result<TrainingIntervals> intervals_from(const std::vector<std::string>& jsons);

}  // namespace everlearn
