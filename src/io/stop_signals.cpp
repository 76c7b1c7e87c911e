#include "io/stop_signals.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>

#include <utility>

#include <fmt/format.h>

namespace everlearn {
namespace {

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

Result<StopSignals> StopSignals::take() {
  const sigset_t set = stop_set();
  if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return fail(Code::Unsupported, "SIGTERM cannot be blocked");
  const int fd = ::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) return fail(Code::Unsupported, fmt::format("no signalfd: error {}", errno));
  return StopSignals{fd};
}

StopSignals::StopSignals(StopSignals&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, requested_{other.requested_} {}

StopSignals::~StopSignals() {
  if (fd_ < 0) return;
  ::close(fd_);
  const sigset_t set = stop_set();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

bool StopSignals::requested() {
  signalfd_siginfo info{};
  if (::read(fd_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) requested_ = true;
  return requested_;
}

bool StopSignals::wait(Duration at_most) {
  pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
  (void)::poll(&ready, 1, static_cast<int>(at_most.us() / 1'000));  // interrupted: the caller looks again
  return requested();
}

}  // namespace everlearn
