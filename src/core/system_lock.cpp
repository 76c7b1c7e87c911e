#include <array>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/lock.hpp"
#include "core/system_error.hpp"
#include "core/system_fd.hpp"

namespace everlearn {
namespace {

std::string this_process() {
  std::array<char, 256> host{};
  if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return fmt::format("process {} on {}", ::getpid(), host[0] != '\0' ? host.data() : "an unnamed host");
}

/// What the holder wrote. It writes right after it got the lock, so an empty file is asked again for a moment.
std::string name_of_holder(int fd) {
  constexpr int kAttempts = 50, kPauseMs = 2;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::array<char, 320> text{};
    const ssize_t n = ::pread(fd, text.data(), text.size(), 0);
    std::string_view line{text.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
    line = line.substr(0, line.find('\n'));
    if (!line.empty()) return std::string{line};
    ::poll(nullptr, 0, kPauseMs);
  }
  return "another process";
}

}  // namespace

Result<DirectoryLock> DirectoryLock::take(const std::string& directory) {
  const std::string path = directory + "/lock";
  Fd fd = open_fd(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW);
  if (!fd.valid()) return system_error("lock", path, errno);
  if (without_interrupt([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
    if (errno != EWOULDBLOCK) return system_error("lock", path, errno);
    return fail(Code::InUse, fmt::format("data directory {} is in use by {}", directory, name_of_holder(fd.get())));
  }
  // The text is for people only, the lock is the kernel's: a full disk must not stop a start that could repair it.
  const std::string text = this_process() + "\n";
  if (::ftruncate(fd.get(), 0) == 0) (void)!::pwrite(fd.get(), text.data(), text.size(), 0);
  return DirectoryLock{fd.release()};
}

Result<std::optional<std::string>> DirectoryLock::holder(const std::string& directory) {
  const std::string path = directory + "/lock";
  const Fd fd = open_fd(path.c_str(), O_RDONLY | O_NOFOLLOW);
  if (!fd.valid() && errno == ENOENT) return std::nullopt;
  if (!fd.valid()) return system_error("lock", path, errno);
  // Held for an instant, and shared: askers do not see each other.
  if (without_interrupt([&] { return ::flock(fd.get(), LOCK_SH | LOCK_NB); }) == 0) return std::nullopt;
  if (errno != EWOULDBLOCK) return system_error("lock", path, errno);
  return name_of_holder(fd.get());
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}

DirectoryLock& DirectoryLock::operator=(DirectoryLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

DirectoryLock::~DirectoryLock() { (void)Fd{fd_}.close(); }

}  // namespace everlearn
