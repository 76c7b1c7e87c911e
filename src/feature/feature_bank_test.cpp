#include "feature/feature_bank.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <rapidcheck.h>

#include "core/rng.hpp"
#include "feature/causality.hpp"
#include "feature/resolve.hpp"
#include "feature/testing/tape.hpp"
#include "market/market_state.hpp"

using namespace everlearn;
using namespace everlearn::testing;

namespace {

/// A market in which prices are said step by step; a step is a minute, always open.
class Desk {
 public:
  explicit Desk(const std::vector<std::string>& features, Duration step = Duration::minutes(1))
      : calendar_{make_always_open()}, step_{step}, bank_{FeatureSet::choose(step, features).value(), *calendar_} {}

  Desk& says(std::string_view name, double price) {
    const InstrumentId id = instruments_.intern(name);
    event(id, PricePoint{.price = Price::from(price).value(), .bid = {}, .ask = {}});
    return *this;
  }
  void event(InstrumentId id, decltype(Event::what) what) {
    REQUIRE(market_.apply({.instrument = id, .event_time = next_, .known_at = next_, .what = std::move(what)}));
  }
  void step() {
    bank_.step(next_, instruments_, market_);
    market_.end_step();
    next_ = next_ + step_;
  }
  std::vector<float> row(std::string_view name) {
    std::vector<float> out(bank_.set().size());
    bank_.row(instruments_.intern(name), out);
    return out;
  }
  float value(std::string_view name) { return row(name)[0]; }
  Instruments& instruments() { return instruments_; }

 private:
  std::unique_ptr<const Calendar> calendar_;
  Duration step_;
  FeatureBank bank_;
  Instruments instruments_;
  MarketState market_;
  Timestamp next_ = Timestamp::parse("2025-01-06T10:00:00Z").value();
};

float after(const char* feature, const std::vector<double>& prices) {
  Desk desk{{feature}};
  for (const double price : prices) desk.says("A", price).step();
  return desk.value("A");
}

bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) || std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}

bool same(const Rows& a, const Rows& b, std::size_t steps) {
  for (std::size_t t = 0; t < steps; ++t) {
    for (std::size_t i = 0; i < a[t].size(); ++i) {
      for (std::size_t f = 0; f < a[t][i].size(); ++f) {
        if (!same(a[t][i][f], b[t][i][f])) return false;
      }
    }
  }
  return true;
}

FeatureSet everything(Duration step) { return FeatureSet::choose(step, {"*"}).value(); }

}  // namespace

TEST_CASE("ret: the log of two prices") { CHECK(after("ret_2", {100, 90, 110}) == doctest::Approx(std::log(1.1))); }
TEST_CASE("vol: two returns of +x and -x have standard deviation x") {
  CHECK(after("vol_2", {100, 110, 100}) == doctest::Approx(std::log(1.1)));
}
TEST_CASE("z: the last of 1, 2, 3 lies 1.2247 standard deviations up") {
  CHECK(after("z_3", {1, 2, 3}) == doctest::Approx(1.2247449));
}
TEST_CASE("z: is 0 where nothing moves") { CHECK(after("z_3", {7, 7, 7}) == 0.0f); }
TEST_CASE("efficiency: one step back on the way of three makes a third") {
  CHECK(after("efficiency_3", {10, 11, 12, 11}) == doctest::Approx(1.0 / 3));
}
TEST_CASE("rsi: 100 when prices only rise, 50 when they rest") {
  CHECK(after("rsi_2", {1, 2, 3}) == 100.0f);
  CHECK(after("rsi_2", {1, 1, 1}) == 50.0f);
}
TEST_CASE("drawdown: a fall from 120 to 90 is a quarter") { CHECK(after("drawdown_4", {100, 120, 110, 90}) == -0.25f); }
TEST_CASE("trend_r2: is 1 on a straight line") { CHECK(after("trend_r2_4", {1, 2, 3, 4}) == doctest::Approx(1)); }
TEST_CASE("steps_since_move: counts from the last change") {
  CHECK(after("steps_since_move", {1, 2, 2, 2}) == 2.0f);
  CHECK(std::isnan(after("steps_since_move", {1, 1, 1})));
}
TEST_CASE("price_rank: a new high stands above all, a tie half above") {
  CHECK(after("price_rank_3", {1, 2, 3}) == 1.0f);
  CHECK(after("price_rank_3", {3, 1, 3}) == 0.75f);
}

TEST_CASE("bank: an instrument never seen has missing features, the clock's too") {
  Desk desk{{"hour_sin", "ret_1"}};
  desk.says("A", 1).step();
  CHECK(std::isnan(desk.row("B")[0]));
  CHECK(!std::isnan(desk.row("A")[0]));
}

