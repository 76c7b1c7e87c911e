#include "label/horizon.hpp"

#include <stdexcept>

namespace everlearn {
namespace {

/// The calendar throws where it has no sessions; here that is an answer.
template <class F>
Result<Timestamp> on_calendar(F&& f) {
  try {
    return f();
  } catch (const std::out_of_range& e) {
    return fail(Code::OutOfRange, e.what());
  }
}

}  // namespace

Result<Timestamp> clock_end(const LabelSpec& spec, const Calendar& calendar, Timestamp at) {
  if (spec.horizon > Duration{}) return at + spec.horizon;
  return on_calendar([&]() -> Timestamp {
    const auto session = calendar.session_at(at);
    const std::int32_t from = session ? session->index : calendar.previous(at).index;
    return calendar.at(from + spec.sessions).close;
  });
}

Result<Timestamp> next_close(const Calendar& calendar, Timestamp t) {
  return on_calendar([&]() -> Timestamp { return calendar.next(t).close; });
}

}  // namespace everlearn
