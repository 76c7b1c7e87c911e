#include "core/system_proc.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <limits>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "core/system_clock.hpp"
#include "core/system_error.hpp"
#include "core/system_fd.hpp"

namespace everlearn {
namespace {

constexpr int kFirstFreeFd = 3;

/// All that the child touches between vfork and exec: prepared before, since it may not allocate.
struct Launch {
  char* const* argv = nullptr;
  char* const* environment = nullptr;
  int null_fd = -1;
  int stderr_fd = -1;
  pid_t parent = 0;
  sigset_t no_signals = {};
  std::optional<rlimit> memory = {};
  std::optional<rlimit> cpu = {};
  int nice = 0;
  // The child writes here, in our memory, when it fails.
  const char* volatile failed_step = nullptr;
  volatile int error = 0;
};

[[noreturn]] void give_up(Launch& launch, const char* step) {
  launch.failed_step = step;
  launch.error = errno;
  ::_exit(127);
}

void close_all_from(int first) {
  if (::syscall(SYS_close_range, static_cast<unsigned>(first), ~0u, 0u) == 0) return;
  rlimit open_files{};  // kernels before 5.9, and sandboxes that do not know the call
  (void)::getrlimit(RLIMIT_NOFILE, &open_files);
  const rlim_t end = std::min<rlim_t>(open_files.rlim_cur, 1 << 20);
  for (int fd = first; static_cast<rlim_t>(fd) < end; ++fd) (void)::close(fd);
}

/// Runs in the child on borrowed memory: async-signal-safe calls only.
[[noreturn]] void become_program(Launch& launch) {
  if (::setpgid(0, 0) != 0) give_up(launch, "process group");
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(launch, "death signal");
  if (::getppid() != launch.parent) give_up(launch, "parent");  // it died before the line above

  for (int number = 1; number < NSIG; ++number) (void)::signal(number, SIG_DFL);  // exec would keep what is ignored
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) give_up(launch, "core limit");
  if (launch.memory && ::setrlimit(RLIMIT_AS, &*launch.memory) != 0) give_up(launch, "memory limit");
  if (launch.cpu && ::setrlimit(RLIMIT_CPU, &*launch.cpu) != 0) give_up(launch, "cpu limit");
  if (launch.nice > 0 && ::setpriority(PRIO_PROCESS, 0, launch.nice) != 0) give_up(launch, "nice");

  if (::dup2(launch.null_fd, STDIN_FILENO) < 0 || ::dup2(launch.null_fd, STDOUT_FILENO) < 0 ||
      ::dup2(launch.stderr_fd, STDERR_FILENO) < 0) {
    give_up(launch, "standard streams");
  }
  close_all_from(kFirstFreeFd);
  if (::sigprocmask(SIG_SETMASK, &launch.no_signals, nullptr) != 0) give_up(launch, "signal mask");
  ::execve(launch.argv[0], launch.argv, launch.environment);
  give_up(launch, "exec");
}

/// Not inlined: the caller's variables must not live in a frame that the child runs on.
[[gnu::noinline]] pid_t launch_child(Launch& launch) {
  const pid_t pid = ::vfork();
  if (pid == 0) become_program(launch);
  return pid;
}

/// Moved above stderr, so that dup2 onto 0..2 cannot overwrite it.
Result<Fd> open_high(const char* path, int flags) {
  const Fd low = open_fd(path, flags);
  if (!low.valid()) return system_error("open", path, errno);
  Fd high{::fcntl(low.get(), F_DUPFD_CLOEXEC, kFirstFreeFd)};
  if (!high.valid()) return system_error("open", path, errno);
  return high;
}

Result<void> check(const ProcessSpec& spec) {
  if (spec.argv.empty()) return fail(Code::Usage, "start a process: no program given");
  const std::string& program = spec.argv[0];
  if (program.find('/') == std::string::npos) {
    return fail(Code::Usage, fmt::format("start {}: not a path (PATH is not searched)", quoted(program)));
  }
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (std::ranges::any_of(spec.argv, has_nul) || std::ranges::any_of(spec.environment, has_nul)) {
    return fail(Code::Usage, fmt::format("start {}: an argument or variable contains a NUL", program));
  }
  const ProcessLimits& limits = spec.limits;
  if (limits.nice < 0 || limits.nice > 19) {
    return fail(Code::OutOfRange, fmt::format("start {}: nice {} not in 0..19", program, limits.nice));
  }
  if (limits.memory_bytes && *limits.memory_bytes == 0) {
    return fail(Code::OutOfRange, fmt::format("start {}: memory limit 0 not above 0", program));
  }
  for (const auto& limit : {limits.cpu, limits.wall}) {
    if (limit && *limit <= Duration{}) {
      return fail(Code::OutOfRange, fmt::format("start {}: time limit {} not above 0", program, limit->text()));
    }
  }
  return {};
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));  // execve's old signature
  out.push_back(nullptr);
  return out;
}

/// The limit, or what we may have at most.
rlimit capped(int resource, rlim_t soft, rlim_t hard) {
  rlimit ours{};
  if (::getrlimit(static_cast<__rlimit_resource_t>(resource), &ours) != 0) return rlimit{soft, hard};
  return rlimit{std::min(soft, ours.rlim_max), std::min(hard, ours.rlim_max)};
}

ProcessExit exit_of(int status, bool killed_at_wall_limit) {
  ProcessExit exit;
  if (WIFSIGNALED(status)) {
    exit.signal = WTERMSIG(status);
    exit.timed_out = killed_at_wall_limit && exit.signal == SIGKILL;
  } else {
    exit.code = WEXITSTATUS(status);
  }
  return exit;
}

