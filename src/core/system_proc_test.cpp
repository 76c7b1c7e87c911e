#include "core/system_proc.hpp"

#include <array>
#include <csignal>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "core/system_fd.hpp"
#include "core/system_fs.hpp"
#include "core/test_directory.hpp"

using namespace everlearn;

namespace {

/// Runs a shell script to its end; what it writes to stderr goes to `output`.
ProcessExit run(const std::string& script, const std::string& output, const ProcessLimits& limits = {},
                const std::vector<std::string>& environment = {}) {
  SystemProc proc;
  auto child = proc.start(
      {.argv = {"/bin/sh", "-c", script}, .environment = environment, .stderr_path = output, .limits = limits});
  REQUIRE_MESSAGE(child.has_value(), child.error().message);
  return (*child)->wait().value();
}

std::string stderr_of(const std::string& script, const ProcessLimits& limits = {},
                      const std::vector<std::string>& environment = {}) {
  TestDirectory directory;
  SystemFs fs;
  (void)run(script, directory / "stderr", limits, environment);
  return read_file(fs, directory / "stderr").value();
}

Error start_error(const ProcessSpec& spec) {
  const auto child = SystemProc{}.start(spec);
  REQUIRE_FALSE(child.has_value());
  return child.error();
}

/// Our end of a named pipe that a child has as stderr: tells when every process that holds the other end is gone.
class Witness {
 public:
  Witness() {
    REQUIRE(::mkfifo(path().c_str(), 0600) == 0);
    fd_ = open_fd(path().c_str(), O_RDONLY | O_NONBLOCK);
    REQUIRE(fd_.valid());
  }
  std::string path() const { return directory_ / "pipe"; }

  /// Everything written until all writers are gone; nothing when that takes longer than the test may.
  std::optional<std::string> until_all_gone() {
    std::string all;
    for (;;) {
      pollfd ready{fd_.get(), POLLIN, 0};
      if (::poll(&ready, 1, 20'000) <= 0) return std::nullopt;
      std::array<char, 256> buffer{};
      const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
      if (n <= 0) return all;
      all.append(buffer.data(), static_cast<std::size_t>(n));
    }
  }
  /// Waits for the first byte.
  bool hears_something() {
    pollfd ready{fd_.get(), POLLIN, 0};
    return ::poll(&ready, 1, 20'000) > 0 && (ready.revents & POLLIN) != 0;
  }

 private:
  TestDirectory directory_;
  Fd fd_;
};

}  // namespace

TEST_CASE("system proc: the exit status comes back") {
  CHECK(run("exit 0", "").ok());
  const ProcessExit exit = run("exit 7", "");
  CHECK(exit.code == 7);
  CHECK(exit.signal == 0);
  CHECK_FALSE(exit.ok());
}

TEST_CASE("system proc: the signal that ended the child comes back") {
  const ProcessExit exit = run("kill -TERM $$", "");
  CHECK(exit.signal == SIGTERM);
  CHECK_FALSE(exit.timed_out);
  CHECK_FALSE(exit.ok());
}

TEST_CASE("system proc: stderr goes to a fresh file, stdin and stdout to nothing") {
  TestDirectory directory;
  SystemFs fs;
  (void)run("echo old >&2", directory / "stderr");
  (void)run("echo lost; cat; echo kept >&2", directory / "stderr");
  CHECK(read_file(fs, directory / "stderr").value() == "kept\n");
}

TEST_CASE("system proc: the environment is what was given and nothing else") {
  REQUIRE(::setenv("EVERLEARN_TEST_SECRET", "hidden", 1) == 0);
  const std::string all = stderr_of("/usr/bin/env >&2", {}, {"A=1"});
  CHECK(all.find("A=1\n") != std::string::npos);
  CHECK(all.find("SECRET") == std::string::npos);
}

TEST_CASE("system proc: no descriptor of ours reaches the child") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);  // without O_CLOEXEC
  const Fd first{ends[0]};
  const Fd second{ends[1]};
  // ls itself opens 3 to read the directory.
  CHECK(stderr_of("ls /proc/self/fd >&2") == "0\n1\n2\n3\n");
}

TEST_CASE("system proc: signals that we ignore or block are neither ignored nor blocked there") {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  REQUIRE(::sigaction(SIGTERM, &ignore, &before) == 0);
  sigset_t blocked;
  sigset_t old_mask;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGTERM);
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &old_mask) == 0);
  const ProcessExit exit = run("kill -TERM $$; exit 1", "");
  REQUIRE(::pthread_sigmask(SIG_SETMASK, &old_mask, nullptr) == 0);
  REQUIRE(::sigaction(SIGTERM, &before, nullptr) == 0);
  CHECK(exit.signal == SIGTERM);
}

TEST_CASE("system proc: our own signal mask is as before") {
  sigset_t ours;
  sigset_t after;
  ::sigemptyset(&ours);
  ::sigaddset(&ours, SIGUSR1);
  REQUIRE(::pthread_sigmask(SIG_SETMASK, &ours, nullptr) == 0);
  CHECK(run("exit 0", "").ok());
  ::sigemptyset(&ours);
  REQUIRE(::pthread_sigmask(SIG_SETMASK, &ours, &after) == 0);
  CHECK(::sigismember(&after, SIGUSR1) == 1);
  CHECK(::sigismember(&after, SIGTERM) == 0);
}

