#include "label/price_window.hpp"

#include <algorithm>

namespace everlearn {

void PriceWindow::add(const SeenPrice& seen, Timestamp settled) {
  auto after = prices_.end();
  while (after != prices_.begin() && std::prev(after)->event_time > seen.event_time) --after;
  if (after != prices_.begin() && std::prev(after)->event_time == seen.event_time)
    *std::prev(after) = seen;
  else
    prices_.insert(after, seen);
  while (prices_.size() >= 2 && prices_[1].event_time <= settled) prices_.pop_front();
}

std::optional<SeenPrice> PriceWindow::last_in(Timestamp at, Duration tolerance) const {
  const auto after = std::ranges::upper_bound(prices_, at, {}, &SeenPrice::event_time);
  if (after == prices_.begin()) return std::nullopt;
  const SeenPrice& last = *std::prev(after);
  if (last.event_time <= at - tolerance) return std::nullopt;
  return last;
}

void PriceWindow::encode(ByteWriter& out) const {
  out.u64(prices_.size());
  for (const SeenPrice& seen : prices_) {
    out.time(seen.event_time);
    out.time(seen.known_at);
    out.i64(seen.price.nanos());
  }
}

void PriceWindow::decode(ByteReader& in) {
  prices_.clear();
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    SeenPrice& seen = prices_.emplace_back();
    seen.event_time = in.time();
    seen.known_at = in.time();
    seen.price = Price::from_nanos(in.i64());
  }
}

std::optional<Price> price_of(const Event& event) {
  if (const auto* point = std::get_if<PricePoint>(&event.what)) return point->price;
  if (const auto* bar = std::get_if<Bar>(&event.what)) return bar->close;
  if (const auto* trade = std::get_if<Trade>(&event.what)) return trade->price;
  return std::nullopt;
}

}  // namespace everlearn
