#include "trade/paper_account.hpp"

#include <doctest/doctest.h>

#include "trade/recent_returns.hpp"

using namespace everlearn;

namespace {

constexpr InstrumentId kA{0}, kB{1};

Timestamp minute(int n) { return Timestamp{} + Duration::minutes(n); }
Price price(double value) { return Price::from(value).value(); }

PaperRules rules() {
  PaperRules r;
  r.limits = {.capital = 1000,
              .order = 100,
              .instrument = 100,
              .total = 150,
              .daily_loss = 50,
              .kelly_fraction = 1,
              .depth_share = 0.1};
  r.latency = Duration::seconds(1);
  r.intent_expiry = Duration::minutes(5);
  return r;
}

// An account beside the market it watches.
struct Desk {
  explicit Desk(PaperRules r = rules()) : account{PaperAccount::make(r).value()} {
    instruments.intern("A");
    instruments.intern("B");
  }
  MarketView view() const { return {market, instruments}; }

  std::vector<FillRow> point(InstrumentId id, Timestamp at, double value) {
    const Event event{id, at, at, PricePoint{price(value), {}, {}}};
    REQUIRE(market.apply(event));
    return account.observe(event, view());
  }
  std::vector<IntentRow> signal(InstrumentId id, Timestamp at, int side, Timestamp exit_at) {
    PaperAccount::Decision decision;
    decision.signal.instrument = id;
    decision.signal.passed = true;
    decision.signal.side = side;
    decision.signal.expected_value = 0.01;
    decision.price = market[id].last.value();
    decision.exit_at = exit_at;
    auto intents = account.decide(at, {decision}, next_id, view());
    next_id += static_cast<std::int64_t>(intents.size());
    return intents;
  }

  Instruments instruments;
  MarketState market;
  PaperAccount account;
  std::int64_t next_id = 1;
};

}  // namespace

TEST_CASE("paper: fills at the first price after the decision and the latency, never at the decision's own") {
  Desk desk;
  desk.point(kA, minute(0), 10);
  const auto intents = desk.signal(kA, minute(0), 1, minute(3));
  REQUIRE(intents.size() == 1);
  CHECK(intents[0].state == "open");
  CHECK(intents[0].quantity == doctest::Approx(10));  // 100 of notional at 10

  CHECK(desk.point(kA, minute(0), 10).empty());
  const auto entry = desk.point(kA, minute(1), 11);
  REQUIRE(entry.size() == 1);
  CHECK(entry[0].reason == "entry");
  CHECK(entry[0].price == price(11));
  CHECK(desk.point(kA, minute(2), 12).empty());
  const auto exit = desk.point(kA, minute(3), 13);
  REQUIRE(exit.size() == 1);
  CHECK(exit[0].reason == "horizon");
  CHECK(desk.account.equity(desk.view()) == doctest::Approx(1000 + 10 * (13 - 11)));
  CHECK(desk.account.trades() == 1);
}

TEST_CASE("paper: fee and half spread are paid both ways") {
  PaperRules r = rules();
  r.cost_bps = 10;
  r.half_spread_bps = 20;
  Desk desk{r};
  desk.point(kA, minute(0), 10);
  desk.signal(kA, minute(0), 1, minute(2));
  desk.point(kA, minute(1), 10);
  desk.point(kA, minute(2), 10);
  // In at 10.02, out at 9.98, 10 units, 10 bp of each notional.
  CHECK(desk.account.cash() == doctest::Approx(1000 - 10 * 0.04 - (100.2 + 99.8) * 0.001));
  CHECK(desk.account.costs() == doctest::Approx(0.4 + 0.2));
}

TEST_CASE("paper: quotes go before the assumed spread") {
  Desk desk;
  desk.point(kA, minute(0), 10);
  desk.signal(kA, minute(0), -1, minute(2));
  const Event quoted{kA, minute(1), minute(1), PricePoint{price(10), price(9.5), price(10.5)}};
  REQUIRE(desk.market.apply(quoted));
  const auto fills = desk.account.observe(quoted, desk.view());
  REQUIRE(fills.size() == 1);
  CHECK(fills[0].price == price(9.5));
  CHECK(fills[0].quantity < 0);
}

TEST_CASE("paper: limits cut the size or refuse, and a missing limit means none") {
  Desk desk;
  desk.point(kA, minute(0), 10);
  desk.point(kB, minute(0), 10);
  CHECK(desk.signal(kA, minute(0), 1, minute(9))[0].quantity == doctest::Approx(10));
  CHECK(desk.signal(kB, minute(0), 1, minute(9))[0].quantity == doctest::Approx(5));  // 150 in total

  PaperRules none = rules();
  none.limits = {};
  Desk careful{none};
  careful.point(kA, minute(0), 10);
  const auto refused = careful.signal(kA, minute(0), 1, minute(9));
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].state == "rejected");
}

