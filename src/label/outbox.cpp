#include "label/outbox.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace everlearn {

void LabelOutbox::known(InstrumentId instrument, Timestamp start, Timestamp end, Timestamp known_at, double value) {
  labels_.push_back({instrument, start, end, std::max(known_at, end), LabelState::Known, value, {}});
}

void LabelOutbox::voided(InstrumentId instrument, Timestamp start, Timestamp end, Timestamp known_at,
                         std::string_view reason) {
  labels_.push_back({instrument, start, end, std::max(known_at, end), LabelState::Void, 0, std::string{reason}});
}

std::vector<Label> LabelOutbox::take(Timestamp now) {
  const auto later = std::stable_partition(labels_.begin(), labels_.end(),
                                           [now](const Label& label) { return label.known_at <= now; });
  std::vector<Label> ready{std::make_move_iterator(labels_.begin()), std::make_move_iterator(later)};
  labels_.erase(labels_.begin(), later);
  std::ranges::sort(ready, {}, [](const Label& label) {
    return std::tuple{label.known_at, label.event_time, index(label.instrument)};
  });
  return ready;
}

void LabelOutbox::encode(ByteWriter& out) const {
  out.u64(labels_.size());
  for (const Label& label : labels_) {
    out.u32(static_cast<std::uint32_t>(label.instrument));
    out.time(label.event_time);
    out.time(label.end);
    out.time(label.known_at);
    out.u8(static_cast<std::uint8_t>(label.state));
    out.f64(label.value);
    out.text(label.reason);
  }
}

void LabelOutbox::decode(ByteReader& in) {
  labels_.clear();
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    Label& label = labels_.emplace_back();
    label.instrument = InstrumentId{in.u32()};
    label.event_time = in.time();
    label.end = in.time();
    label.known_at = in.time();
    label.state = static_cast<LabelState>(in.u8());
    label.value = in.f64();
    label.reason = in.text();
  }
}

}  // namespace everlearn
