#include "io/market_selection.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <fmt/format.h>

#include "io/test_shared.hpp"

namespace everlearn {
namespace {

const Timestamp kNow = Timestamp::parse("2026-03-11T20:30:51Z").value();

Price cents(double c) { return Price::from_nanos(static_cast<std::int64_t>(c * 10'000'000)); }

/// One that passes every rule.
GammaMarket good(int number = 1, double volume = 50'000) {
  GammaMarket market;
  market.condition = fmt::format("0x{:064}", number);
  market.outcomes = {"Yes", "No"};
  market.tokens = {fmt::format("{}1", number), fmt::format("{}2", number)};
  market.end_time = kNow + Duration::days(30);
  market.bid = cents(49);
  market.ask = cents(51);
  market.volume_24h = volume;
  market.liquidity = 1'000;
  market.active = market.accepting_orders = market.order_book = true;
  return market;
}

template <class Change>
std::string verdict(Change change, bool followed = false) {
  GammaMarket market = good();
  change(market);
  return std::string{refused_by(market, {}, kNow, followed)};
}

TEST_CASE("selection: each rule keeps out what breaks it, by name") {
  using M = GammaMarket;
  CHECK(verdict([](M&) {}) == "");
  CHECK(verdict([](M& m) { m.tokens.clear(); }) == "no tokens");
  CHECK(verdict([](M& m) { m.tokens.push_back("3"), m.outcomes.push_back("Maybe"); }) == "no tokens");
  CHECK(verdict([](M& m) { m.accepting_orders = false; }) == "not accepting orders");
  CHECK(verdict([](M& m) { m.closed = true; }) == "not accepting orders");
  CHECK(verdict([](M& m) { m.active = false; }) == "not accepting orders");
  CHECK(verdict([](M& m) { m.order_book = false; }) == "not accepting orders");
  CHECK(verdict([](M& m) { m.oracle = M::Oracle::Proposed; }) == "not accepting orders");
  CHECK(verdict([](M& m) { m.oracle = M::Oracle::Disputed; }) == "not accepting orders");
  CHECK(verdict([](M& m) { m.end_time.reset(); }) == "no end date");
  CHECK(verdict([](M& m) { m.live = true; }) == "in play");
  CHECK(verdict([](M& m) { m.game = true, m.game_start = kNow; }) == "in play");
  CHECK(verdict([](M& m) { m.game = true, m.game_start = kNow + Duration::seconds(1); }) == "");
  CHECK(verdict([](M& m) { m.game_start = kNow; }) == "");  // a date, no kick-off
  CHECK(verdict([](M& m) { m.bid.reset(); }) == "no quotes");
  CHECK(verdict([](M& m) { m.bid = m.ask; }) == "no quotes");
  CHECK(verdict([](M& m) { m.volume_24h.reset(); }) == "volume");
}

TEST_CASE("selection: a market ends three horizons away or later, a recurring one is no shorter") {
  using M = GammaMarket;
  const auto ends = [](Duration in) { return verdict([&](M& m) { m.end_time = kNow + in; }); };
  CHECK(ends(Duration::hours(3)) == "");
  CHECK(ends(Duration::hours(3) - Duration{1}) == "ends too soon");
  const auto recurs = [](Duration every) { return verdict([&](M& m) { m.recurrence = every; }); };
  CHECK(recurs(Duration::minutes(5)) == "recurring");
  CHECK(recurs(Duration::hours(1)) == "recurring");
  CHECK(recurs(Duration::hours(3)) == "");
  CHECK(recurs(Duration::days(1)) == "");
}

TEST_CASE("selection: at the limits of price, spread and volume") {
  using M = GammaMarket;
  const auto at = [](double bid, double ask) { return verdict([&](M& m) { m.bid = cents(bid), m.ask = cents(ask); }); };
  CHECK(at(4, 6) == "");
  CHECK(at(3.9, 6) == "price outside");
  CHECK(at(94, 96) == "");
  CHECK(at(94, 96.1) == "price outside");
  CHECK(at(48, 51) == "");
  CHECK(at(48, 51.1) == "spread");
  CHECK(verdict([](M& m) { m.volume_24h = 10'000; }) == "");
  CHECK(verdict([](M& m) { m.volume_24h = 9'999; }) == "volume");
}

TEST_CASE("selection: what is followed leaves at wider limits than it came in") {
  using M = GammaMarket;
  const auto at = [](double bid, double ask) {
    return verdict([&](M& m) { m.bid = cents(bid), m.ask = cents(ask); }, true);
  };
  CHECK(at(3.9, 4.1) == "");
  CHECK(at(3, 3) == "");  // crossed: no price to judge by
  CHECK(at(2.8, 3) == "price outside");
  CHECK(at(96, 98) == "");
  CHECK(at(97, 97.2) == "price outside");
  CHECK(at(47, 53) == "");
  CHECK(at(46, 53) == "spread");
  CHECK(verdict([](M& m) { m.volume_24h = 5'000; }, true) == "");
  CHECK(verdict([](M& m) { m.volume_24h = 4'999; }, true) == "volume");
  CHECK(verdict([](M& m) { m.ask.reset(); }, true) == "");
  CHECK(verdict([](M& m) { m.end_time = kNow + Duration::hours(1); }, true) == "");
  CHECK(verdict([](M& m) { m.end_time = kNow + Duration::minutes(59); }, true) == "ends too soon");
  CHECK(verdict([](M& m) { m.closed = true; }, true) == "not accepting orders");
  CHECK(verdict([](M& m) { m.live = true; }, true) == "in play");
}

std::vector<Candidate> candidates(const std::vector<GammaMarket>& markets, const std::vector<Tier>& was = {}) {
  std::vector<Candidate> all;
  for (std::size_t i = 0; i < markets.size(); ++i) {
    all.push_back({&markets[i], i < was.size() ? was[i] : Tier::None, 0});
  }
  return all;
}
using Numbers = std::vector<std::size_t>;

TEST_CASE("selection: by volume, then liquidity; the limit counts markets") {
  std::vector<GammaMarket> markets = {good(1, 20'000), good(2, 40'000), good(3, 30'000), good(4, 30'000)};
  markets[3].liquidity = 2'000;
  VenueRules rules;
  rules.markets = 3;
  const Selection limited = select_markets(candidates(markets), rules, kNow);
  CHECK(limited.first == Numbers{1, 3, 2});
  CHECK(limited.second.empty());
  CHECK(limited.left_out.at("limit") == 1);
  rules.rest = true;
  const Selection all = select_markets(candidates(markets), rules, kNow);
  CHECK(all.first == Numbers{1, 3, 2});
  CHECK(all.second == Numbers{0});
  CHECK(all.left_out.empty());
}

TEST_CASE("selection: who is followed keeps its place until half as many again rank before it") {
  std::vector<GammaMarket> markets;
  for (int i = 0; i < 8; ++i) markets.push_back(good(i + 1, 100'000 - i * 1'000));
  VenueRules rules;
  rules.markets = 4;
  const auto with = [&](std::size_t followed) {
    std::vector<Tier> was(8, Tier::None);
    was[followed] = Tier::First;
    return select_markets(candidates(markets, was), rules, kNow).first;
  };
  CHECK(with(5) == Numbers{5, 0, 1, 2});  // sixth of four
  CHECK(with(6) == Numbers{0, 1, 2, 3});  // seventh: there are too many better ones
}

TEST_CASE("selection: a wide spread or a lull in the volume counts at the third listing in a row, the price at once") {
  std::vector<GammaMarket> markets = {good(1), good(2), good(3)};
  markets[0].bid = cents(40);
  markets[1].volume_24h = 4'000;
  markets[2].bid = cents(1);
  markets[2].ask = cents(2);
  auto all = candidates(markets, {Tier::First, Tier::First, Tier::First});
  all[0].strikes = all[1].strikes = kStrikes - 2;
  Selection selection = select_markets(all, {}, kNow);
  CHECK(selection.first.size() == 2);
  CHECK(selection.let_off == Numbers{0, 1});
  CHECK(selection.left_out == std::map<std::string, std::int64_t>{{"price outside", 1}});
  all[0].strikes = all[1].strikes = kStrikes - 1;
  selection = select_markets(all, {}, kNow);
  CHECK(selection.first.empty());
  CHECK(selection.left_out.at("spread") == 1);
  CHECK(selection.left_out.at("volume") == 1);
}

TEST_CASE("selection: a set that nothing happens to stays as it is, and small changes do not stir it") {
  std::vector<GammaMarket> markets;
  for (int i = 0; i < 30; ++i) markets.push_back(good(i + 1, 20'000 + (i * 7'919) % 5'000));
  VenueRules rules;
  rules.markets = 10;
  std::vector<Tier> was(30, Tier::None);
  std::int64_t changes = 0;
  for (int round = 0; round < 50; ++round) {
    const Selection selection = select_markets(candidates(markets, was), rules, kNow);
    REQUIRE(selection.first.size() == 10);
    std::vector<Tier> now(30, Tier::None);
    for (const std::size_t i : selection.first) now[i] = Tier::First;
    if (round > 0) changes += !std::ranges::equal(now, was);
    was = now;
    // Mids wander over the edge of the band, and volumes by a hundredth.
    for (int i = 0; i < 30; ++i) {
      const double mid = 5 + ((round + i) % 3 - 1) * 0.8;
      markets[static_cast<std::size_t>(i)].bid = cents(mid - 0.5);
      markets[static_cast<std::size_t>(i)].ask = cents(mid + 0.5);
      *markets[static_cast<std::size_t>(i)].volume_24h *= 1 + ((round * 31 + i * 17) % 21 - 10) * 0.001;
    }
  }
  CHECK(changes == 0);
}

TEST_CASE("selection: the recorded list: 34 of the 50 markets with most volume are outside the band") {
  const auto lines = shared_lines("data/polymarket/gamma_markets/markets_2026-03-11.jsonl.gz");
  if (lines.empty()) return;
  std::string body = "[";
  for (const std::string& line : lines) body += (body.size() > 1 ? "," : "") + line;
  GammaReader reader;
  const auto page = reader.read(body + "]");
  REQUIRE(page);
  REQUIRE(page->markets.size() == 5'150);

  std::vector<const GammaMarket*> ranked;
  for (const GammaMarket& market : page->markets) ranked.push_back(&market);
  std::ranges::stable_sort(ranked, std::ranges::greater{},
                           [](const GammaMarket* market) { return market->volume_24h.value_or(0); });
  const auto outside = std::count_if(ranked.begin(), ranked.begin() + 50, [](const GammaMarket* market) {
    const auto mid = market->mid();
    return !mid || *mid < 0.05 || *mid > 0.95;
  });
  CHECK(outside == 34);

  VenueRules rules;
  Selection selection = select_markets(candidates(page->markets), rules, kNow);
  CHECK(selection.first.size() == 50);
  for (const std::size_t i : selection.first) CHECK(refused_by(page->markets[i], rules, kNow, false).empty());
  std::int64_t all = 50;
  for (const auto& [rule, count] : selection.left_out) {
    MESSAGE(rule, ": ", count);
    all += count;
  }
  CHECK(all == 5'150);
  CHECK(selection.left_out.at("not accepting orders") == 75);  // an outcome is proposed or disputed
  CHECK(selection.left_out.at("no end date") == 57);

  rules.markets = 250;
  rules.min_volume_24h = 100;
  rules.rest = true;
  selection = select_markets(candidates(page->markets), rules, kNow);
  CHECK(selection.first.size() == 250);
  CHECK(selection.second.size() > 50);
}

}  // namespace
}  // namespace everlearn