TEST_CASE("paper: no new risk after the daily loss, until the next day") {
  Desk desk;
  desk.account.mark(minute(0), desk.view());
  desk.point(kA, minute(0), 10);
  desk.signal(kA, minute(0), 1, minute(2));
  desk.point(kA, minute(1), 10);
  desk.point(kA, minute(2), 4);  // lost 60 of 50 allowed
  desk.account.mark(minute(3), desk.view());
  CHECK(desk.signal(kA, minute(3), 1, minute(9))[0].reason == "daily loss limit 50");
  desk.account.mark(minute(24 * 60), desk.view());
  CHECK(desk.signal(kA, minute(24 * 60), 1, minute(24 * 60 + 9))[0].state == "open");
}

TEST_CASE("paper: what was lost can be risked no more") {
  PaperRules r = rules();
  r.limits = {.capital = 100, .order = 100, .instrument = 100, .total = 100, .daily_loss = 1000, .kelly_fraction = 1};
  Desk desk{r};
  desk.point(kA, minute(0), 10);
  desk.signal(kA, minute(0), 1, minute(2));
  desk.point(kA, minute(1), 10);
  desk.point(kA, minute(2), 2);  // 80 of 100 gone
  desk.account.mark(minute(2), desk.view());
  desk.point(kA, minute(3), 10);
  CHECK(desk.signal(kA, minute(3), 1, minute(9))[0].quantity == doctest::Approx(2));
}

TEST_CASE("paper: an opposite signal closes, the same one keeps for longer") {
  Desk desk;
  desk.point(kA, minute(0), 10);
  desk.signal(kA, minute(0), 1, minute(2));
  desk.point(kA, minute(1), 10);
  CHECK(desk.signal(kA, minute(1), 1, minute(5)).empty());
  CHECK(desk.point(kA, minute(3), 10).empty());
  CHECK(desk.signal(kA, minute(3), -1, minute(9)).empty());
  const auto exit = desk.point(kA, minute(4), 10);
  REQUIRE(exit.size() == 1);
  CHECK(exit[0].reason == "opposite signal");
}

TEST_CASE("paper: an intent that finds no price in time expires") {
  Desk desk;
  desk.point(kA, minute(0), 10);
  desk.signal(kA, minute(0), 1, minute(2));
  desk.account.expire(minute(5));
  CHECK(desk.account.take_changes().empty());
  desk.account.expire(minute(6));
  const auto changes = desk.account.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].id == 1);
  CHECK(changes[0].state == "expired");
  CHECK(changes[0].reason == "expected to rise: 100.0 bps after costs; no price in time");
  CHECK(desk.point(kA, minute(6), 10).empty());
}

TEST_CASE("paper: a resolved market settles at its payout without costs") {
  Desk desk;
  desk.point(kA, minute(0), 0.5);
  desk.signal(kA, minute(0), 1, minute(60));
  desk.point(kA, minute(1), 0.5);
  const Event resolved{kA, minute(2), minute(2), Resolution{1}};
  REQUIRE(desk.market.apply(resolved));
  const auto fills = desk.account.observe(resolved, desk.view());
  REQUIRE(fills.size() == 1);
  CHECK(fills[0].reason == "resolution");
  CHECK(desk.account.cash() == doctest::Approx(1000 + 200 * 0.5));
  CHECK(desk.account.positions().empty());
}

TEST_CASE("paper: a restart in the middle of a position changes nothing") {
  Desk desk;
  desk.point(kA, minute(0), 10);
  desk.point(kB, minute(0), 10);
  desk.signal(kA, minute(0), 1, minute(3));
  desk.point(kA, minute(1), 11);
  desk.signal(kB, minute(1), -1, minute(4));
  ByteWriter out;
  desk.account.encode(out);
  Desk again;
  again.market = desk.market;
  ByteReader in{out.bytes()};
  REQUIRE(again.account.decode(in));
  for (Desk* one : {&desk, &again}) {
    one->point(kA, minute(3), 12);
    one->point(kB, minute(2), 9);
    one->point(kB, minute(4), 8);
  }
  CHECK(again.account.cash() == desk.account.cash());
  CHECK(again.account.trades() == 2);
}

TEST_CASE("paper: contradictory limits are refused") {
  PaperRules r = rules();
  r.limits.order = 200;
  CHECK(PaperAccount::make(r).error().message == "trade.order 200 is above trade.instrument 100");
}

TEST_CASE("recent returns: days before the first trade say nothing") {
  RecentReturns returns{3};
  for (const double equity : {100.0, 100.0, 101.0, 101.0, 103.0, 102.0}) returns.add(equity, 100);
  CHECK(returns.days() == 3);
  // 0, 0.02, -0.01: mean 0.00333, deviation 0.01528
  CHECK(returns.sharpe(252).value() == doctest::Approx(0.0033333 / 0.0152753 * 15.8745).epsilon(1e-4));
  RecentReturns flat{3};
  flat.add(100, 100);
  flat.add(100, 100);
  CHECK(!flat.sharpe(252));
}
