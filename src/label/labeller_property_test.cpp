// Every labeller against a plain definition that looks at the whole history, and against itself after a restart.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "core/rng.hpp"
#include "label/label_fixture.hpp"
#include "label/outcome.hpp"

using namespace everlearn;
using namespace everlearn::label_test;

namespace {

constexpr std::int64_t kCycle = 5;    // seconds between settlings
constexpr std::int64_t kCycles = 40;  // after which nothing new is opened
constexpr std::int64_t kDrain = 200;  // cycles until everything by the clock is settled

struct Decision {
  InstrumentId instrument{};
  Timestamp start;
  Price entry;
  double flat_band = 0;
};

struct Script {
  std::vector<Event> events;        // by known_at
  std::vector<Decision> decisions;  // by start, all on cycles
};

/// Events and decisions from one seed, so that a failure is told by its seed and sizes.
Script random_script(bool bars, std::uint64_t seed, int events, int decisions_in_ten) {
  Script script;
  Rng rng{seed};
  const auto random_price = [&rng] { return static_cast<double>(rng.below(8)) * 0.25; };
  const auto random_outcome = [&rng]() -> std::optional<double> {
    const std::uint64_t outcome = rng.below(6);  // 3 is no class
    return outcome < 4 ? std::optional{static_cast<double>(outcome)} : std::nullopt;
  };
  for (int i = 0; i < events; ++i) {
    const InstrumentId id{static_cast<std::uint32_t>(rng.below(3))};
    const auto event = static_cast<std::int64_t>(1 + rng.below(220));
    constexpr std::int64_t kDelays[] = {0, 0, 0, 0, 3, 40};
    const std::int64_t known = event + kDelays[rng.below(6)];
    const double value = random_price();
    const std::uint64_t kind = rng.below(60);
    if (rng.below(3) == 0)  // few times, so that rows are corrected
      script.events.push_back(fields(id, event / 30 * 30, random_outcome(), known));
    else if (kind == 0)
      script.events.push_back(resolution(id, event, known));
    else if (bars && kind < 40)
      script.events.push_back(bar(id, event - 7, event, value + 0.25, std::max(0.0, value - 0.25), value, known));
    else
      script.events.push_back(point(id, event, value, known));
  }
  std::ranges::stable_sort(script.events, {}, &Event::known_at);
  constexpr double kBands[] = {0.25, 0.5, std::numeric_limits<double>::quiet_NaN()};
  for (std::int64_t cycle = 0; cycle < kCycles; ++cycle)
    for (std::uint32_t id = 0; id < 3; ++id)
      if (rng.below(10) < static_cast<std::uint64_t>(decisions_in_ten))
        script.decisions.push_back({InstrumentId{id}, at(cycle * kCycle), price(random_price()), kBands[rng.below(3)]});
  return script;
}

Script random_script() {
  return random_script(*rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<std::uint64_t>(), *rc::gen::inRange(0, 120),
                       *rc::gen::inRange(0, 10));
}

/// Empty for equal lists.
std::string first_difference(const std::vector<std::string>& got, const std::vector<std::string>& wanted) {
  for (std::size_t i = 0; i < std::max(got.size(), wanted.size()); ++i) {
    const std::string a = i < got.size() ? got[i] : "nothing";
    const std::string b = i < wanted.size() ? wanted[i] : "nothing";
    if (a != b) return "got " + a + ", wanted " + b;
  }
  return {};
}

/// The engine's order: events known by the cycle, settling, decisions. Restarts from its own bytes at `restart`.
std::vector<Label> run(const LabelSpec& spec, const Script& script, std::int64_t restart = -1) {
  auto labeller = make(spec);
  std::vector<Label> all;
  auto event = script.events.begin();
  auto decision = script.decisions.begin();
  for (std::int64_t cycle = 0; cycle < kCycles + kDrain; ++cycle) {
    if (cycle == restart) {
      ByteWriter out;
      labeller->encode(out);
      labeller = make(spec);
      ByteReader in{out.bytes()};
      RC_ASSERT(labeller->decode(in).has_value());
      RC_ASSERT(in.at_end());
      ByteWriter again;
      labeller->encode(again);
      RC_ASSERT(again.bytes() == out.bytes());
    }
    const Timestamp now = at(cycle * kCycle);
    for (; event != script.events.end() && event->known_at <= now; ++event) labeller->observe(*event);
    for (Label& label : labeller->settle(now)) all.push_back(std::move(label));
    for (; decision != script.decisions.end() && decision->start == now; ++decision)
      RC_ASSERT(
          labeller->open(decision->instrument, decision->start, decision->entry, decision->flat_band).has_value());
  }
  return all;
}

Timestamp cycle_from(Timestamp t) {
  const std::int64_t cycle = kCycle * 1'000'000;
  return Timestamp{(t.us() + cycle - 1) / cycle * cycle};
}

/// The definition, slowly: everything is looked up in the whole script.
class Oracle {
 public:
  Oracle(const LabelSpec& spec, const Script& script) : spec_{spec}, script_{script} {}

