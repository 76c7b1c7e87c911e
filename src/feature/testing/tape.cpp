#include "feature/testing/tape.hpp"

#include <cmath>

#include <fmt/format.h>

#include "market/market_state.hpp"

namespace everlearn::testing {
namespace {

class Walker {
 public:
  Walker(Path path, std::uint64_t seed) : path_{path}, rng_{seed} {
    if (path == Path::Offset) level_ = 1e8;
    if (path == Path::Probability) level_ = 0.4;
  }

  double next() {
    const double u = rng_.uniform() - 0.5;
    switch (path_) {
      case Path::RandomWalk:
        level_ *= std::exp(0.035 * u);
        break;
      case Path::Constant:
        if (rng_.below(40) == 0) level_ += u;
        break;
      case Path::Jumps:
        level_ *= std::exp(0.002 * u);
        if (rng_.below(60) == 0) {
          level_ = up_ ? level_ / 3 : level_ * 3;
          up_ = !up_;
        }
        break;
      case Path::Offset:
        level_ += 3 * u;
        break;
      case Path::Trend:
        level_ += 0.25;
        break;
      case Path::Probability:
        if (rng_.below(4) == 0) level_ += u > 0 ? 0.01 : -0.01;
        level_ = std::min(std::max(level_, 0.01), 0.99);
        break;
    }
    return level_;
  }

  Rng& rng() { return rng_; }

 private:
  Path path_;
  Rng rng_;
  double level_ = 100;
  bool up_ = false;
};

Price price_of(double value, Path path) {
  return Price::from(path == Path::Probability ? std::round(value * 100) / 100 : value).value();
}

void add_bar(std::vector<Event>& out, Event event, Walker& walker, double before, double now, Path path) {
  Bar bar;
  bar.open_time = event.event_time - Duration::seconds(60);
  const double high = std::max(before, now) * (1 + 0.002 * walker.rng().uniform());
  const double low = std::min(before, now) * (1 - 0.002 * walker.rng().uniform());
  bar.open = price_of(before, path);
  bar.close = price_of(now, path);
  bar.high = std::max({price_of(high, path), bar.open, bar.close});
  bar.low = std::min({price_of(low, path), bar.open, bar.close});
  bar.volume = walker.rng().below(5) == 0 ? 0 : static_cast<double>(walker.rng().below(1000)) / 8;
  if (walker.rng().below(2) == 0) bar.vwap = (bar.high.value() + bar.low.value()) / 2;
  bar.trades = static_cast<std::int64_t>(walker.rng().below(50));
  event.what = bar;
  out.push_back(event);
}

void add_trades(std::vector<Event>& out, Event event, Walker& walker, double now, Path path) {
  const std::uint64_t count = walker.rng().below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    Trade trade;
    trade.price = price_of(now, path);
    trade.size = static_cast<double>(1 + walker.rng().below(400)) / 4;
    trade.side = static_cast<Side>(walker.rng().below(3));
    event.what = trade;
    out.push_back(event);
  }
}

void add_book(std::vector<Event>& out, Event event, Walker& walker, double now) {
  BookUpdate book;
  book.snapshot = true;
  const double tick = now * 1e-3;
  const std::uint64_t levels = 2 + walker.rng().below(6);
  double bid = now;
  double ask = now;
  for (std::uint64_t i = 0; i < levels; ++i) {
    bid -= tick * (0.5 + walker.rng().uniform());
    ask += tick * (0.5 + walker.rng().uniform());
    book.bids.push_back({Price::from(bid).value(), static_cast<double>(1 + walker.rng().below(100)) / now});
    book.asks.push_back({Price::from(ask).value(), static_cast<double>(1 + walker.rng().below(100)) / now});
  }
  event.what = book;
  out.push_back(event);
}

/// The times of the steps: inside sessions only.
std::vector<Timestamp> step_times(const Calendar& calendar, Duration step, int steps) {
  std::vector<Timestamp> at;
  Session session = calendar.next(Timestamp::parse("2024-11-04T00:00:00Z").value());
  while (static_cast<int>(at.size()) < steps) {
    if (step >= Duration::days(1)) {
      at.push_back(session.close);
    } else {
      for (Timestamp t = session.open + step; t <= session.close && static_cast<int>(at.size()) < steps; t = t + step) {
        at.push_back(t);
      }
    }
    session = calendar.next(session.close);
  }
  return at;
}

}  // namespace

