#include "io/control_socket.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "core/fs.hpp"
#include "core/system_error.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kLongestAnswer = 4 << 20;

std::string last_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// A socket's name has 107 bytes, a data directory's path may have more: the directory is named by its descriptor.
sockaddr_un address_of(int directory, const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", directory, name);
  std::memcpy(address.sun_path, path.c_str(), std::min(path.size() + 1, sizeof address.sun_path - 1));
  return address;
}

const sockaddr* generic(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }

Fd open_directory(const std::string& path) { return open_fd(parent_directory(path).c_str(), O_PATH | O_DIRECTORY); }

bool same_user(int fd) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

int milliseconds(Duration d) { return static_cast<int>(std::max<std::int64_t>(0, (d.us() + 999) / 1000)); }

Duration left_of(Duration deadline, const Stopwatch& since) {
  return deadline - Duration{static_cast<std::int64_t>(since.seconds() * 1e6)};
}

}  // namespace

ControlSocket::ControlSocket(Fd directory, std::string name, Fd fd)
    : directory_{std::move(directory)}, name_{std::move(name)}, fd_{std::move(fd)} {}

ControlSocket::~ControlSocket() { ::unlinkat(directory_.get(), name_.c_str(), 0); }

Result<std::unique_ptr<ControlSocket>> ControlSocket::listen(const std::string& path) {
  Fd directory = open_directory(path);
  if (!directory.valid()) return system_error("listen at", path, errno);
  const std::string name = last_name(path);
  if (::unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT) return system_error("remove", path, errno);
  Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd.valid()) return system_error("listen at", path, errno);
  // The name gets the mode that the socket has when it is bound: never open to others, not even for a moment.
  if (::fchmod(fd.get(), 0600) != 0) return system_error("listen at", path, errno);
  const sockaddr_un address = address_of(directory.get(), name);
  if (::bind(fd.get(), generic(address), sizeof address) != 0) return system_error("listen at", path, errno);
  if (::fchmodat(directory.get(), name.c_str(), 0600, 0) != 0) return system_error("listen at", path, errno);
  if (::listen(fd.get(), static_cast<int>(kMostCallers)) != 0) return system_error("listen at", path, errno);
  return std::unique_ptr<ControlSocket>{new ControlSocket{std::move(directory), name, std::move(fd)}};
}