class SystemChild final : public Child {
 public:
  SystemChild(pid_t pid, std::string program, std::optional<Duration> wall)
      : pid_{pid}, program_{std::move(program)}, wall_{wall} {}
  SystemChild(const SystemChild&) = delete;
  SystemChild& operator=(const SystemChild&) = delete;

  ~SystemChild() override {
    if (exit_) return;
    kill_group();
    int status = 0;
    (void)without_interrupt([&] { return ::waitpid(pid_, &status, 0); });
  }

  Result<std::optional<ProcessExit>> poll() override {
    EL_TRY(const bool ended, reap(WNOHANG));
    if (ended) return exit_;
    if (!over_limit()) return std::optional<ProcessExit>{};
    EL_TRY(const ProcessExit exit, stop_at_limit());
    return std::optional{exit};
  }

  Result<ProcessExit> wait() override {
    while (wall_) {
      EL_TRY(const bool ended, reap(WNOHANG));
      if (ended) return *exit_;
      if (over_limit()) return stop_at_limit();
      pause_until_exit(wall_->as_seconds() - running_.seconds());
    }
    EL_CHECK(reap(0));
    return *exit_;
  }

 private:
  bool over_limit() const { return wall_ && running_.seconds() >= wall_->as_seconds(); }

  Result<ProcessExit> stop_at_limit() {
    killed_at_limit_ = true;
    kill_group();
    EL_CHECK(reap(0));
    return *exit_;
  }

  void kill_group() { (void)::kill(-pid_, SIGKILL); }

  /// True once the child has ended and exit_ is set. Errors: Internal when its status was lost.
  Result<bool> reap(int flags) {
    if (exit_) return true;
    siginfo_t info{};
    const auto id = static_cast<id_t>(pid_);
    if (without_interrupt([&] { return ::waitid(P_PID, id, &info, WEXITED | WNOWAIT | flags); }) != 0) return lost();
    if (info.si_pid == 0) return false;
    kill_group();  // what it left behind; our zombie still holds the group's number, so it is nobody else's
    int status = 0;
    if (without_interrupt([&] { return ::waitpid(pid_, &status, 0); }) != pid_) return lost();
    exit_ = exit_of(status, killed_at_limit_);
    return true;
  }

  tl::unexpected<Error> lost() const {
    return fail(Code::Internal, fmt::format("{} (process {}): its exit status is lost; something else waits for our "
                                            "children or ignores SIGCHLD",
                                            program_, pid_));
  }

  /// Returns when the child ends or `seconds` have passed, or earlier: the caller looks again.
  void pause_until_exit(double seconds) const {
    const double ms = std::clamp(seconds * 1e3 + 1.0, 1.0, 60'000.0);
    if (const Fd process{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))}; process.valid()) {
      pollfd ready{process.get(), POLLIN, 0};
      (void)::poll(&ready, 1, static_cast<int>(ms));
      return;
    }
    const timespec nap{0, static_cast<long>(std::min(ms, 10.0) * 1e6)};  // kernels before 5.3
    (void)::nanosleep(&nap, nullptr);
  }

  const pid_t pid_;
  const std::string program_;
  const std::optional<Duration> wall_;
  const Stopwatch running_;
  bool killed_at_limit_ = false;
  std::optional<ProcessExit> exit_;
};

}  // namespace

Result<std::unique_ptr<Child>> SystemProc::start(const ProcessSpec& spec) {
  EL_CHECK(check(spec));
  const std::string& program = spec.argv[0];
  EL_TRY(const Fd null, open_high("/dev/null", O_RDWR));
  Fd errors;
  if (!spec.stderr_path.empty()) {
    EL_TRY(errors, open_high(spec.stderr_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW));
  }
  const std::vector<char*> argv = pointers(spec.argv);
  const std::vector<char*> environment = pointers(spec.environment);

  Launch launch{.argv = argv.data(),
                .environment = environment.data(),
                .null_fd = null.get(),
                .stderr_fd = errors.valid() ? errors.get() : null.get(),
                .parent = ::getpid(),
                .no_signals = {},
                .memory = {},
                .cpu = {},
                .nice = spec.limits.nice};
  ::sigemptyset(&launch.no_signals);
  if (spec.limits.memory_bytes) {
    launch.memory = capped(RLIMIT_AS, *spec.limits.memory_bytes, *spec.limits.memory_bytes);
  }
  if (spec.limits.cpu) {
    // Whole seconds, rounded up: SIGXCPU first, SIGKILL a second later for a program that catches it.
    const auto seconds = static_cast<rlim_t>((spec.limits.cpu->us() - 1) / 1'000'000 + 1);
    launch.cpu = capped(RLIMIT_CPU, seconds, seconds + 1);
  }

  sigset_t all_signals;
  sigset_t before;
  ::sigfillset(&all_signals);
  ::pthread_sigmask(SIG_SETMASK, &all_signals, &before);
  const pid_t pid = launch_child(launch);
  const int spawn_error = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);

  if (pid < 0) return fail(Code::Unsupported, system_error("start", program, spawn_error).value().message);
  auto child = std::make_unique<SystemChild>(pid, program, spec.limits.wall);
  if (launch.failed_step != nullptr) {
    Error error = system_error("start", program, launch.error).value();
    if (error.code != Code::NotFound) error.code = Code::Unsupported;
    return fail(error.code, fmt::format("{} ({})", error.message, launch.failed_step));
  }
  return child;
}

}  // namespace everlearn
