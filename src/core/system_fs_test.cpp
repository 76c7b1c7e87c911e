// What only the real file system has; fs_test.cpp holds what both promise.
#include "core/system_fs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "core/system_fd.hpp"
#include "core/test_directory.hpp"

using namespace everlearn;

namespace {

void write(Fs& fs, const std::string& path, std::string_view bytes) {
  REQUIRE(fs.create(path).value()->append(bytes).has_value());
}

}  // namespace

TEST_CASE("system fs: a full disk is a Storage error, and the file is not trusted again") {
  SystemFs fs;
  auto full = fs.open_append("/dev/full").value();
  const auto refused = full->append("x");
  CHECK(refused.error().code == Code::Storage);
  CHECK(refused.error().message == "append to /dev/full: No space left on device");
  CHECK(full->sync().error().message == "sync /dev/full: an earlier operation failed");
  CHECK(full->append("y").error().message == "append to /dev/full: an earlier operation failed");
}

TEST_CASE("system fs: rename_no_replace keeps its word where renameat2 is not known") {
  TestDirectory directory;
  SystemFs fs{SystemFs::NoReplace::LinkThenUnlink};
  write(fs, directory / "a", "1");
  write(fs, directory / "b", "2");
  const auto refused = fs.rename_no_replace(directory / "a", directory / "b");
  CHECK(refused.error().code == Code::InUse);
  CHECK(read_file(fs, directory / "b").value() == "2");
  REQUIRE(fs.rename_no_replace(directory / "a", directory / "c").has_value());
  CHECK_FALSE(fs.exists(directory / "a"));
  CHECK(read_file(fs, directory / "c").value() == "1");
}

TEST_CASE("system fs: writing does not follow a symbolic link, reading does") {
  TestDirectory directory;
  SystemFs fs;
  write(fs, directory / "file", "abc");
  REQUIRE(::symlink((directory / "file").c_str(), (directory / "link").c_str()) == 0);
  CHECK(read_file(fs, directory / "link").value() == "abc");
  CHECK_FALSE(fs.open_append(directory / "link").has_value());
  CHECK_FALSE(fs.create(directory / "link").has_value());
  CHECK(read_file(fs, directory / "file").value() == "abc");
}

TEST_CASE("system fs: remove_tree removes a link, not what it points to") {
  TestDirectory directory;
  SystemFs fs;
  REQUIRE(fs.make_directories(directory / "outside").has_value());
  REQUIRE(fs.make_directories(directory / "tree").has_value());
  write(fs, directory / "outside/file", "abc");
  REQUIRE(::symlink((directory / "outside").c_str(), (directory / "tree/link").c_str()) == 0);
  REQUIRE(fs.remove_tree(directory / "tree").has_value());
  CHECK(read_file(fs, directory / "outside/file").value() == "abc");
}

TEST_CASE("system fs: a link that points nowhere exists, for it is in the way") {
  TestDirectory directory;
  SystemFs fs;
  REQUIRE(::symlink("nowhere", (directory / "link").c_str()) == 0);
  CHECK(fs.exists(directory / "link"));
  CHECK(fs.open(directory / "link").error().code == Code::NotFound);
}

TEST_CASE("system fs: a named pipe is refused, not waited for") {
  TestDirectory directory;
  SystemFs fs;
  REQUIRE(::mkfifo((directory / "pipe").c_str(), 0600) == 0);
  const auto refused = fs.open(directory / "pipe");
  CHECK(refused.error().code == Code::Unsupported);
  CHECK(refused.error().message == "open " + (directory / "pipe") + ": not a regular file");
}

TEST_CASE("fd: has one owner, and closing twice is harmless") {
  Fd fd = open_fd("/dev/null", 0);
  REQUIRE(fd.valid());
  const int number = fd.get();
  Fd other = std::move(fd);
  CHECK(other.get() == number);
  CHECK(other.close() == 0);
  CHECK_FALSE(other.valid());
  CHECK(other.close() == 0);
  CHECK_FALSE(open_fd("/none/such", 0).valid());
}
