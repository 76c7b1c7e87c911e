#include "io/venue_feed.hpp"

#include <atomic>
#include <mutex>
#include <set>

#include "core/json.hpp"
#include "io/test_web_peer.hpp"
#include "io/venue_interpreter.hpp"
#include "io/venue_rest.hpp"

namespace everlearn {
namespace {

using Wire = TestWebPeer::Wire;
using Asked = TestWebPeer::Asked;

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string book(const std::string& token, const std::string& hash) {
  return JsonOut{}
      .put("asset_id", token)
      .put("hash", hash)
      .put_list("bids", {})
      .put_list("asks", {})
      .put("event_type", "book")
      .text();
}

std::string books_of(const std::string& body, const std::string& hash) {
  std::string answer;
  for (const char* token : {"t1", "t2", "t3"})
    if (has(body, std::string{"\""} + token + "\"")) answer += (answer.empty() ? "" : ",") + book(token, hash);
  return "[" + answer + "]";
}

/// A venue whose sockets do as `serve` says and whose other answers may be replaced, path by path.
struct Venue {
  explicit Venue(TestWebPeer::Serve serve, std::map<std::string, TestWebPeer::Answer> answers = {})
      : replaced{std::move(answers)}, peer{std::move(serve), [this](const Asked& asked) { return answer(asked); }} {}

  std::string answer(const Asked& asked) {
    const std::string path = asked.target.substr(0, asked.target.find('?'));
    {
      const std::lock_guard lock{mutex};
      asks.push_back(asked);
    }
    for (const auto& [name, replacement] : replaced)
      if (path.starts_with(name)) return replacement(asked);
    if (path == "/markets/keyset") return TestWebPeer::ok(R"({"markets":[]})");
    if (path == "/books") return TestWebPeer::ok(books_of(asked.body, "h"));
    return TestWebPeer::answer(404, R"({"error":"not found"})");
  }
  std::vector<Asked> asked(const std::string& path) {
    const std::lock_guard lock{mutex};
    std::vector<Asked> found;
    for (const Asked& one : asks)
      if (one.target.starts_with(path)) found.push_back(one);
    return found;
  }

