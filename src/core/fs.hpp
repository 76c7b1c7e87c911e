// The file system as a port. SystemFs is the real one; SimFs injects short writes, full disks, I/O errors and crashes
// that drop what was not synced. Paths are plain strings; parents must exist unless stated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace everlearn {

/// A file being written. Destroying it closes without a sync.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  /// Writes all bytes or fails with Storage.
  virtual Result<void> append(std::string_view bytes) = 0;
  /// Returns once the bytes are on the disk. After a failure the file must not be trusted (never retry).
  virtual Result<void> sync() = 0;
  virtual Result<void> close() = 0;
};

class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual std::uint64_t size() const = 0;
  /// Reads up to `into.size()` bytes at `offset`; returns how many, 0 at the end.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) = 0;
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
  std::uint64_t size = 0;
};

class Fs {
 public:
  virtual ~Fs() = default;
  /// Creates a new file; fails if the path exists.
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;
  /// Opens for appending, creating if needed.
  virtual Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) = 0;
  virtual Result<std::unique_ptr<ReadableFile>> open(const std::string& path) = 0;
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  /// Fails with InUse if `to` exists.
  virtual Result<void> rename_no_replace(const std::string& from, const std::string& to) = 0;
  /// Hard link; fails if `to` exists.
  virtual Result<void> link(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  /// Removes a directory and all below it; nothing there is no error.
  virtual Result<void> remove_tree(const std::string& path) = 0;
  /// Makes the directory and its missing parents, and syncs each directory that got a new entry.
  virtual Result<void> make_directories(const std::string& path) = 0;
  virtual Result<void> sync_directory(const std::string& path) = 0;
  /// Entries sorted by name, without "." and "..".
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;
  virtual bool exists(const std::string& path) = 0;
  virtual Result<std::uint64_t> free_bytes(const std::string& path) = 0;
};

/// The directory that holds `path`'s last name: "a/b" -> "a", "b" -> ".", "/b" -> "/".
std::string parent_directory(std::string_view path);

/// The whole file. Errors: NotFound, Storage, OutOfRange above `limit` bytes.
Result<std::string> read_file(Fs& fs, const std::string& path, std::uint64_t limit = 1ull << 31);

/// Replaces `path` in one step: temporary file beside it, sync, rename, sync of the directory.
Result<void> replace_file(Fs& fs, const std::string& path, std::string_view bytes);

}  // namespace everlearn
