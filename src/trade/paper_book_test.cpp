// An account on a market with books: what it orders, what it gets, and what its market's end does to it.
#include <doctest/doctest.h>

#include <cmath>

#include "trade/taker_fee.hpp"
#include "trade/test_book_desk.hpp"

namespace everlearn {
namespace {

const Levels kBids{{0.47, 100}, {0.46, 200}}, kAsks{{0.49, 100}, {0.50, 200}};

TEST_CASE("paper: up buys the first outcome, at a limit on the tick, in whole steps") {
  BookDesk desk;
  desk.books(second(0), kBids, kAsks);
  const auto intents = desk.signal(kYes, second(10), 1, second(3610));
  REQUIRE(intents.size() == 1);
  CHECK(intents[0].instrument == kYes);
  CHECK(intents[0].state == "open");
  CHECK(intents[0].limit == price(0.50));  // the best ask and a tick
  CHECK(intents[0].quantity == 20);        // 10 of notional at the limit
  CHECK(intents[0].expires == second(70));
  CHECK(intents[0].reason == "expected to rise: 0.96 points after spread and fees");

  CHECK(desk.books(second(10), kBids, kAsks).empty());  // the decision's own moment
  const auto fills = desk.books(second(11), kBids, kAsks);
  REQUIRE(fills.size() == 1);
  CHECK(fills[0].price == price(0.49));
  CHECK(fills[0].quantity == 20);
  CHECK(desk.account.cash() == doctest::Approx(1000 - 9.8));
  const auto changes = desk.account.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].state == "filled");
  CHECK(changes[0].reason == intents[0].reason);
}

TEST_CASE("paper: down buys the other outcome, never sells what is not held") {
  BookDesk desk;
  desk.books(second(0), kBids, kAsks);
  const auto intents = desk.signal(kYes, second(10), -1, second(3610));
  REQUIRE(intents.size() == 1);
  CHECK(intents[0].instrument == kNo);
  CHECK(intents[0].quantity > 0);
  CHECK(intents[0].limit == price(0.54));  // 1 - 0.47 and a tick
  CHECK(intents[0].quantity == 18.51);
  CHECK(intents[0].expected_value == doctest::Approx(0.02 * 0.48 / 0.52));
  CHECK(intents[0].reason == "expected to fall: 0.96 points after spread and fees; the other outcome is bought");
  const auto fills = desk.books(second(11), kBids, kAsks);
  REQUIRE(fills.size() == 1);
  CHECK(fills[0].instrument == kNo);
  CHECK(fills[0].price == price(0.53));

  // Of the same mind again: kept for longer. Of another: sold, nothing bought.
  CHECK(desk.signal(kYes, second(20), -1, second(4000)).empty());
  CHECK(desk.account.positions().at(kNo).exit_at == second(4000));
  CHECK(desk.signal(kYes, second(30), 1, second(4000)).empty());
  const auto exit = desk.books(second(31), kBids, kAsks);
  REQUIRE(exit.size() == 1);
  CHECK(exit[0].reason == "opposite signal");
  CHECK(exit[0].price == price(0.51));  // 1 - 0.49: into the bids
  CHECK(desk.account.positions().empty());
}

TEST_CASE("paper: a fill walks the levels up to the limit; the rest waits, and what was taken is not there again") {
  PaperRules rules = book_rules();
  rules.limits.order = 50;
  BookDesk desk{rules};
  const Levels thin{{0.49, 10}, {0.50, 20}, {0.51, 500}};
  desk.books(second(0), kBids, thin);
  const auto intents = desk.signal(kYes, second(0), 1, second(3600));
  REQUIRE(intents.size() == 1);
  CHECK(intents[0].limit == price(0.50));
  CHECK(intents[0].quantity == 30);  // all that is visible up to the limit (share of depth = 1)

  // Others were faster: 5 are left at the best level.
  const Levels thinner{{0.49, 5}, {0.50, 20}, {0.51, 500}};
  const auto fills = desk.books(second(2), kBids, thinner);
  REQUIRE(fills.size() == 2);
  CHECK(fills[0].quantity == 5);
  CHECK(fills[1].quantity == 20);
  CHECK(fills[1].price == price(0.50));
  auto changes = desk.account.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].state == "part filled");
  CHECK(changes[0].reason.ends_with("25 of 30 units so far"));

  CHECK(desk.books(second(3), kBids, thinner).empty());  // the same book: it never saw our order
  const auto rest = desk.books(second(4), kBids, {{0.49, 8}, {0.50, 20}});
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].quantity == 5);
  CHECK(rest[0].price == price(0.49));
  changes = desk.account.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].state == "filled");
}

