// What both file systems promise, in the same words: each case runs on the disk and in the simulation.
#include "core/fs.hpp"

#include <doctest/doctest.h>

#include "core/sim_fs.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"

using namespace everlearn;

namespace {

struct OnDisk {
  TestDirectory directory;
  SystemFs fs;
  std::string root = directory.path();
};

struct Simulated {
  SimFs fs;
  std::string root = "/data";
  Simulated() { REQUIRE(fs.make_directories(root).has_value()); }
};

void write(Fs& fs, const std::string& path, std::string_view bytes) {
  auto file = fs.create(path);
  REQUIRE(file.has_value());
  REQUIRE((*file)->append(bytes).has_value());
  REQUIRE((*file)->close().has_value());
}

template <class T>
Error error_of(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error();
}

std::string names(Fs& fs, const std::string& path) {
  std::string all;
  const auto entries = fs.list(path).value();
  for (const DirectoryEntry& entry : entries) {
    all += entry.name + (entry.is_directory ? "/ " : ":" + std::to_string(entry.size) + " ");
  }
  return all;
}

}  // namespace

TEST_CASE("parent directory: the path without its last name") {
  CHECK(parent_directory("a/b/c") == "a/b");
  CHECK(parent_directory("/a/b") == "/a");
  CHECK(parent_directory("/a") == "/");
  CHECK(parent_directory("a") == ".");
  CHECK(parent_directory("a/b/") == "a");
  CHECK(parent_directory("a//b") == "a");
  CHECK(parent_directory("/") == "/");
}

TEST_CASE_TEMPLATE("fs: a created file holds what was appended", Bed, OnDisk, Simulated) {
  Bed bed;
  const std::string path = bed.root + "/a";
  auto file = bed.fs.create(path).value();
  REQUIRE(file->append("one").has_value());
  REQUIRE(file->append("").has_value());
  REQUIRE(file->append("two").has_value());
  REQUIRE(file->sync().has_value());
  REQUIRE(file->close().has_value());
  REQUIRE(file->close().has_value());
  CHECK(read_file(bed.fs, path).value() == "onetwo");
}

TEST_CASE_TEMPLATE("fs: create refuses a path that exists", Bed, OnDisk, Simulated) {
  Bed bed;
  write(bed.fs, bed.root + "/a", "x");
  const Error error = error_of(bed.fs.create(bed.root + "/a"));
  CHECK(error.code == Code::InUse);
  CHECK(error.message == "create " + bed.root + "/a: File exists");
  CHECK(error_of(bed.fs.create(bed.root + "/none/a")).message ==
        "create " + bed.root + "/none/a: No such file or directory");
  CHECK(error_of(bed.fs.create(bed.root + "/a/b")).code == Code::NotFound);
}

TEST_CASE_TEMPLATE("fs: open_append creates, and goes on where the file ends", Bed, OnDisk, Simulated) {
  Bed bed;
  const std::string path = bed.root + "/log";
  for (const auto* bytes : {"a", "b"}) {
    auto file = bed.fs.open_append(path).value();
    REQUIRE(file->append(bytes).has_value());
  }
  CHECK(read_file(bed.fs, path).value() == "ab");
  CHECK(error_of(bed.fs.open_append(bed.root)).message == "open for appending " + bed.root + ": Is a directory");
}

TEST_CASE_TEMPLATE("fs: a closed file takes nothing more", Bed, OnDisk, Simulated) {
  Bed bed;
  auto file = bed.fs.create(bed.root + "/a").value();
  REQUIRE(file->close().has_value());
  CHECK(error_of(file->append("x")).code == Code::Internal);
  CHECK(error_of(file->sync()).message == "sync " + bed.root + "/a: the file is closed");
}