void ControlSocket::accept_callers() {
  while (callers_.size() < kMostCallers) {
    Fd fd{::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (!fd.valid()) return;
    if (!same_user(fd.get())) continue;
    auto caller = std::make_unique<Caller>();
    caller->fd = std::move(fd);
    callers_.push_back(std::move(caller));
  }
}

bool ControlSocket::listen_to(Caller& caller, const Answer& answer) {
  char bytes[4096];
  for (;;) {
    const ssize_t n = without_interrupt([&] { return ::recv(caller.fd.get(), bytes, sizeof bytes, 0); });
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    if (n == 0) return false;  // hung up before the line was whole
    caller.said.append(bytes, static_cast<std::size_t>(n));
    const std::size_t end = caller.said.find('\n');
    if (end == std::string::npos) {
      if (caller.said.size() > kLongestRequest) return false;
      continue;
    }
    if (end > kLongestRequest) return false;
    caller.answer = answer(std::string_view{caller.said}.substr(0, end)) + "\n";
    caller.answered = true;
    return speak_to(caller);
  }
}

bool ControlSocket::speak_to(Caller& caller) {
  while (caller.sent < caller.answer.size()) {
    const ssize_t n = without_interrupt([&] {
      return ::send(caller.fd.get(), caller.answer.data() + caller.sent, caller.answer.size() - caller.sent,
                    MSG_NOSIGNAL);
    });
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    caller.sent += static_cast<std::size_t>(n);
  }
  return false;  // all said
}

Result<void> ControlSocket::wait(Duration longest, int also, const Answer& answer) {
  const Stopwatch waited;
  for (;;) {
    std::erase_if(callers_, [](const auto& caller) { return left_of(kDeadline, caller->since).us() <= 0; });
    std::vector<pollfd> watched{{also, POLLIN, 0}};
    // Full: the others wait in the kernel's queue.
    watched.push_back({callers_.size() < kMostCallers ? fd_.get() : -1, POLLIN, 0});
    Duration time = left_of(longest, waited);
    for (const auto& caller : callers_) {
      watched.push_back({caller->fd.get(), static_cast<short>(caller->answered ? POLLOUT : POLLIN), 0});
      time = std::min(time, left_of(kDeadline, caller->since));
    }
    const int ready = ::poll(watched.data(), watched.size(), milliseconds(time));
    if (ready < 0 && errno != EINTR) return system_error("wait for", name_, errno);
    bool any_answered = false;
    if (ready > 0) {
      for (std::size_t i = 0; i < callers_.size(); ++i) {
        if (watched[i + 2].revents == 0) continue;
        Caller& caller = *callers_[i];
        const bool before = caller.answered;
        const bool stays = caller.answered ? speak_to(caller) : listen_to(caller, answer);
        any_answered = any_answered || caller.answered != before;
        if (!stays) (void)caller.fd.close();
      }
      std::erase_if(callers_, [](const auto& caller) { return !caller->fd.valid(); });
      if (watched[1].revents != 0) accept_callers();
      if (watched[0].revents != 0) return {};
    }
    if (any_answered || left_of(longest, waited).us() <= 0) return {};
  }
}

Result<std::string> ask_daemon(const std::string& path, std::string_view request, Duration deadline) {
  const Stopwatch since;
  const auto nobody = [&] { return fail(Code::NotFound, fmt::format("no daemon listens at {}", path)); };
  const auto silent = [&] {
    return fail(Code::Storage, fmt::format("the daemon at {} did not answer within {}", path, deadline.text()));
  };
  const Fd directory = open_directory(path);
  if (!directory.valid()) return nobody();
  const Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd.valid()) return system_error("speak to", path, errno);
  const sockaddr_un address = address_of(directory.get(), last_name(path));
  if (::connect(fd.get(), generic(address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return nobody();
    if (errno == EAGAIN) return fail(Code::Storage, fmt::format("the daemon at {} has too many callers", path));
    return system_error("speak to", path, errno);
  }
  if (!same_user(fd.get())) return fail(Code::Unsupported, fmt::format("the daemon at {} is of another user", path));

  std::string line{request};
  line += '\n';
  std::size_t sent = 0;
  std::string answer;
  for (;;) {
    const Duration time = left_of(deadline, since);
    if (time.us() <= 0) return silent();
    pollfd watched{fd.get(), static_cast<short>(sent < line.size() ? POLLOUT : POLLIN), 0};
    const int ready = ::poll(&watched, 1, milliseconds(time));
    if (ready < 0 && errno != EINTR) return system_error("speak to", path, errno);
    if (ready <= 0) continue;
    if (sent < line.size()) {
      const ssize_t n = ::send(fd.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
      if (n < 0 && errno != EAGAIN && errno != EINTR) return system_error("speak to", path, errno);
      if (n > 0) sent += static_cast<std::size_t>(n);
      continue;
    }
    char bytes[4096];
    const ssize_t n = ::recv(fd.get(), bytes, sizeof bytes, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n < 0) return system_error("speak to", path, errno);
    if (n == 0) return fail(Code::Storage, fmt::format("the daemon at {} hung up", path));
    answer.append(bytes, static_cast<std::size_t>(n));
    if (const std::size_t end = answer.find('\n'); end != std::string::npos) return answer.substr(0, end);
    if (answer.size() > kLongestAnswer)
      return fail(Code::BadData, fmt::format("the daemon at {} answers more than {} bytes", path, kLongestAnswer));
  }
}

}  // namespace everlearn