TEST_CASE("paper: what was taken from one outcome is gone for the other one too") {
  BookDesk desk;
  const Levels bids{{0.47, 20}}, asks{{0.49, 20}};
  desk.books(second(0), bids, asks);
  desk.signal(kYes, second(0), 1, second(60));
  desk.book(kYes, second(1), bids, asks);
  REQUIRE(desk.account.positions().at(kYes).quantity == 20);
  desk.signal(kYes, second(2), -1, second(60));
  desk.book(kYes, second(3), bids, asks);  // sold again, all that was bid
  REQUIRE(desk.account.positions().empty());
  // The bid at 0.47 for "yes" was the ask at 0.53 for "no".
  const auto intents = desk.signal(kYes, second(4), -1, second(60));
  REQUIRE(intents.size() == 1);
  CHECK(intents[0].instrument == kNo);
  CHECK(intents[0].reason == "share of depth");
  desk.books(second(5), {{0.47, 21}}, asks);  // another order there
  CHECK(desk.signal(kYes, second(6), -1, second(60))[0].state == "open");
}

TEST_CASE("paper: a rest that finds no price expires") {
  BookDesk desk;
  desk.books(second(0), kBids, kAsks);
  desk.signal(kYes, second(0), 1, second(3600));
  desk.books(second(2), kBids, {{0.49, 7}, {0.60, 100}});
  desk.account.take_changes();
  desk.account.expire(second(61));
  const auto changes = desk.account.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].state == "part filled");
  CHECK(changes[0].reason.ends_with("7 of 20 units, the rest found no price in time"));
  CHECK(desk.account.exposure(desk.view()).committed == doctest::Approx(7 * 0.49));
}

TEST_CASE("paper: nothing is filled from a doubted book, a trade, or a market that does not trade") {
  BookDesk desk;
  desk.books(second(0), kBids, kAsks);
  desk.signal(kYes, second(0), 1, second(3600));
  SUBCASE("a doubted book") {
    CHECK(desk.apply(kYes, second(2), BookDoubt{}).empty());
    CHECK(desk.apply(kYes, second(3), PricePoint{price(0.48), price(0.47), price(0.49)}).empty());
    CHECK(desk.apply(kYes, second(4), BookUpdate{false, {}, {{price(0.49), 50}}}).empty());  // a delta of nothing
    CHECK(desk.books(second(5), kBids, kAsks).size() == 1);
  }
  SUBCASE("a trade: it took what the book still shows") {
    CHECK(desk.apply(kYes, second(2), Trade{price(0.49), 30, Side::Buy}).empty());
  }
  SUBCASE("a market that does not trade") {
    desk.apply(kYes, second(2), PhaseChange{Phase::Closed});
    CHECK(desk.books(second(3), kBids, kAsks).empty());
  }
  SUBCASE("past its expiry") { CHECK(desk.books(second(61), kBids, kAsks).empty()); }
}

TEST_CASE("paper: no order where none can be filled") {
  BookDesk desk;
  const auto why = [&](int side) {
    const auto intents = desk.signal(kYes, second(10), side, second(3600));
    REQUIRE(intents.size() == 1);
    CHECK(intents[0].state == "rejected");
    return intents[0].reason;
  };
  desk.books(second(0), kBids, kAsks);
  SUBCASE("doubted") {
    desk.apply(kYes, second(1), BookDoubt{});
    CHECK(why(1) == "untrusted book");
    CHECK(desk.signal(kYes, second(20), 1, second(3600)).empty());  // said once
    desk.books(second(21), kBids, kAsks);
    CHECK(desk.signal(kYes, second(30), 1, second(3600))[0].state == "open");
  }
  SUBCASE("the other outcome's book is doubted") {
    desk.apply(kNo, second(1), BookDoubt{});
    CHECK(why(-1) == "untrusted book");
  }
  SUBCASE("closed") {
    desk.apply(kYes, second(1), PhaseChange{Phase::Proposed});
    CHECK(why(1) == "not trading");
  }
  SUBCASE("nobody sells") {
    desk.book(kYes, second(1), kBids, {});
    CHECK(why(1) == "empty book");
  }
  SUBCASE("too small for the market") {
    desk.instruments.edit(kYes).min_size = 25;
    CHECK(why(1) == "20.00 units by the order limit, under the market's least of 25");
  }
  SUBCASE("worth too little") {
    desk.instruments.edit(kYes).min_size.reset();
    desk.book(kYes, second(1), kBids, {{0.49, 1}});
    CHECK(why(1) == "worth 0.50 by the share of depth, under the least of 1");
  }
}