TEST_CASE_TEMPLATE("fs: read_at gives what is there, and 0 at the end", Bed, OnDisk, Simulated) {
  Bed bed;
  write(bed.fs, bed.root + "/a", "0123456789");
  auto file = bed.fs.open(bed.root + "/a").value();
  CHECK(file->size() == 10);
  std::string buffer(4, '.');
  CHECK(file->read_at(8, buffer).value() == 2);
  CHECK(buffer == "89..");
  CHECK(file->read_at(10, buffer).value() == 0);
  CHECK(file->read_at(1'000, buffer).value() == 0);
  CHECK(file->read_at(0, std::span<char>{}).value() == 0);
}

TEST_CASE_TEMPLATE("fs: what cannot be opened says why", Bed, OnDisk, Simulated) {
  Bed bed;
  const Error missing = error_of(bed.fs.open(bed.root + "/none"));
  CHECK(missing.code == Code::NotFound);
  CHECK(missing.message == "open " + bed.root + "/none: No such file or directory");
  const Error directory = error_of(bed.fs.open(bed.root));
  CHECK(directory.code == Code::Storage);
  CHECK(directory.message == "open " + bed.root + ": Is a directory");
  CHECK(error_of(bed.fs.open("")).code == Code::NotFound);
}

TEST_CASE_TEMPLATE("fs: rename replaces, rename_no_replace refuses", Bed, OnDisk, Simulated) {
  Bed bed;
  const std::string a = bed.root + "/a";
  const std::string b = bed.root + "/b";
  write(bed.fs, a, "new");
  write(bed.fs, b, "old");
  const Error refused = error_of(bed.fs.rename_no_replace(a, b));
  CHECK(refused.code == Code::InUse);
  CHECK(refused.message == "rename " + a + " -> " + b + ": File exists");
  CHECK(read_file(bed.fs, b).value() == "old");
  REQUIRE(bed.fs.rename(a, b).has_value());
  CHECK(read_file(bed.fs, b).value() == "new");
  CHECK_FALSE(bed.fs.exists(a));
  REQUIRE(bed.fs.rename_no_replace(b, a).has_value());
  CHECK(names(bed.fs, bed.root) == "a:3 ");
  CHECK(error_of(bed.fs.rename(b, a)).code == Code::NotFound);
}

TEST_CASE_TEMPLATE("fs: directories are renamed whole, onto nothing but empty ones", Bed, OnDisk, Simulated) {
  Bed bed;
  const std::string a = bed.root + "/a";
  const std::string b = bed.root + "/b";
  REQUIRE(bed.fs.make_directories(a).has_value());
  REQUIRE(bed.fs.make_directories(b).has_value());
  write(bed.fs, a + "/x", "1");
  REQUIRE(bed.fs.rename(a, b).has_value());
  CHECK(names(bed.fs, b) == "x:1 ");
  REQUIRE(bed.fs.make_directories(a).has_value());
  CHECK(error_of(bed.fs.rename(a, b)).message == "rename " + a + " -> " + b + ": Directory not empty");
  CHECK(error_of(bed.fs.rename(a, b + "/x")).message == "rename " + a + " -> " + b + "/x: Not a directory");
  CHECK(error_of(bed.fs.rename(b + "/x", a)).message == "rename " + b + "/x -> " + a + ": Is a directory");
  CHECK(error_of(bed.fs.rename(a, a + "/c")).message == "rename " + a + " -> " + a + "/c: Invalid argument");
}

TEST_CASE_TEMPLATE("fs: a link is a second name of the same file", Bed, OnDisk, Simulated) {
  Bed bed;
  const std::string a = bed.root + "/a";
  const std::string b = bed.root + "/b";
  write(bed.fs, a, "x");
  REQUIRE(bed.fs.link(a, b).has_value());
  CHECK(error_of(bed.fs.link(a, b)).code == Code::InUse);
  REQUIRE(bed.fs.rename(a, b).has_value());  // of one file onto itself: nothing to do
  CHECK(names(bed.fs, bed.root) == "a:1 b:1 ");
  REQUIRE(bed.fs.open_append(a).value()->append("y").has_value());
  CHECK(read_file(bed.fs, b).value() == "xy");
  REQUIRE(bed.fs.remove(a).has_value());
  CHECK(read_file(bed.fs, b).value() == "xy");
  CHECK(error_of(bed.fs.link(a, b + "2")).code == Code::NotFound);
}

TEST_CASE_TEMPLATE("fs: remove takes files only", Bed, OnDisk, Simulated) {
  Bed bed;
  write(bed.fs, bed.root + "/a", "x");
  REQUIRE(bed.fs.remove(bed.root + "/a").has_value());
  CHECK(error_of(bed.fs.remove(bed.root + "/a")).message == "remove " + bed.root + "/a: No such file or directory");
  CHECK(error_of(bed.fs.remove(bed.root)).message == "remove " + bed.root + ": Is a directory");
}

TEST_CASE_TEMPLATE("fs: an open file stays readable when its name goes", Bed, OnDisk, Simulated) {
  Bed bed;
  write(bed.fs, bed.root + "/a", "abc");
  auto file = bed.fs.open(bed.root + "/a").value();
  REQUIRE(bed.fs.remove(bed.root + "/a").has_value());
  std::string buffer(3, '.');
  CHECK(file->read_at(0, buffer).value() == 3);
  CHECK(buffer == "abc");
}

TEST_CASE_TEMPLATE("fs: remove_tree takes a directory with all below it, and nothing is no error", Bed, OnDisk,
                   Simulated) {
  Bed bed;
  const std::string tree = bed.root + "/tree";
  REQUIRE(bed.fs.make_directories(tree + "/a/b").has_value());
  REQUIRE(bed.fs.make_directories(tree + "/c").has_value());
  for (int i = 0; i < 20; ++i) write(bed.fs, tree + "/a/b/" + std::to_string(i), "x");
  write(bed.fs, tree + "/d", "x");
  REQUIRE(bed.fs.remove_tree(tree).has_value());
  CHECK_FALSE(bed.fs.exists(tree));
  REQUIRE(bed.fs.remove_tree(tree).has_value());
  write(bed.fs, tree, "a file");
  CHECK(error_of(bed.fs.remove_tree(tree)).message == "remove " + tree + ": Not a directory");
}

TEST_CASE_TEMPLATE("fs: make_directories makes what is missing", Bed, OnDisk, Simulated) {
  Bed bed;
  REQUIRE(bed.fs.make_directories(bed.root + "/a/b/c/").has_value());
  REQUIRE(bed.fs.make_directories(bed.root + "/a/b/c").has_value());
  CHECK(names(bed.fs, bed.root + "/a/b") == "c/ ");
  write(bed.fs, bed.root + "/file", "x");
  CHECK(error_of(bed.fs.make_directories(bed.root + "/file")).message ==
        "make directory " + bed.root + "/file: File exists");
  CHECK(error_of(bed.fs.make_directories(bed.root + "/file/below")).code == Code::InUse);
}

TEST_CASE_TEMPLATE("fs: list is sorted by name and tells sizes", Bed, OnDisk, Simulated) {
  Bed bed;
  write(bed.fs, bed.root + "/b", "12");
  write(bed.fs, bed.root + "/a", "1");
  write(bed.fs, bed.root + "/.hidden", "");
  REQUIRE(bed.fs.make_directories(bed.root + "/B").has_value());
  CHECK(names(bed.fs, bed.root) == ".hidden:0 B/ a:1 b:2 ");
  CHECK(error_of(bed.fs.list(bed.root + "/none")).message == "list " + bed.root + "/none: No such file or directory");
  CHECK(error_of(bed.fs.list(bed.root + "/a")).message == "list " + bed.root + "/a: Not a directory");
}

TEST_CASE_TEMPLATE("fs: directories are synced, files are no directories", Bed, OnDisk, Simulated) {
  Bed bed;
  CHECK(bed.fs.sync_directory(bed.root).has_value());
  write(bed.fs, bed.root + "/a", "x");
  CHECK(error_of(bed.fs.sync_directory(bed.root + "/a")).message ==
        "sync directory " + bed.root + "/a: Not a directory");
  CHECK(error_of(bed.fs.sync_directory(bed.root + "/none")).code == Code::NotFound);
}

TEST_CASE_TEMPLATE("fs: free space is known", Bed, OnDisk, Simulated) {
  Bed bed;
  CHECK(bed.fs.free_bytes(bed.root).value() > 0);
  CHECK(error_of(bed.fs.free_bytes(bed.root + "/none")).message ==
        "free bytes of " + bed.root + "/none: No such file or directory");
}

TEST_CASE_TEMPLATE("read_file: the whole file, or an error above the limit", Bed, OnDisk, Simulated) {
  Bed bed;
  const std::string path = bed.root + "/a";
  write(bed.fs, path, "");
  CHECK(read_file(bed.fs, path).value().empty());
  const std::string large(100'000, 'x');
  REQUIRE(bed.fs.open_append(path).value()->append(large).has_value());
  CHECK(read_file(bed.fs, path).value() == large);
  CHECK(read_file(bed.fs, path, 100'000).value() == large);
  const Error error = error_of(read_file(bed.fs, path, 99'999));
  CHECK(error.code == Code::OutOfRange);
  CHECK(error.message == path + ": 100000 bytes, more than the limit of 99999");
  CHECK(error_of(read_file(bed.fs, bed.root + "/none")).code == Code::NotFound);
}

TEST_CASE_TEMPLATE("replace_file: writes, replaces and leaves nothing else behind", Bed, OnDisk, Simulated) {
  Bed bed;
  const std::string path = bed.root + "/pointer";
  REQUIRE(replace_file(bed.fs, path, "one").has_value());
  REQUIRE(replace_file(bed.fs, path, "two").has_value());
  CHECK(read_file(bed.fs, path).value() == "two");
  CHECK(names(bed.fs, bed.root) == "pointer:3 ");
}

TEST_CASE_TEMPLATE("replace_file: a temporary file left by a crash is no obstacle", Bed, OnDisk, Simulated) {
  Bed bed;
  write(bed.fs, bed.root + "/pointer.tmp", "half");
  REQUIRE(replace_file(bed.fs, bed.root + "/pointer", "whole").has_value());
  CHECK(names(bed.fs, bed.root) == "pointer:5 ");
}

TEST_CASE_TEMPLATE("replace_file: without its directory it fails and says so", Bed, OnDisk, Simulated) {
  Bed bed;
  const Error error = error_of(replace_file(bed.fs, bed.root + "/none/pointer", "x"));
  CHECK(error.code == Code::NotFound);
  CHECK(error.message == "create " + bed.root + "/none/pointer.tmp: No such file or directory");
}
