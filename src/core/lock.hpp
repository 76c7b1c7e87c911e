#pragma once

#include <optional>
#include <string>

#include "core/result.hpp"

namespace everlearn {

/// One process at a time in a data directory. The kernel drops the lock when its holder ends, however it ends; children
/// do not inherit it. The file `lock` stays behind on purpose: removing it would let two processes hold "the" lock.
/// Meant for local disks (flock).
class DirectoryLock {
 public:
  /// Locks the existing directory without waiting.
  /// Errors: InUse, naming the holder's process id and host; NotFound, Storage.
  static Result<DirectoryLock> take(const std::string& directory);
  /// Who holds it now, as take() would name him; empty: nobody. Only for telling a person.
  static Result<std::optional<std::string>> holder(const std::string& directory);

  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&& other) noexcept;
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : fd_{fd} {}
  int fd_;
};

}  // namespace everlearn
