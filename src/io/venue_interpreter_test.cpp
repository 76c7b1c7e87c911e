#include "io/venue_interpreter.hpp"

#include <doctest/doctest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/json.hpp"
#include "io/test_shared.hpp"
#include "io/venue_messages.hpp"
#include "market/event_codec.hpp"
#include "market/market_state.hpp"

namespace everlearn {
namespace {

using Lines = std::vector<std::string>;

const Timestamp kStart = Timestamp::parse("2026-11-24T12:00:00Z").value();

/// A market of Gamma's list. Its tokens are "<n>1" and "<n>2".
struct Listed {
  int n = 1;
  double volume = 50'000;
  std::string bid = "0.49", ask = "0.51";
  std::string more = {};  // members that come before the others and win

  std::string condition() const { return fmt::format("0x{:064x}", n); }
  std::string text() const {
    return fmt::format(
        R"({{{}"conditionId":"{}","question":"Q{}","outcomes":"[\"Yes\",\"No\"]",)"
        R"("clobTokenIds":"[\"{}1\",\"{}2\"]","bestBid":{},"bestAsk":{},"volume24hr":{},)"
        R"("liquidityNum":1000,"endDate":"2026-12-24T00:00:00Z","active":true,"closed":false,)"
        R"("acceptingOrders":true,"enableOrderBook":true,"orderPriceMinTickSize":0.01,"orderMinSize":5}})",
        more, condition(), n, n, n, bid, ask, volume);
  }
};

std::string book(const std::string& token, const std::string& bids, const std::string& asks, std::int64_t ms) {
  const auto side = [](const std::string& levels) {  // "0.48x10 0.47x5"
    std::string text;
    for (std::size_t at = 0; at < levels.size();) {
      const std::size_t end = std::min(levels.find(' ', at), levels.size());
      const std::string level = levels.substr(at, end - at);
      const std::size_t x = level.find('x');
      text += fmt::format(R"({}{{"price":"{}","size":"{}"}})", text.empty() ? "" : ",", level.substr(0, x),
                          level.substr(x + 1));
      at = end + 1;
    }
    return text;
  };
  return fmt::format(R"({{"event_type":"book","asset_id":"{}","timestamp":"{}","bids":[{}],"asks":[{}]}})", token, ms,
                     side(bids), side(asks));
}

/// best: R"(,"best_bid":"0.48","best_ask":"0.49")" or nothing.
std::string change(const std::string& token, const std::string& side, const std::string& price, const std::string& size,
                   std::int64_t ms, const std::string& best = {}) {
  return fmt::format(R"({{"event_type":"price_change","price_changes":[{{"asset_id":"{}","price":"{}","size":"{}",)"
                     R"("side":"{}"{}}}],"timestamp":"{}"}})",
                     token, price, size, side, best, ms);
}

std::string best(const std::string& bid, const std::string& ask) {
  return fmt::format(R"(,"best_bid":"{}","best_ask":"{}")", bid, ask);
}

class Run {
 public:
  explicit Run(VenueRules rules = {}) : rules_{std::move(rules)} {
    auto made = VenueInterpreter::make(rules_, instruments);
    REQUIRE(made);
    interpreter = std::make_unique<VenueInterpreter>(*std::move(made));
  }

  /// What it means, one text an event, in short. Each is received a second after the one before.
  Lines tell(const std::string& channel, const std::string& raw) {
    now = now + Duration::seconds(1);
    std::vector<Event> events;
    const auto read = interpreter->read({now, channel, raw}, events);
    Lines lines;
    for (const Event& event : events) {
      CHECK(event.known_at == now);
      CHECK(event.event_time <= now);
      (void)static_cast<bool>(state.apply(event));
      all.push_back(event);
      lines.push_back(text(event));
    }
    CHECK(std::is_sorted(events.begin(), events.end(), [&](const Event& a, const Event& b) {
      return std::pair{a.event_time, instruments[a.instrument].name} <
             std::pair{b.event_time, instruments[b.instrument].name};
    }));
    if (!read) lines.push_back("!" + std::string{read.error().reason});
    return lines;
  }
  Lines market(const std::string& raw) { return tell("market", raw); }

  Lines list(const std::vector<Listed>& markets) {
    std::string page;
    for (const Listed& one : markets) page += (page.empty() ? "" : ",") + one.text();
    Lines lines = tell("gamma", R"({"markets":[)" + page + "]}");
    const Lines end = tell("gamma end", R"({"listing":1})");
    lines.insert(lines.end(), end.begin(), end.end());
    return lines;
  }

