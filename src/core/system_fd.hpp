#pragma once

#include <cerrno>
#include <utility>

namespace everlearn {

/// Owns a POSIX file descriptor; used by the system_* files only.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_{fd} {}
  Fd(Fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  /// Closes now; 0 or the errno. Linux frees the number whatever close() says, so it is never tried again.
  int close();
  /// Gives the number away without closing it.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

/// open() with O_CLOEXEC and O_NOCTTY added, repeated on EINTR. Not valid on failure, with errno set.
Fd open_fd(const char* path, int flags, unsigned mode = 0644);

/// Calls `f` until it does not fail with EINTR.
template <class F>
auto without_interrupt(F f) {
  for (;;) {
    const auto result = f();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace everlearn
