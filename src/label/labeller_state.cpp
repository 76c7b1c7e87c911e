#include "label/labeller_state.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace everlearn {

void Resolved::encode(ByteWriter& out) const {
  out.boolean(yes);
  out.time(event_time);
  out.time(known_at);
}

void Resolved::decode(ByteReader& in) {
  yes = in.boolean();
  event_time = in.time();
  known_at = in.time();
}

Result<void> TimeOrder::open(Timestamp at) {
  const Timestamp latest = std::max(opened_, settled_);
  if (at < latest)
    return fail(Code::BadData, fmt::format("label opened at {}, before {} which is past", at.iso(), latest.iso()));
  opened_ = at;
  return {};
}

void TimeOrder::settle(Timestamp now) { settled_ = std::max(settled_, now); }

void TimeOrder::encode(ByteWriter& out) const {
  out.time(opened_);
  out.time(settled_);
}

void TimeOrder::decode(ByteReader& in) {
  opened_ = in.time();
  settled_ = in.time();
}

Error second_label(InstrumentId instrument, Timestamp at) {
  return {Code::BadData, fmt::format("second label of instrument {} at {}", index(instrument), at.iso())};
}

std::string fingerprint(const LabelSpec& spec) {
  return fmt::format("label v2 {} {} {} {} {} {} {} {:a} {:a} {:a} {:a} {}", static_cast<int>(spec.kind),
                     static_cast<int>(spec.unit), spec.horizon.us(), spec.sessions, spec.bars, spec.tolerance.us(),
                     spec.step.us(), spec.flat, spec.flat_volatility, spec.profit, spec.loss, spec.column_classes);
}

Result<void> check_fingerprint(ByteReader& in, const LabelSpec& spec) {
  const std::string found = in.text();
  if (found != fingerprint(spec))
    return fail(Code::Damaged,
                fmt::format("labeller state is of another target: '{}', not '{}'", found, fingerprint(spec)));
  return {};
}

Result<void> check_read(const ByteReader& in) {
  if (!in.ok()) return fail(Code::Damaged, "labeller state ends early");
  return {};
}

}  // namespace everlearn
