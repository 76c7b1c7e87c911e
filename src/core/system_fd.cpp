#include "core/system_fd.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace everlearn {

Fd::~Fd() { (void)close(); }

int Fd::close() {
  const int fd = std::exchange(fd_, -1);
  if (fd < 0 || ::close(fd) == 0 || errno == EINTR) return 0;
  return errno;
}

Fd open_fd(const char* path, int flags, unsigned mode) {
  return Fd{without_interrupt([&] { return ::open(path, flags | O_CLOEXEC | O_NOCTTY, mode); })};
}

}  // namespace everlearn
