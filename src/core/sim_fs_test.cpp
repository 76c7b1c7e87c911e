#include "core/sim_fs.hpp"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>
#include <rapidcheck.h>

using namespace everlearn;

namespace {

using Unsynced = SimFs::Unsynced;

/// A file with its name and `bytes` on the disk.
void put_durable(SimFs& fs, const std::string& path, std::string_view bytes) {
  auto file = fs.create(path).value();
  REQUIRE(file->append(bytes).has_value());
  REQUIRE(file->sync().has_value());
  REQUIRE(fs.sync_directory(parent_directory(path)).has_value());
}

std::string content(SimFs& fs, const std::string& path) {
  return fs.exists(path) ? read_file(fs, path).value() : "(none)";
}

std::string message(const Result<void>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error().message;
}

}  // namespace

TEST_CASE("sim fs: synced bytes under a synced name survive a power cut") {
  SimFs fs;
  put_durable(fs, "/a", "abc");
  fs.crash(Unsynced::Dropped);
  CHECK(content(fs, "/a") == "abc");
}

TEST_CASE("sim fs: bytes without a sync are gone") {
  SimFs fs;
  put_durable(fs, "/a", "abc");
  REQUIRE(fs.open_append("/a").value()->append("def").has_value());
  CHECK(content(fs, "/a") == "abcdef");
  fs.crash(Unsynced::Dropped);
  CHECK(content(fs, "/a") == "abc");
}

TEST_CASE("sim fs: a synced file without a synced directory has no name after the crash") {
  SimFs fs;
  auto file = fs.create("/a").value();
  REQUIRE(file->append("abc").has_value());
  REQUIRE(file->sync().has_value());
  fs.crash(Unsynced::Dropped);
  CHECK_FALSE(fs.exists("/a"));
}

TEST_CASE("sim fs: a name without synced bytes is an empty file") {
  SimFs fs;
  REQUIRE(fs.create("/a").value()->append("abc").has_value());
  REQUIRE(fs.sync_directory("/").has_value());
  fs.crash(Unsynced::Dropped);
  CHECK(content(fs, "/a").empty());
}

TEST_CASE("sim fs: a rename or removal without a synced directory is undone") {
  SimFs fs;
  put_durable(fs, "/a", "1");
  put_durable(fs, "/b", "2");
  REQUIRE(fs.rename("/a", "/b").has_value());
  CHECK(content(fs, "/b") == "1");
  fs.crash(Unsynced::Dropped);
  CHECK(content(fs, "/a") == "1");
  CHECK(content(fs, "/b") == "2");
  REQUIRE(fs.remove("/a").has_value());
  fs.crash(Unsynced::Dropped);
  CHECK(content(fs, "/a") == "1");
  REQUIRE(fs.remove("/a").has_value());
  REQUIRE(fs.sync_directory("/").has_value());
  fs.crash(Unsynced::Dropped);
  CHECK_FALSE(fs.exists("/a"));
}

TEST_CASE("sim fs: a directory whose own name is not synced takes its files along") {
  SimFs fs;
  REQUIRE(fs.make_directories("/a").has_value());
  REQUIRE(fs.make_directories("/a/b").has_value());
  put_durable(fs, "/a/b/c", "x");
  REQUIRE(fs.rename("/a/b", "/a/d").has_value());
  REQUIRE(fs.rename("/a", "/e").has_value());
  fs.crash(Unsynced::Dropped);
  CHECK(content(fs, "/a/b/c") == "x");
}

TEST_CASE("sim fs: make_directories is durable by itself") {
  SimFs fs;
  REQUIRE(fs.make_directories("/a/b/c").has_value());
  fs.crash(Unsynced::Dropped);
  CHECK(fs.exists("/a/b/c"));
}

TEST_CASE("sim fs: syncing one directory leaves the others unsynced") {
  SimFs fs;
  REQUIRE(fs.make_directories("/a").has_value());
  REQUIRE(fs.make_directories("/b").has_value());
  (void)fs.create("/a/x").value();
  (void)fs.create("/b/y").value();
  REQUIRE(fs.sync_directory("/a").has_value());
  fs.crash(Unsynced::Dropped);
  CHECK(fs.exists("/a/x"));
  CHECK_FALSE(fs.exists("/b/y"));
}

