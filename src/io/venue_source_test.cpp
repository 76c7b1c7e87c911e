#include "io/venue_source.hpp"

#include <atomic>

#include "core/json.hpp"
#include "io/received_line.hpp"
#include "io/test_web_peer.hpp"
#include "io/test_world.hpp"
#include "io/venue_interpreter.hpp"
#include "io/venue_rest.hpp"

namespace everlearn {
namespace {

using Wire = TestWebPeer::Wire;
using Asked = TestWebPeer::Asked;

const std::string kCondition = "0x" + std::string(64, 'a');
constexpr const char* kNow = "2026-03-01T12:00:00Z";
constexpr const char* kMillis = "1772366399000";  // a second before

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string listed_market() {
  return R"({"markets":[{"id":"1","conditionId":")" + kCondition +
         R"(","question":"Will it?","slug":"will-it","outcomes":"[\"Yes\",\"No\"]","outcomePrices":"[\"0.5\",\"0.5\"]",)"
         R"("clobTokenIds":"[\"111\",\"222\"]","active":true,"closed":false,"archived":false,"acceptingOrders":true,)"
         R"("enableOrderBook":true,"bestBid":0.49,"bestAsk":0.51,"volume24hr":50000,"liquidityNum":10000,)"
         R"("endDate":"2026-04-01T00:00:00Z","orderPriceMinTickSize":0.01,"orderMinSize":5}]})";
}

std::string book_of(const std::string& token, const std::string& bid, const std::string& ask) {
  return R"({"market":")" + kCondition + R"(","asset_id":")" + token + R"(","timestamp":")" + kMillis +
         R"(","hash":"h","bids":[{"price":")" + bid + R"(","size":"10"}],"asks":[{"price":")" + ask +
         R"(","size":"20"}],"event_type":"book"})";
}

std::string books() { return "[" + book_of("111", "0.49", "0.51") + "," + book_of("222", "0.49", "0.51") + "]"; }

std::string trade() {
  return R"({"market":")" + kCondition + R"(","asset_id":"111","price":"0.5","size":"7","side":"BUY","timestamp":")" +
         kMillis + R"(","event_type":"last_trade_price"})";
}

std::string tick_size() {
  return R"({"market":")" + kCondition +
         R"(","asset_id":"111","old_tick_size":"0.01","new_tick_size":"0.001","timestamp":")" + kMillis +
         R"(","event_type":"tick_size_change"})";
}

/// One market with two tokens; `more` is said after the books of the first connection.
struct OneMarket {
  explicit OneMarket(std::vector<std::string> more = {}, bool closes = false)
      : peer{[this, more, closes](Wire& wire) {
               const bool first = ++connections == 1;
               if (!wire.read_words()) return;
               wire.text(books());
               if (first)
                 for (const std::string& text : more) wire.text(text);
               if (first && closes) return wire.close(1013, "slow");
               wire.freeze();
             },
             [](const Asked& asked) {
               if (asked.target.starts_with("/markets/keyset")) return TestWebPeer::ok(listed_market());
               if (asked.target == "/books") return TestWebPeer::ok(books());
               if (asked.target.starts_with("/prices-history"))
                 return TestWebPeer::ok(R"({"history":[{"t":1772363700,"p":0.47},{"t":1772364600,"p":0.48}]})");
               return TestWebPeer::answer(404, R"({"error":"not found"})");
             }} {}
  std::atomic<int> connections = 0;
  TestWebPeer peer;
};