TEST_CASE("bank: a step without news keeps the price") {
  Desk desk{{"ret_1", "steps_since_update"}};
  desk.says("A", 5).step();
  desk.step();
  CHECK(desk.row("A") == std::vector<float>{0, 1});
}

TEST_CASE("bank: a step without a bar is a flat bar without volume; before the first bar there is none") {
  Desk desk{{"bar_range", "log_volume"}};
  desk.says("A", 5).step();
  CHECK(std::isnan(desk.value("A")));
  const auto price = [](double x) { return Price::from(x).value(); };
  Bar bar;
  bar.open = price(5);
  bar.high = price(6);
  bar.low = price(4);
  bar.close = price(5);
  bar.volume = 9;
  desk.event(desk.instruments().intern("A"), bar);
  desk.step();
  CHECK(desk.row("A") == std::vector<float>{0.4f, static_cast<float>(std::log(10.0))});
  desk.step();
  CHECK(desk.row("A") == std::vector<float>{0, 0});
}

TEST_CASE("bank: a late instrument has its own warm-up") {
  Desk desk{{"ret_2"}};
  for (int i = 0; i < 10; ++i) desk.says("A", 1 + i).step();
  for (int i = 0; i < 3; ++i) {
    CHECK(std::isnan(desk.value("B")));
    desk.says("B", 1 + i).step();
  }
  CHECK(desk.value("B") == doctest::Approx(std::log(3.0)));
}

TEST_CASE("bank: after more than five sessions without a price everything is missing, and begins anew with the next") {
  Desk desk{{"ret_1"}, Duration::hours(12)};
  desk.says("A", 1).step();
  desk.says("A", 2).step();
  int known = 0;
  while (!std::isnan(desk.value("A")) && known < 100) {
    desk.step();
    ++known;
  }
  CHECK(known == 11);  // the price is of 22:00; the sixth midnight after it is passed at 10:00 of the sixth day
  desk.says("A", 3).step();
  CHECK(std::isnan(desk.value("A")));
  desk.says("A", 6).step();
  CHECK(desk.value("A") == doctest::Approx(std::log(2.0)));
}

TEST_CASE("bank: nothing reaches back over a stale spell, however long the window") {
  Desk desk{{"ret_30"}, Duration::hours(6)};
  for (int i = 0; i < 5; ++i) desk.says("A", 1 + i).step();
  for (int i = 0; i < 28; ++i) desk.step();  // seven days: stale at the end of them
  for (int i = 0; i < 31; ++i) {
    CHECK(std::isnan(desk.value("A")));
    desk.says("A", 10 + i).step();
  }
  CHECK(desk.value("A") == doctest::Approx(std::log(4.0)));
}

TEST_CASE("bank: markets that are over leave no state behind, and a later one starts in their place") {
  const auto calendar = make_always_open();
  FeatureBank bank{FeatureSet::choose(Duration::minutes(1), {"ret_500", "skew_500"}).value(), *calendar};
  Instruments instruments;
  MarketState market;
  Timestamp at = Timestamp::parse("2025-01-06T10:00:00Z").value();
  const auto size_after = [&](std::string_view name, decltype(Event::what) what) {
    const InstrumentId id = instruments.intern(name);
    REQUIRE(market.apply({.instrument = id, .event_time = at, .known_at = at, .what = std::move(what)}));
    bank.step(at, instruments, market);
    market.end_step();
    at = at + Duration::minutes(1);
    ByteWriter out;
    bank.encode(out);
    return out.bytes().size();
  };
  const PricePoint price{.price = Price::parse("0.4").value(), .bid = {}, .ask = {}};
  CHECK(size_after("A", price) > 8000);
  CHECK(size_after("A", Resolution{.payout = 1}) < 300);
  CHECK(size_after("B", price) > 8000);
}

TEST_CASE("bank: a resolved instrument has no features any more") {
  Desk desk{{"level"}};
  desk.says("A", 0.5).step();
  desk.event(desk.instruments().intern("A"), Resolution{.payout = 1});
  desk.step();
  CHECK(std::isnan(desk.value("A")));
}

