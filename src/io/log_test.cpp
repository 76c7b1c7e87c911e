#include "io/log.hpp"

#include <unistd.h>

#include <doctest/doctest.h>

#include <array>

#include "core/system_fs.hpp"
#include "core/test_directory.hpp"

namespace everlearn {
namespace {

TEST_CASE("log: one JSON object a line, with the clock's time") {
  const TestDirectory directory;
  const ManualClock clock{Timestamp{1'767'445'207'000'000}};
  auto log = Log::open(clock, {.directory = directory.path(), .console = false});
  REQUIRE(log);
  (*log)->write(LogLevel::Info, "start", "say \"hello\"\n");
  (*log)->write(LogLevel::Warning, "input", "rows", JsonOut{}.put("rows", 3));
  SystemFs fs;
  const auto text = read_file(fs, directory.path() + "/everlearn.jsonl");
  REQUIRE(text);
  CHECK(*text ==
        "{\"at\":\"2026-01-03T13:00:07.000000Z\",\"level\":\"info\",\"event\":\"start\",\"text\":\"say "
        "\\\"hello\\\"\\n\"}\n"
        "{\"at\":\"2026-01-03T13:00:07.000000Z\",\"level\":\"warning\",\"event\":\"input\",\"text\":\"rows\",\"data\":{"
        "\"rows\":3}}\n");
}

TEST_CASE("log: a full file makes room, the oldest goes") {
  const TestDirectory directory;
  const ManualClock clock;
  auto log = Log::open(clock, {.directory = directory.path(), .console = false, .file_bytes = 1000, .files = 2});
  REQUIRE(log);
  for (int i = 0; i < 100; ++i) (*log)->write(LogLevel::Info, "line", "something that happened");
  SystemFs fs;
  const auto entries = fs.list(directory.path());
  REQUIRE(entries);
  std::vector<std::string> names;
  for (const DirectoryEntry& entry : *entries) {
    names.push_back(entry.name);
    CHECK(entry.size <= 1000);
  }
  CHECK(names == std::vector<std::string>{"everlearn.1.jsonl", "everlearn.2.jsonl", "everlearn.jsonl"});
}

TEST_CASE("log: a second name leads to the current file, also after it was full") {
  const TestDirectory directory;
  const ManualClock clock;
  const LogOptions options{
      .directory = directory.path(), .console = false, .file_bytes = 1000, .files = 2, .link = "bot.log"};
  for (const char* start : {"first", "second"}) {  // and again at the next start
    auto log = Log::open(clock, options);
    REQUIRE(log);
    for (int i = 0; i < 100; ++i) (*log)->write(LogLevel::Info, "line", start);
  }
  SystemFs fs;
  CHECK(read_file(fs, directory / "bot.log").value() == read_file(fs, directory / "everlearn.jsonl").value());
  std::array<char, 64> target{};
  CHECK(::readlink((directory / "bot.log").c_str(), target.data(), target.size()) == 15);
  CHECK(std::string{target.data()} == "everlearn.jsonl");
}

TEST_CASE("log: a file that has the second name is nobody's to replace") {
  const TestDirectory directory;
  SystemFs fs;
  REQUIRE(replace_file(fs, directory / "bot.log", "mine"));
  const ManualClock clock;
  const auto log = Log::open(clock, {.directory = directory.path(), .console = false, .link = "bot.log"});
  REQUIRE(!log);
  CHECK(log.error().code == Code::InUse);
  CHECK(read_file(fs, directory / "bot.log").value() == "mine");
}

TEST_CASE("log: a file where its directory should be is an error") {
  const TestDirectory directory;
  SystemFs fs;
  REQUIRE(replace_file(fs, directory.path() + "/logs", "in the way"));
  const ManualClock clock;
  const auto log = Log::open(clock, {.directory = directory.path() + "/logs", .console = false});
  REQUIRE(!log);
  CHECK(log.error().code == Code::Storage);
}

}  // namespace
}  // namespace everlearn
