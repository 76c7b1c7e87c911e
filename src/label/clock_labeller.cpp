#include "label/clock_labeller.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/assert.hpp"

namespace everlearn {

Timestamp ClockLabeller::window_end(Timestamp at) const {
  return clock_end(spec_, calendar_, at).value_or(Timestamp::max());
}

/// A path asks for a price at every step up to the end, the others at the end only.
Result<Timestamp> ClockLabeller::first_question(Timestamp after, Timestamp end) const {
  if (!is_path()) return end;
  if (spec_.horizon > Duration{}) return after + spec_.step;
  return next_close(calendar_, after);
}

Result<void> ClockLabeller::open(InstrumentId instrument, Timestamp at, Price price, double flat_band) {
  EL_TRY(const Timestamp end, clock_end(spec_, calendar_, at));
  EL_TRY(const Timestamp first, first_question(at, end));
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
  Window window{at, end, price, flat_band, {}, Timestamp::min()};
  window.path.last = price;
  series.windows.push_back(window);
  EL_ASSERT(questions_.empty() || questions_.back().at <= first, "label questions out of order");
  questions_.push_back({first, instrument, at});
  ++waiting_;
  return {};
}

void ClockLabeller::observe(const Event& event) {
  if (const auto price = price_of(event)) {
    place(series_, event.instrument).prices.add({event.event_time, event.known_at, *price}, order_.settled());
    return;
  }
  if (!std::holds_alternative<Resolution>(event.what)) return;
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
}

std::vector<Label> ClockLabeller::settle(Timestamp now) {
  while (!questions_.empty() && questions_.front().at <= now) {
    const Question question = questions_.front();
    questions_.pop_front();
    answer(question, now);
  }
  order_.settle(now);
  return outbox_.take(now);
}

void ClockLabeller::answer(const Question& question, Timestamp now) {
  Series& series = series_[index(question.instrument)];
  const auto window = std::ranges::lower_bound(series.windows, question.start, {}, &Window::start);
  if (window == series.windows.end() || window->start != question.start) return;  // void by now
  const auto price = series.prices.last_in(question.at, spec_.tolerance);
  if (is_path()) {
    window->path.add(price ? std::optional{price->price} : std::nullopt);
    if (price) window->path_known_at = std::max(window->path_known_at, price->known_at);
    if (question.at < window->end) {
      // The end was found on the calendar, so a session before it is there too.
      const Timestamp next = first_question(question.at, window->end).value();
      EL_ASSERT(questions_.empty() || questions_.back().at <= next, "label questions out of order");
      questions_.push_back({next, question.instrument, question.start});
      return;
    }
  }
  EL_ASSERT(window == series.windows.begin(), "label windows of one instrument end in the order of their starts");
  finish(question.instrument, *window, price, now);
  series.windows.pop_front();
  --waiting_;
}

void ClockLabeller::finish(InstrumentId instrument, const Window& window, const std::optional<SeenPrice>& price,
                           Timestamp now) {
  const auto [start, end] = std::pair{window.start, window.end};
  if (is_path()) {
    if (const auto volatility = window.path.volatility(spec_.unit))
      outbox_.known(instrument, start, end, window.path_known_at, *volatility);
    else
      outbox_.voided(instrument, start, end, now, window.path.why_unknown());
    return;
  }
  if (!price)
    outbox_.voided(instrument, start, end, now, fmt::format("no price within {} of the end", spec_.tolerance.text()));
  else if (needs_positive_end(spec_) && price->price.nanos() <= 0)
    outbox_.voided(instrument, start, end, now, kEndNotPositive);
  else
    outbox_.known(instrument, start, end, price->known_at,
                  move_label(spec_, window.entry, price->price, window.flat_band));
}

void ClockLabeller::encode(ByteWriter& out) const {
  out.text(fingerprint(spec_));
  order_.encode(out);
  outbox_.encode(out);
  out.u64(series_.size());
  for (const Series& series : series_) {
    series.prices.encode(out);
    series.resolved.encode(out);
    out.time(series.last_open);
    out.u64(series.windows.size());
    for (const Window& window : series.windows) {
      out.time(window.start);
      out.time(window.end);
      out.i64(window.entry.nanos());
      out.f64(window.flat_band);
      out.i64(window.path.last.nanos());
      out.f64(window.path.squares);
      out.i64(window.path.steps);
      out.i64(window.path.observed);
      out.time(window.path_known_at);
    }
  }
  out.u64(questions_.size());
  for (const Question& question : questions_) {
    out.time(question.at);
    out.u32(static_cast<std::uint32_t>(question.instrument));
    out.time(question.start);
  }
}

Result<void> ClockLabeller::decode(ByteReader& in) {
  EL_CHECK(check_fingerprint(in, spec_));
  order_.decode(in);
  outbox_.decode(in);
  series_.clear();
  questions_.clear();
  waiting_ = 0;
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    Series& series = series_.emplace_back();
    series.prices.decode(in);
    series.resolved.decode(in);
    series.last_open = in.time();
    for (std::uint64_t windows = in.u64(); windows > 0 && in.ok(); --windows) {
      Window& window = series.windows.emplace_back();
      window.start = in.time();
      window.end = in.time();
      window.entry = Price::from_nanos(in.i64());
      window.flat_band = in.f64();
      window.path.last = Price::from_nanos(in.i64());
      window.path.squares = in.f64();
      window.path.steps = static_cast<std::int32_t>(in.i64());
      window.path.observed = static_cast<std::int32_t>(in.i64());
      window.path_known_at = in.time();
      ++waiting_;
    }
  }
  for (std::uint64_t left = in.u64(); left > 0 && in.ok(); --left) {
    Question& question = questions_.emplace_back();
    question.at = in.time();
    question.instrument = InstrumentId{in.u32()};
    question.start = in.time();
    if (index(question.instrument) >= series_.size())
      return fail(Code::Damaged, fmt::format("labeller state: no instrument {}", index(question.instrument)));
  }
  return check_read(in);
}

}  // namespace everlearn
