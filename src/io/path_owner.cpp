#include "io/path_owner.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/system_error.hpp"

namespace everlearn {

Result<PathOwner> owner_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return system_error("look at", path, errno);
  return PathOwner{.ours = facts.st_uid == ::geteuid(),
                   .writable = ::access(path.c_str(), W_OK) == 0,
                   .mode = static_cast<unsigned>(facts.st_mode) & 07777u};
}

}  // namespace everlearn
