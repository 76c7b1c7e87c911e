#include "core/lock.hpp"

#include <optional>

#include <unistd.h>

#include <doctest/doctest.h>

#include "core/fs.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "core/test_directory.hpp"

using namespace everlearn;

TEST_CASE("directory lock: the second taker learns who holds it") {
  TestDirectory directory;
  auto held = DirectoryLock::take(directory.path());
  REQUIRE(held.has_value());
  const auto refused = DirectoryLock::take(directory.path());
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == Code::InUse);
  const std::string expected =
      "data directory " + directory.path() + " is in use by process " + std::to_string(::getpid()) + " on ";
  CHECK(refused.error().message.starts_with(expected));
  CHECK(refused.error().message.size() > expected.size());
}

TEST_CASE("directory lock: it ends with its owner and can be taken again") {
  TestDirectory directory;
  { REQUIRE(DirectoryLock::take(directory.path()).has_value()); }
  std::optional<DirectoryLock> kept;
  {
    auto taken = DirectoryLock::take(directory.path());
    REQUIRE(taken.has_value());
    kept.emplace(std::move(*taken));
  }
  CHECK_FALSE(DirectoryLock::take(directory.path()).has_value());
  kept.reset();
  CHECK(DirectoryLock::take(directory.path()).has_value());
}

TEST_CASE("directory lock: children do not hold it") {
  TestDirectory directory;
  std::unique_ptr<Child> child;
  {
    auto held = DirectoryLock::take(directory.path());
    REQUIRE(held.has_value());
    child = SystemProc{}.start({.argv = {"/bin/sleep", "60"}}).value();
  }
  CHECK(DirectoryLock::take(directory.path()).has_value());
}

TEST_CASE("directory lock: a directory that is not there is not found") {
  TestDirectory directory;
  const auto refused = DirectoryLock::take(directory / "none");
  CHECK(refused.error().code == Code::NotFound);
  CHECK(refused.error().message == "lock " + (directory / "none/lock") + ": No such file or directory");
}

TEST_CASE("directory lock: a damaged lock file names nobody but still locks") {
  TestDirectory directory;
  SystemFs fs;
  auto held = DirectoryLock::take(directory.path());
  REQUIRE(held.has_value());
  REQUIRE(::truncate((directory / "lock").c_str(), 0) == 0);
  CHECK(DirectoryLock::take(directory.path()).error().message ==
        "data directory " + directory.path() + " is in use by another process");
}