  std::int64_t ms() const { return now.us() / 1'000; }
  const InstrumentState& of(const std::string& token) { return state[instruments.find(token).value()]; }
  const Following& following() const { return interpreter->following(); }
  std::int64_t refused(const std::string& reason) const {
    const auto& counts = interpreter->report().refused;
    const auto at = counts.find(reason);
    return at == counts.end() ? 0 : at->second;
  }

  Instruments instruments;
  MarketState state;
  std::unique_ptr<VenueInterpreter> interpreter;
  Timestamp now = kStart;
  std::vector<Event> all;

 private:
  std::string text(const Event& event) const {
    std::string line = instruments[event.instrument].name + " " + std::string{event_kind(event.what)};
    if (const auto* update = std::get_if<BookUpdate>(&event.what)) {
      for (const BookLevel& level : update->bids) line += fmt::format(" b{}x{}", level.price.text(), level.size);
      for (const BookLevel& level : update->asks) line += fmt::format(" a{}x{}", level.price.text(), level.size);
    }
    if (const auto* trade = std::get_if<Trade>(&event.what))
      line += fmt::format(" {}x{}", trade->price.text(), trade->size);
    if (const auto* point = std::get_if<PricePoint>(&event.what)) line += " " + point->price.text();
    if (const auto* end = std::get_if<Resolution>(&event.what))
      line += end->annulled ? std::string{} : fmt::format(" {}", end->payout);
    if (const auto* phase = std::get_if<PhaseChange>(&event.what))
      line += fmt::format(" {}", std::array{"trading", "left", "closed", "proposed", "disputed"}.at(
                                     static_cast<std::size_t>(phase->phase)));
    if (const auto* past = std::get_if<PastPrices>(&event.what))
      line += fmt::format(" {}{}", past->prices.size(), past->problem.empty() ? "" : " " + past->problem);
    if (const auto* fields = std::get_if<Fields>(&event.what))
      for (const float value : fields->values) line += fmt::format(" {}", value);
    return line;
  }

  VenueRules rules_;
};

/// Market 1 is followed and both its books are known.
struct WithBooks : Run {
  WithBooks() {
    list({{}});
    CHECK(market("[" + book("11", "0.48x10 0.47x5", "0.49x30 0.5x7", ms()) + "," +
                 book("12", "0.51x30 0.5x7", "0.52x10 0.53x5", ms()) + "]") ==
          Lines{"11 book b0.48x10 b0.47x5 a0.49x30 a0.5x7", "12 book b0.51x30 b0.5x7 a0.52x10 a0.53x5"});
    CHECK(of("11").book.trusted);
  }
};

TEST_CASE("following: both outcomes of a chosen market become instruments; the second mirrors the first") {
  Run run;
  CHECK(run.list({{.n = 1}, {.n = 2, .volume = 70'000}, {.n = 3, .volume = 5}}).empty());
  CHECK(run.following().first_tier == Lines{"21", "22", "11", "12"});
  CHECK(run.following().markets.at(0) == Listed{.n = 2}.condition());
  CHECK(run.following().second_tier.empty());
  CHECK(run.following().version == 1);
  CHECK(run.interpreter->report().left_out.at("volume") == 1);
  CHECK(run.interpreter->report().followed == 2);
  const Instrument& yes = run.instruments[run.instruments.find("11").value()];
  const Instrument& no = run.instruments[run.instruments.find("12").value()];
  CHECK(yes.market == Listed{}.condition());
  CHECK(no.market == yes.market);
  CHECK(yes.complement == "12");
  CHECK(no.complement == "11");
  CHECK_FALSE(yes.mirrors);
  CHECK(no.mirrors);
  CHECK(yes.title == "Q1: Yes");
  CHECK(yes.probability);
  CHECK(yes.tick_size == Price::from_nanos(10'000'000));
  CHECK(yes.min_size == 5);
  CHECK(yes.end_time->iso() == "2026-12-24T00:00:00.000000Z");
  CHECK(run.list({{.n = 1}, {.n = 2, .volume = 70'000}}).empty());
  CHECK(run.following().version == 1);  // nothing new
}

TEST_CASE("following: what leaves is told so, is priced for as long as its examples are open, and may come back") {
  Run run;
  run.list({{.n = 1}, {.n = 2}});
  CHECK(run.list({{.n = 1, .bid = "0.01", .ask = "0.02"}, {.n = 2}}) == Lines{"11 phase left", "12 phase left"});
  CHECK(run.following().first_tier == Lines{"21", "22"});
  CHECK(run.following().second_tier == Lines{"11", "12"});
  CHECK(run.tell("quotes", R"({"11":{"BUY":"0.01","SELL":"0.02"}})") == Lines{"11 price 0.015"});
  CHECK(run.market(book("11", "0.01x5", "0.02x5", run.ms())).empty());
  run.now = run.now + Duration::minutes(91);
  CHECK(run.list({{.n = 1, .bid = "0.01", .ask = "0.02"}, {.n = 2}}).empty());
  CHECK(run.following().second_tier.empty());
  CHECK(run.list({{.n = 1}, {.n = 2}}) == Lines{"11 phase trading", "12 phase trading"});
  CHECK(run.following().first_tier == Lines{"21", "22", "11", "12"});
}

TEST_CASE("following: a followed market is judged by its own book where it is trusted, the list is minutes old") {
  WithBooks run;
  CHECK(run.list({{.n = 1, .bid = "0.01", .ask = "0.02"}}).empty());
  CHECK(run.following().first_tier == Lines{"11", "12"});
}

TEST_CASE("following: one wide book at the time of a listing is no reason to leave, three in a row are") {
  WithBooks run;
  run.market(book("11", "0.3x1", "0.6x1", run.ms()));
  CHECK(run.list({{}}).empty());
  run.market(book("11", "0.48x1", "0.5x1", run.ms()));
  CHECK(run.list({{}}).empty());
  run.market(book("11", "0.3x1", "0.6x1", run.ms()));
  CHECK(run.list({{}}).empty());
  CHECK(run.list({{}}).empty());
  CHECK(run.list({{}}) == Lines{"11 phase left", "12 phase left"});
}

TEST_CASE("following: all markets: two tiers, and what falls to the second loses its book") {
  VenueRules rules;
  rules.markets = 1;
  rules.rest = true;
  Run run{rules};
  run.list({{.n = 1}, {.n = 2, .volume = 40'000}});
  CHECK(run.following().first_tier == Lines{"11", "12"});
  CHECK(run.following().second_tier == Lines{"21", "22"});
  CHECK(run.interpreter->report().second_tier == 1);
  run.market(book("11", "0.48x10", "0.49x30", run.ms()));
  CHECK(run.market(book("21", "0.48x10", "0.49x30", run.ms())).empty());  // of the second tier: nobody asked
  CHECK_FALSE(run.of("11").book.trusted == false);
  CHECK(run.list({{.n = 1}, {.n = 2, .volume = 90'000}, {.n = 3, .volume = 80'000}}) == Lines{"11 doubt"});
  CHECK(run.following().first_tier == Lines{"21", "22"});
  CHECK(run.following().second_tier == Lines{"11", "12", "31", "32"});
}

TEST_CASE("following: a market that the list no longer has is asked for, twenty at a time, and keeps its place") {
  VenueRules rules;
  rules.markets = 30;
  Run run{rules};
  std::vector<Listed> markets;
  for (int n = 1; n <= 25; ++n) markets.push_back({.n = n});
  run.list(markets);
  CHECK(run.following().unlisted.empty());
  const std::uint64_t version = run.following().version;
  run.list({{.n = 99}});
  CHECK(run.following().first_tier.size() == 52);
  run.list({{.n = 91}, {.n = 92}, {.n = 93}, {.n = 94}, {.n = 95}, {.n = 96}, {.n = 99}});
  CHECK(run.following().first_tier.size() == 60);  // thirty markets, those that are asked for among them
  CHECK(run.following().unlisted.size() == 20);
  CHECK(run.following().version > version);
  const auto first = run.following().unlisted;
  run.list({{.n = 91}, {.n = 92}, {.n = 93}, {.n = 94}, {.n = 95}, {.n = 96}, {.n = 99}});
  CHECK(run.following().unlisted.size() == 20);
  for (int n = 1; n <= 25; ++n) {
    const auto asked = [&](const Lines& list) { return std::ranges::count(list, Listed{.n = n}.condition()); };
    CHECK(asked(first) + asked(run.following().unlisted) >= 1);
  }
}

TEST_CASE("books: nothing before the first snapshot; then each change once") {
  Run run;
  run.list({{}});
  CHECK(run.market(change("11", "BUY", "0.48", "1", run.ms())).empty());
  run.market(book("11", "0.48x10", "0.49x30", run.ms()));
  const std::string frame = change("11", "BUY", "0.48", "0", run.ms());
  CHECK(run.market(frame) == Lines{"11 delta b0.48x0"});
  CHECK(run.market(frame).empty());
  CHECK(run.refused("repeated frame") == 1);
  const std::string trade =
      fmt::format(R"({{"event_type":"last_trade_price","asset_id":"11","price":"0.49","size":"3","side":"BUY",)"
                  R"("timestamp":"{}"}})",
                  run.ms());
  CHECK(run.market(trade) == Lines{"11 trade 0.49x3"});
  CHECK(run.market(trade).empty());
  CHECK(run.market(book("77", "0.48x10", "0.49x30", run.ms())).empty());  // not ours
}

TEST_CASE("books: the venue's word on its best prices is compared with the book after each change") {
  WithBooks run;
  CHECK(run.market(change("11", "BUY", "0.48", "0", run.ms(), best("0.47", "0.49"))) == Lines{"11 delta b0.48x0"});
  CHECK(run.interpreter->take_resyncs().empty());
  // A change at 0.46, and a best bid of 0.46: so 0.47 is gone, and nobody told us.
  CHECK(run.market(change("11", "BUY", "0.46", "9", run.ms(), best("0.46", "0.49"))) ==
        Lines{"11 delta b0.46x9", "11 doubt"});
  CHECK(run.interpreter->take_resyncs() == Lines{"11"});
  CHECK(run.interpreter->take_resyncs().empty());
  CHECK_FALSE(run.of("11").book.trusted);
  CHECK_FALSE(run.of("11").bid);
  CHECK(run.of("12").book.trusted);
  CHECK(run.market(change("11", "BUY", "0.45", "9", run.ms())).empty());
  CHECK(run.tell("books", "[" + book("11", "0.46x9", "0.49x30", run.ms()) + "]") == Lines{"11 book b0.46x9 a0.49x30"});
  CHECK(run.of("11").book.trusted);
}

TEST_CASE("books: an empty side is written as nothing, 0, or for asks as 1") {
  WithBooks run;
  run.market(book("11", "", "0.49x1", run.ms()));
  for (const char* none : {"", "0", "0.0"}) {
    CHECK(run.market(change("11", "SELL", "0.6", none == std::string{"0"} ? "4" : "5", run.ms(), best(none, "0.49")))
              .size() == 1);
  }
  CHECK(run.market(change("11", "SELL", "0.49", "0", run.ms(), best("0", "0.6"))).size() == 1);
  CHECK(run.market(change("11", "SELL", "0.6", "0", run.ms(), best("0", "1"))) == Lines{"11 delta a0.6x0"});
}

TEST_CASE("books: best_bid_ask is held against the book when something later is told, so its place does not matter") {
  const auto said = [](Run& run, const char* bid, std::int64_t ms) {
    return run.market(fmt::format(R"({{"event_type":"best_bid_ask","asset_id":"11","best_bid":"{}","best_ask":"0.49",)"
                                  R"("spread":"0.01","timestamp":"{}"}})",
                                  bid, ms));
  };
  WithBooks before;  // it comes before the change of the same time
  std::int64_t ms = before.ms();
  CHECK(said(before, "0.47", ms).empty());
  CHECK(before.market(change("11", "BUY", "0.48", "0", ms)) == Lines{"11 delta b0.48x0"});
  CHECK(before.market(change("11", "BUY", "0.46", "1", ms + 5)) == Lines{"11 delta b0.46x1"});
  WithBooks lost;  // or instead of it
  ms = lost.ms();
  CHECK(said(lost, "0.47", ms).empty());
  CHECK(lost.market(change("11", "BUY", "0.46", "1", ms + 5)) == Lines{"11 doubt"});
  CHECK(lost.interpreter->take_resyncs() == Lines{"11"});
}

TEST_CASE("books: one that crosses itself is doubted, not passed on") {
  WithBooks run;
  CHECK(run.market(change("11", "BUY", "0.5", "1", run.ms())) == Lines{"11 doubt"});
  CHECK(run.refused("crossed book") == 1);
  CHECK(run.market(book("11", "0.5x1", "0.49x1", run.ms())) == Lines{"!crossed book"});
  CHECK(run.interpreter->take_resyncs() == Lines{"11"});
}

TEST_CASE("books: doubt from outside; the same words as before are news then") {
  WithBooks run;
  const std::string again = book("11", "0.48x10", "0.49x30", run.ms());
  CHECK(run.market(again).size() == 1);
  CHECK(run.market(again).empty());
  CHECK(run.tell("control", R"({"doubt":["11","12","99"],"reason":"connection lost"})") ==
        Lines{"11 doubt", "12 doubt"});
  CHECK(run.tell("control", R"({"doubt":["11"],"reason":"still"})").empty());
  CHECK(run.interpreter->take_resyncs().empty());  // whoever doubts from outside asks for itself
  CHECK(run.market(again) == Lines{"11 book b0.48x10 a0.49x30"});
  const std::string trade =
      fmt::format(R"({{"event_type":"last_trade_price","asset_id":"11","price":"0.49","size":"3","side":"BUY",)"
                  R"("timestamp":"{}"}})",
                  run.ms());
  CHECK(run.market(trade).size() == 1);
  run.tell("control", R"({"doubt":["11"],"reason":"connection lost"})");
  CHECK(run.market(trade).empty());  // a trade was one trade all the same
}

TEST_CASE("books: an older snapshot does not replace a newer book, unless the venue insists while we doubt") {
  WithBooks run;
  const std::int64_t old = run.ms() - 5'000;
  run.market(change("11", "BUY", "0.48", "11", run.ms()));
  CHECK(run.tell("books", "[" + book("11", "0.4x1", "0.6x1", old) + "]").empty());
  CHECK(run.refused("older snapshot") == 1);
  CHECK(run.of("11").book.trusted);
  run.tell("control", R"({"doubt":["11"]})");
  CHECK(run.tell("books", "[" + book("11", "0.4x2", "0.6x1", old) + "]").empty());
  CHECK(run.interpreter->take_resyncs() == Lines{"11"});
  CHECK(run.tell("books", "[" + book("11", "0.4x2", "0.6x1", old) + "]") == Lines{"11 book b0.4x2 a0.6x1"});
}

TEST_CASE("books: a change from before the snapshot is part of it already") {
  WithBooks run;
  run.tell("books", "[" + book("11", "0.48x10", "0.49x30", run.ms()) + "]");
  CHECK(run.market(change("11", "BUY", "0.48", "77", run.ms() - 2'000)).empty());
  CHECK(run.refused("change older than the book") == 1);
}

TEST_CASE("frames: what cannot be read raises doubt about the books that it names, and no others") {
  for (const std::string& frame : {
           std::string{R"({"market":"x","price_changes":[{"asset_id":"11","price":"0.4)"},
           std::string{R"([{"event_type":"book","asset_id":"11","timestamp":"7","bids":[],"asks":[]}])"},
           R"({"market":")" + Listed{}.condition() + R"(","asset_id":"11","event_type":"book)",
           change("11", "BUY", "-0.5", "1", kStart.us() / 1'000),
       }) {
    WithBooks run;
    const Lines lines = run.market(frame);
    CHECK(std::ranges::count(lines, "11 doubt") == 1);
    CHECK(lines.back().starts_with("!"));
    const Lines resyncs = run.interpreter->take_resyncs();
    CHECK(std::ranges::count(resyncs, "11") == 1);
    CHECK(run.of("12").book.trusted == (frame.find("0x") == std::string::npos));
  }
  WithBooks run;
  CHECK(run.market("INVALID OPERATION") == Lines{"!unreadable message"});
  CHECK(run.interpreter->take_resyncs().empty());
}

TEST_CASE("frames: one bad event of an array takes no other with it") {
  WithBooks run;
  CHECK(run.market("[" + book("11", "0.4x1", "0.6x1", run.ms()) + "," + book("12", "0.6x1", "0.4x1", run.ms()) + "]") ==
        Lines{"11 book b0.4x1 a0.6x1", "12 doubt", "!crossed book"});
}

TEST_CASE("frames: of an event that cannot be read to its end nothing is used") {
  WithBooks run;
  CHECK(
      run.market(fmt::format(R"({{"event_type":"price_change","price_changes":[{{"asset_id":"11","price":"0.47",)"
                             R"("size":"1","side":"BUY"}},{{"asset_id":"12","price":"0.5","size":"1","side":"HOLD"}}],)"
                             R"("timestamp":"{}"}})",
                             run.ms())) == Lines{"11 doubt", "12 doubt", "!unknown side"});
}

TEST_CASE("frames: too large to be read: refused, and what it names is doubted") {
  WithBooks run;
  std::string frame = R"([{"asset_id":"12","event_type":"book","bids":[)";
  frame.resize(VenueMessages::kLargestFrame + 1, ' ');
  CHECK(run.market(frame) == Lines{"12 doubt", "!oversized frame"});
}

TEST_CASE("frames: an event cannot happen long after it was received; a little is the venue's clock") {
  WithBooks run;
  CHECK(run.market(change("11", "BUY", "0.48", "1", run.ms() + 30'000)) == Lines{"11 delta b0.48x1"});
  CHECK(run.all.back().event_time == run.now);
  CHECK(run.market(change("11", "BUY", "0.48", "2", run.ms() + 90'000)) ==
        Lines{"11 doubt", "!event after its reception"});
}

TEST_CASE("trades of the Data API: only what is surely later than the last one known") {
  WithBooks run;
  const auto trades = [](std::int64_t seconds, const char* size) {
    return fmt::format(R"([{{"asset":"11","side":"SELL","price":0.48,"size":{},"timestamp":{}}}])", size, seconds);
  };
  const std::int64_t now = run.ms() / 1'000;
  run.market(fmt::format(R"({{"event_type":"last_trade_price","asset_id":"11","price":"0.49","size":"3","side":"BUY",)"
                         R"("timestamp":"{}"}})",
                         now * 1'000 + 400));
  CHECK(run.tell("trades", trades(now, "3")).empty());  // may be that one
  CHECK(run.tell("trades", trades(now + 1, "4")) == Lines{"11 trade 0.48x4"});
  CHECK(run.tell("trades", trades(now + 1, "4")).empty());  // the same answer again
  Run late;
  late.list({{}});
  CHECK(late.tell("trades", trades(kStart.us() / 1'000'000 - 60, "1")).empty());  // before this run
}

TEST_CASE("ticks and least sizes are kept as the venue changes them") {
  WithBooks run;
  run.market(fmt::format(R"({{"event_type":"tick_size_change","asset_id":"11","old_tick_size":"0.01",)"
                         R"("new_tick_size":"0.001","timestamp":"{}"}})",
                         run.ms()));
  const Instrument& yes = run.instruments[run.instruments.find("11").value()];
  CHECK(yes.tick_size == Price::from_nanos(1'000'000));
  run.list({{}});  // minutes old
  CHECK(yes.tick_size == Price::from_nanos(1'000'000));
  run.tell("books", fmt::format(R"([{{"asset_id":"11","timestamp":"{}","bids":[],"asks":[],"min_order_size":"15",)"
                                R"("tick_size":"0.01"}}])",
                                run.ms()));
  CHECK(yes.min_size == 15);
  CHECK(yes.tick_size == Price::from_nanos(10'000'000));
}

std::string resolved(int n, const char* winner, std::int64_t ms) {
  return fmt::format(R"({{"event_type":"market_resolved","market":"{}","assets_ids":["{}1","{}2"],)"
                     R"("winning_asset_id":"{}","timestamp":"{}"}})",
                     Listed{.n = n}.condition(), n, n, winner, ms);
}

TEST_CASE("resolution: told by the socket, once; the market is over for us") {
  WithBooks run;
  CHECK(run.market(resolved(1, "12", run.ms())) ==
        Lines{"11 phase closed", "11 resolution 0", "12 phase closed", "12 resolution 1"});
  CHECK(run.following().first_tier.empty());
  CHECK_FALSE(run.of("11").book.trusted);
  CHECK(run.market(resolved(1, "12", run.ms() + 1)).empty());
  CHECK(run.list({{.more = R"("closed":true,"outcomePrices":["1","0"],)"}}).empty());
  CHECK(run.list({{}}).empty());  // a page from before: still no market of ours
  CHECK(run.following().first_tier.empty());
  CHECK(run.market(resolved(7, "71", run.ms())).empty());
  WithBooks reversed;  // the winner's place in the list does not matter
  CHECK(reversed.market(fmt::format(R"({{"event_type":"market_resolved","market":"{}","assets_ids":["12","11"],)"
                                    R"("winning_asset_id":"11","timestamp":"{}"}})",
                                    Listed{}.condition(), reversed.ms())) ==
        Lines{"11 phase closed", "11 resolution 1", "12 phase closed", "12 resolution 0"});
}

TEST_CASE("resolution: seen in the list where the socket never told it, split and void too") {
  const auto told = [](const std::string& members) {
    WithBooks run;
    Lines lines = run.list({{.more = R"("closed":true,)" + members}});
    std::erase_if(lines, [](const std::string& line) { return line.find("phase") != std::string::npos; });
    return lines;
  };
  CHECK(told(R"("outcomePrices":["0","1"],)") == Lines{"11 resolution 0", "12 resolution 1"});
  CHECK(told(R"("umaResolutionStatus":"resolved","outcomePrices":["0.5","0.5"],)") ==
        Lines{"11 resolution 0.5", "12 resolution 0.5"});
  CHECK(told(R"("umaResolutionStatus":"resolved","outcomePrices":["0","0"],)") ==
        Lines{"11 annulment", "12 annulment"});
  CHECK(told(R"("outcomePrices":["0.5","0.5"],)").empty());
}

TEST_CASE("resolution: by the order book's word on one market") {
  const auto info = [](const std::string& members) {
    return R"({"condition_id":")" + Listed{}.condition() + R"(",)" + members + "}";
  };
  const std::string tokens = R"("tokens":[{"token_id":"12","winner":true},{"token_id":"11","winner":false}])";
  WithBooks won;
  CHECK(won.tell("market info", info(R"("closed":true,"accepting_orders":true,)" + tokens)).back() ==
        "12 resolution 1");
  CHECK(won.of("11").payout == 0.0);
  WithBooks split;
  CHECK(split.tell("market info", info(R"("closed":true,"is_50_50_outcome":true,"tokens":[])")).size() == 4);
  CHECK(split.of("11").payout == 0.5);
  WithBooks closed;
  CHECK(closed.tell("market info", info(R"("closed":true,"tokens":[])")) ==
        Lines{"11 phase closed", "12 phase closed"});
  CHECK(closed.following().first_tier.empty());
  WithBooks open;
  CHECK(open.tell("market info", info(R"("closed":false,"accepting_orders":true,"tokens":[])")).empty());
  CHECK(open.tell("market info", info(R"("closed":false,"accepting_orders":false,"tokens":[])")).size() == 2);
}

TEST_CASE("resolution: a socket that names no winner says that it is over, and who won is asked") {
  WithBooks run;
  CHECK(run.market(resolved(1, "", run.ms())) == Lines{"11 phase closed", "12 phase closed"});
  run.list({});
  CHECK(run.following().unlisted == Lines{Listed{}.condition()});
}

TEST_CASE("phases: proposed, disputed, closed and open again, as the list tells") {
  WithBooks run;
  CHECK(run.list({{.more = R"("umaResolutionStatus":"proposed",)"}}) ==
        Lines{"11 phase proposed", "12 phase proposed"});
  CHECK(run.following().first_tier.empty());
  CHECK_FALSE(run.of("11").book.trusted);
  CHECK(run.market(book("11", "0.48x10", "0.49x30", run.ms())).empty());
  CHECK(run.list({{.more = R"("umaResolutionStatus":"disputed",)"}}) ==
        Lines{"11 phase disputed", "12 phase disputed"});
  CHECK(run.list({{.more = R"("umaResolutionStatus":"disputed",)"}}).empty());
  CHECK(run.list({{.more = R"("acceptingOrders":false,)"}}) == Lines{"11 phase closed", "12 phase closed"});
  CHECK(run.list({{}}) == Lines{"11 phase left", "12 phase left", "11 phase trading", "12 phase trading"});
  CHECK(run.following().first_tier == Lines{"11", "12"});
}

TEST_CASE("quotes: the middle where both sides are there, else the last trade, else nothing") {
  Run run;
  run.list({{}});
  CHECK(run.tell("quotes", R"({"11":{"BUY":"0.48","SELL":"0.50","LAST":"0.1"}})") == Lines{"11 price 0.49"});
  CHECK(run.of("11").bid == Price::from_nanos(480'000'000));
  CHECK(run.tell("quotes", R"({"11":{"SELL":"0.50","LAST":"0.47"},"12":{"BUY":"0.2"},"99":{"LAST":"0.3"}})") ==
        Lines{"11 price 0.47"});
  CHECK(run.tell("quotes", R"({"11":{"BUY":"0.50","SELL":"0.50"}})").empty());
  CHECK(run.refused("crossed quotes") == 1);
  WithBooks known;
  CHECK(known.tell("quotes", R"({"11":{"BUY":"0.1","SELL":"0.2"}})").empty());  // its book knows better
}

TEST_CASE("history: prices of the past for the token's instrument; a coarse series fills nothing") {
  Run run;
  run.list({{}});
  const std::int64_t to = kStart.us() / 1'000'000;
  const auto history = [&](std::int64_t every) {
    std::string points;
    for (std::int64_t t = to - 7'200 + every; t <= to; t += every)
      points += fmt::format(R"({}{{"t":{},"p":0.5}})", points.empty() ? "" : ",", t);
    return fmt::format(R"({{"token":"11","from":{},"to":{},"history":[{}],"problem":""}})", to - 7'200, to, points);
  };
  CHECK(run.tell("history", history(900)) == Lines{"11 past prices 8"});
  CHECK(run.tell("history", history(3'600)) ==
        Lines{"11 past prices 0 the venue's prices of this time are 1h apart, coarser than 15m"});
  CHECK(run.tell("history", R"({"token":"5","from":1770000000,"to":1770001800,"history":[]})") ==
        Lines{"!history of an unknown token"});
}

TEST_CASE("fields: volume and liquidity, when they change by more than a hundredth") {
  VenueRules rules;
  rules.fields = {"volume_24h", "liquidity"};
  Run run{rules};
  CHECK(run.list({{}}) == Lines{"11 fields 50000 1000", "12 fields 50000 1000"});
  CHECK(run.list({{.volume = 50'400}}).empty());
  CHECK(run.list({{.volume = 50'600}}) == Lines{"11 fields 50600 1000", "12 fields 50600 1000"});
}

TEST_CASE("rules that contradict each other and fields that a venue does not have are errors") {
  Instruments instruments;
  const auto message = [&](auto change) {
    VenueRules rules;
    change(rules);
    const auto made = VenueInterpreter::make(rules, instruments);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == Code::Config);
    return made.error().message;
  };
  CHECK(message([](VenueRules& r) { r.fields = {"open_interest"}; }).find("open_interest") != std::string::npos);
  CHECK(message([](VenueRules& r) { r.mid_from = 0.95; }).find("venue.mid_from") != std::string::npos);
  CHECK(message([](VenueRules& r) { r.leave_below = 0.06; }).find("venue.leave_below") != std::string::npos);
}

TEST_CASE("unknown channels and answers that are none are refused and counted") {
  Run run;
  CHECK(run.tell("weather", "{}") == Lines{"!unknown channel"});
  for (const char* channel : {"gamma", "books", "quotes", "trades", "history", "market info", "control"}) {
    CHECK(run.tell(channel, "<html>503</html>") == Lines{"!unreadable message"});
  }
  CHECK(run.refused("unreadable message") == 7);
}

TEST_CASE("checkpoint: what is known of markets comes back; of the books it is said that they are unknown") {
  WithBooks run;
  run.list({{.n = 1}, {.n = 2}, {.n = 3}});
  run.list({{.n = 1}, {.n = 2, .more = R"("umaResolutionStatus":"disputed",)"}, {.n = 3}});
  run.market(resolved(3, "31", run.ms()));
  ByteWriter out;
  run.interpreter->encode(out);

  Run next;
  ByteWriter table;
  run.instruments.encode(table);
  ByteReader table_bytes{table.bytes()};
  next.instruments = *Instruments::decode(table_bytes);
  ByteReader in{out.bytes()};
  REQUIRE(next.interpreter->decode(in));
  CHECK(in.at_end());
  ByteWriter again;
  next.interpreter->encode(again);
  CHECK(next.following().first_tier == run.following().first_tier);
  CHECK(next.following().version == run.following().version + 1);

  next.now = run.now;
  CHECK(next.tell("control", "{}") == Lines{"11 doubt", "12 doubt"});
  CHECK(next.tell("control", "{}").empty());
  CHECK(next.market(change("11", "BUY", "0.4", "1", next.ms())).empty());
  CHECK(next.market(book("11", "0.4x1", "0.6x1", next.ms())).size() == 1);
  CHECK(next.market(resolved(3, "31", next.ms())).empty());  // known to be over
  CHECK(next.list({{.n = 1}, {.n = 2, .more = R"("umaResolutionStatus":"disputed",)"}}).empty());

  for (std::size_t cut = 0; cut < out.bytes().size(); ++cut) {
    Run damaged;
    damaged.instruments = run.instruments;
    ByteReader part{std::string_view{out.bytes()}.substr(0, cut)};
    CHECK_FALSE(damaged.interpreter->decode(part));
  }
}

TEST_CASE("the connection of the samples, both directions: what each frame means") {
  const auto lines = shared_lines("protocols/samples/polymarket/ws_market/feed_handmade.jsonl");
  if (lines.empty()) return;
  Run run;
  run.now = Timestamp{1'786'728'432'000'000};
  std::vector<std::string> frames;
  for (const std::string& line : lines) {
    auto json = JsonIn::parse(line);
    REQUIRE(json);
    std::string dir, frame;
    json->get("dir", dir);
    json->get("frame", frame);
    if (dir == "in") frames.push_back(frame);
  }
  // The market as the list would have it, from the first frame's ids.
  const auto id = [&](std::size_t nth) {
    std::size_t at = 0;
    for (std::size_t i = 0; i <= nth; ++i) at = frames[0].find(R"("asset_id":")", at) + 12;
    return frames[0].substr(at, frames[0].find('"', at) - at);
  };
  const std::string condition = frames[0].substr(frames[0].find("0x"), 66);
  run.tell("gamma", fmt::format(R"([{{"conditionId":"{}","question":"Q","outcomes":["Up","Down"],)"
                                R"("clobTokenIds":["{}","{}"],"bestBid":0.47,"bestAsk":0.49,"volume24hr":50000,)"
                                R"("endDate":"2026-12-24T00:00:00Z","active":true,"acceptingOrders":true,)"
                                R"("enableOrderBook":true}}])",
                                condition, id(0), id(1)));
  run.tell("gamma end", "{}");
  REQUIRE(run.following().first_tier.size() == 2);
  std::vector<std::size_t> counts;
  for (const std::string& frame : frames) {
    run.now = Timestamp{std::max(run.now.us(), std::int64_t{1'786'728'440'000'000})};
    if (frame.find("17867286") != std::string::npos)
      run.now = Timestamp{1'786'728'601'000'000};
    else if (frame.find("17867285") != std::string::npos)
      run.now = Timestamp{1'786'728'501'000'000};
    else if (frame.find("178672846") != std::string::npos)
      run.now = Timestamp{1'786'728'468'000'000};
    const Lines told = run.market(frame);
    counts.push_back(told.size());
    for (const std::string& line : told) CHECK_FALSE(line.starts_with("!"));
  }
  // books, changes, best, PONG, removal, again, trade, book, tick, unknown, [], resolution
  CHECK(counts == std::vector<std::size_t>{2, 2, 0, 0, 2, 0, 1, 1, 0, 0, 0, 4});
  CHECK(run.interpreter->take_resyncs().empty());
  CHECK(run.of(id(0)).payout == 1.0);
  CHECK(run.of(id(1)).payout == 0.0);
  CHECK(run.instruments[run.instruments.find(id(0)).value()].tick_size == Price::from_nanos(1'000'000));
}

}  // namespace
}  // namespace everlearn