TEST_CASE("bank: of a doubted or crossed book everything is missing until a snapshot; its windows begin anew") {
  Desk desk{
      {"spread", "imbalance5", "buy_impact10", "liquidity_score", "spread_mean_2", "flow_depth_1", "ret_1", "vol_2"}};
  const InstrumentId id = desk.instruments().intern("A");
  const auto px = [](double value) { return Price::from(value).value(); };
  const auto book = [&](double bid, double ask) {
    desk.event(id, BookUpdate{true, {{px(bid), 100}}, {{px(ask), 300}}});
    desk.event(id, Trade{px(bid), 1, Side::Sell});
  };
  const auto known = [&] {
    desk.step();
    std::string text;
    for (const float value : desk.row("A")) text += std::isnan(value) ? '.' : 'x';
    return text;
  };
  for (const double bid : {0.48, 0.49, 0.47}) {
    book(bid, 0.52);
    desk.step();
  }
  book(0.48, 0.52);
  CHECK(known() == "xxxxxxxx");
  desk.event(id, BookDoubt{});
  CHECK(known() == "......xx");  // the price is the last one known, and rests
  CHECK(known() == "......xx");
  desk.event(id, BookUpdate{false, {{px(0.49), 100}}, {}});  // a delta is no snapshot
  CHECK(known() == "......xx");
  book(0.48, 0.52);
  CHECK(known() == "xxxx.xxx");  // a window of two steps has one
  book(0.48, 0.52);
  CHECK(known() == "xxxxxxxx");
}

TEST_CASE("bank: while its market does not trade everything is missing; after that it starts anew") {
  Desk desk{{"ret_1"}};
  const InstrumentId id = desk.instruments().intern("A");
  for (const Phase phase : {Phase::Left, Phase::Closed, Phase::Proposed, Phase::Disputed}) {
    desk.says("A", 0.5).step();
    desk.says("A", 0.6).step();
    CHECK(std::isfinite(desk.value("A")));
    desk.event(id, PhaseChange{phase});
    desk.says("A", 0.7).step();
    CHECK(std::isnan(desk.value("A")));
    desk.event(id, PhaseChange{Phase::Trading});
    desk.step();
    CHECK(std::isnan(desk.value("A")));  // no step before it
    desk.step();
    CHECK(desk.value("A") == 0);
  }
}

TEST_CASE("bank: what mirrors another has no features and does not count among the others") {
  Desk desk{{"level", "breadth_1"}};
  desk.instruments().edit(desk.instruments().intern("NO")).mirrors = true;
  for (const double up : {0.4, 0.5}) desk.says("YES", up).says("OTHER", 0.3 + up / 10).says("NO", 1 - up).step();
  CHECK(std::isnan(desk.value("NO")));
  CHECK_FALSE(std::isnan(desk.value("YES")));
  CHECK(desk.row("YES")[1] == 1);
}

TEST_CASE("bank: context is the mean of the context instruments, the market of the others") {
  Desk desk{{"ctx_ret_1", "market_ret_1", "rank_ret_1", "excess_ret_1"}};
  desk.instruments().edit(desk.instruments().intern("INDEX")).context = true;
  const auto say = [&](double index, double a, double b) {
    desk.says("INDEX", index).says("A", a).says("B", b).step();
  };
  say(100, 10, 10);
  say(101, 10, 20);
  const auto a = desk.row("A");
  CHECK(a[0] == doctest::Approx(std::log(1.01)));
  CHECK(a[1] == doctest::Approx(std::log(2.0) / 2));
  CHECK(a[2] == 0.0f);
  CHECK(a[3] == doctest::Approx(-std::log(1.01)));
  CHECK(desk.row("B")[2] == 1.0f);
}

TEST_CASE("bank: features are missing for exactly their warm-up and known from then on") {
  const auto calendar = make_always_open();
  const Tape tape = make_tape({.path = Path::RandomWalk, .steps = 300}, *calendar, 11);
  const FeatureSet set = everything(tape.step);
  const Rows rows = run(tape, set);
  for (std::size_t f = 0; f < set.size(); ++f) {
    std::size_t first = 0;
    while (first < rows.size() && std::isnan(rows[first][1][f])) ++first;
    CAPTURE(set[f].name);
    if (set[f].warm_up < 300) CHECK(static_cast<std::int64_t>(first) >= set[f].warm_up);
    if (set[f].source == "price" && first < rows.size() && set[f].name != "steps_since_jump") {
      CHECK(static_cast<std::int64_t>(first) == set[f].warm_up);
    }
  }
}

TEST_CASE("bank: instruments added later, block after block, leave the others' bits alone") {
  const auto calendar = make_always_open();
  const FeatureSet set = FeatureSet::choose(Duration::minutes(15), {"@time series", "@indicators"}).value();
  const Tape few = make_tape({.path = Path::RandomWalk, .steps = 150, .instruments = 4}, *calendar, 21);
  Tape many = make_tape({.path = Path::RandomWalk, .steps = 150, .instruments = 40}, *calendar, 21);
  for (std::size_t t = 0; t < 50; ++t) {
    std::erase_if(many.events[t], [](const Event& e) { return index(e.instrument) > 20; });
  }
  const Rows alone = run(few, set);
  const Rows together = run(many, set);
  for (std::size_t t = 0; t < 150; ++t) {
    for (std::size_t i = 0; i < 5; ++i) {
      for (std::size_t f = 0; f < set.size(); ++f) REQUIRE(same(alone[t][i][f], together[t][i][f]));
    }
  }
}