TEST_CASE("system proc: arguments arrive as they are") {
  TestDirectory directory;
  SystemFs fs;
  auto child = SystemProc{}
                   .start({.argv = {"/bin/sh", "-c", "printf '%s|' \"$@\" >&2", "sh", "a b", "", "$HOME", "'\"\n"},
                           .stderr_path = directory / "stderr"})
                   .value();
  CHECK(child->wait().value().ok());
  CHECK(read_file(fs, directory / "stderr").value() == "a b||$HOME|'\"\n|");
}

TEST_CASE("system proc: the memory limit stops an allocation above it") {
  const std::string script = "exec dd if=/dev/zero of=/dev/null bs=100M count=1";
  CHECK(run(script, "").ok());
  CHECK_FALSE(run(script, "", {.memory_bytes = 50'000'000}).ok());
}

TEST_CASE("system proc: the cpu limit stops a busy child") {
  const ProcessExit exit = run("while :; do :; done", "", {.cpu = Duration{300'000}});
  CHECK(exit.signal == SIGXCPU);
  CHECK_FALSE(exit.timed_out);
}

TEST_CASE("system proc: limits and niceness are as given, and there are no core dumps") {
  rlimit core{};
  REQUIRE(::getrlimit(RLIMIT_CORE, &core) == 0);
  core.rlim_cur = core.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_CORE, &core) == 0);
  CHECK(stderr_of("ulimit -v >&2; ulimit -t >&2; ulimit -c >&2; nice >&2",
                  {.memory_bytes = 1'024'000'000, .cpu = Duration{1'500'000}, .nice = 7}) == "1000000\n2\n0\n7\n");
}

TEST_CASE("system proc: the wall limit kills the child and all it started") {
  Witness witness;
  const ProcessExit exit = run("sleep 600 & sleep 600", witness.path(), {.wall = Duration{50'000}});
  CHECK(exit.timed_out);
  CHECK(exit.signal == SIGKILL);
  CHECK_FALSE(exit.ok());
  CHECK(witness.until_all_gone() == "");
}

TEST_CASE("system proc: poll tells running, and enforces the wall limit too") {
  auto child = SystemProc{}.start({.argv = {"/bin/sleep", "600"}, .limits = {.wall = Duration{1}}}).value();
  std::optional<ProcessExit> exit;
  while (!exit) exit = child->poll().value();
  CHECK(exit->timed_out);
  CHECK(child->poll().value()->timed_out);
  CHECK(child->wait().value().timed_out);

  auto running = SystemProc{}.start({.argv = {"/bin/sleep", "600"}, .limits = {.wall = Duration::hours(1)}}).value();
  CHECK_FALSE(running->poll().value().has_value());
}

TEST_CASE("system proc: a child within its wall limit ends by itself") {
  CHECK(run("exit 0", "", {.wall = Duration::hours(1)}).ok());
}

TEST_CASE("system proc: what a child leaves behind goes when it ends") {
  Witness witness;
  CHECK(run("sleep 600 & exit 0", witness.path()).ok());
  CHECK(witness.until_all_gone() == "");
}

TEST_CASE("system proc: destroying a running child kills it") {
  Witness witness;
  {
    auto child = SystemProc{}.start({.argv = {"/bin/sleep", "600"}, .stderr_path = witness.path()}).value();
    CHECK_FALSE(child->poll().value().has_value());
  }
  CHECK(witness.until_all_gone() == "");
}

TEST_CASE("system proc: a killed parent takes its children along") {
  Witness witness;
  const std::string path = witness.path();
  const pid_t parent = ::fork();  // a parent that can be killed: this test program has one thread
  if (parent == 0) {
    auto child = SystemProc{}.start({.argv = {"/bin/sh", "-c", "echo up >&2; exec sleep 600"}, .stderr_path = path});
    if (child) (void)(*child)->wait();
    ::_exit(1);
  }
  REQUIRE(parent > 0);
  const bool child_is_up = witness.hears_something();
  REQUIRE(::kill(parent, SIGKILL) == 0);
  REQUIRE(::waitpid(parent, nullptr, 0) == parent);
  CHECK(child_is_up);
  CHECK(witness.until_all_gone() == "up\n");
}

TEST_CASE("system proc: a program that is not there or no program is told at the start") {
  const Error missing = start_error({.argv = {"/none/such"}});
  CHECK(missing.code == Code::NotFound);
  CHECK(missing.message == "start /none/such: No such file or directory (exec)");
  const Error refused = start_error({.argv = {"/dev/null"}});
  CHECK(refused.code == Code::Unsupported);
  CHECK(refused.message == "start /dev/null: Permission denied (exec)");
}

TEST_CASE("system proc: what cannot be asked for is refused before anything starts") {
  CHECK(start_error({}).message == "start a process: no program given");
  CHECK(start_error({.argv = {"sh"}}).message == "start \"sh\": not a path (PATH is not searched)");
  CHECK(start_error({.argv = {"/bin/sh", std::string("a\0b", 3)}}).message ==
        "start /bin/sh: an argument or variable contains a NUL");
  CHECK(start_error({.argv = {"/bin/sh"}, .limits = {.nice = 20}}).message == "start /bin/sh: nice 20 not in 0..19");
  CHECK(start_error({.argv = {"/bin/sh"}, .limits = {.memory_bytes = 0}}).code == Code::OutOfRange);
  CHECK(start_error({.argv = {"/bin/sh"}, .limits = {.wall = Duration{}}}).message ==
        "start /bin/sh: time limit 0s not above 0");
  const Error nowhere = start_error({.argv = {"/bin/sh"}, .stderr_path = "/none/stderr"});
  CHECK(nowhere.code == Code::NotFound);
  CHECK(nowhere.message == "open /none/stderr: No such file or directory");
}
