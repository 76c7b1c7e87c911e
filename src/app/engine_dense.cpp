// The dense history: one price of each instrument at each time of a grid, from what the market is known to be then;
// labels are made of these. Where a grid time was missed, prices of the past are asked for: they fill the history that
// features look at, and make no example and no label.
#include <algorithm>

#include <fmt/format.h>

#include "app/engine_parts.hpp"

namespace everlearn {
namespace {

constexpr Duration kBridge = Duration::minutes(2);  // a shorter pause is made up for, cycle by cycle
constexpr const char* kFrom = "price history";

PriceKind kind_of(const InstrumentState& state) {
  if (state.book.trusted && state.bid && state.ask) return PriceKind::Mid;
  if (state.bid && state.ask) return PriceKind::Quote;
  return state.last_trade && *state.last_trade == state.last ? PriceKind::Trade : PriceKind::Unknown;
}

}  // namespace

std::vector<std::optional<Price>> Engine::dense_prices(Timestamp at) const {
  std::vector<std::optional<Price>> prices(market_.size());
  for (std::size_t i = 0; i < market_.size(); ++i) {
    const InstrumentId id{static_cast<std::uint32_t>(i)};
    if (current(id, at) && market_[id].priced) prices[i] = market_[id].last;
  }
  return prices;
}

Result<void> Engine::snapshot(Timestamp at) {
  const TimeSplit::Part part{*split_, "store"};
  const auto prices = dense_prices(at);
  past_asked_.resize(std::max(past_asked_.size(), prices.size()));
  Coverage& coverage = store_.coverage();
  const Origin origin = options_.virtual_clock == nullptr ? Origin::Live : Origin::Recording;
  for (std::size_t i = 0; i < prices.size(); ++i) {
    if (!prices[i]) continue;
    const InstrumentId id{static_cast<std::uint32_t>(i)};
    const InstrumentState& state = market_[id];
    EL_CHECK(store_.append(PriceRow{.instrument = id,
                                    .event_time = at,
                                    .known_at = at,
                                    .price = *prices[i],
                                    .bid = state.bid,
                                    .ask = state.ask,
                                    .origin = origin,
                                    .last = state.last_trade,
                                    .kind = kind_of(state)}));
    const Event event{id, at, at, PricePoint{*prices[i], state.bid, state.ask}};
    for (auto& target : targets_) target->labeller->observe(event);

    const auto& streams = coverage.streams();
    // Timestamp::min(): it is the first.
    const Timestamp before = i < streams.size() ? streams[i].last.value_or(Timestamp::min()) : Timestamp::min();
    const bool first = before == Timestamp::min();
    const Duration silence = first || skip_silence_ ? Duration{} : at - before;
    coverage.add(id, at, silence, Duration{profile_.dense_every.us() * 3 / 2});
    if (!profile_.backfill || options_.virtual_clock != nullptr) continue;
    if (first && !past_asked_[i]) ask_for_past(id, at - dense_->reach(), at - profile_.dense_every);
    if (silence > profile_.dense_every) ask_for_past(id, before, at - profile_.dense_every);
  }
  skip_silence_ = false;
  return {};
}

void Engine::ask_for_past(InstrumentId id, Timestamp from, Timestamp to) {
  if (index(id) < past_asked_.size()) past_asked_[index(id)] = true;
  if (from < to) holes_.push_back({id, from, to});
}

// All that a cycle does to features, and all that a restart does again.
void Engine::step_features(Timestamp at) {
  const TimeSplit::Part part{*split_, "features"};
  bank_.step(at, instruments_, market_);
  if (!dense_) return;
  if (dense_grid_->on_grid(at)) dense_->step(at, instruments_, dense_prices(at));
  dense_->refresh(instruments_);
}

// Of new features that reach further back than the old ones did.
Result<void> Engine::read_dense_prices() {
  if (!dense_->last_step()) return {};
  const Timestamp last = *dense_->last_step();
  return store_.scan_prices({last - dense_->reach(), last + Duration{1}}, [&](const PriceRow& row) {
    if (dense_grid_->on_grid(row.event_time)) dense_->fill(row.instrument, row.event_time, row.price);
    return true;
  });
}

// The last price of each step of the grid; nothing where there is none.
std::vector<std::pair<Timestamp, Price>> Engine::on_dense_grid(const PastPrices& past, Timestamp until) const {
  std::vector<std::pair<Timestamp, Price>> points;
  if (!dense_) return points;
  auto price = past.prices.begin();
  for (Timestamp at = dense_grid_->after(past.from); at <= std::min(past.to, until); at = dense_grid_->after(at)) {
    while (price != past.prices.end() && price->first <= at - profile_.dense_every) ++price;
    std::optional<Price> found;
    for (; price != past.prices.end() && price->first <= at; ++price) found = price->second;
    if (found) points.emplace_back(at, *found);
  }
  return points;
}

Result<void> Engine::take_past(const Event& event, const PastPrices& past) {
  decided_ = true;
  if (!dense_) return {};
  const InstrumentId id = event.instrument;
  if (!past.problem.empty())
    return store_.note(event.known_at, "hole stays",
                       fmt::format("{} {} to {}: {}", instruments_[id].name, past.from.iso().substr(0, 16),
                                   past.to.iso().substr(0, 16), past.problem));
  // A row of what was seen itself stays alone at its time: only what is missing is written.
  Coverage& coverage = store_.coverage();
  const auto missing = coverage.open(id);
  const auto& streams = coverage.streams();
  const Timestamp first =
      index(id) < streams.size() ? streams[index(id)].first.value_or(Timestamp::max()) : Timestamp::max();
  const auto wanted = [&](Timestamp at, bool news) {
    if (at < first) return news;  // no gap says what is missing there, but it may have been asked for before
    return std::any_of(missing.begin(), missing.end(), [&](const Gap& gap) { return at > gap.start && at < gap.end; });
  };
  // What lies between two points that follow each other on the grid is filled; the step after the last one too, where
  // it ends at a point of our own.
  std::optional<Timestamp> run_from, run_to;
  const auto end_run = [&]() -> Result<void> {
    if (!run_from) return {};
    const bool joins = std::any_of(missing.begin(), missing.end(),
                                   [&](const Gap& gap) { return gap.end == *run_to + profile_.dense_every; });
    EL_TRY(const Duration filled,
           coverage.fill(id, *run_from - profile_.dense_every, joins ? *run_to + profile_.dense_every : *run_to, kFrom,
                         event.known_at));
    (void)filled;
    run_from.reset();
    return {};
  };
  for (const auto& [at, price] : on_dense_grid(past, progress_.last_cycle.value_or(event.known_at))) {
    const bool news = dense_->fill(id, at, price);
    if (!wanted(at, news)) continue;
    if (run_to && at - *run_to > profile_.dense_every) EL_CHECK(end_run());
    if (!run_from) run_from = at;
    run_to = at;
    EL_CHECK(store_.append(PriceRow{.instrument = id,
                                    .event_time = at,
                                    .known_at = event.known_at,
                                    .price = price,
                                    .origin = Origin::Backfill,
                                    .kind = PriceKind::Past}));
    ++progress_.backfilled;
  }
  return end_run();
}

// Whether this process stood still (a machine that slept, a clock that was set) while nobody listened. One that is only
// slow has what came meanwhile, stamped when it came.
Result<bool> Engine::slept(Timestamp now) {
  const Timestamp before = std::exchange(stepped_at_, now);
  const Duration bridge{static_cast<std::int64_t>(static_cast<double>(kBridge.us()) * options_.clock_speed)};
  if (before == Timestamp::max() || now - before <= std::max(bridge, profile_.cycle * 3)) return false;
  if (!in_hand_) {
    EL_TRY(in_hand_, source_.next());
  }
  return !in_hand_ || in_hand_->known_at - before > std::max(bridge, profile_.cycle * 3);
}

// A process that begins where another ended, or stood still, on a source that tells nothing of the time between.
Result<void> Engine::resume(Timestamp now) {
  if (source_.remembers()) return {};
  const bool begins = !std::exchange(resumed_, true);
  EL_TRY(const bool stood_still, slept(now));
  if (!begins && !stood_still) return {};
  base_due_ = true;
  decided_ = true;
  // Later on the source knows what books are good for.
  for (std::size_t i = 0; i < market_.size() && begins; ++i)
    EL_CHECK(market_.apply({static_cast<InstrumentId>(i), now, now, BookDoubt{}}));
  if (!next_cycle_) return {};
  const Timestamp last = progress_.last_cycle.value_or(*next_cycle_);
  if (now - *next_cycle_ > std::max(kBridge, profile_.cycle * 3)) {
    bank_ = FeatureBank{schema_.features(), calendar_};  // its steps would not be of one length
    next_cycle_ = grid_.after(now);
    EL_CHECK(store_.note(now, "not running", fmt::format("from {} to {}", last.iso(), now.iso())));
    if (dense_) {
      const Timestamp next = dense_grid_->at_or_after(*next_cycle_);
      Coverage& coverage = store_.coverage();
      const auto streams = coverage.streams();
      for (const StreamCoverage& stream : streams) {
        const bool watched = index(stream.instrument) < market_.size() && market_[stream.instrument].seen &&
                             !market_[stream.instrument].payout && market_[stream.instrument].phase == Phase::Trading;
        if (watched && stream.last && next - *stream.last > profile_.dense_every)
          coverage.add(Gap{.instrument = stream.instrument, .start = *stream.last, .end = next, .reason = "no run"});
      }
      skip_silence_ = true;
    }
  }
  EL_TRY(const std::int64_t holes, look_for_holes());
  (void)holes;
  return {};
}

Result<std::int64_t> Engine::look_for_holes() {
  if (!dense_ || !profile_.backfill || source_.remembers()) return 0;
  const Timestamp now = world_.clock.now();
  const std::size_t before = holes_.size();
  const auto streams = store_.coverage().streams();
  const auto trades = [&](InstrumentId id) {
    return index(id) < market_.size() && !market_[id].payout && market_[id].phase == Phase::Trading;
  };
  for (const StreamCoverage& stream : streams) {
    // Of years of markets that are over, no hole is worth looking for.
    if (!trades(stream.instrument) && stream.last && *stream.last < now - dense_->reach()) continue;
    for (const Gap& gap : store_.coverage().open(stream.instrument)) {
      const Timestamp from = std::max(gap.start, now - dense_->reach());
      const Timestamp to = std::min(gap.end - profile_.dense_every, now);
      ask_for_past(stream.instrument, from, to);
    }
  }
  // What was before the first price of one, where it was asked for and no answer came.
  for (const StreamCoverage& stream : streams) {
    const InstrumentId id = stream.instrument;
    if (trades(id) && stream.first && !dense_->knows_before(id, *stream.first))
      ask_for_past(id, now - dense_->reach(), *stream.first - profile_.dense_every);
  }
  return static_cast<std::int64_t>(holes_.size() - before);
}

}  // namespace everlearn