TEST_CASE("checkpoint: a bank restored before every single step gives the same bits as one that never stopped") {
  const auto calendar = make_always_open();
  // Past several re-anchorings (every 64 steps or every window), with gaps, jumps and late starters.
  for (const Path path : {Path::Jumps, Path::Probability}) {
    const Tape tape = make_tape({.path = path, .steps = 200, .step = Duration::hours(1), .gaps = true}, *calendar, 31);
    std::vector<std::string> names;
    for (const Family& family : all_families()) {
      if (family.steps.empty())
        names.push_back(family.stem);
      else
        names.push_back(fmt::format("{}_{}", family.stem, std::max(family.least, 20)));
    }
    const FeatureSet set = FeatureSet::choose(tape.step, names).value();
    const Rows straight = run(tape, set);
    MarketState market;
    ByteWriter saved;
    FeatureBank{set, *calendar}.encode(saved);
    for (std::size_t t = 0; t < tape.at.size(); ++t) {
      FeatureBank bank{set, *calendar};
      ByteReader in{saved.bytes()};
      REQUIRE(bank.decode(in).has_value());
      REQUIRE(in.at_end());
      for (const Event& event : tape.events[t]) (void)market.apply(event);
      bank.step(tape.at[t], tape.instruments, market);
      market.end_step();
      for (std::size_t i = 0; i < tape.instruments.size(); ++i) {
        std::vector<float> row(set.size());
        bank.row(static_cast<InstrumentId>(i), row);
        for (std::size_t f = 0; f < set.size(); ++f) REQUIRE(same(row[f], straight[t][i][f]));
      }
      saved.clear();
      bank.encode(saved);
    }
  }
}

TEST_CASE("checkpoint: rows can be read before the next step") {
  const auto calendar = make_always_open();
  const Tape tape = make_tape({.steps = 30}, *calendar, 1);
  const FeatureSet set = FeatureSet::choose(tape.step, {"ret_1", "vol_20"}).value();
  FeatureBank bank{set, *tape.calendar};
  MarketState market;
  for (std::size_t t = 0; t < tape.at.size(); ++t) {
    for (const Event& event : tape.events[t]) (void)market.apply(event);
    bank.step(tape.at[t], tape.instruments, market);
    market.end_step();
  }
  ByteWriter saved;
  bank.encode(saved);
  FeatureBank other{set, *tape.calendar};
  ByteReader in{saved.bytes()};
  REQUIRE(other.decode(in).has_value());
  std::vector<float> a(2);
  std::vector<float> b(2);
  bank.row(InstrumentId{1}, a);
  other.row(InstrumentId{1}, b);
  CHECK(a == b);
}

TEST_CASE("checkpoint: bytes of another set, cut or overwritten, are refused and leave the bank as it was") {
  const auto calendar = make_always_open();
  const Tape tape = make_tape({.steps = 30}, *calendar, 1);
  const FeatureSet set = FeatureSet::choose(tape.step, {"ret_1", "vol_20"}).value();
  FeatureBank bank{set, *tape.calendar};
  MarketState market;
  for (const Event& event : tape.events[0]) (void)market.apply(event);
  bank.step(tape.at[0], tape.instruments, market);
  ByteWriter saved;
  bank.encode(saved);
  FeatureBank other{FeatureSet::choose(tape.step, {"ret_1"}).value(), *tape.calendar};
  ByteReader foreign{saved.bytes()};
  CHECK(other.decode(foreign).error().code == Code::Damaged);
  rc::check("cut short", [&] {
    const auto length = *rc::gen::inRange<std::size_t>(0, saved.bytes().size());
    ByteReader in{std::string_view{saved.bytes()}.substr(0, length)};
    RC_ASSERT(!bank.decode(in).has_value());
  });
  ByteWriter again;
  bank.encode(again);
  CHECK((again.bytes() == saved.bytes()));
}