  /// Empty: still waiting.
  std::optional<Label> label(const Decision& d) const {
    if (spec_.kind == LabelKind::Column) return column(d);
    const Event* resolved = resolution_of(d.instrument);
    if (resolved != nullptr && resolved->known_at <= d.start) return cut(d, *resolved);
    if (needs_positive_prices(spec_) && d.entry.nanos() <= 0)
      return voided(d, d.start, d.start, "price at the decision is not above zero");
    if (spec_.kind == LabelKind::Direction3 && std::isnan(d.flat_band))
      return voided(d, d.start, d.start, "no trailing volatility yet");
    if (spec_.kind == LabelKind::TripleBarrier) return barrier(d, resolved);
    return spec_.bars > 0 ? after_bars(d, resolved) : by_the_clock(d, resolved);
  }

 private:
  static Label voided(const Decision& d, Timestamp end, Timestamp known_at, const std::string& reason) {
    return {d.instrument, d.start, end, std::max(known_at, end), LabelState::Void, 0, reason};
  }
  static Label known(const Decision& d, Timestamp end, Timestamp known_at, double value) {
    return {d.instrument, d.start, end, std::max(known_at, end), LabelState::Known, value, {}};
  }
  static Label cut(const Decision& d, const Event& resolved) {
    return voided(d, std::max(d.start, resolved.event_time), resolved.known_at, "market resolved");
  }

  const Event* resolution_of(InstrumentId id) const {
    for (const Event& event : script_.events)
      if (event.instrument == id && std::holds_alternative<Resolution>(event.what)) return &event;
    return nullptr;
  }

  static bool has_price(const Event& event) {
    return !std::holds_alternative<Resolution>(event.what) && !std::holds_alternative<Fields>(event.what);
  }
  static Price value_of(const Event& event) {
    const auto* b = std::get_if<Bar>(&event.what);
    return b != nullptr ? b->close : std::get<PricePoint>(event.what).price;
  }

  /// The last price in (t - tolerance, t] that was known at `now`; of equals the one known last.
  const Event* last_price(InstrumentId id, Timestamp t, Timestamp now) const {
    const Event* last = nullptr;
    for (const Event& event : script_.events) {
      if (event.instrument != id || event.known_at > now || !has_price(event)) continue;
      if (event.event_time > t || event.event_time <= t - spec_.tolerance) continue;
      if (last == nullptr || event.event_time >= last->event_time) last = &event;
    }
    return last;
  }

  Label by_the_clock(const Decision& d, const Event* resolved) const {
    const Timestamp end = d.start + spec_.horizon;
    const Timestamp settled = cycle_from(end);
    if (resolved != nullptr && resolved->event_time < end && resolved->known_at <= settled) return cut(d, *resolved);
    if (spec_.kind != LabelKind::RealisedVolatility) {
      const Event* event = last_price(d.instrument, end, settled);
      if (event == nullptr) return voided(d, end, settled, "no price within 8s of the end");
      if (needs_positive_end(spec_) && value_of(*event).nanos() <= 0)
        return voided(d, end, settled, "price at the end is not above zero");
      return known(d, end, event->known_at, move_label(spec_, d.entry, value_of(*event), d.flat_band));
    }
    PathVariance path;
    path.last = d.entry;
    Timestamp known_at = end;
    for (Timestamp t = d.start + spec_.step; t <= end; t = t + spec_.step) {
      const Event* event = last_price(d.instrument, t, cycle_from(t));
      if (event != nullptr) known_at = std::max(known_at, event->known_at);
      path.add(event == nullptr ? std::nullopt : std::optional{value_of(*event)});
    }
    if (const auto volatility = path.volatility(spec_.unit)) return known(d, end, known_at, *volatility);
    return voided(d, end, settled, path.why_unknown());
  }

