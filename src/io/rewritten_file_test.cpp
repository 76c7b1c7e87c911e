#include "io/rewritten_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "core/system_fs.hpp"
#include "core/test_directory.hpp"

namespace everlearn {
namespace {

struct stat facts(const std::string& path) {
  struct stat found {};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  return found;
}

struct Place {
  TestDirectory directory;
  SystemFs fs;
  std::string path = directory / ".env";
  std::string copy = directory / ".env.20260104_120000";

  explicit Place(const std::string& text, unsigned mode = 0640) {
    REQUIRE(replace_file(fs, path, text));
    REQUIRE(::chmod(path.c_str(), mode) == 0);
  }
  Result<bool> write(const std::string& text) {
    return rewrite_file(path, copy, [&](std::string_view) { return text; });
  }
  std::string text() { return read_file(fs, path).value(); }
  std::size_t files() { return fs.list(directory.path()).value().size(); }
};

TEST_CASE("rewritten file: the new text has the old one's mode and owner, and the old one stays beside it") {
  Place place{"A=1\n"};
  if (::geteuid() == 0) REQUIRE(::chown(place.path.c_str(), 12, 34) == 0);
  const struct stat before = facts(place.path);
  CHECK(place.write("A=2\n").value());
  CHECK(place.text() == "A=2\n");
  CHECK(read_file(place.fs, place.copy).value() == "A=1\n");
  for (const std::string& file : {place.path, place.copy}) {
    const struct stat after = facts(file);
    CHECK(after.st_mode == before.st_mode);
    CHECK(after.st_uid == before.st_uid);
    CHECK(after.st_gid == before.st_gid);
  }
  CHECK(facts(place.path).st_ino != before.st_ino);
  CHECK(place.files() == 2);
}

TEST_CASE("rewritten file: the same text writes nothing") {
  Place place{"A=1\n"};
  const struct stat before = facts(place.path);
  CHECK_FALSE(place.write("A=1\n").value());
  CHECK(facts(place.path).st_ino == before.st_ino);
  CHECK(place.files() == 1);
}

TEST_CASE("rewritten file: read-only is read-only, for root too") {
  Place place{"A=1\n", 0440};
  const auto refused = place.write("A=2\n");
  CHECK(refused.error().code == Code::Storage);
  CHECK(refused.error().message == place.path + " is not changed: it is read-only");
  CHECK(place.text() == "A=1\n");
  CHECK(place.files() == 1);
}

TEST_CASE("rewritten file: links are left alone, and so is what they lead to") {
  Place place{"A=1\n"};
  const std::string link = place.directory / "link";
  REQUIRE(::symlink(place.path.c_str(), link.c_str()) == 0);
  const auto symbolic = rewrite_file(link, place.copy, [](std::string_view) { return std::string{"A=2\n"}; });
  CHECK(symbolic.error().code == Code::Unsupported);
  CHECK(place.text() == "A=1\n");
  REQUIRE(::unlink(link.c_str()) == 0);
  REQUIRE(::link(place.path.c_str(), link.c_str()) == 0);
  CHECK(place.write("A=2\n").error().message == place.path +
                                                    " is not changed: it has 2 names, which would no longer be "
                                                    "one file");
  CHECK(place.files() == 2);
}

TEST_CASE("rewritten file: what is in the way of the copy, or was changed meanwhile, stops it without a trace") {
  Place place{"A=1\n"};
  const auto raced = rewrite_file(place.path, place.copy, [&](std::string_view) {
    REQUIRE(replace_file(place.fs, place.path, "A=3\n"));
    return std::string{"A=2\n"};
  });
  CHECK(raced.error().message == place.path + " is not changed: somebody else is changing it");
  CHECK(place.text() == "A=3\n");
  CHECK(place.files() == 1);
  REQUIRE(replace_file(place.fs, place.copy, "mine"));
  CHECK(place.write("A=2\n").error().code == Code::InUse);
  CHECK(place.text() == "A=3\n");
  CHECK(read_file(place.fs, place.copy).value() == "mine");
  CHECK(place.files() == 2);
}

TEST_CASE("rewritten file: none there is NotFound") {
  Place place{"A=1\n"};
  REQUIRE(place.fs.remove(place.path));
  CHECK(place.write("A=2\n").error().code == Code::NotFound);
  CHECK(place.files() == 0);
}

}  // namespace
}  // namespace everlearn