struct Watched {
  explicit Watched(const OneMarket& market, const std::string& record = {}, const std::string& position = {}) {
    world.clock.set(Timestamp::parse(kNow).value());
    options.feed.venue.gamma = options.feed.venue.clob = options.feed.venue.data = market.peer.origin("http");
    options.feed.venue.socket = market.peer.origin("ws");
    options.record = record;
    if (!record.empty()) REQUIRE(world.fs.make_directories(parent_directory(record)));
    auto opened = open_venue(world.world, options, world.instruments);
    REQUIRE(opened);
    source = std::move(*opened);
    if (!position.empty()) REQUIRE(source->seek(position));
  }
  /// Reads until a line holds `part`; all lines stay in `lines`.
  bool until(const std::string& part) {
    for (int i = 0; i < 10'000; ++i) {
      bool found = false;
      for (std::string& line : all_told(*source, world.instruments)) {
        found = found || has(line, part);
        lines.push_back(std::move(line));
      }
      if (found) return true;
      (void)sleep_unless({}, Duration{2'000});
    }
    return false;
  }

  TestWorld world;
  VenueSourceOptions options;
  std::unique_ptr<Source> source;
  std::vector<std::string> lines;
};

TEST_CASE("venue source: the list chooses a market, its socket tells both books, and status knows") {
  OneMarket market;
  Watched watched{market};
  CHECK(watched.until("222"));
  CHECK(watched.world.instruments.size() == 2);
  const Instrument& first = watched.world.instruments[*watched.world.instruments.find("111")];
  CHECK(first.market == kCondition);
  CHECK(first.complement == "222");
  const SourceReport& report = watched.source->report();
  CHECK(report.followed == 1);
  CHECK(report.trouble.empty());
  CHECK(has(report.health.at(0), "sockets: 1 of 1 open, 2 assets"));
  CHECK_FALSE(watched.source->remembers());
}

TEST_CASE("venue source: a new tick size is the instrument's from then on") {
  OneMarket market{{tick_size(), trade()}};
  Watched watched{market};
  CHECK(watched.until("111 "));
  while (!watched.world.instruments[*watched.world.instruments.find("111")].tick_size ||
         watched.world.instruments[*watched.world.instruments.find("111")].tick_size->text() != "0.001")
    (void)all_told(*watched.source, watched.world.instruments);
  CHECK(watched.source->report().refused.empty());
}

TEST_CASE("venue source: what was recorded tells the same events again, in the same order") {
  OneMarket market{{trade(), R"({"asset_id":"111","bids":[)"}, true};
  Watched watched{market, "records/run.jsonl"};
  CHECK(watched.until("doubt"));
  CHECK(watched.until("b0.49"));
  const auto recorded = watched.world.read("records/run.jsonl");
  TestWorld again;
  auto interpreter = VenueInterpreter::make(watched.options.feed.venue.rules, again.instruments);
  REQUIRE(interpreter);
  ReceivedReader reader;
  std::vector<std::string> lines;
  Timestamp last = Timestamp::min();
  for (std::size_t at = 0; at < recorded.size();) {
    const std::size_t end = recorded.find('\n', at);
    REQUIRE(end != std::string::npos);
    const auto received = reader.read(std::string_view{recorded}.substr(at, end - at));
    REQUIRE(received);
    CHECK(received->at > last);
    last = received->at;
    std::vector<Event> events;
    (void)static_cast<bool>(interpreter->read(*received, events));
    for (const Event& event : events) lines.push_back(told(event, again.instruments));
    at = end + 1;
  }
  CHECK(lines == watched.lines);
  CHECK(has(watched.world.read("records/run.jsonl"), R"("channel":"control")"));
}

TEST_CASE("venue source: a hole is answered with prices of the past") {
  OneMarket market;
  Watched watched{market};
  REQUIRE(watched.until("222"));
  const Timestamp to = Timestamp::parse("2026-03-01T11:30:00Z").value();
  watched.source->ask_past({{*watched.world.instruments.find("111"), to - Duration::minutes(30), to}});
  for (int i = 0; i < 10'000; ++i) {
    auto event = watched.source->next();
    REQUIRE(event);
    if (!*event) {
      (void)sleep_unless({}, Duration{2'000});
      continue;
    }
    const auto* past = std::get_if<PastPrices>(&(*event)->what);
    if (past == nullptr) continue;
    CHECK(past->to == to);
    CHECK(past->problem == "");
    REQUIRE(past->prices.size() == 2);
    CHECK(past->prices[0].second.text() == "0.47");
    return;
  }
  FAIL("no answer");
}

TEST_CASE("venue source: a restart knows its markets before the list comes, and that the books are in doubt") {
  std::string position;
  Instruments then;
  OneMarket market;
  {
    Watched watched{market};
    REQUIRE(watched.until("222"));
    position = watched.source->position();
    then = watched.world.instruments;
  }
  Watched later{market};
  later.source.reset();
  later.world.instruments = then;
  auto opened = open_venue(later.world.world, later.options, later.world.instruments);
  REQUIRE(opened);
  later.source = std::move(*opened);
  REQUIRE(later.source->seek(position));
  CHECK(later.until("222"));
  CHECK(later.source->report().followed == 1);
  CHECK(open_venue(later.world.world, later.options, later.world.instruments).value()->seek("x").error().code ==
        Code::Damaged);
}

TEST_CASE("venue source: a full disk ends the recording and nothing else") {
  OneMarket market{{trade()}};
  Watched watched{market, "records/run.jsonl"};
  watched.world.fs.set_capacity(100);
  CHECK(watched.until("222"));
  (void)all_told(*watched.source, watched.world.instruments);
  const auto& health = watched.source->report().health;
  REQUIRE(!health.empty());
  CHECK(health.back().starts_with("recording to records/run.jsonl ended: "));
}

TEST_CASE("venue source: a recording is appended to, and a line that a crash cut short stays one line") {
  OneMarket market;
  Watched first{market};
  first.world.write("records/run.jsonl", "{\"received\":\"2026");
  first.source.reset();
  first.options.record = "records/run.jsonl";
  auto opened = open_venue(first.world.world, first.options, first.world.instruments);
  REQUIRE(opened);
  first.source = std::move(*opened);
  REQUIRE(first.until("222"));
  (void)all_told(*first.source, first.world.instruments);
  CHECK(
      first.world.read("records/run.jsonl").starts_with("{\"received\":\"2026\n{\"received\":\"2026-03-01T12:00:00."));
}

}  // namespace
}  // namespace everlearn