  /// Bars and resolutions of an instrument in the order they became known.
  std::vector<const Event*> bars_of(InstrumentId id) const {
    std::vector<const Event*> bars;
    bool real = false;
    Timestamp last = Timestamp::min();
    for (const Event& event : script_.events) {
      if (event.instrument != id) continue;
      if (std::holds_alternative<Resolution>(event.what)) {
        bars.push_back(&event);
        continue;
      }
      if (!has_price(event)) continue;
      if (std::holds_alternative<Bar>(event.what))
        real = true;
      else if (real)
        continue;
      if (event.event_time <= last) continue;
      last = event.event_time;
      bars.push_back(&event);
    }
    return bars;
  }

  /// What row `time` says at `when`: the last word about it until then.
  const Event* word(InstrumentId id, Timestamp time, Timestamp when) const {
    const Event* last = nullptr;
    for (const Event& event : script_.events)
      if (event.instrument == id && event.event_time == time && event.known_at <= when &&
          std::holds_alternative<Fields>(event.what))
        last = &event;
    return last;
  }

  Label column(const Decision& d) const {
    std::optional<Timestamp> row;
    for (const Event& event : script_.events)
      if (event.instrument == d.instrument && std::holds_alternative<Fields>(event.what) && event.known_at <= d.start)
        row = std::max(row.value_or(event.event_time), event.event_time);
    if (!row) return voided(d, d.start, d.start, "no row of the table by the decision");
    const Timestamp end = *row + spec_.horizon;
    if (end <= d.start) return voided(d, d.start, d.start, "the newest row's horizon was over at the decision");
    // The first moment from the end on at which the row says something.
    for (Timestamp when = end; when <= end + spec_.tolerance; when = when + Duration::seconds(1)) {
      const Event* last = word(d.instrument, *row, when);
      const auto outcome = last != nullptr ? std::get<Fields>(last->what).outcome : std::nullopt;
      if (!outcome) continue;
      if (spec_.column_classes > 0 && *outcome >= spec_.column_classes)
        return voided(d, end, last->known_at, "outcome 3 is none of the classes 0..2");
      return known(d, end, last->known_at, *outcome);
    }
    return voided(d, end, end + spec_.tolerance, "no outcome within 8s after the horizon");
  }

  std::optional<Label> after_bars(const Decision& d, const Event* resolved) const {
    PathVariance path;
    path.last = d.entry;
    for (const Event* event : bars_of(d.instrument)) {
      if (event->known_at <= d.start) continue;
      if (event == resolved) return cut(d, *resolved);
      if (std::holds_alternative<Resolution>(event->what) || event->event_time <= d.start) continue;
      path.add(value_of(*event));
      if (path.steps < spec_.bars) continue;
      if (needs_positive_end(spec_) && value_of(*event).nanos() <= 0)
        return voided(d, event->event_time, event->known_at, "price at the end is not above zero");
      if (spec_.kind != LabelKind::RealisedVolatility)
        return known(d, event->event_time, event->known_at, move_label(spec_, d.entry, value_of(*event), d.flat_band));
      if (const auto volatility = path.volatility(spec_.unit))
        return known(d, event->event_time, event->known_at, *volatility);
      return voided(d, event->event_time, event->known_at, path.why_unknown());
    }
    return std::nullopt;
  }

  std::optional<Label> barrier(const Decision& d, const Event* resolved) const {
    const bool by_bars = spec_.bars > 0;
    const Timestamp end = by_bars ? Timestamp::max() : d.start + spec_.horizon;
    const Timestamp settled = by_bars ? Timestamp::max() : cycle_from(end);
    const double entry = d.entry.value();
    const Event* last = nullptr;
    int n = 0;
    for (const Event* event : bars_of(d.instrument)) {
      if (event->known_at <= d.start || event->known_at > settled) continue;
      if (event == resolved && event->event_time < end) return cut(d, *resolved);
      if (std::holds_alternative<Resolution>(event->what)) continue;
      if (event->event_time <= d.start || event->event_time > end) continue;
      last = event;
      const auto* b = std::get_if<Bar>(&event->what);
      const bool whole = b != nullptr && b->open_time >= d.start;
      const double low = (whole ? b->low : value_of(*event)).value();
      const double high = (whole ? b->high : value_of(*event)).value();
      if (low < entry * (1 - spec_.loss) + 1e-9) return known(d, event->event_time, event->known_at, 0);
      if (high > entry * (1 + spec_.profit) - 1e-9) return known(d, event->event_time, event->known_at, 2);
      if (++n == spec_.bars) return known(d, event->event_time, event->known_at, 1);
    }
    if (by_bars) return std::nullopt;
    if (last == nullptr || last->event_time <= end - spec_.tolerance)
      return voided(d, end, settled, "no price within 8s of the end");
    return known(d, end, last->known_at, 1);
  }