  std::mutex mutex;
  std::vector<Asked> asks;
  const std::map<std::string, TestWebPeer::Answer> replaced;
  TestWebPeer peer;
};

/// Answers each subscription with the books of its tokens, PING with PONG, and says `more` once.
TestWebPeer::Serve decent(std::vector<std::string> more = {}) {
  return [more](Wire& wire) {
    const auto words = wire.read_words();
    if (!words) return;
    wire.text(books_of(*words, "h"));
    for (const std::string& text : more) wire.text(text);
    while (const auto next = wire.read())
      if (*next == "PING") wire.text("PONG");
  };
}

struct Fed {
  explicit Fed(const Venue& venue, const std::function<void(FeedSettings&)>& change = {},
               const std::string& time = "12:00:00")
      : clock{Timestamp::parse("2026-03-01T" + time + "Z").value()} {
    FeedSettings settings;
    settings.venue.gamma = settings.venue.clob = settings.venue.data = venue.peer.origin("http");
    settings.venue.socket = venue.peer.origin("ws");
    settings.venue.first_event = Duration::seconds(20);  // longer than a test waits
    settings.venue.silence = Duration::seconds(20);
    if (change) change(settings);
    auto started = VenueFeed::start(settings, clock);
    REQUIRE(started);
    feed = std::move(*started);
  }
  void follow(const std::vector<std::string>& first, const std::vector<std::string>& second = {}) {
    Following following;
    following.version = ++version;
    following.first_tier = first;
    following.second_tier = second;
    for (const std::string& token : first) following.markets.push_back("0x" + token);
    feed->follow(following);
  }
  /// Takes what comes up to the first of that channel that holds `part`.
  Received next(const std::string& channel, const std::string& part = {}) {
    for (int i = 0; i < 10'000; ++i) {
      auto received = feed->take();
      if (!received) {
        (void)sleep_unless({}, Duration{2'000});
        continue;
      }
      CHECK(received->at > last);
      last = received->at;
      if (received->channel == channel && has(received->raw, part)) return *received;
    }
    FAIL("nothing of " << channel << " with " << part);
    return {};
  }

  ManualClock clock;
  std::unique_ptr<VenueFeed> feed;
  std::uint64_t version = 0;
  Timestamp last = Timestamp::min();
};

TEST_CASE("feed: the market list is read page by page, in falling order of volume, as far as volume matters") {
  const std::map<std::string, TestWebPeer::Answer> pages{
      {"/markets/keyset", [](const Asked& asked) {
         return TestWebPeer::ok(has(asked.target, "after_cursor=c%3D2")
                                    ? R"({"markets":[{"volume24hr":1}],"next_cursor":"c3"})"
                                    : R"({"markets":[{"volume24hr":90000}],"next_cursor":"c=2"})");
       }}};
  Venue venue{decent(), pages};
  Fed fed{venue};
  CHECK(has(fed.next("gamma").raw, "90000"));
  CHECK(has(fed.next("gamma").raw, "\"volume24hr\":1}"));
  CHECK(fed.next("gamma end").raw == R"({"listing":1})");
  const auto asked = venue.asked("/markets/keyset");
  REQUIRE(asked.size() == 2);
  CHECK(asked[0].target == "/markets/keyset?limit=100&closed=false&order=volume24hr&ascending=false");
}

TEST_CASE("feed: what is taken is stamped in rising order, and nothing comes at or before what was told") {
  Venue venue{decent()};
  Fed fed{venue};
  const Timestamp now = fed.clock.now() + Duration::seconds(5);
  (void)fed.next("gamma end");
  CHECK(fed.feed->told_until(now) == now);
  fed.follow({"t1"});
  CHECK(fed.next("market", "t1").at > now);
}

TEST_CASE("feed: what waits to be taken is not told yet") {
  Venue venue{decent()};
  Fed fed{venue};
  while (fed.feed->health().queued == 0) (void)sleep_unless({}, Duration{1'000});
  const Timestamp told = fed.feed->told_until(Timestamp::max());
  const auto first = fed.feed->take();
  REQUIRE(first);
  CHECK(told < first->at);
}

TEST_CASE("feed: each socket subscribes to its share of the followed assets") {
  std::mutex mutex;
  std::set<std::string> subscriptions;
  Venue venue{[&](Wire& wire) {
    if (const auto words = wire.read_words()) {
      const std::lock_guard lock{mutex};
      subscriptions.insert(*words);
    }
    wire.text("[]");
    wire.text(book("t1", "h"));
    wire.freeze();
  }};
  Fed fed{venue, [](FeedSettings& settings) { settings.venue.assets_per_socket = 2; }};
  fed.follow({"t1", "t2", "t3"});
  (void)fed.next("market", "t1");
  (void)fed.next("market", "t1");
  const std::lock_guard lock{mutex};
  CHECK(subscriptions ==
        std::set<std::string>{R"({"assets_ids":["t1","t2"],"type":"market","custom_feature_enabled":true})",
                              R"({"assets_ids":["t3"],"type":"market","custom_feature_enabled":true})"});
}

TEST_CASE("feed: a lost connection is doubted, opened again, and told anew") {
  std::atomic<int> connections = 0;
  Venue venue{[&](Wire& wire) {
    const int number = ++connections;
    if (!wire.read_words()) return;
    wire.text(book("t1", "h" + std::to_string(number)));
    if (number == 1) return wire.close(1013, "slow consumer: send buffer full");
    wire.freeze();
  }};
  Fed fed{venue};
  fed.follow({"t1"});
  (void)fed.next("market", "h1");
  CHECK(fed.next("control").raw ==
        R"({"doubt":["t1"],"reason":"closed by the server: 1013 \"slow consumer: send buffer full\""})");
  (void)fed.next("market", "h2");
  const FeedHealth health = fed.feed->health();
  REQUIRE(health.shards.size() == 1);
  CHECK(health.shards[0].reconnects == 1);
  CHECK(has(health.shards[0].last_error, "1013"));
}

TEST_CASE("feed: a socket that answers PING and tells nothing is frozen where books move, and is replaced") {
  std::atomic<int> connections = 0;
  const auto serve = [&](Wire& wire) {
    const std::string hash = ++connections == 1 ? "old" : "new";
    if (!wire.read_words()) return;
    wire.text(book("t1", hash));
    while (const auto words = wire.read())
      if (*words == "PING") wire.text("PONG");
  };
  Venue venue{serve, {{"/books", [](const Asked& asked) { return TestWebPeer::ok(books_of(asked.body, "new")); }}}};
  Fed fed{venue, [](FeedSettings& settings) { settings.venue.silence = Duration{300'000}; }};
  fed.follow({"t1"});
  (void)fed.next("market", "old");
  (void)fed.next("books", "new");
  CHECK(fed.next("control").raw == R"({"doubt":["t1"],"reason":"silent for 300ms, though books moved"})");
  (void)fed.next("market", "new");
}

TEST_CASE("feed: an asset that no socket tells is read by REST, and the others are not") {
  Venue deaf{[](Wire& wire) {
    // Knows t1 only, whatever is asked, and never says so.
    while (const auto words = wire.read()) {
      if (*words == "PING") wire.text("PONG");
      if (has(*words, "\"t1\"")) wire.text(book("t1", "h"));
    }
  }};
  Fed fed{deaf, [](FeedSettings& settings) {
            settings.venue.first_event = Duration{100'000};
            settings.poll_every = Duration{50'000};
          }};
  fed.follow({"t1", "t2"});
  while (fed.feed->health().polled == 0) (void)fed.next("books", "t2");
  const FeedHealth health = fed.feed->health();
  CHECK(health.polled == 1);
  CHECK(health.shards.size() == 2);  // t2 got a socket of its own on the way
  (void)fed.next("books", "t2");
  CHECK_FALSE(has(fed.next("books", "t2").raw, "t1"));
}

TEST_CASE("feed: a frame that is no JSON is kept as it came, its socket's assets are doubted and read anew") {
  Venue venue{decent({R"({"asset_id":"t1","bids":[)"})};
  Fed fed{venue};
  fed.follow({"t1", "t2"});
  (void)fed.next("market", R"({"asset_id":"t1","bids":[)");
  CHECK(fed.next("control").raw == R"({"doubt":["t1","t2"],"reason":"a frame that cannot be read"})");
  (void)fed.next("books", "t2");
  CHECK(fed.feed->health().malformed == 1);
}

TEST_CASE("feed: a frame beyond all limits ends its connection") {
  std::atomic<int> connections = 0;
  Venue venue{[&](Wire& wire) {
    const int number = ++connections;
    if (!wire.read_words()) return;
    wire.text(book("t1", "h" + std::to_string(number)));
    if (number == 1) wire.frame(0x81, "", 1ull << 40);
    wire.freeze();
  }};
  Fed fed{venue};
  fed.follow({"t1"});
  CHECK(has(fed.next("control").raw, "a frame of more than 8388608 bytes"));
  (void)fed.next("market", "h2");
}

TEST_CASE("feed: when nobody takes, frames are dropped, their assets doubted and read anew, and it goes on") {
  std::atomic<bool> flooded = false;
  Venue venue{[&](Wire& wire) {
    if (!wire.read_words()) return;
    for (int i = 0; i < 300; ++i) wire.text(book("t1", std::to_string(i)));
    flooded = true;
    wire.read_words();
  }};
  Fed fed{venue, [](FeedSettings& settings) { settings.most_queued = 100; }};
  fed.follow({"t1"});
  while (fed.feed->health().dropped == 0 || !flooded) (void)sleep_unless({}, Duration{2'000});
  CHECK(fed.feed->health().queued < 110);
  CHECK(fed.next("control").raw == R"({"doubt":["t1"],"reason":"more came than could be taken"})");
  (void)fed.next("books", "t1");
}

TEST_CASE("feed: a storm of 429 and 5xx is waited out") {
  std::atomic<int> asked = 0;
  Venue venue{decent(), {{"/books", [&](const Asked& ask) {
                            const int n = ++asked;
                            if (n == 1) return TestWebPeer::answer(429, R"({"retry_after_seconds":0.1})");
                            if (n == 2) return TestWebPeer::answer(503, "<html>");
                            if (n == 3) return TestWebPeer::ok("[{\"asset_id\":");  // cut short
                            return TestWebPeer::ok(books_of(ask.body, "h"));
                          }}}};
  Fed fed{venue};
  fed.feed->resync({"t1"});
  (void)fed.next("books", "t1");
  CHECK(asked == 4);
  const FeedHealth health = fed.feed->health();
  CHECK(health.requests.at("books") == 4);
  CHECK(health.failed.at("books") == 2);
}

TEST_CASE("feed: where the venue says how long to stay away, nobody asks before, and other groups go on") {
  Venue venue{decent(),
              {{"/books", [](const Asked&) { return TestWebPeer::answer(429, "{}", "Retry-After: 500\r\n"); }}}};
  Fed fed{venue, [](FeedSettings& settings) { settings.venue.refresh = Duration{50'000}; }};
  fed.feed->resync({"t1"});
  while (venue.asked("/books").empty()) (void)sleep_unless({}, Duration{1'000});
  for (int listing = 0; listing < 20; ++listing) (void)fed.next("gamma end");
  CHECK(venue.asked("/books").size() == 1);
}

TEST_CASE("feed: followed markets below the last page are asked for by their tokens, and belong to the listing") {
  Venue venue{decent(), {{"/markets/keyset", [](const Asked& asked) {
                            return TestWebPeer::ok(has(asked.target, "clob_token_ids=t2")
                                                       ? R"({"markets":[{"slug":"below"}]})"
                                                       : R"({"markets":[{"clobTokenIds":["t1"],"volume24hr":1}]})");
                          }}}};
  Fed fed{venue, [](FeedSettings& settings) { settings.venue.refresh = Duration{100'000}; }};
  (void)fed.next("gamma end");
  fed.follow({"t1", "t2"});
  (void)fed.next("gamma", "below");
  (void)fed.next("gamma end");
  CHECK(has(venue.asked("/markets/keyset").back().target, "limit=100&closed=false"));
}

TEST_CASE("feed: trades that a lost connection may have missed are asked for once it is there again") {
  std::atomic<int> connections = 0;
  Venue venue{[&](Wire& wire) {
                const int number = ++connections;
                if (!wire.read_words()) return;
                wire.text(book("t1", "h"));
                if (number > 1) wire.freeze();
              },
              {{"/trades", [](const Asked&) { return TestWebPeer::ok(R"([{"asset":"t1"}])"); }}}};
  Fed fed{venue};
  fed.follow({"t1"});
  CHECK(fed.next("trades").raw == R"([{"asset":"t1"}])");
  CHECK(venue.asked("/trades").at(0).target == "/trades?limit=1000&takerOnly=true&market=0xt1");
}

TEST_CASE("feed: a market that the list has no more is asked for by itself") {
  Venue venue{decent(), {{"/markets/0xabc", [](const Asked&) { return TestWebPeer::ok(R"({"closed":true})"); }}}};
  Fed fed{venue};
  Following following;
  following.version = 1;
  following.unlisted = {"0xabc"};
  fed.feed->follow(following);
  CHECK(fed.next("market info").raw == R"({"closed":true})");
}

TEST_CASE("feed: the second tier is priced shortly before its grid time, prices as they stand") {
  Venue venue{decent(),
              {{"/prices",
                [](const Asked& asked) {
                  return asked.target == "/prices" ? TestWebPeer::ok(R"({"q1":{"BUY":"0.48","SELL":"0.49"},"q2":{}})")
                                                   : TestWebPeer::answer(404, "");
                }},
               {"/last-trades-prices",
                [](const Asked&) { return TestWebPeer::ok(R"([{"token_id":"q1","price":"0.485","side":"BUY"}])"); }}}};
  // Half a step before 12:00:30 is 12:00:15, and 12:00:00 lies before that.
  {
    Fed fed{venue, [](FeedSettings& settings) { settings.venue.second_tier_every = Duration::seconds(30); }};
    fed.follow({}, {"q1", "q2"});
    (void)fed.next("gamma end");
    CHECK(venue.asked("/prices").empty());
  }
  Fed fed{venue, [](FeedSettings& settings) { settings.venue.second_tier_every = Duration::minutes(15); }, "12:14:45"};
  fed.follow({}, {"q1", "q2"});
  CHECK(fed.next("quotes").raw == R"({"q1":{"BUY":"0.48","LAST":"0.485","SELL":"0.49"}})");
  CHECK(venue.asked("/prices").at(0).body == R"([{"token_id":"q1","side":"BUY"},{"token_id":"q1","side":"SELL"},)"
                                             R"({"token_id":"q2","side":"BUY"},{"token_id":"q2","side":"SELL"}])");
}

TEST_CASE("feed: holes of one time are asked for together, each gets its answer") {
  Venue venue{decent(), {{"/batch-prices-history", [](const Asked&) {
                            return TestWebPeer::ok(R"({"history":{"t1":[{"t":1,"p":0.5}],"t2":[]}})");
                          }}}};
  Fed fed{venue};
  const Timestamp from = fed.clock.now() - Duration::hours(8), to = fed.clock.now();
  fed.feed->ask_history({{"t1", from, to}, {"t2", from, to}});
  CHECK(fed.next("history").raw ==
        R"({"token":"t1","from":1772337600,"to":1772366400,"history":[{"t":1,"p":0.5}],"problem":""})");
  CHECK(fed.next("history").raw == R"({"token":"t2","from":1772337600,"to":1772366400,"history":[],"problem":""})");
  CHECK(venue.asked("/batch-prices-history").at(0).body ==
        R"({"markets":["t1","t2"],"start_ts":1772337600,"end_ts":1772366400,"fidelity":15})");
}

TEST_CASE("feed: a hole that the venue refuses to fill is answered with its words") {
  Venue venue{decent(), {{"/prices-history", [](const Asked&) {
                            return TestWebPeer::answer(400, R"({"error":"interval is too long"})");
                          }}}};
  Fed fed{venue};
  fed.feed->ask_history({{"t1", fed.clock.now() - Duration::hours(1), fed.clock.now()}});
  const std::string raw = fed.next("history").raw;
  CHECK(has(raw, R"("history":[])"));
  CHECK(has(raw, "HTTP 400"));
  CHECK(has(raw, "interval is too long"));
}

TEST_CASE("feed: a long hole is asked for in pieces of two weeks") {
  Venue venue{decent(), {{"/prices-history", [](const Asked& asked) {
                            const std::size_t at = asked.target.find("startTs=") + 8;
                            const std::string from = asked.target.substr(at, asked.target.find('&', at) - at);
                            return TestWebPeer::ok(R"({"history":[{"t":)" + from + R"(,"p":0.5}]})");
                          }}}};
  Fed fed{venue};
  fed.feed->ask_history({{"t1", fed.clock.now() - Duration::days(30), fed.clock.now()}});
  CHECK(
      has(fed.next("history").raw, R"([{"t":1769774400,"p":0.5},{"t":1770984000,"p":0.5},{"t":1772193600,"p":0.5}])"));
  CHECK(venue.asked("/prices-history").size() == 3);
}

TEST_CASE("feed: it ends at once, whatever is under way") {
  std::atomic<bool> asked = false;
  Venue venue{[](Wire& wire) { wire.freeze(); }, {{"/books", [&](const Asked&) {
                                                     asked = true;
                                                     (void)sleep_unless({}, Duration::seconds(2));
                                                     return std::string{};
                                                   }}}};
  Fed fed{venue};
  fed.follow({"t1"});
  fed.feed->resync({"t1"});
  while (!asked) (void)sleep_unless({}, Duration{1'000});
  fed.feed->stop();
  while (fed.feed->take()) {
  }
  CHECK(fed.feed->health().queued == 0);
}

TEST_CASE("feed: a venue that is away is said to be, in words for people") {
  std::string origin;
  { origin = TestWebPeer{{}}.port(); }
  ManualClock clock;
  FeedSettings settings;
  settings.venue.gamma = settings.venue.clob = settings.venue.data = "http://127.0.0.1:" + origin;
  settings.venue.socket = "ws://127.0.0.1:" + origin;
  settings.venue.silence = Duration{100'000};
  auto feed = VenueFeed::start(settings, clock);
  REQUIRE(feed);
  while (!(*feed)->health().blind) (void)sleep_unless({}, Duration{2'000});
  const auto lines = (*feed)->health().lines();
  CHECK(lines[0] == "sockets: 0 of 0 open, 0 assets, 0 frames, 0 reconnects");
  CHECK(has(lines[1], "requests: markets "));
  CHECK(has(lines[2], "last request: http://127.0.0.1:"));
}

TEST_CASE("feed: addresses that would leave this machine in the open are refused") {
  ManualClock clock;
  FeedSettings settings;
  settings.venue.socket = "ws://example.com";
  CHECK(VenueFeed::start(settings, clock).error().code == Code::Config);
  settings = {};
  settings.venue.clob = "http://example.com";
  CHECK(VenueFeed::start(settings, clock).error().code == Code::Config);
}

}  // namespace
}  // namespace everlearn