TEST_CASE("paper: the limits count both outcomes of a market as one") {
  PaperRules rules = book_rules();
  rules.limits.instrument = 15;
  rules.limits.total = 22;
  BookDesk desk{rules};
  desk.instruments.edit(kYes).complement.clear();  // two instruments of one market that are no mirrors of each other
  desk.instruments.edit(kNo).complement.clear();
  desk.books(second(0), kBids, kAsks);
  desk.book(kOther, second(0), kBids, kAsks);
  CHECK(desk.signal(kYes, second(0), 1, second(60))[0].quantity == 20);       // 10
  CHECK(desk.signal(kNo, second(0), 1, second(60))[0].quantity == 9.25);      // 5 more of the market's 15
  CHECK(desk.signal(kOther, second(0), 1, second(60))[0].quantity == 14.01);  // 22 - 10 - 4.995 of all
}

TEST_CASE("paper: the market's own fee is paid by whoever takes, level by level") {
  BookDesk desk;
  desk.instruments.edit(kYes).fee_rate = 0.07;
  desk.books(second(0), kBids, {{0.49, 12}, {0.50, 100}});
  desk.signal(kYes, second(0), 1, second(60));
  const auto fills = desk.books(second(1), kBids, {{0.49, 12}, {0.50, 100}});
  REQUIRE(fills.size() == 2);
  CHECK(fills[0].cost == taker_fee(12, 0.49, 0.07, 1));
  CHECK(fills[1].cost == taker_fee(8, 0.50, 0.07, 1));
  CHECK(desk.account.cash() == doctest::Approx(1000 - 12 * 0.49 - 8 * 0.5 - fills[0].cost - fills[1].cost));
  // Fees, and what was paid above the middle of 0.48.
  CHECK(desk.account.costs() == doctest::Approx(fills[0].cost + fills[1].cost + 12 * 0.01 + 8 * 0.02));
}

TEST_CASE("paper: an exit sells into the bids, within the tolerance, until all is sold") {
  BookDesk desk;
  desk.books(second(0), kBids, kAsks);
  desk.signal(kYes, second(0), 1, second(60));
  desk.books(second(1), kBids, kAsks);
  CHECK(desk.books(second(59), kBids, kAsks).empty());
  const Levels thin{{0.52, 6}, {0.51, 4}, {0.40, 100}};
  const auto part = desk.books(second(60), thin, {{0.54, 10}});
  REQUIRE(part.size() == 2);  // the bid at 0.40 is more than a tick away
  CHECK(part[0].quantity == -6);
  CHECK(part[0].reason == "horizon");
  CHECK(desk.account.trades() == 0);
  CHECK(desk.books(second(61), thin, {{0.54, 10}}).empty());
  const auto rest = desk.books(second(62), {{0.50, 30}}, {{0.54, 10}});
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].quantity == doctest::Approx(-10));
  CHECK(desk.account.trades() == 1);
  CHECK(desk.account.positions().empty());
  const WinTally& month = desk.account.months().at("1970-01");
  CHECK(month.won == 1);
  CHECK(month.lost == 0);
  CHECK(month.pnl == doctest::Approx(6 * 0.52 + 4 * 0.51 + 10 * 0.50 - 20 * 0.49));
  CHECK(desk.account.cash() == doctest::Approx(1000 + month.pnl));
}

TEST_CASE("paper: what is left under the market's least cannot be sold and waits for its end") {
  BookDesk desk;
  desk.books(second(0), kBids, kAsks);
  desk.signal(kYes, second(0), 1, second(60));
  desk.books(second(1), kBids, {{0.49, 3}, {0.60, 100}});
  desk.account.expire(second(61));
  CHECK(desk.books(second(70), kBids, kAsks).empty());
  CHECK(desk.account.positions().at(kYes).quantity == 3);
  desk.apply(kYes, second(80), Resolution{1});
  CHECK(desk.account.cash() == doctest::Approx(1000 - 3 * 0.49 + 3));
}

