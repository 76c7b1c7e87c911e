#include "io/venue_shards.hpp"

#include <algorithm>

#include <doctest/doctest.h>

namespace everlearn {
namespace {

constexpr Duration at(std::int64_t seconds) { return Duration::seconds(seconds); }

std::vector<std::string> assets(int from, int to) {
  std::vector<std::string> names;
  for (int i = from; i < to; ++i) names.push_back("a" + std::to_string(i));
  return names;
}

std::vector<HeardAsset> all_of(const std::vector<std::string>& names, const std::string& hash = "h") {
  std::vector<HeardAsset> heard;
  for (const std::string& name : names) heard.push_back({name, hash});
  return heard;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Three assets a socket, first events within 15 s, silence after 30 s.
struct Tested {
  VenueShards shards{{.assets_per_socket = 3}, 1};

  ShardOrders tick(std::int64_t seconds) {
    shards.tick(at(seconds));
    return shards.take_orders();
  }
  /// Follows the assets, opens shard 0 and lets `live` of them tell a book, all at second 0.
  void begin(const std::vector<std::string>& followed, const std::vector<std::string>& live) {
    shards.follow(followed, at(0));
    shards.opened(0, at(0));
    shards.heard(0, all_of(live), at(0));
    (void)shards.take_orders();
    (void)tick(2);  // settled
  }
};

TEST_CASE("shards: no socket has more assets than allowed, and room is used before a new socket is opened") {
  Tested t;
  t.shards.follow(assets(0, 7), at(0));
  CHECK(t.shards.take_orders().open == std::vector<std::uint32_t>{0, 1, 2});
  for (std::uint32_t shard = 0; shard < 3; ++shard) t.shards.opened(shard, at(1));
  const ShardOrders opened = t.shards.take_orders();
  REQUIRE(opened.send.size() == 3);
  CHECK(opened.send[0].second == R"({"assets_ids":["a0","a1","a2"],"type":"market","custom_feature_enabled":true})");
  t.shards.follow(assets(1, 9), at(2));  // one leaves, two come
  const ShardOrders changed = t.shards.take_orders();
  CHECK(changed.open.empty());
  REQUIRE(changed.send.size() == 3);
  CHECK(changed.send[0].second == R"({"operation":"unsubscribe","assets_ids":["a0"],"custom_feature_enabled":true})");
  CHECK(changed.send[1] == std::pair<std::uint32_t, std::string>{
                               0, R"({"operation":"subscribe","assets_ids":["a7"],"custom_feature_enabled":true})"});
  CHECK(changed.send[2].first == 2);
  for (const ShardState& state : t.shards.states()) CHECK(state.assets <= 3);
}

TEST_CASE("shards: a socket without assets is closed") {
  Tested t;
  t.begin(assets(0, 2), assets(0, 2));
  t.shards.follow({}, at(3));
  CHECK(t.shards.take_orders().close == std::vector<std::uint32_t>{0});
  CHECK(t.shards.states().empty());
}

TEST_CASE("shards: an asset without its first event climbs the ladder: subscribed again, a socket of its own, REST") {
  Tested t;
  t.begin(assets(0, 3), {"a0", "a1"});
  CHECK(t.tick(14).send.empty());
  const ShardOrders again = t.tick(15);
  REQUIRE(again.send.size() == 2);
  CHECK(has(again.send[0].second, R"("unsubscribe","assets_ids":["a2"])"));
  CHECK(has(again.send[1].second, R"("subscribe","assets_ids":["a2"])"));
  const auto others_tell = [&](std::int64_t second) { t.shards.heard(0, all_of({"a0", "a1"}), at(second)); };
  others_tell(29);
  const ShardOrders moved = t.tick(30);
  CHECK(moved.open == std::vector<std::uint32_t>{1});
  REQUIRE(moved.send.size() == 1);
  CHECK(has(moved.send[0].second, R"("unsubscribe","assets_ids":["a2"])"));
  CHECK(moved.doubts.empty());                // the others lost nothing
  t.shards.heard(0, all_of({"a2"}), at(30));  // late words of the socket it has left
  CHECK(t.shards.states()[1].waiting == 1);
  t.shards.opened(1, at(31));
  CHECK(has(t.shards.take_orders().send[0].second, R"(["a2"])"));
  others_tell(45);
  CHECK(t.shards.polled(at(45)).empty());
  const ShardOrders polled = t.tick(46);
  CHECK(polled.questions == std::vector<std::string>{"a2"});
  CHECK(t.shards.polled(at(46)) == std::vector<std::string>{"a2"});
  // It stays subscribed, is subscribed again now and then, and comes back by itself.
  others_tell(100);
  others_tell(150);
  CHECK(has(t.tick(196).send.at(1).second, R"("subscribe","assets_ids":["a2"])"));
  t.shards.heard(1, all_of({"a2"}), at(200));
  CHECK(t.shards.polled(at(200)).empty());
  CHECK(t.shards.states()[1].waiting == 0);
}

TEST_CASE("shards: where no asset tells anything the whole socket is replaced") {
  Tested t;
  t.begin(assets(0, 3), {});
  (void)t.tick(15);
  const ShardOrders replaced = t.tick(30);
  CHECK(replaced.close == std::vector<std::uint32_t>{0});
  CHECK(replaced.doubts.empty());  // there was nothing to lose
  CHECK(t.shards.states()[0].last_error == "no event of any of 3 assets");
  CHECK(t.tick(31).open == std::vector<std::uint32_t>{0});
  t.shards.opened(0, at(31));
  (void)t.tick(46);
  CHECK(t.shards.polled(at(46)).size() == 3);
}

TEST_CASE("shards: what has told nothing shortly after opening is read by REST") {
  Tested t;
  t.shards.follow(assets(0, 3), at(0));
  t.shards.opened(0, at(0));
  t.shards.heard(0, all_of({"a1"}), at(1));
  (void)t.shards.take_orders();
  CHECK(t.tick(1).books.empty());
  CHECK(t.tick(2).books == std::vector<std::string>{"a0", "a2"});
  CHECK(t.tick(3).books.empty());  // once
}

TEST_CASE("shards: a lost connection is doubted asset by asset and opened again, later each time") {
  Tested t;
  t.begin(assets(0, 3), {"a0", "a2"});
  t.shards.closed(0, "closed by the server: 1013", at(10));
  const ShardOrders lost = t.shards.take_orders();
  REQUIRE(lost.doubts.size() == 1);
  CHECK(lost.doubts[0].assets == std::vector<std::string>{"a0", "a2"});
  CHECK(lost.doubts[0].reason == "closed by the server: 1013");
  CHECK(lost.close.empty());
  CHECK(lost.open.empty());
  CHECK(lost.missed.empty());
  CHECK(t.tick(11).open == std::vector<std::uint32_t>{0});  // within a second
  std::int64_t most = 1;
  std::int64_t now = 11;
  for (int i = 0; i < 10; ++i) {
    t.shards.closed(0, "refused", at(now));
    most = std::min<std::int64_t>(most * 2, 60);
    CHECK(t.tick(now + most / 2 - 1).open.empty());
    CHECK(t.tick(now + most).open.size() == 1);
    now += most;
  }
  CHECK(t.shards.polled(at(now)).size() == 3);  // it has been down for long
  CHECK(t.shards.states()[0].reconnects == 11);
}

TEST_CASE("shards: a connection that lasted ends the row of failures; one that lets in and out does not") {
  Tested t;
  t.begin(assets(0, 1), assets(0, 1));
  std::int64_t now = 0;
  for (int i = 0; i < 5; ++i) {
    t.shards.closed(0, "out", at(now));
    while (t.tick(now).open.empty()) ++now;
    t.shards.opened(0, at(now));
  }
  CHECK(now > 15);
  t.shards.heard(0, all_of({"a0"}), at(now + 40));
  t.shards.closed(0, "out", at(now + 40));
  CHECK(t.tick(now + 41).open.size() == 1);
}

TEST_CASE("shards: a socket that is silent while books move is frozen, whatever it answers to PING") {
  Tested t;
  t.begin(assets(0, 3), assets(0, 3));
  CHECK(t.tick(29).books.empty());
  const ShardOrders check = t.tick(30);
  CHECK(check.books == assets(0, 3));
  CHECK(check.doubts.empty());  // it may be a quiet market
  t.shards.read_by_rest({{"a0", "h"}, {"a1", "moved"}, {"a2", "h"}}, at(31));
  const ShardOrders frozen = t.shards.take_orders();
  REQUIRE(frozen.doubts.size() == 1);
  CHECK(frozen.doubts[0].assets == assets(0, 3));
  CHECK(frozen.doubts[0].reason == "silent for 30s, though books moved");
  CHECK(frozen.close == std::vector<std::uint32_t>{0});
  CHECK(t.tick(32).open == std::vector<std::uint32_t>{0});
  t.shards.opened(0, at(33));
  CHECK(t.shards.take_orders().missed == assets(0, 3));  // trades, now that no more are missed
}

TEST_CASE("shards: a quiet market is no frozen socket, and is looked at again") {
  Tested t;
  t.begin(assets(0, 3), assets(0, 3));
  (void)t.tick(30);
  t.shards.read_by_rest(all_of(assets(0, 3)), at(31));
  CHECK(t.shards.take_orders().close.empty());
  CHECK(t.tick(60).books.empty());
  CHECK(t.tick(61).books == assets(0, 3));
}

TEST_CASE("shards: an event that comes while REST is asked settles the question") {
  Tested t;
  t.begin(assets(0, 3), assets(0, 3));
  (void)t.tick(30);
  t.shards.heard(0, {{"a1", "moved"}}, at(31));
  t.shards.read_by_rest({{"a0", "h"}, {"a1", "moved too"}}, at(31));
  CHECK(t.shards.take_orders().close.empty());
}

TEST_CASE("shards: silence that REST cannot explain either ends the connection") {
  Tested t;
  t.begin(assets(0, 3), assets(0, 3));
  (void)t.tick(30);
  CHECK(t.tick(59).close.empty());
  CHECK(t.tick(60).close == std::vector<std::uint32_t>{0});
}

TEST_CASE("shards: what is said of other assets breaks no silence") {
  Tested t;
  t.begin(assets(0, 3), assets(0, 3));
  t.shards.heard(0, all_of({"b7"}), at(29));
  t.shards.heard(0, {}, at(29));
  CHECK(t.tick(30).books == assets(0, 3));
}

TEST_CASE("shards: a frame that cannot be read puts its whole socket in doubt; too many end it") {
  Tested t;
  t.begin(assets(0, 3), assets(0, 3));
  t.shards.malformed(0, at(3));
  const ShardOrders one = t.shards.take_orders();
  REQUIRE(one.doubts.size() == 1);
  CHECK(one.doubts[0].assets == assets(0, 3));
  CHECK(one.books == assets(0, 3));
  CHECK(one.close.empty());
  for (int i = 0; i < 10; ++i) t.shards.malformed(0, at(4));
  CHECK(t.shards.take_orders().close == std::vector<std::uint32_t>{0});
}

TEST_CASE("shards: frames that were thrown away put the assets they name in doubt, each once") {
  Tested t;
  t.begin(assets(0, 3), assets(0, 3));
  t.shards.dropped({{"a1", "x"}, {"a1", "y"}, {"b7", "z"}});
  const ShardOrders orders = t.shards.take_orders();
  REQUIRE(orders.doubts.size() == 1);
  CHECK(orders.doubts[0].assets == std::vector<std::string>{"a1"});
  CHECK(orders.books == std::vector<std::string>{"a1"});
}

TEST_CASE("shards: words about a shard that is no more are about nothing") {
  Tested t;
  t.begin(assets(0, 1), assets(0, 1));
  t.shards.follow({}, at(1));
  (void)t.shards.take_orders();
  t.shards.opened(0, at(2));
  t.shards.heard(0, all_of({"a0"}), at(2));
  t.shards.malformed(0, at(2));
  t.shards.closed(0, "late", at(2));
  t.shards.read_by_rest(all_of({"a0"}), at(2));
  const ShardOrders orders = t.tick(3);
  CHECK(orders.send.empty());
  CHECK(orders.open.empty());
  CHECK(orders.doubts.empty());
}

}  // namespace
}  // namespace everlearn
