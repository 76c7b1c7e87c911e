#include "label/bar_feed.hpp"

#include "label/labeller_state.hpp"

namespace everlearn {

std::optional<ClosedBar> BarFeed::bar(const Event& event) {
  const auto* bar = std::get_if<Bar>(&event.what);
  const auto* point = std::get_if<PricePoint>(&event.what);
  if (bar == nullptr && point == nullptr) return std::nullopt;
  Stream& stream = place(streams_, event.instrument);
  if (bar != nullptr) stream.has_bars = true;
  if (point != nullptr && stream.has_bars) return std::nullopt;
  if (event.event_time <= stream.last) return std::nullopt;
  stream.last = event.event_time;
  if (bar != nullptr)
    return ClosedBar{bar->open_time, event.event_time, event.known_at, bar->high, bar->low, bar->close};
  return ClosedBar{event.event_time, event.event_time, event.known_at, point->price, point->price, point->price};
}

void BarFeed::encode(ByteWriter& out) const {
  out.u64(streams_.size());
  for (const Stream& stream : streams_) {
    out.boolean(stream.has_bars);
    out.time(stream.last);
  }
}

void BarFeed::decode(ByteReader& in) {
  streams_.clear();
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    Stream& stream = streams_.emplace_back();
    stream.has_bars = in.boolean();
    stream.last = in.time();
  }
}

}  // namespace everlearn
