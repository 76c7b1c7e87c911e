// Machines with directories of their own, /a and /b, and the place of the state, /state, on one file system that loses
// what was not synced. A run is: pull, change something, push.
#include "app/state_sync.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <functional>
#include <map>

#include "app/state_lease.hpp"
#include "core/sim_fs.hpp"

namespace everlearn {
namespace {

using Files = std::map<std::string, std::string>;

struct Machines {
  SimFs fs;
  ManualClock clock{*Timestamp::parse("2026-01-04T00:00:00Z")};
  std::unique_ptr<ObjectStore> store = open_directory_store(fs, "/state", "one");

  void write(const std::string& path, std::string_view bytes) {
    REQUIRE(fs.make_directories(parent_directory(path)));
    REQUIRE(replace_file(fs, path, bytes));
  }
  std::string read(const std::string& path) {
    const auto bytes = read_file(fs, path);
    return bytes ? *bytes : "(none)";
  }
  /// The part of a directory that travels.
  Files files(const std::string& directory) {
    Files all;
    const auto paths = state_paths(fs, directory);
    if (!paths) return all;
    for (const std::string& path : *paths) all[path] = read(directory + "/" + path);
    return all;
  }
  StateSync sync(int keep = 10) { return {fs, clock, *store, "test", keep}; }
  PullReport pull(const std::string& directory) {
    const auto report = sync().pull(directory);
    REQUIRE_MESSAGE(report, (report ? "" : report.error().message));
    return *report;
  }
  PushReport run(const std::string& directory, const Files& changes, int keep = 10) {
    StateSync both = sync(keep);
    REQUIRE(both.pull(directory));
    for (const auto& [path, bytes] : changes) write(directory + "/" + path, bytes);
    const auto report = both.push(directory);
    REQUIRE_MESSAGE(report, (report ? "" : report.error().message));
    return *report;
  }
  /// What pull() into an empty directory finds, or complains of.
  Files fresh() {
    REQUIRE(fs.remove_tree("/fresh"));
    const auto pulled = sync().pull("/fresh");
    if (!pulled) return {{"error", pulled.error().message}};
    return files("/fresh");
  }
  /// Files of the place with this in their name.
  std::vector<std::string> stored(const std::string& part) {
    std::vector<std::string> found;
    for (const char* prefix : {"objects/", "snapshots/", "head"}) {
      const auto names = store->list(prefix);
      REQUIRE(names);
      for (const std::string& name : *names)
        if (name.find(part) != std::string::npos) found.push_back("/state/" + name);
    }
    return found;
  }
};

TEST_CASE("state: machines take turns, and each finds what the other left") {
  Machines world;
  CHECK(world.run("/a", {{"everlearn.db", "one"}, {"lake/prices/1.parquet", "rows"}}).snapshot == 1);
  CHECK(world.run("/b", {{"everlearn.db", "one two"}, {"models/m/card.json", ""}}).snapshot == 2);
  const PullReport back = world.pull("/a");
  CHECK(back.snapshot == 2);
  CHECK(back.set_aside == 0);
  CHECK(world.files("/a") ==
        Files{{"everlearn.db", "one two"}, {"lake/prices/1.parquet", "rows"}, {"models/m/card.json", ""}});
  CHECK(world.fresh() == world.files("/a"));
}

TEST_CASE("state: a run that made nothing leaves an empty state empty") {
  Machines world;
  REQUIRE(world.fs.make_directories("/a"));
  CHECK(world.run("/a", {}).unchanged);
  CHECK(world.pull("/b").snapshot == 0);
}

TEST_CASE("state: what belongs to a machine stays there") {
  Machines world;
  world.run("/a", {{"everlearn.db", "one"},
                   {"lock", "process 1"},
                   {"logs/everlearn.jsonl", "{}"},
                   {"jobs/1/job.json", "{}"},
                   {"lake/.tmp/1.parquet", "half"},
                   {"report.html.tmp", "half"},
                   {"quarantine/input/prices.csv", "kept"}});
  CHECK(world.fresh() == Files{{"everlearn.db", "one"}, {"quarantine/input/prices.csv", "kept"}});
}

TEST_CASE("state: only the pieces that changed travel") {
  Machines world;
  std::string database(2 * kPieceBytes + 10, 'x');
  world.run("/a", {{"everlearn.db", database}, {"lake/1.parquet", "rows"}});
  database.back() = 'y';
  const PushReport report = world.run("/a", {{"everlearn.db", database}});
  CHECK(report.sent == 1);
  CHECK(report.sent_bytes == 10);
  CHECK(world.run("/a", {}).unchanged);
  CHECK(world.pull("/b").fetched == 2);
  CHECK(world.pull("/b").fetched == 0);
  CHECK(world.read("/b/everlearn.db") == database);
}

TEST_CASE("state: of two runs on the same snapshot the second is refused, and overwrites nothing") {
  Machines world;
  world.run("/a", {{"everlearn.db", "one"}});
  StateSync slow = world.sync();
  REQUIRE(slow.pull("/a"));
  world.run("/b", {{"everlearn.db", "one, b"}});
  world.write("/a/everlearn.db", "one, a");
  const auto refused = slow.push("/a");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::InUse);
  CHECK(refused.error().message.find("after snapshot 1") != std::string::npos);
  CHECK(world.fresh() == Files{{"everlearn.db", "one, b"}});
  // The next pull there keeps the refused work, outside the state.
  CHECK(world.pull("/a").set_aside == 1);
  CHECK(world.read("/a/everlearn.db") == "one, b");
  const auto moments = world.fs.list("/a/quarantine/before-pull");
  REQUIRE(moments->size() == 1);
  CHECK(world.read("/a/quarantine/before-pull/" + moments->front().name + "/everlearn.db") == "one, a");
  CHECK(world.run("/a", {}).unchanged);
}

TEST_CASE("state: work that a killed run left in SQLite's log is set aside with its database") {
  Machines world;
  world.run("/a", {{"everlearn.db", "one"}});
  world.write("/a/everlearn.db-wal", "two");
  world.write("/a/everlearn.db-shm", "index");
  CHECK(world.pull("/a").set_aside == 2);
  CHECK(world.files("/a") == Files{{"everlearn.db", "one"}});
  CHECK_FALSE(world.fs.exists("/a/everlearn.db-wal"));
  CHECK_FALSE(world.fs.exists("/a/everlearn.db-shm"));
}

TEST_CASE("state: an open database is not pushed") {
  Machines world;
  StateSync sync = world.sync();
  REQUIRE(sync.pull("/a"));
  world.write("/a/everlearn.db", "one");
  world.write("/a/everlearn.db-wal", "two");
  CHECK(sync.push("/a").error().code == Code::InUse);
  CHECK(world.fresh().empty());
}

TEST_CASE("state: killed at any step of a push, the state is the old snapshot or the new one, whole") {
  const Files old{{"everlearn.db", "one"}, {"lake/1.parquet", "rows"}, {"models/a", "model"}};
  const Files young{
      {"everlearn.db", "one two"}, {"lake/1.parquet", "rows"}, {"lake/2.parquet", "more"}, {"models/a", "model"}};
  int as_before = 0, done = 0;
  for (std::uint64_t step = 1; done == 0; ++step) {
    Machines world;
    world.run("/a", old);
    StateSync sync = world.sync();
    REQUIRE(sync.pull("/a"));
    for (const auto& [path, bytes] : young) world.write("/a/" + path, bytes);
    world.fs.cut_power_at(world.fs.operations() + step);
    const bool pushed = sync.push("/a").has_value();
    world.fs.crash();
    world.store = open_directory_store(world.fs, "/state", "two");
    const Files found = world.fresh();
    CHECK((found == young || (found == old && !pushed)));
    as_before += found == old;
    // Another machine goes on from it.
    CHECK(world.run("/c", {{"everlearn.db", "one two three"}}).snapshot == (found == old ? 2 : 3));
    CHECK(world.fresh()["everlearn.db"] == "one two three");
    done += pushed;
  }
  CHECK(as_before > 20);
}

TEST_CASE("state: killed at any step of a pull, a directory has its database only when it is whole") {
  const Files all{{"everlearn.db", "one two"}, {"lake/1.parquet", "rows"}, {"lake/2.parquet", "more"}};
  int missing = 0;
  for (std::uint64_t step = 1;; ++step) {
    Machines world;
    world.run("/a", {{"everlearn.db", "one"}, {"lake/1.parquet", "rows"}});
    world.pull("/b");
    world.run("/a", all);
    world.fs.cut_power_at(world.fs.operations() + step);
    const bool pulled = world.sync().pull("/b").has_value();
    world.fs.crash();
    const Files found = world.files("/b");
    missing += !found.contains("everlearn.db");
    if (found.contains("everlearn.db"))
      CHECK((found == all || found == Files{{"everlearn.db", "one"}, {"lake/1.parquet", "rows"}}));
    world.pull("/b");
    CHECK(world.files("/b") == all);
    CHECK(world.pull("/b").set_aside == 0);
    if (pulled) break;
  }
  CHECK(missing > 3);
}

TEST_CASE("state: a flipped bit is refused, wherever it is") {
  for (const std::string part : {"objects/", "snapshots/", "head"}) {
    Machines world;
    world.run("/a", {{"everlearn.db", "one"}});
    world.run("/a", {{"everlearn.db", "one two"}});
    const std::vector<std::string> names = world.stored(part);
    REQUIRE(!names.empty());
    int refused = 0;
    for (const std::string& name : names) {
      const std::string good = world.read(name);
      REQUIRE(good.size() > 0);
      for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 40) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 1);
        world.write(name, bad);
        const Files found = world.fresh();
        const bool told = found.contains("error");
        refused += told;
        CHECK((told || found == Files{{"everlearn.db", "one two"}}));
        CHECK_FALSE(world.fs.exists(told ? "/fresh/everlearn.db" : "/nowhere"));
      }
      world.write(name, good);
    }
    CHECK(refused >= 3);
    CHECK(world.fresh() == Files{{"everlearn.db", "one two"}});
  }
}