TEST_CASE("paper: worth is what the bids give; nothing where nobody bids; the last price where nobody trades") {
  BookDesk desk;
  desk.books(second(0), kBids, kAsks);
  desk.signal(kYes, second(0), 1, second(600));
  desk.books(second(1), kBids, kAsks);
  const double cash = 1000 - 20 * 0.49;
  CHECK(desk.account.equity(desk.view()) == doctest::Approx(cash + 20 * 0.47));
  desk.book(kYes, second(2), {}, kAsks);
  CHECK(desk.account.equity(desk.view()) == doctest::Approx(cash));
  desk.apply(kYes, second(3), PhaseChange{Phase::Disputed});
  CHECK(desk.account.equity(desk.view()) == doctest::Approx(cash + 20 * 0.48));  // the last middle
}

TEST_CASE("paper: a market that closed, was proposed or is disputed locks its capital until it resolves") {
  for (const bool with_restart : {false, true}) {
    for (const Phase phase : {Phase::Closed, Phase::Proposed, Phase::Disputed}) {
      for (const auto& [resolution, back, reason] :
           {std::tuple{Resolution{1}, 20.0, "resolution"}, std::tuple{Resolution{0}, 0.0, "resolution"},
            std::tuple{Resolution{0.5}, 10.0, "resolution"},
            std::tuple{Resolution{0.77, true}, 20 * 0.49, "annulled"}}) {
        PaperRules rules = book_rules();
        rules.limits.instrument = rules.limits.total = 19;
        BookDesk desk{rules};
        desk.instruments.edit(kYes).fee_rate = 0.04;
        desk.books(second(0), kBids, kAsks);
        desk.book(kOther, second(0), kBids, kAsks);
        desk.signal(kYes, second(0), 1, second(10));
        const auto entry = desk.books(second(1), kBids, kAsks);
        REQUIRE(entry.size() == 1);
        desk.apply(kYes, second(5), PhaseChange{phase});
        desk.apply(kNo, second(5), PhaseChange{phase});
        if (with_restart) desk.restart();

        CHECK(desk.books(second(20), kBids, kAsks).empty());  // past its horizon: no exit is tried
        PaperAccount::Exposure exposure = desk.account.exposure(desk.view());
        CHECK(exposure.locked == doctest::Approx(9.8));
        CHECK(exposure.committed == doctest::Approx(9.8));
        CHECK(exposure.locked_positions == 1);
        CHECK(desk.signal(kOther, second(20), 1, second(60))[0].quantity == 18.4);  // 19 - 9.8 of the total
        desk.account.expire(second(100));
        if (with_restart) desk.restart();

        const double before = desk.account.cash();
        const auto fills = desk.apply(kYes, second(200), resolution);
        REQUIRE(fills.size() == 1);
        CHECK(fills[0].reason == reason);
        CHECK(fills[0].quantity == -20);
        CHECK(fills[0].cost == 0);
        CHECK(desk.account.cash() == doctest::Approx(before + back));
        exposure = desk.account.exposure(desk.view());
        CHECK(exposure.locked == 0);
        CHECK(exposure.committed == 0);
        CHECK(desk.account.positions().empty());
        CHECK(desk.account.trades() == 1);
        const auto month = desk.account.months().find("1970-01");
        if (resolution.annulled) {
          CHECK(month == desk.account.months().end());  // neither won nor lost; the entry's fee is gone
          CHECK(desk.account.cash() == doctest::Approx(1000 - entry[0].cost));
        } else {
          CHECK(month->second.won == (back > 9.8 + entry[0].cost ? 1 : 0));
          CHECK(month->second.pnl == doctest::Approx(back - 9.8 - entry[0].cost));
        }
      }
    }
  }
}

