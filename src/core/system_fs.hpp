// The real file system (POSIX). Every Error names the operation, the path and the system's reason.
// Codes: NotFound, InUse for a path that already exists, Storage for the rest.
#pragma once

#include "core/fs.hpp"

namespace everlearn {

/// No state of its own: any thread may call it. A file object belongs to one thread at a time; read_at() may be called
/// by several.
/// Links: files are created and appended to without following a symbolic link as last name, reading follows it;
/// remove_tree() never leaves the tree through one. Reading anything but a regular file is refused.
class SystemFs final : public Fs {
 public:
  enum class NoReplace {
    Native,          // renameat2, and LinkThenUnlink where the file system has no such rename
    LinkThenUnlink,  // files only: a crash in between leaves both names
  };
  explicit SystemFs(NoReplace no_replace = NoReplace::Native) : no_replace_{no_replace} {}

  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> rename_no_replace(const std::string& from, const std::string& to) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_tree(const std::string& path) override;
  Result<void> make_directories(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  bool exists(const std::string& path) override;
  Result<std::uint64_t> free_bytes(const std::string& path) override;

 private:
  const NoReplace no_replace_;
};

}  // namespace everlearn
