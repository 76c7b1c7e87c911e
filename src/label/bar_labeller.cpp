#include "label/bar_labeller.hpp"

#include <algorithm>

namespace everlearn {

Result<void> BarLabeller::open(InstrumentId instrument, Timestamp at, Price price, double flat_band) {
  Series& series = place(series_, instrument);
  if (series.last_open == at) return tl::unexpected<Error>(second_label(instrument, at));
  EL_CHECK(order_.open(at));
  series.last_open = at;
  if (series.resolved.yes) {
    outbox_.voided(instrument, at, std::max(at, series.resolved.event_time), series.resolved.known_at, kMarketResolved);
    return {};
  }
  if (needs_positive_prices(spec_) && price.nanos() <= 0) {
    outbox_.voided(instrument, at, at, at, kEntryNotPositive);
    return {};
  }
  if (lacks_flat_band(spec_, flat_band)) {
    outbox_.voided(instrument, at, at, at, kNoVolatility);
    return {};
  }
  Window window{at, price, flat_band, 0, {}};
  window.path.last = price;
  series.windows.push_back(window);
  ++waiting_;
  return {};
}

void BarLabeller::observe(const Event& event) {
  if (std::holds_alternative<Resolution>(event.what)) {
    Series& series = place(series_, event.instrument);
    if (series.resolved.yes) return;
    series.resolved = {true, event.event_time, event.known_at};
    for (const Window& window : series.windows)
      outbox_.voided(event.instrument, window.start, std::max(window.start, event.event_time), event.known_at,
                     kMarketResolved);
    waiting_ -= series.windows.size();
    series.windows.clear();
    series.begun = 0;
    return;
  }
  const auto bar = feed_.bar(event);
  if (!bar) return;
  Series& series = place(series_, event.instrument);
  ++series.bars;
  // A bar that closed by the decision may still arrive after it; it does not count for that window.
  while (series.begun < series.windows.size() && series.windows[series.begun].start < bar->event_time)
    series.windows[series.begun++].last_bar = series.bars + spec_.bars - 1;
  if (spec_.kind == LabelKind::RealisedVolatility)
    for (std::size_t i = 0; i < series.begun; ++i) series.windows[i].path.add(bar->close);
  while (series.begun > 0 && series.windows.front().last_bar == series.bars) {
    end_with(event.instrument, series.windows.front(), *bar);
    series.windows.pop_front();
    --series.begun;
    --waiting_;
  }
}

void BarLabeller::end_with(InstrumentId instrument, const Window& window, const ClosedBar& bar) {
  const auto [start, end] = std::pair{window.start, bar.event_time};
  if (spec_.kind == LabelKind::RealisedVolatility) {
    if (const auto volatility = window.path.volatility(spec_.unit))
      outbox_.known(instrument, start, end, bar.known_at, *volatility);
    else
      outbox_.voided(instrument, start, end, bar.known_at, window.path.why_unknown());
  } else if (needs_positive_end(spec_) && bar.close.nanos() <= 0) {
    outbox_.voided(instrument, start, end, bar.known_at, kEndNotPositive);
  } else {
    outbox_.known(instrument, start, end, bar.known_at, move_label(spec_, window.entry, bar.close, window.flat_band));
  }
}

std::vector<Label> BarLabeller::settle(Timestamp now) {
  order_.settle(now);
  return outbox_.take(now);
}

void BarLabeller::encode(ByteWriter& out) const {
  out.text(fingerprint(spec_));
  order_.encode(out);
  outbox_.encode(out);
  feed_.encode(out);
  out.u64(series_.size());
  for (const Series& series : series_) {
    out.u64(series.begun);
    out.i64(series.bars);
    series.resolved.encode(out);
    out.time(series.last_open);
    out.u64(series.windows.size());
    for (const Window& window : series.windows) {
      out.time(window.start);
      out.i64(window.entry.nanos());
      out.f64(window.flat_band);
      out.i64(window.last_bar);
      out.i64(window.path.last.nanos());
      out.f64(window.path.squares);
      out.i64(window.path.steps);
      out.i64(window.path.observed);
    }
  }
}

Result<void> BarLabeller::decode(ByteReader& in) {
  EL_CHECK(check_fingerprint(in, spec_));
  order_.decode(in);
  outbox_.decode(in);
  feed_.decode(in);
  series_.clear();
  waiting_ = 0;
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    Series& series = series_.emplace_back();
    series.begun = in.u64();
    series.bars = in.i64();
    series.resolved.decode(in);
    series.last_open = in.time();
    for (std::uint64_t windows = in.u64(); windows > 0 && in.ok(); --windows) {
      Window& window = series.windows.emplace_back();
      window.start = in.time();
      window.entry = Price::from_nanos(in.i64());
      window.flat_band = in.f64();
      window.last_bar = in.i64();
      window.path.last = Price::from_nanos(in.i64());
      window.path.squares = in.f64();
      window.path.steps = static_cast<std::int32_t>(in.i64());
      window.path.observed = static_cast<std::int32_t>(in.i64());
    }
    waiting_ += series.windows.size();
    if (series.begun > series.windows.size())
      return fail(Code::Damaged, "labeller state: more windows begun than open");
  }
  return check_read(in);
}

}  // namespace everlearn