TEST_CASE("paper: what is held of a market that left the followed ones is sold at its quotes, and nothing is bought") {
  BookDesk desk;
  desk.books(second(0), kBids, kAsks);
  desk.signal(kYes, second(0), 1, second(10));
  REQUIRE(desk.books(second(1), kBids, kAsks).size() == 1);
  desk.apply(kYes, second(5), PhaseChange{Phase::Left});
  CHECK(desk.apply(kYes, second(20), PricePoint{price(0.97), {}, {}}).empty());  // nobody says what is bid
  const auto sold = desk.apply(kYes, second(30), PricePoint{price(0.97), price(0.96), price(0.98)});
  REQUIRE(sold.size() == 1);
  CHECK(sold[0].price == price(0.96));
  CHECK(sold[0].reason == "horizon");
  CHECK(desk.account.positions().empty());
  desk.signal(kYes, second(31), 1, second(60));
  CHECK(desk.apply(kYes, second(33), PricePoint{price(0.97), price(0.96), price(0.98)}).empty());
}

TEST_CASE("paper: an intent in a market that resolves ends with it") {
  BookDesk desk;
  desk.books(second(0), kBids, kAsks);
  desk.signal(kYes, second(0), 1, second(10));
  desk.apply(kYes, second(1), Resolution{0});
  const auto changes = desk.account.take_changes();
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].state == "expired");
  CHECK(changes[0].reason.ends_with("; the market resolved"));
}

TEST_CASE("paper: by hand an intent waits, counts as committed, and is filled only when it was approved") {
  PaperRules rules = book_rules();
  rules.by_hand = true;
  BookDesk desk{rules};
  desk.books(second(0), kBids, kAsks);
  REQUIRE(desk.signal(kYes, second(0), 1, second(600))[0].state == "waiting");
  CHECK(desk.books(second(5), kBids, kAsks).empty());
  CHECK(desk.account.exposure(desk.view()).waiting == 1);
  CHECK(desk.account.exposure(desk.view()).committed == doctest::Approx(10));
  SUBCASE("approved") {
    desk.restart();
    const auto approved = desk.account.approve(1, second(30));
    REQUIRE(approved);
    CHECK(approved->state == "open");
    CHECK(desk.account.approve(1, second(30)).error().message == "intent 1 does not wait for approval");
    CHECK(desk.books(second(30), kBids, kAsks).empty());  // the latency counts from there
    CHECK(desk.books(second(31), kBids, kAsks).size() == 1);
    const auto changes = desk.account.take_changes();
    REQUIRE(changes.size() == 2);
    CHECK(changes[0].state == "open");
    CHECK(changes[1].state == "filled");
    CHECK(changes[1].reason.ends_with("; approved by hand"));
  }
  SUBCASE("rejected") {
    REQUIRE(desk.account.reject(1));
    CHECK(desk.books(second(31), kBids, kAsks).empty());
    CHECK(desk.account.take_changes()[0].state == "rejected");
    CHECK(desk.account.exposure(desk.view()).committed == 0);
  }
  SUBCASE("too late") {
    CHECK(desk.account.approve(1, second(61)).error().message.starts_with("intent 1 expired at"));
    desk.account.expire(second(61));
    const auto changes = desk.account.take_changes();
    REQUIRE(changes.size() == 1);
    CHECK(changes[0].state == "expired");
    CHECK(changes[0].reason.ends_with("; nobody approved it in time"));
    CHECK(!desk.account.reject(1));
  }
}

TEST_CASE("paper: without a book the price and half a spread, at least half a tick") {
  PaperRules rules = book_rules();
  rules.half_spread_bps = 100;
  BookDesk desk{rules};
  desk.instruments.edit(kOther).tick_size.reset();  // the profile's, 0.001
  desk.instruments.edit(kOther).min_size.reset();
  const auto bought_at = [&](double last, int at) {
    desk.apply(kOther, second(at), PricePoint{price(last), {}, {}});
    const auto intents = desk.signal(kOther, second(at), 1, second(at + 5));
    REQUIRE(intents[0].state == "open");
    const auto fills = desk.apply(kOther, second(at + 1), PricePoint{price(last), {}, {}});
    REQUIRE(fills.size() == 1);
    CHECK(fills[0].price <= intents[0].limit);
    desk.apply(kOther, second(at + 9), PricePoint{price(last), {}, {}});  // out again
    return fills[0].price.value();
  };
  CHECK(bought_at(0.5, 0) == doctest::Approx(0.505));
  CHECK(bought_at(0.02, 100) == doctest::Approx(0.0205));
}

}  // namespace
}  // namespace everlearn