  const LabelSpec& spec_;
  const Script& script_;
};

LabelSpec random_spec() {
  LabelSpec spec;
  spec.kind =
      *rc::gen::element(LabelKind::ForwardReturn, LabelKind::RealisedVolatility, LabelKind::OutcomeAfterBars,
                        LabelKind::Direction2, LabelKind::Direction3, LabelKind::TripleBarrier, LabelKind::Column);
  spec.unit = *rc::gen::element(ReturnUnit::Relative, ReturnUnit::Points, ReturnUnit::Log);
  const bool by_bars = *rc::gen::inRange(0, 2) == 0 && spec.kind != LabelKind::Column;
  if (spec.kind == LabelKind::OutcomeAfterBars || by_bars) {
    spec.bars = *rc::gen::inRange(1, 6);
  } else {
    spec.step = Duration::seconds(*rc::gen::inRange(1, 12));
    spec.horizon = spec.step * *rc::gen::inRange(1, 6);
    spec.tolerance = Duration::seconds(8);
  }
  if (spec.kind == LabelKind::Direction3) spec.flat_volatility = 1;  // the band of each decision counts
  if (spec.kind == LabelKind::Column) spec.column_classes = *rc::gen::element(0, 3);
  spec.profit = *rc::gen::element(0.5, 1.0);
  spec.loss = *rc::gen::element(0.25, 0.5);
  return spec;
}

bool in_order(const Label& a, const Label& b) {
  return std::tuple{a.known_at, a.event_time, index(a.instrument)} <
         std::tuple{b.known_at, b.event_time, index(b.instrument)};
}

std::vector<Label> agrees_with_definition(const LabelSpec& spec, const Script& script) {
  const Oracle oracle{spec, script};
  std::vector<Label> expected;
  for (const Decision& decision : script.decisions)
    if (auto label = oracle.label(decision)) expected.push_back(std::move(*label));
  std::ranges::sort(expected, in_order);
  std::vector<Label> labels = run(spec, script);
  RC_ASSERT(first_difference(text(labels), text(expected)) == "");
  for (const Label& label : labels) RC_ASSERT(label.known_at >= label.end && label.end >= label.event_time);
  return labels;
}

}  // namespace

TEST_CASE("every labeller gives what the definition gives on the whole history, in order") {
  CHECK(rc::check([] { agrees_with_definition(random_spec(), random_script()); }));
}

TEST_CASE("column: what the definition gives, and never before the newest row's time plus the horizon") {
  CHECK(rc::check([] {
    LabelSpec spec;
    spec.kind = LabelKind::Column;
    spec.column_classes = *rc::gen::element(0, 3);
    spec.horizon = Duration::seconds(*rc::gen::inRange(1, 60));
    spec.tolerance = Duration::seconds(8);
    const Script script = random_script();
    for (const Label& label : agrees_with_definition(spec, script)) {
      if (label.state != LabelState::Known) continue;
      Timestamp newest = Timestamp::min();
      for (const Event& event : script.events)
        if (event.instrument == label.instrument && std::holds_alternative<Fields>(event.what) &&
            event.known_at <= label.event_time)
          newest = std::max(newest, event.event_time);
      RC_ASSERT(label.known_at >= newest + spec.horizon);
      RC_ASSERT(label.known_at > label.event_time);
    }
  }));
}

TEST_CASE("a labeller restarted from its state goes on as if nothing had happened") {
  CHECK(rc::check([] {
    const LabelSpec spec = random_spec();
    const Script script = random_script();
    const std::int64_t restart = *rc::gen::inRange<std::int64_t>(0, kCycles + 5);
    RC_ASSERT(first_difference(text(run(spec, script, restart)), text(run(spec, script))) == "");
  }));
}

TEST_CASE("the state of another target, or a piece of one, is refused") {
  LabelSpec spec;
  spec.bars = 3;
  auto labeller = make(spec);
  REQUIRE(labeller->open(kA, at(0), price(1)));
  ByteWriter out;
  labeller->encode(out);
  for (std::size_t n = 0; n < out.bytes().size(); ++n) {
    ByteReader piece{std::string_view{out.bytes()}.substr(0, n)};
    const auto decoded = make(spec)->decode(piece);
    REQUIRE(!decoded);
    CHECK(decoded.error().code == Code::Damaged);
  }
  spec.bars = 4;
  ByteReader whole{out.bytes()};
  CHECK(!make(spec)->decode(whole));
}
