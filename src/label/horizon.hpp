// Where a horizon in time or sessions ends.
#pragma once

#include "core/result.hpp"
#include "core/time.hpp"
#include "label/label.hpp"
#include "market/calendar.hpp"

namespace everlearn {

/// The end of a horizon in time or sessions. Errors: OutOfRange where the calendar ends.
Result<Timestamp> clock_end(const LabelSpec& spec, const Calendar& calendar, Timestamp at);
/// The first session close after t. Errors: OutOfRange.
Result<Timestamp> next_close(const Calendar& calendar, Timestamp t);

}  // namespace everlearn
