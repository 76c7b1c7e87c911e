#include "venue/made_book.hpp"

#include <map>

#include <doctest/doctest.h>

namespace everlearn::venue {
namespace {

Price price(const char* text) { return *Price::parse(text); }
const Timestamp kStart = *Timestamp::parse("2026-01-10T00:00:00Z");

RecordedMarket market(std::vector<PricePointAt> points, const char* tick = "0.01") {
  RecordedMarket m;
  m.slug = "a-market";
  m.key = 42;
  m.points = std::move(points);
  m.hold = Duration::minutes(25);
  m.ticks.push_back({.from = kStart, .tick = price(tick)});
  m.volumes.push_back({.at = kStart, .volume = 1e5, .liquidity = 2e4});
  m.volume_24h = 50'000;
  m.begin = kStart;
  return m;
}

TEST_CASE("made books: the middle is the recorded price exactly, on the tick or halfway") {
  const MadeRule rule{.seed = 7, .every = Duration::seconds(10), .trades = true};
  for (const char* at : {"0.5", "0.505", "0.97", "0.035"}) {
    const RecordedMarket m = market({{kStart, price(at)}});
    for (int i = 0; i < 500; ++i) {
      const Book book = base_book(rule, m, kStart + Duration::seconds(7 * i));
      REQUIRE_FALSE(book.bids.empty());
      REQUIRE_FALSE(book.asks.empty());
      CHECK(*middle(book) == price(at));
      for (const Level& level : book.bids) CHECK(level.price.nanos() % price("0.01").nanos() == 0);
    }
  }
}

TEST_CASE("made books: near an end of the scale one side is empty") {
  const RecordedMarket m = market({{kStart, price("0.0005")}}, "0.001");
  const Book book = base_book(MadeRule{}, m, kStart);
  CHECK(book.bids.empty());
  CHECK(*book.best_ask() >= price("0.001"));
}

TEST_CASE("made books: the same seed, market and time give the same book; another seed another one") {
  const RecordedMarket m = market({{kStart, price("0.4")}});
  const Timestamp at = kStart + Duration::hours(3);
  CHECK(base_book({.seed = 1}, m, at) == base_book({.seed = 1}, m, at));
  CHECK_FALSE(base_book({.seed = 1}, m, at) == base_book({.seed = 2}, m, at));
  CHECK(base_book({.seed = 1}, m, kStart - Duration::seconds(1)).empty());
}

TEST_CASE("made books: nothing changes between the instants that next_change names") {
  const MadeRule rule{.seed = 3};
  const RecordedMarket m = market({{kStart, price("0.4")}, {kStart + Duration::seconds(95), price("0.41")}});
  Timestamp at = kStart;
  for (int i = 0; i < 50; ++i) {
    const auto next = next_change(rule, m, at);
    REQUIRE(next);
    CHECK(*next > at);
    CHECK(base_book(rule, m, at) == base_book(rule, m, *next - Duration{1}));
    at = *next;
  }
}

TEST_CASE("made books: a step changes a few levels, not all") {
  const MadeRule rule{.seed = 3, .trades = false};
  const RecordedMarket m = market({{kStart, price("0.4")}});
  std::size_t changed = 0;
  Book before = base_book(rule, m, kStart);
  for (int i = 1; i <= 100; ++i) {
    Book after = base_book(rule, m, kStart + Duration::seconds(10 * i));
    changed += changes(before, after).size();
    before = std::move(after);
  }
  CHECK(changed > 100);
  CHECK(changed < 600);
}

TEST_CASE("made trades: at the best price, more of them and in its direction when the recorded price moves") {
  const MadeRule rule{.seed = 5};
  std::vector<PricePointAt> rising;
  for (int i = 0; i < 150; ++i)
    rising.push_back({kStart + Duration::minutes(10 * i), Price::from_nanos(price("0.2").nanos() + i * 5'000'000)});
  const RecordedMarket m = market(rising);
  std::map<bool, int> up_at_move, up_elsewhere;
  for (Timestamp at = kStart + Duration::minutes(1); at < kStart + Duration::minutes(1400); at = at + rule.every) {
    const std::int64_t step = made_step(rule, m, at);
    const auto trade = made_trade(rule, m, step);
    if (!trade) continue;
    CHECK(made_trade(rule, m, step)->size == trade->size);
    const bool up = trade->buy != trade->second;
    const bool moved = *m.price(trade->at) != *m.price(trade->at - rule.every);
    ++(moved ? up_at_move : up_elsewhere)[up];
    const Book book = base_book(rule, m, trade->at);
    const Price first = trade->second ? complement(trade->price) : trade->price;
    CHECK(first == (up ? *book.best_ask() : *book.best_bid()));
  }
  CHECK(up_at_move[true] > 2 * up_at_move[false]);
  CHECK(up_at_move[true] + up_at_move[false] > 60);
  CHECK(up_elsewhere[true] + up_elsewhere[false] > 100);
}

TEST_CASE("books: changes turn one into the other, and the complement mirrors") {
  Book book;
  book.set(true, price("0.48"), *Quantity::parse("10"));
  book.set(true, price("0.47"), *Quantity::parse("5"));
  book.set(false, price("0.50"), *Quantity::parse("7"));
  Book after = book;
  after.set(true, price("0.48"), {});
  after.set(false, price("0.49"), *Quantity::parse("1"));
  after.add(false, price("0.50"), -2'000'000);
  Book patched = book;
  for (const LevelChange& change : changes(book, after)) patched.set(change.bid, change.price, change.size);
  CHECK(patched == after);
  CHECK(*mirrored(book).best_bid() == price("0.5"));
  CHECK(*mirrored(book).best_ask() == price("0.52"));
  CHECK(levels_json(book.bids) == R"([{"price":"0.47","size":"5"},{"price":"0.48","size":"10"}])");
  CHECK(*middle(book) == price("0.49"));
}

}  // namespace
}  // namespace everlearn::venue
