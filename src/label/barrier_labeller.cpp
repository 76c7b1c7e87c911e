#include "label/barrier_labeller.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/assert.hpp"

namespace everlearn {
namespace {

Price barrier(Price entry, double factor) {
  // Beyond what a price can be, a barrier is out of reach.
  const double nanos = std::min(static_cast<double>(entry.nanos()) * factor, 9.2e18);
  return Price::from_nanos(std::llround(nanos));
}

}  // namespace

Timestamp BarrierLabeller::window_end(Timestamp at) const {
  if (by_bars()) return Timestamp::max();
  return clock_end(spec_, calendar_, at).value_or(Timestamp::max());
}

Result<void> BarrierLabeller::open(InstrumentId instrument, Timestamp at, Price price, double /*flat_band*/) {
  Timestamp end = Timestamp::max();
  if (!by_bars()) {
    EL_TRY(end, clock_end(spec_, calendar_, at));
  }
  Series& series = place(series_, instrument);
  if (series.last_open == at) return tl::unexpected<Error>(second_label(instrument, at));
  EL_CHECK(order_.open(at));
  series.last_open = at;
  if (series.resolved.yes) {
    outbox_.voided(instrument, at, std::max(at, series.resolved.event_time), series.resolved.known_at, kMarketResolved);
    return {};
  }
  if (price.nanos() <= 0) {
    outbox_.voided(instrument, at, at, at, kEntryNotPositive);
    return {};
  }
  Window window;
  window.start = at;
  window.end = end;
  window.lower = barrier(price, 1 - spec_.loss);
  window.upper = barrier(price, 1 + spec_.profit);
  series.windows.push_back(window);
  if (!by_bars()) {
    EL_ASSERT(deadlines_.empty() || deadlines_.back().at <= end, "label deadlines out of order");
    deadlines_.push_back({end, instrument, at});
  }
  ++waiting_;
  return {};
}

void BarrierLabeller::observe(const Event& event) {
  if (std::holds_alternative<Resolution>(event.what)) {
    Series& series = place(series_, event.instrument);
    if (series.resolved.yes) return;
    series.resolved = {true, event.event_time, event.known_at};
    // Ends ascend with starts: the windows that the resolution cuts are the last ones.
    while (!series.windows.empty() && series.windows.back().end > event.event_time) {
      const Timestamp start = series.windows.back().start;
      outbox_.voided(event.instrument, start, std::max(start, event.event_time), event.known_at, kMarketResolved);
      series.windows.pop_back();
      --waiting_;
    }
    return;
  }
  const auto bar = feed_.bar(event);
  if (!bar) return;
  Series& series = place(series_, event.instrument);
  // Touched windows leave from anywhere; the others keep their order.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < series.windows.size(); ++i) {
    if (touch(event.instrument, series.windows[i], *bar)) continue;
    if (kept != i) series.windows[kept] = series.windows[i];
    ++kept;
  }
  waiting_ -= series.windows.size() - kept;
  series.windows.resize(kept);
}

bool BarrierLabeller::touch(InstrumentId instrument, Window& window, const ClosedBar& bar) {
  if (bar.event_time <= window.start || bar.event_time > window.end) return false;
  // The range of a bar that began before the decision may lie before it too.
  const bool straddles = bar.open_time < window.start;
  const Price high = straddles ? bar.close : bar.high;
  const Price low = straddles ? bar.close : bar.low;
  ++window.bars;
  window.last_event_time = bar.event_time;
  window.last_known_at = bar.known_at;
  const auto decide = [&](double label) {
    outbox_.known(instrument, window.start, bar.event_time, bar.known_at, label);
    return true;
  };
  if (low <= window.lower) return decide(kLoss);
  if (high >= window.upper) return decide(kProfit);
  if (by_bars() && window.bars == spec_.bars) return decide(kTime);
  return false;
}

std::vector<Label> BarrierLabeller::settle(Timestamp now) {
  while (!deadlines_.empty() && deadlines_.front().at <= now) {
    const Deadline deadline = deadlines_.front();
    deadlines_.pop_front();
    reach(deadline, now);
  }
  order_.settle(now);
  return outbox_.take(now);
}

void BarrierLabeller::reach(const Deadline& deadline, Timestamp now) {
  Series& series = series_[index(deadline.instrument)];
  if (series.windows.empty() || series.windows.front().start != deadline.start) return;  // decided by now
  const Window& window = series.windows.front();
  // Without a price near the end nobody knows that no barrier was touched.
  if (window.last_event_time > window.end - spec_.tolerance)
    outbox_.known(deadline.instrument, window.start, window.end, window.last_known_at, kTime);
  else
    outbox_.voided(deadline.instrument, window.start, window.end, now,
                   fmt::format("no price within {} of the end", spec_.tolerance.text()));
  series.windows.pop_front();
  --waiting_;
}

void BarrierLabeller::encode(ByteWriter& out) const {
  out.text(fingerprint(spec_));
  order_.encode(out);
  outbox_.encode(out);
  feed_.encode(out);
  out.u64(series_.size());
  for (const Series& series : series_) {
    series.resolved.encode(out);
    out.time(series.last_open);
    out.u64(series.windows.size());
    for (const Window& window : series.windows) {
      out.time(window.start);
      out.time(window.end);
      out.i64(window.lower.nanos());
      out.i64(window.upper.nanos());
      out.i64(window.bars);
      out.time(window.last_event_time);
      out.time(window.last_known_at);
    }
  }
  out.u64(deadlines_.size());
  for (const Deadline& deadline : deadlines_) {
    out.time(deadline.at);
    out.u32(static_cast<std::uint32_t>(deadline.instrument));
    out.time(deadline.start);
  }
}

Result<void> BarrierLabeller::decode(ByteReader& in) {
  EL_CHECK(check_fingerprint(in, spec_));
  order_.decode(in);
  outbox_.decode(in);
  feed_.decode(in);
  series_.clear();
  deadlines_.clear();
  waiting_ = 0;
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    Series& series = series_.emplace_back();
    series.resolved.decode(in);
    series.last_open = in.time();
    for (std::uint64_t windows = in.u64(); windows > 0 && in.ok(); --windows) {
      Window& window = series.windows.emplace_back();
      window.start = in.time();
      window.end = in.time();
      window.lower = Price::from_nanos(in.i64());
      window.upper = Price::from_nanos(in.i64());
      window.bars = static_cast<std::int32_t>(in.i64());
      window.last_event_time = in.time();
      window.last_known_at = in.time();
      ++waiting_;
    }
  }
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    Deadline& deadline = deadlines_.emplace_back();
    deadline.at = in.time();
    deadline.instrument = InstrumentId{in.u32()};
    deadline.start = in.time();
    if (index(deadline.instrument) >= series_.size())
      return fail(Code::Damaged, fmt::format("labeller state: no instrument {}", index(deadline.instrument)));
  }
  return check_read(in);
}

}  // namespace everlearn
