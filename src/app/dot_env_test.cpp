#include "app/dot_env.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "core/system_fs.hpp"
#include "core/test_directory.hpp"

namespace everlearn {
namespace {

std::string value_of(std::string_view text, std::string_view name) {
  std::string found = "(none)";
  for (const DotEnvEntry& entry : read_dot_env(text))
    if (entry.name == name) found = std::string{entry.value};
  return found;
}

TEST_CASE("dot env: what a line says") {
  struct Case {
    std::string_view line, value;
  };
  for (const auto& [line, value] : std::initializer_list<Case>{
           {"A=1", "1"},
           {"  A = 1 \t\r", "1"},
           {"export A=1", "1"},
           {"A=1  # one", "1"},
           {"A=1\t# one", "1"},
           {"A=a#b", "a#b"},
           {"A=#b", "#b"},
           {"A= # nothing", ""},
           {"A=", ""},
           {"A=\"a # b\"", "a # b"},
           {"A='a b'  # c \"d\"", "a b"},
           {"A=\"a\"b\"", "a\"b"},
           {"A=\"a", "\"a"},
           {"\xEF\xBB\xBF"
            "A=1",
            "1"},
           {"# A=1", "(none)"},
           {"#A=1", "(none)"},
           {"A", "(none)"},
           {"AA=1\nA=2\nA=3", "3"},
       }) {
    CAPTURE(line);
    CHECK(value_of(line, "A") == value);
  }
}

TEST_CASE("dot env: switching on changes one value and no other byte") {
  struct Case {
    std::string_view before, after;
  };
  for (const auto& [before, after] : std::initializer_list<Case>{
           {"A=1\nML=false\nB=2\n", "A=1\nML=true\nB=2\n"},
           {"ML=false  # start false\r\nB=\"x\"\r\n", "ML=true  # start false\r\nB=\"x\"\r\n"},
           {"export ML = \"false\"", "export ML = \"true\""},
           {"ML='no' # '\n", "ML='true' # '\n"},
           {"ML=\n", "ML=true\n"},
           {"ML= # later\n", "ML=true # later\n"},
           {"\tML=0", "\tML=true"},
           {"ML=true\nML=false\n", "ML=true\nML=true\n"},   // the later one holds
           {"ML=false\nML=True\n", "ML=false\nML=True\n"},  // so it is on
           {"ML=\"1\"\n", "ML=\"1\"\n"},
           {"# ML=false\n", "# ML=false\nML=true\n"},
           {"A=1", "A=1\nML=true\n"},
           {"A=1\r\nB=2", "A=1\r\nB=2\r\nML=true\r\n"},
           {"XML=false\nML2=false\n", "XML=false\nML2=false\nML=true\n"},
           {"", "ML=true\n"},
       }) {
    CAPTURE(before);
    CHECK(switched_on(before, "ML") == after);
    CHECK(switched_on(after, "ML") == after);
  }
}

TEST_CASE("dot env: a file on the disk, once; its copy is named by the time") {
  const TestDirectory directory;
  const std::string path = directory / ".env";
  const Timestamp at{1'767'528'000'000'000};  // 2026-01-04T12:00:00Z
  CHECK(switch_on_in_dot_env(path, "ML", at).value() == DotEnvSwitch::NoFile);
  SystemFs fs;
  CHECK_FALSE(fs.exists(path));
  REQUIRE(replace_file(fs, path, "KEY=secret\nML=false\n"));
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  CHECK(switch_on_in_dot_env(path, "ML", at).value() == DotEnvSwitch::Done);
  CHECK(read_file(fs, path).value() == "KEY=secret\nML=true\n");
  CHECK(read_file(fs, path + ".20260104_120000").value() == "KEY=secret\nML=false\n");
  struct stat copy {};
  REQUIRE(::stat((path + ".20260104_120000").c_str(), &copy) == 0);
  CHECK((copy.st_mode & 07777) == 0600);
  CHECK(switch_on_in_dot_env(path, "ML", at).value() == DotEnvSwitch::Already);
  REQUIRE(replace_file(fs, path, "ML=false\n"));
  REQUIRE(::chmod(path.c_str(), 0400) == 0);
  CHECK(switch_on_in_dot_env(path, "ML", at).error().message == path + " is not changed: it is read-only");
}

}  // namespace
}  // namespace everlearn