Tape make_tape(const TapeOptions& options, const Calendar& calendar, std::uint64_t seed) {
  Tape tape;
  tape.step = options.step;
  tape.calendar = &calendar;
  tape.at = step_times(calendar, options.step, options.steps);
  tape.events.resize(tape.at.size());
  for (int i = 0; i <= options.instruments; ++i) {
    const InstrumentId id = tape.instruments.intern(fmt::format("I{}", i));
    Instrument& instrument = tape.instruments.edit(id);
    instrument.context = i == 0;
    instrument.probability = options.path == Path::Probability;
    if (i != 1) instrument.tick_size = Price::parse("0.01").value();
    if (i == 2) instrument.end_time = tape.at[tape.at.size() / 2] + Duration::hours(1);
  }
  for (int i = 0; i <= options.instruments; ++i) {
    Walker walker{options.path, seed * 1000 + static_cast<std::uint64_t>(i)};
    const bool late = options.gaps && i == 2;
    const bool stale = options.gaps && i == 1;
    const bool resolves = options.gaps && i == 3;
    const bool left = options.gaps && i == 3;  // for nine steps
    double before = walker.next();
    const std::size_t n = tape.at.size();
    for (std::size_t t = 0; t < n; ++t) {
      const double now = walker.next();
      if (late && t < n / 4) continue;
      if (stale && t > n / 3 && tape.at[t] - tape.at[n / 3] < Duration::days(12)) continue;
      if (options.gaps && walker.rng().below(5) == 0 && t != 6 * n / 10 && t != 6 * n / 10 + 9) continue;
      const Timestamp then = tape.at[t] - Duration::seconds(1 + static_cast<std::int64_t>(walker.rng().below(50)));
      Event event{.instrument = static_cast<InstrumentId>(i), .event_time = then, .known_at = then, .what = {}};
      std::vector<Event>& out = tape.events[t];
      if (options.bars) add_bar(out, event, walker, before, now, options.path);
      if (options.trades) add_trades(out, event, walker, now, options.path);
      event.what = PricePoint{.price = price_of(now, options.path), .bid = {}, .ask = {}};
      out.push_back(event);
      if (options.books && options.path != Path::Offset) add_book(out, event, walker, now);
      if (options.gaps && walker.rng().below(60) == 0) {
        event.what = BookDoubt{};
        out.push_back(event);
      }
      if (left && (t == 6 * n / 10 || t == 6 * n / 10 + 9)) {
        event.what = PhaseChange{t == 6 * n / 10 ? Phase::Closed : Phase::Trading};
        out.push_back(event);
      }
      if (resolves && t > 9 * n / 10) {
        event.what = Resolution{.payout = 1};
        out.push_back(event);
      }
      before = now;
    }
  }
  return tape;
}

Rows run(const Tape& tape, const FeatureSet& set, std::ptrdiff_t steps) {
  FeatureBank bank{set, *tape.calendar};
  MarketState market;
  Rows rows;
  const std::size_t count = steps < 0 ? tape.at.size() : static_cast<std::size_t>(steps);
  for (std::size_t t = 0; t < count; ++t) {
    for (const Event& event : tape.events[t]) (void)market.apply(event);
    bank.step(tape.at[t], tape.instruments, market);
    market.end_step();
    auto& step = rows.emplace_back();
    for (std::size_t i = 0; i < tape.instruments.size(); ++i) {
      bank.row(static_cast<InstrumentId>(i), step.emplace_back(set.size()));
    }
  }
  return rows;
}

}  // namespace everlearn::testing
