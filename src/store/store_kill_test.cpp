// kill -9 at any moment: what was acknowledged is there, once. The child is this test program itself.
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "store/test_store.hpp"

using namespace everlearn;

namespace {

constexpr const char* kDirectoryVariable = "EVERLEARN_KILL_TEST_DIRECTORY";
constexpr const char* kChildCase = "store: child of the kill test";
constexpr int kAcknowledgements = 3;  // file descriptor
constexpr std::int64_t kRowsPerCommit = 10;
constexpr int kRounds = 30;

std::int64_t committed(const Store& store) {
  const auto checkpoint = store.checkpoint();
  REQUIRE(checkpoint.has_value());
  return *checkpoint ? std::strtoll((*checkpoint)->c_str(), nullptr, 10) : 0;
}

std::map<Dataset, std::vector<std::string>> expected(std::int64_t rows) {
  std::map<Dataset, std::vector<std::string>> all;
  const auto add = [&](const auto& row) {
    using Row = std::decay_t<decltype(row)>;
    const Record record = to_record(row);
    all[kDatasetOf<Row>].push_back(record.head(kDatasetOf<Row>) + record.payload);
  };
  for (std::int64_t n = 0; n < rows; ++n) {
    add(price_row(n));
    add(event_row(n));
    add(example_row(n));
    add(label_row(n));
    add(prediction_row(n));
  }
  return all;
}

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    read_end = ends[0];
    write_end = ends[1];
  }
  ~Pipe() { ::close(read_end); }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
};

/// Starts the child; its acknowledgements arrive in the pipe, eight bytes each.
pid_t start_child(const std::string& directory, Pipe& pipe) {
  std::string self = "/proc/self/exe", only = std::string{"--test-case="} + kChildCase, no_skip = "--no-skip";
  std::string variable = std::string{kDirectoryVariable} + "=" + directory;
  char* arguments[] = {self.data(), only.data(), no_skip.data(), nullptr};
  char* environment[] = {variable.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe.write_end, kAcknowledgements);
  pid_t child = 0;
  REQUIRE(::posix_spawn(&child, self.c_str(), &actions, nullptr, arguments, environment) == 0);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe.write_end);
  return child;
}

}  // namespace

TEST_CASE("store: child of the kill test" * doctest::skip()) {
  const char* directory = std::getenv(kDirectoryVariable);
  if (!directory) return;
  TestWorld world;
  auto store = open_store(world.world(), directory, {.segment_rows = 40});
  for (std::int64_t n = committed(*store);;) {
    append_all(*store, n, kRowsPerCommit);
    n += kRowsPerCommit;
    REQUIRE(store->commit(std::to_string(n)).has_value());
    REQUIRE(::write(kAcknowledgements, &n, sizeof n) == sizeof n);
    REQUIRE(store->seal_due(kStart).has_value());
  }
}

TEST_CASE("store: killed at any moment, no acknowledged row is lost and none is there twice") {
  StoreDirectory directory;
  TestWorld world;
  Rng rng{11};
  std::int64_t known = 0;
  for (int round = 0; round < kRounds; ++round) {
    CAPTURE(round);
    Pipe pipe;
    const pid_t child = start_child(directory.path(), pipe);
    // After a few acknowledgements, and then at no particular moment.
    std::int64_t acknowledged = known;
    for (std::uint64_t left = 1 + rng.below(12); left > 0; --left)
      REQUIRE(::read(pipe.read_end, &acknowledged, sizeof acknowledged) == sizeof acknowledged);
    std::string work;
    for (std::uint64_t left = rng.below(4'000); left > 0; --left) work = sha256_hex(work);
    REQUIRE(::kill(child, SIGKILL) == 0);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFSIGNALED(status));
    std::int64_t late = 0;
    while (::read(pipe.read_end, &late, sizeof late) == sizeof late) acknowledged = late;

    const auto store = open_store(world.world(), directory.path());
    known = committed(*store);
    CHECK(known >= acknowledged);
    CHECK(known <= acknowledged + kRowsPerCommit);
    CHECK(contents(*store) == expected(known));
    CHECK(store->verify().value().empty());
  }
  CHECK(known > 0);
}