TEST_CASE("state: an older snapshot can be gone on from; the next one stands after the newest") {
  Machines world;
  for (const char* text : {"one", "one two", "one two three"}) world.run("/a", {{"everlearn.db", text}});
  StateSync sync = world.sync();
  REQUIRE(sync.pull("/b", 2)->snapshot == 2);
  CHECK(world.read("/b/everlearn.db") == "one two");
  CHECK(sync.push("/b")->snapshot == 4);
  CHECK(world.fresh() == Files{{"everlearn.db", "one two"}});
  const auto none = world.sync().pull("/b", 5);
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "/state: no snapshot 5: there are 1 to 4");
}

TEST_CASE("state: the last snapshots are kept; what nothing refers to for a day is removed, and told") {
  Machines world;
  const auto push = [&](const std::string& text) {
    world.clock.set(world.clock.now() + Duration::minutes(10));
    return world.run("/a", {{"everlearn.db", text}, {"lake/1.parquet", "rows"}}, 3);
  };
  for (int i = 1; i <= 6; ++i) CHECK(push(fmt::format("run {}", i)).dropped == (i > 3 ? 1 : 0));
  CHECK(world.stored("snapshots/").size() == 3);
  CHECK(world.stored("objects/").size() == 7);  // six databases, one file of the lake
  REQUIRE(world.store->put("objects/ab/left-by-a-killed-push", "half"));

  world.clock.set(world.clock.now() + Duration::days(1));
  CHECK(push("run 7").collected == 0);  // seen for the first time
  CHECK(push("run 8").collected == 0);  // looked through once a day
  world.clock.set(world.clock.now() + Duration::days(1));
  const PushReport report = push("run 9");
  CHECK(report.collected == 5);  // runs 1 to 4 and the half one; run 5 was still kept a day ago
  CHECK(report.uncollected == "");
  CHECK(world.sync(3).pull("/b", 7)->snapshot == 7);
  CHECK(world.sync(3).pull("/b", 6).error().code == Code::NotFound);
  CHECK(world.fresh() == Files{{"everlearn.db", "run 9"}, {"lake/1.parquet", "rows"}});
}

