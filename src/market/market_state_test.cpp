#include "market/market_state.hpp"

#include <limits>

#include <cmath>

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace everlearn {
namespace {

constexpr InstrumentId kOne{0};

Price px(double value) { return Price::from(value).value(); }
Event at(std::int64_t second, EventBody what, InstrumentId instrument = kOne) {
  const Timestamp t{second * 1'000'000};
  return Event{instrument, t, t, std::move(what)};
}
Bar bar(double open, double high, double low, double close, double volume) {
  Bar b;
  b.open = px(open);
  b.high = px(high);
  b.low = px(low);
  b.close = px(close);
  b.volume = volume;
  return b;
}
std::string bytes_of(const MarketState& market) {
  ByteWriter out;
  market.encode(out);
  return out.take();
}

TEST_CASE("market state: a price point gives price and quotes") {
  MarketState market;
  REQUIRE(market.apply(at(1, PricePoint{px(0.5), px(0.49), px(0.51)})));
  const InstrumentState& state = market[kOne];
  CHECK(state.seen);
  CHECK(state.last == px(0.5));
  CHECK(state.last_event_time == Timestamp{1'000'000});
  CHECK(state.bid == px(0.49));
  CHECK(state.ask == px(0.51));
  REQUIRE(market.apply(at(2, PricePoint{px(0.6), std::nullopt, std::nullopt})));
  CHECK_FALSE(market[kOne].bid.has_value());
}

TEST_CASE("market state: news about an older moment does not undo a newer price") {
  MarketState market;
  REQUIRE(market.apply(at(5, PricePoint{px(2), {}, {}})));
  REQUIRE(market.apply(at(4, Trade{px(1), 1, Side::Buy})));
  CHECK(market[kOne].last == px(2));
  CHECK(market[kOne].buys == 1);
}

TEST_CASE("market state: the bars of a step merge into one") {
  MarketState market;
  REQUIRE(market.apply(at(60, bar(10, 12, 9, 11, 100))));
  REQUIRE(market.apply(at(120, bar(11, 11.5, 8, 8.5, 300))));
  const Bar& both = *market[kOne].bar;
  CHECK(both.open == px(10));
  CHECK(both.high == px(12));
  CHECK(both.low == px(8));
  CHECK(both.close == px(8.5));
  CHECK(both.volume == 400);
  CHECK_FALSE(both.vwap.has_value());
  CHECK(market[kOne].last == px(8.5));
}

TEST_CASE("market state: a bar that comes late or is corrected is no part of the step's bar") {
  MarketState market;
  REQUIRE(market.apply(at(60, bar(1, 3, 1, 2, 10))));
  market.end_step();
  REQUIRE(market.apply(at(30, bar(7, 9, 7, 8, 10))));
  CHECK(!market[kOne].bar);
  CHECK(market[kOne].last == px(2));
  REQUIRE(market.apply(at(120, bar(2, 4, 2, 3, 10))));
  Event corrected = at(60, bar(1, 5, 1, 2.5, 10));
  corrected.revision = 1;
  REQUIRE(market.apply(corrected));
  REQUIRE(market[kOne].bar);
  CHECK(market[kOne].bar->high == px(4));
  CHECK(market[kOne].last == px(3));
  corrected = at(120, bar(2, 5, 2, 3.5, 10));
  corrected.revision = 1;
  REQUIRE(market.apply(corrected));
  CHECK(market[kOne].last == px(3.5));
  CHECK(market[kOne].bar->high == px(4));
}

TEST_CASE("market state: merged average price is weighted by volume and needs both") {
  Bar first = bar(1, 1, 1, 1, 100);
  Bar second = bar(2, 2, 2, 2, 300);
  first.vwap = 1;
  second.vwap = 2;
  first.trades = 3;
  MarketState market;
  REQUIRE(market.apply(at(1, first)));
  REQUIRE(market.apply(at(2, second)));
  CHECK(market[kOne].bar->vwap == 1.75);
  CHECK_FALSE(market[kOne].bar->trades.has_value());
}

TEST_CASE("market state: trades are counted by the taker's side until the step ends") {
  MarketState market;
  REQUIRE(market.apply(at(1, Trade{px(2), 3, Side::Buy})));
  REQUIRE(market.apply(at(2, Trade{px(4), 1, Side::Sell})));
  REQUIRE(market.apply(at(3, Trade{px(1), 2, Side::Unknown})));
  const InstrumentState& state = market[kOne];
  CHECK(state.buys == 1);
  CHECK(state.buy_volume == 3);
  CHECK(state.sell_volume == 1);
  CHECK(state.unknown_volume == 2);
  CHECK(state.trade_notional == 12);
  CHECK(state.largest_trade == 3);
  CHECK(state.updates == 3);
  market.end_step();
  CHECK(state.updates == 0);
  CHECK(state.buys == 0);
  CHECK(state.trade_notional == 0);
  CHECK(state.last == px(1));
}

TEST_CASE("market state: a snapshot is sorted best first and its mid is the price") {
  MarketState market;
  const BookUpdate book{true, {{px(0.46), 50}, {px(0.47), 120}}, {{px(0.5), 75}, {px(0.49), 30}, {px(0.6), 0}}};
  REQUIRE(market.apply(at(1, book)));
  const InstrumentState& state = market[kOne];
  CHECK(state.book.trusted);
  REQUIRE(state.book.asks.size() == 2);
  CHECK(state.bid == px(0.47));
  CHECK(state.ask == px(0.49));
  CHECK(state.last == px(0.48));
}

TEST_CASE("market state: a delta sets the new size of a level, zero removes it") {
  MarketState market;
  REQUIRE(market.apply(at(1, BookUpdate{true, {{px(0.4), 1}}, {{px(0.6), 1}}})));
  REQUIRE(market.apply(at(2, BookUpdate{false, {{px(0.45), 7}, {px(0.4), 2}}, {{px(0.6), 0}}})));
  const Book& book = market[kOne].book;
  REQUIRE(book.bids.size() == 2);
  CHECK(book.bids[0].price == px(0.45));
  CHECK(book.bids[1].size == 2);
  CHECK(book.asks.empty());
  CHECK_FALSE(market[kOne].ask.has_value());
  CHECK(market[kOne].last == px(0.5));  // no mid without both sides
}

TEST_CASE("market state: a delta before the first snapshot changes nothing") {
  MarketState market;
  REQUIRE(market.apply(at(1, BookUpdate{false, {{px(0.4), 1}}, {}})));
  CHECK(market[kOne].book.bids.empty());
  CHECK_FALSE(market[kOne].seen);
}

TEST_CASE("market state: a crossed book is an error, hides the quotes and waits for a snapshot") {
  MarketState market;
  const BookUpdate good{true, {{px(0.4), 1}}, {{px(0.6), 1}}};
  REQUIRE(market.apply(at(1, good)));
  const auto crossed = market.apply(at(2, BookUpdate{false, {{px(0.6), 1}}, {}}));
  REQUIRE_FALSE(crossed);
  CHECK(crossed.error().code == Code::BadData);
  CHECK(crossed.error().message == "crossed book at 1970-01-01T00:00:02.000000Z: bid 0.6 is not below ask 0.6");
  CHECK_FALSE(market[kOne].book.trusted);
  CHECK_FALSE(market[kOne].bid.has_value());
  CHECK(market[kOne].last == px(0.5));
  REQUIRE(market.apply(at(3, BookUpdate{false, {{px(0.41), 1}}, {}})));
  CHECK_FALSE(market[kOne].book.trusted);
  REQUIRE(market.apply(at(4, good)));
  CHECK(market[kOne].book.trusted);
  CHECK(market[kOne].bid == px(0.4));
}

TEST_CASE("market state: between bid and ask of a trusted book a trade is no price") {
  MarketState market;
  REQUIRE(market.apply(at(1, BookUpdate{true, {{px(0.4), 1}}, {{px(0.6), 1}}})));
  REQUIRE(market.apply(at(2, Trade{px(0.6), 1, Side::Buy})));
  CHECK(market[kOne].last == px(0.5));
  CHECK(market[kOne].last_trade == px(0.6));
  REQUIRE(market.apply(at(3, BookDoubt{})));
  REQUIRE(market.apply(at(4, Trade{px(0.55), 1, Side::Buy})));
  CHECK(market[kOne].last == px(0.55));
}

TEST_CASE("market state: a doubted book is empty until a snapshot, deltas do not mend it") {
  MarketState market;
  const BookUpdate book{true, {{px(0.4), 1}}, {{px(0.6), 1}}};
  REQUIRE(market.apply(at(1, book)));
  REQUIRE(market.apply(at(2, BookDoubt{})));
  CHECK_FALSE(market[kOne].book.trusted);
  CHECK_FALSE(market[kOne].bid.has_value());
  REQUIRE(market.apply(at(3, BookUpdate{false, {{px(0.45), 7}}, {}})));
  CHECK(market[kOne].book.bids.empty());
  REQUIRE(market.apply(at(4, book)));
  CHECK(market[kOne].book.trusted);
}

TEST_CASE("market state: a market that does not trade has no book; an annulled one pays nothing that is known") {
  MarketState market;
  REQUIRE(market.apply(at(1, BookUpdate{true, {{px(0.4), 1}}, {{px(0.6), 1}}})));
  REQUIRE(market.apply(at(2, PhaseChange{Phase::Disputed})));
  CHECK(market[kOne].phase == Phase::Disputed);
  CHECK_FALSE(market[kOne].ask.has_value());
  REQUIRE(market.apply(at(3, Resolution{.payout = 0, .annulled = true})));
  REQUIRE(market[kOne].payout.has_value());
  CHECK(std::isnan(*market[kOne].payout));
}

TEST_CASE("market state: prices of the past change nothing") {
  MarketState market;
  REQUIRE(market.apply(at(1, PricePoint{px(0.9), {}, {}})));
  REQUIRE(market.apply(at(2, PastPrices{Timestamp{0}, Timestamp{1}, {{Timestamp{1}, px(0.2)}}, ""})));
  CHECK(market[kOne].last == px(0.9));
  CHECK(market[kOne].updates == 1);
}

TEST_CASE("market state: a resolution is kept beside the last price") {
  MarketState market;
  REQUIRE(market.apply(at(1, PricePoint{px(0.9), {}, {}})));
  REQUIRE(market.apply(at(1, Resolution{1.0})));
  CHECK(market[kOne].payout == 1.0);
  CHECK(market[kOne].last == px(0.9));
}

TEST_CASE("market state: fields make an instrument seen, not priced, and give no price") {
  MarketState market;
  REQUIRE(market.apply(at(1, Fields{{1, 2}, std::nullopt})));
  const InstrumentState& state = market[kOne];
  CHECK(state.seen);
  CHECK_FALSE(state.priced);
  CHECK(state.fields == std::vector<float>{1, 2});
  CHECK(state.last_event_time == Timestamp{1'000'000});
  CHECK(state.updates == 1);
  REQUIRE(market.apply(at(1, PricePoint{px(3), {}, {}})));
  CHECK(state.priced);
  CHECK(state.last == px(3));
  CHECK(state.fields == std::vector<float>{1, 2});
  market.end_step();
  CHECK(state.fields == std::vector<float>{1, 2});
}

TEST_CASE("market state: of a row of a table with prices the price counts, and gives the time") {
  MarketState market;
  REQUIRE(market.apply(at(1, PricePoint{px(3), {}, {}})));
  REQUIRE(market.apply(at(1, Fields{{1}, std::nullopt})));
  REQUIRE(market.apply(at(9, Fields{{2}, std::nullopt})));
  CHECK(market[kOne].updates == 1);
  CHECK(market[kOne].fields == std::vector<float>{2});
  CHECK(market[kOne].last_event_time == Timestamp{1'000'000});
}

TEST_CASE("market state: the first price counts even when it is older than the fields") {
  MarketState market;
  REQUIRE(market.apply(at(5, Fields{{1}, std::nullopt})));
  REQUIRE(market.apply(at(4, PricePoint{px(3), {}, {}})));
  CHECK(market[kOne].priced);
  CHECK(market[kOne].last == px(3));
}

TEST_CASE("market state: fields of an older row change nothing, of the same time they correct") {
  MarketState market;
  REQUIRE(market.apply(at(5, Fields{{5}, std::nullopt})));
  REQUIRE(market.apply(at(4, Fields{{4}, std::nullopt})));
  CHECK(market[kOne].fields == std::vector<float>{5});
  REQUIRE(market.apply(at(5, Fields{{6}, std::nullopt})));
  CHECK(market[kOne].fields == std::vector<float>{6});
  CHECK(market[kOne].last_event_time == Timestamp{5'000'000});
}

TEST_CASE("market state: the outcome of a row is nowhere in the state") {
  MarketState plain, with_outcome;
  REQUIRE(plain.apply(at(1, Fields{{1, 2}, std::nullopt})));
  REQUIRE(with_outcome.apply(at(1, Fields{{1, 2}, 7.0})));
  CHECK(bytes_of(plain) == bytes_of(with_outcome));
}

TEST_CASE("market state: decoded in the middle of a step, it goes on exactly as the one that was encoded") {
  MarketState market;
  REQUIRE(market.apply(at(1, BookUpdate{true, {{px(0.4), 1}}, {{px(0.6), 1}}}, InstrumentId{2})));
  REQUIRE(market.apply(at(2, bar(10, 12, 9, 11, 100))));
  REQUIRE(market.apply(at(3, Trade{px(2), 3, Side::Buy})));
  REQUIRE(market.apply(at(3, Resolution{0.0}, InstrumentId{1})));
  REQUIRE(market.apply(at(3, Fields{{1, std::numeric_limits<float>::quiet_NaN()}, 1.0}, InstrumentId{1})));
  const std::string bytes = bytes_of(market);
  ByteReader in{bytes};
  auto back = MarketState::decode(in);
  REQUIRE(back);
  CHECK(in.at_end());
  CHECK(bytes_of(*back) == bytes);
  const Event next = at(4, bar(11, 13, 7, 8, 50));
  REQUIRE(market.apply(next));
  REQUIRE(back->apply(next));
  CHECK(bytes_of(*back) == bytes_of(market));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    ByteReader cut{std::string_view{bytes}.substr(0, n)};
    CHECK_FALSE(MarketState::decode(cut));
  }
}

TEST_CASE("market state: a step sums how far trades were from the mid of their moment, while there was one") {
  MarketState market;
  REQUIRE(market.apply(at(1, Trade{px(0.9), 7, Side::Buy})));  // no quotes yet
  REQUIRE(market.apply(at(2, PricePoint{px(0.5), px(0.4), px(0.6)})));
  REQUIRE(market.apply(at(3, Trade{px(0.6), 10, Side::Buy})));
  REQUIRE(market.apply(at(4, PricePoint{px(0.7), px(0.6), px(0.8)})));
  REQUIRE(market.apply(at(5, Trade{px(0.6), 30, Side::Sell})));
  CHECK(market[kOne].quoted_volume == 40);
  CHECK(market[kOne].trade_distance == doctest::Approx(0.1 * 10 + 0.1 * 30));
  const std::string bytes = bytes_of(market);
  ByteReader in{bytes};
  CHECK(bytes_of(MarketState::decode(in).value()) == bytes);
  market.end_step();
  CHECK(market[kOne].quoted_volume == 0);
  CHECK(market[kOne].trade_distance == 0);
}

TEST_CASE("market state: a book kept by deltas equals the sum of what was said, level by level") {
  CHECK(rc::check([] {
    MarketState market;
    RC_ASSERT(market.apply(at(0, BookUpdate{true, {}, {}})).has_value());
    std::vector<double> bids(10, 0.0), asks(10, 0.0);  // prices 1..10 and 11..20: never crossed
    const auto changes = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 20), rc::gen::inRange(0, 4)));
    for (const auto& [slot, size] : changes) {
      const BookLevel level{px(slot + 1), static_cast<double>(size)};
      (slot < 10 ? bids[static_cast<std::size_t>(slot)] : asks[static_cast<std::size_t>(slot - 10)]) = size;
      BookUpdate delta;
      (slot < 10 ? delta.bids : delta.asks).push_back(level);
      RC_ASSERT(market.apply(at(1, delta)).has_value());
    }
    std::vector<double> kept_bids(10, 0.0), kept_asks(10, 0.0);
    Price previous = px(100);
    for (const BookLevel& level : market[kOne].book.bids) {
      RC_ASSERT(level.price < previous);
      previous = level.price;
      kept_bids[static_cast<std::size_t>(level.price.value()) - 1] = level.size;
    }
    previous = px(0);
    for (const BookLevel& level : market[kOne].book.asks) {
      RC_ASSERT(level.price > previous);
      previous = level.price;
      kept_asks[static_cast<std::size_t>(level.price.value()) - 11] = level.size;
    }
    RC_ASSERT(kept_bids == bids);
    RC_ASSERT(kept_asks == asks);
  }));
}

}  // namespace
}  // namespace everlearn