TEST_CASE("checkpoint: a bank that reads another set's bytes passes over them and begins anew") {
  const auto calendar = make_always_open();
  const Tape tape = make_tape({.steps = 40, .instruments = 20}, *calendar, 5);
  const auto stepped = [&](const FeatureSet& set, std::size_t until) {
    FeatureBank bank{set, *calendar};
    MarketState market;
    for (std::size_t t = 0; t < until; ++t) {
      for (const Event& event : tape.events[t]) (void)market.apply(event);
      bank.step(tape.at[t], tape.instruments, market);
      market.end_step();
    }
    return bank;
  };
  const FeatureSet old = FeatureSet::choose(tape.step, {"ret_1", "vol_20"}).value();
  const FeatureSet now = FeatureSet::choose(tape.step, {"ret_1", "vol_20", "z_5"}).value();
  ByteWriter out;
  stepped(old, 40).encode(out);
  out.u32(77);
  const std::string bytes = out.take();
  FeatureBank same{old, *calendar}, other{now, *calendar};
  ByteReader in{bytes};
  CHECK(same.decode_or_begin(in).value());
  CHECK(in.u32() == 77);
  std::vector<float> row(2);
  same.row(InstrumentId{1}, row);
  CHECK(std::isfinite(row[1]));

  ByteReader again{bytes};
  CHECK_FALSE(other.decode_or_begin(again).value());
  CHECK(again.u32() == 77);
  CHECK(again.at_end());
  std::vector<float> fresh(3);
  other.row(InstrumentId{1}, fresh);
  CHECK(std::isnan(fresh[0]));
  for (std::size_t cut = 0; cut + 4 < bytes.size(); cut += 97) {
    ByteReader part{std::string_view{bytes}.substr(0, cut)};
    FeatureBank bank{now, *calendar};
    CHECK_FALSE(bank.decode_or_begin(part).has_value());
  }
}

TEST_CASE("no look-ahead: every feature's row is the same when nothing later exists") {
  const auto calendar = make_always_open();
  const Tape tape = make_tape({.path = Path::RandomWalk, .steps = 160, .gaps = true}, *calendar, 41);
  const FeatureSet set = everything(tape.step);
  const auto rows_of = [&](std::size_t visible) {
    std::vector<std::vector<float>> flat;
    for (const auto& step : run(tape, set, static_cast<std::ptrdiff_t>(visible))) {
      auto& row = flat.emplace_back();
      for (const auto& instrument : step) row.insert(row.end(), instrument.begin(), instrument.end());
    }
    return flat;
  };
  CHECK(!find_look_ahead(rows_of, tape.at.size(), 13));
}

TEST_CASE("no look-ahead: another future, and new instruments in it, change no row of the past") {
  const auto calendar = make_always_open();
  const FeatureSet set = everything(Duration::minutes(15));
  const Tape tape = make_tape({.path = Path::RandomWalk, .steps = 160}, *calendar, 51);
  Tape other = make_tape({.path = Path::Jumps, .steps = 160}, *calendar, 52);
  constexpr std::size_t kCut = 90;
  std::copy_n(tape.events.begin(), kCut, other.events.begin());
  // What can be poisoned, is: sizes are doubles.
  for (std::size_t t = kCut; t < other.events.size(); ++t) {
    for (Event& event : other.events[t]) {
      if (auto* bar = std::get_if<Bar>(&event.what)) bar->volume = std::numeric_limits<double>::quiet_NaN();
      if (auto* trade = std::get_if<Trade>(&event.what)) trade->size = std::numeric_limits<double>::quiet_NaN();
    }
  }
  CHECK(same(run(tape, set), run(other, set), kCut));
}

TEST_CASE("no look-ahead: planted features that know the future are caught") {
  Rng rng{61};
  std::vector<double> prices;
  for (int i = 0; i < 50; ++i) prices.push_back(100 + rng.uniform());
  // The next price, one step late the wrong way round.
  const auto next_price = [&](std::size_t visible) {
    std::vector<std::vector<float>> rows;
    for (std::size_t t = 0; t < visible; ++t) {
      const double next = t + 1 < visible ? prices[t + 1] : prices[t];
      rows.push_back({1.0f, static_cast<float>(next - prices[t])});
    }
    return rows;
  };
  const auto caught = find_look_ahead(next_price, prices.size());
  REQUIRE(caught);
  CHECK(caught->step == 0);
  CHECK(caught->column == 1);
  // A scale fitted on the whole series: no single value of the future, but all of them a little.
  const auto scaled = [&](std::size_t visible) {
    double total = 0;
    for (std::size_t t = 0; t < visible; ++t) total += prices[t];
    std::vector<std::vector<float>> rows;
    for (std::size_t t = 0; t < visible; ++t) {
      rows.push_back({static_cast<float>(prices[t] - total / static_cast<double>(visible))});
    }
    return rows;
  };
  CHECK(find_look_ahead(scaled, prices.size(), 10));
}