StateLease lease(Machines& world, const std::string& who) {
  return {*world.store, world.clock, {.owner = who + " 1", .who = who, .length = Duration::minutes(15)}};
}

TEST_CASE("lease: one run at a time; the next is told who and until when") {
  Machines world;
  StateLease one = lease(world, "runner-1"), two = lease(world, "runner-2");
  REQUIRE(one.take());
  const auto refused = two.take();
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == Code::InUse);
  CHECK(refused.error().message ==
        "/state is in use: leased by runner-1 since 2026-01-04T00:00:00Z until 2026-01-04T00:15:00Z");
  REQUIRE(one.release());
  REQUIRE(two.take());
  CHECK_FALSE(two.died());
  CHECK_FALSE(one.take());
}

TEST_CASE("lease: it lasts as long as it is kept, and of a run that died until it runs out") {
  Machines world;
  StateLease one = lease(world, "runner-1"), two = lease(world, "runner-2");
  REQUIRE(one.take());
  for (int minute = 1; minute <= 60; ++minute) {
    world.clock.set(world.clock.now() + Duration::minutes(1));
    REQUIRE(one.keep());
    CHECK_FALSE(two.take());
  }
  world.clock.set(world.clock.now() + Duration::minutes(16));
  REQUIRE(two.take());
  REQUIRE(two.died());
  CHECK(two.died()->starts_with("runner-1, since 2026-01-04T00:00:00Z until"));
  // The first was only slow: it learns that the lease is gone, and takes nothing back.
  CHECK(one.keep().error().code == Code::InUse);
  REQUIRE(one.release());
  CHECK(two.keep());
  CHECK_FALSE(one.take());
}

}  // namespace
}  // namespace everlearn