TEST_CASE("sim fs: a rename between directories reaches the disk as one step, with what came before it") {
  SimFs fs;
  REQUIRE(fs.make_directories("/a").has_value());
  REQUIRE(fs.make_directories("/b").has_value());
  (void)fs.create("/a/x").value();
  REQUIRE(fs.rename("/a/x", "/b/x").has_value());
  REQUIRE(fs.sync_directory("/b").has_value());
  fs.crash(Unsynced::Kept);
  CHECK(fs.exists("/b/x"));
  CHECK_FALSE(fs.exists("/a/x"));
}

TEST_CASE("sim fs: unsynced writes are kept, dropped or torn at a sector") {
  std::set<std::size_t> sizes;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    SimFs fs{seed};
    put_durable(fs, "/a", std::string(100, 'a'));
    REQUIRE(fs.open_append("/a").value()->append(std::string(1'500, 'b')).has_value());
    fs.crash();
    const std::string bytes = content(fs, "/a");
    CHECK(bytes == std::string(100, 'a') + std::string(bytes.size() - 100, 'b'));
    sizes.insert(bytes.size());
  }
  CHECK(sizes == std::set<std::size_t>{100, 512, 1'024, 1'536, 1'600});
}

TEST_CASE("sim fs: dropped bytes before kept ones read as zeros") {
  bool seen = false;
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    SimFs fs{seed};
    put_durable(fs, "/a", "");
    auto file = fs.open_append("/a").value();
    REQUIRE(file->append("xx").has_value());
    REQUIRE(file->append("yy").has_value());
    fs.crash();
    const std::string bytes = content(fs, "/a");
    const std::set<std::string> possible{"", "xx", "xxyy", std::string("\0\0yy", 4)};
    CHECK(possible.contains(bytes));
    seen = seen || bytes == std::string("\0\0yy", 4);
  }
  CHECK(seen);
}

TEST_CASE("sim fs: a name never survives without the earlier changes of that name") {
  for (std::uint64_t seed = 0; seed < 64; ++seed) {
    SimFs fs{seed};
    put_durable(fs, "/a", "1");
    REQUIRE(fs.rename("/a", "/b").has_value());
    REQUIRE(fs.create("/a").has_value());
    fs.crash();
    CHECK((content(fs, "/a") == "1" || content(fs, "/b") == "1"));
  }
}

TEST_CASE("sim fs: what survives depends on the seed and nothing else") {
  const auto run = [](std::uint64_t seed) {
    SimFs fs{seed};
    for (int i = 0; i < 8; ++i) {
      REQUIRE(fs.create("/f" + std::to_string(i)).value()->append(std::string(2'000, 'x')).has_value());
    }
    fs.crash();
    std::string state;
    const auto entries = fs.list("/").value();
    for (const auto& entry : entries) state += entry.name + ":" + std::to_string(entry.size) + " ";
    return state;
  };
  CHECK(run(1) == run(1));
  CHECK(run(1) != run(2));
}

TEST_CASE("sim fs: after a failed sync no later sync brings the bytes back") {
  SimFs fs;
  put_durable(fs, "/a", "abc");
  fs.add_fault({.kind = FsOperation::Sync, .times = 1});
  auto file = fs.open_append("/a").value();
  REQUIRE(file->append("def").has_value());
  CHECK(message(file->sync()) == "sync /a: Input/output error");
  CHECK(message(file->append("x")) == "append to /a: an earlier operation failed");
  CHECK(message(file->sync()) == "sync /a: an earlier operation failed");

  auto again = fs.open_append("/a").value();
  REQUIRE(again->append("ghi").has_value());
  REQUIRE(again->sync().has_value());
  CHECK(content(fs, "/a") == "abcdefghi");
  fs.crash(Unsynced::Kept);
  CHECK(content(fs, "/a") == std::string("abc\0\0\0ghi", 9));
}

TEST_CASE("sim fs: files opened before a crash are dead") {
  SimFs fs;
  put_durable(fs, "/a", "abc");
  auto writer = fs.open_append("/a").value();
  auto reader = fs.open("/a").value();
  fs.crash();
  std::string buffer(3, '.');
  CHECK(message(writer->append("x")) == "append to /a: opened before the crash");
  CHECK(reader->read_at(0, buffer).error().message == "read /a: opened before the crash");
  CHECK(content(fs, "/a") == "abc");
}

TEST_CASE("sim fs: after the power cut nothing has an effect, until the reboot") {
  SimFs fs;
  put_durable(fs, "/a", "abc");
  fs.cut_power_at(fs.operations() + 2);
  CHECK(fs.list("/").has_value());
  CHECK(message(fs.remove("/a")) == "remove /a: the power is off");
  CHECK(message(fs.rename("/a", "/b")) == "rename /a -> /b: the power is off");
  CHECK(fs.remove("/a").error().code == Code::Storage);
  fs.crash();
  CHECK(content(fs, "/a") == "abc");
}

TEST_CASE("sim fs: faults come by count, by kind, by path, and a given number of times") {
  SimFs fs;
  REQUIRE(fs.make_directories("/a").has_value());
  fs.add_fault({.operation = fs.operations() + 2});
  CHECK(fs.create("/a/1").has_value());
  CHECK(fs.create("/a/2").error().message == "create /a/2: Input/output error");
  CHECK(fs.create("/a/2").has_value());

  fs.add_fault({.fault = FsFault::NoSpace, .kind = FsOperation::Rename, .path_contains = "/2", .times = 2});
  CHECK(fs.rename("/a/1", "/a/3").has_value());
  CHECK(message(fs.rename("/a/2", "/a/4")) == "rename /a/2 -> /a/4: No space left on device");
  CHECK(message(fs.rename("/a/3", "/a/2")) == "rename /a/3 -> /a/2: No space left on device");
  CHECK(fs.rename("/a/2", "/a/4").has_value());

  fs.add_fault({.path_contains = "/a"});
  CHECK(fs.list("/a").error().code == Code::Storage);
  CHECK_FALSE(fs.open("/a/4").has_value());
  fs.clear_faults();
  CHECK(fs.open("/a/4").has_value());
}

TEST_CASE("sim fs: a short write leaves a part of its bytes and ends the file's trust") {
  SimFs fs;
  auto file = fs.create("/a").value();
  fs.add_fault({.fault = FsFault::ShortWrite, .kind = FsOperation::Append, .times = 1});
  CHECK(message(file->append("0123456789")) == "append to /a: Input/output error");
  CHECK(message(file->append("x")) == "append to /a: an earlier operation failed");
  const std::string left = content(fs, "/a");
  CHECK(left.size() < 10);
  CHECK(std::string{"0123456789"}.starts_with(left));
}

TEST_CASE("sim fs: a disk has a capacity, and room again when files go") {
  SimFs fs;
  fs.set_capacity(10);
  put_durable(fs, "/a", "123456");
  CHECK(fs.free_bytes("/").value() == 4);
  auto file = fs.create("/b").value();
  const auto full = file->append("abcdef");
  CHECK(full.error().code == Code::Storage);
  CHECK(message(full) == "append to /b: No space left on device");
  CHECK(content(fs, "/b") == "abcd");
  CHECK(fs.free_bytes("/").value() == 0);
  REQUIRE(fs.remove("/a").has_value());
  CHECK(fs.free_bytes("/").value() == 6);
  CHECK(fs.open_append("/b").value()->append("ef").has_value());
}

TEST_CASE("sim fs: a hard link takes no room") {
  SimFs fs;
  put_durable(fs, "/a", "123456");
  REQUIRE(fs.link("/a", "/b").has_value());
  CHECK(fs.used_bytes() == 6);
}

TEST_CASE("sim fs: operations are counted, each kind for itself") {
  SimFs fs;
  REQUIRE(replace_file(fs, "/a", "x").has_value());
  CHECK(fs.operations() == 6);
  CHECK(fs.operations(FsOperation::Create) == 1);
  CHECK(fs.operations(FsOperation::Append) == 1);
  CHECK(fs.operations(FsOperation::Sync) == 1);
  CHECK(fs.operations(FsOperation::Close) == 1);
  CHECK(fs.operations(FsOperation::Rename) == 1);
  CHECK(fs.operations(FsOperation::SyncDirectory) == 1);
}

TEST_CASE("sim fs: damage changes one byte, also after a crash") {
  SimFs fs;
  put_durable(fs, "/a", "abc");
  REQUIRE(fs.damage("/a", 1, 0x03).has_value());
  fs.crash(Unsynced::Dropped);
  CHECK(content(fs, "/a") == "aac");
  CHECK(message(fs.damage("/a", 3, 1)) == "damage /a: offset 3 not below the size of 3");
}

TEST_CASE("sim fs: relative and absolute paths meet, and .. is refused") {
  SimFs fs;
  put_durable(fs, "data", "x");
  CHECK(content(fs, "/data") == "x");
  CHECK(content(fs, "./data") == "x");
  CHECK(fs.open("/a/../data").error().message == "open /a/../data: Invalid argument");
}

TEST_CASE("replace_file: a power cut at any operation leaves the old or the new content, never a mix") {
  const std::string old_bytes(700, 'o');
  const std::string new_bytes(1'700, 'n');
  int kept_old = 0;
  int got_new = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    for (std::uint64_t at = 1;; ++at) {
      SimFs fs{seed};
      REQUIRE(fs.make_directories("/d").has_value());
      REQUIRE(replace_file(fs, "/d/a", old_bytes).has_value());
      fs.cut_power_at(fs.operations() + at);
      const bool done = replace_file(fs, "/d/a", new_bytes).has_value();
      fs.crash();
      const std::string after = content(fs, "/d/a");
      REQUIRE((after == old_bytes || after == new_bytes));
      if (done) REQUIRE(after == new_bytes);
      (after == old_bytes ? kept_old : got_new) += 1;
      // Whatever was left behind, the next start gets through.
      REQUIRE(replace_file(fs, "/d/a", "third").has_value());
      fs.crash(Unsynced::Dropped);
      REQUIRE(content(fs, "/d/a") == "third");
      if (done) break;
    }
  }
  CHECK(kept_old > 0);
  CHECK(got_new > 40);
}

TEST_CASE("replace_file: a fault at any operation leaves the old or the new content, also after a crash") {
  for (const FsFault fault : {FsFault::IoError, FsFault::NoSpace, FsFault::ShortWrite}) {
    for (std::uint64_t at = 1;; ++at) {
      SimFs fs{at};
      REQUIRE(replace_file(fs, "/a", "old").has_value());
      fs.add_fault({.fault = fault, .operation = fs.operations() + at});
      const bool done = replace_file(fs, "/a", "new").has_value();
      fs.clear_faults();
      const std::string now = content(fs, "/a");
      CHECK((now == "old" || now == "new"));
      CHECK_FALSE(fs.exists("/a.tmp"));
      fs.crash();
      const std::string after = content(fs, "/a");
      CHECK((after == "old" || after == "new"));
      if (!done) continue;
      CHECK(after == "new");
      break;
    }
  }
}

TEST_CASE("sim fs: what was acknowledged by both syncs survives any history") {
  CHECK(rc::check([](std::uint64_t seed) {
    SimFs fs{seed};
    std::string acknowledged;
    std::string written;
    RC_ASSERT(fs.open_append("/log").has_value());
    RC_ASSERT(fs.sync_directory("/").has_value());
    for (int round = 0; round < 4; ++round) {
      auto file = fs.open_append("/log").value();
      const auto writes = *rc::gen::inRange(0, 6);
      for (int i = 0; i < writes; ++i) {
        const std::string bytes(static_cast<std::size_t>(*rc::gen::inRange(1, 900)), static_cast<char>('a' + i));
        RC_ASSERT(file->append(bytes).has_value());
        written += bytes;
        if (*rc::gen::arbitrary<bool>()) {
          RC_ASSERT(file->sync().has_value());
          acknowledged = written;
        }
      }
      fs.crash();
      const std::string after = read_file(fs, "/log").value();
      RC_ASSERT(after.starts_with(acknowledged));
      RC_ASSERT(after.size() <= written.size());
      acknowledged = written = after;
    }
  }));
}
