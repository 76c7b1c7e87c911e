#include "core/system_fs.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/system_error.hpp"
#include "core/system_fd.hpp"

namespace everlearn {
namespace {

std::string arrow(const std::string& from, const std::string& to) { return from + " -> " + to; }

class SystemWritableFile final : public WritableFile {
 public:
  SystemWritableFile(Fd fd, std::string path) : fd_{std::move(fd)}, path_{std::move(path)} {}

  Result<void> append(std::string_view bytes) override {
    EL_CHECK(usable("append to"));
    while (!bytes.empty()) {
      const ssize_t n = without_interrupt([&] { return ::write(fd_.get(), bytes.data(), bytes.size()); });
      if (n < 0) return broken("append to", errno);
      if (n == 0) return broken("append to", EIO);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
  }

  Result<void> sync() override {
    EL_CHECK(usable("sync"));
    if (without_interrupt([&] { return ::fdatasync(fd_.get()); }) != 0) return broken("sync", errno);
    return {};
  }

  Result<void> close() override {
    if (const int error = fd_.close(); error != 0) return broken("close", error);
    return {};
  }

 private:
  // The kernel marks pages clean after a failed write-back, so a second sync would succeed without the bytes
  // ("Can Applications Recover from fsync Failures?", ATC 2020). Hence the first failure is final.
  tl::unexpected<Error> broken(std::string_view operation, int error) {
    broken_ = true;
    return system_error(operation, path_, error);
  }

  Result<void> usable(std::string_view operation) const {
    if (broken_) return fail(Code::Storage, fmt::format("{} {}: an earlier operation failed", operation, path_));
    if (!fd_.valid()) return fail(Code::Internal, fmt::format("{} {}: the file is closed", operation, path_));
    return {};
  }

  Fd fd_;
  const std::string path_;
  bool broken_ = false;
};

class SystemReadableFile final : public ReadableFile {
 public:
  SystemReadableFile(Fd fd, std::string path, std::uint64_t size)
      : fd_{std::move(fd)}, path_{std::move(path)}, size_{size} {}

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    std::size_t filled = 0;
    while (filled < into.size()) {
      const auto at = static_cast<off_t>(offset + filled);
      const ssize_t n =
          without_interrupt([&] { return ::pread(fd_.get(), into.data() + filled, into.size() - filled, at); });
      if (n < 0) return system_error("read", path_, errno);
      if (n == 0) break;
      filled += static_cast<std::size_t>(n);
    }
    return filled;
  }

 private:
  const Fd fd_;
  const std::string path_;
  const std::uint64_t size_;
};

struct CloseDirectory {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

Directory open_directory_at(int parent, const char* name, int flags) {
  Fd fd{without_interrupt([&] { return ::openat(parent, name, flags | O_RDONLY | O_DIRECTORY | O_CLOEXEC); })};
  if (!fd.valid()) return nullptr;
  Directory directory{::fdopendir(fd.get())};
  if (directory) (void)fd.release();  // closedir() closes it
  return directory;
}

/// The next name without "." and "..", nothing at the end; 0 or the errno.
int next_name(DIR* directory, std::optional<std::string>& name) {
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory);
    if (entry == nullptr) {
      name.reset();
      return errno;
    }
    const std::string_view found{entry->d_name};
    if (found == "." || found == "..") continue;
    name = std::string{found};
    return 0;
  }
}

Result<void> remove_below(DIR* directory, const std::string& path) {
  for (;;) {
    std::optional<std::string> name;
    if (const int error = next_name(directory, name); error != 0) return system_error("list", path, error);
    if (!name) return {};
    const std::string below = path + "/" + *name;
    const int parent = ::dirfd(directory);
    if (::unlinkat(parent, name->c_str(), 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR) return system_error("remove", below, errno);
    const Directory child = open_directory_at(parent, name->c_str(), O_NOFOLLOW);
    if (!child) return system_error("remove", below, errno);
    EL_CHECK(remove_below(child.get(), below));
    if (::unlinkat(parent, name->c_str(), AT_REMOVEDIR) != 0) return system_error("remove", below, errno);
  }
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

Result<std::unique_ptr<WritableFile>> SystemFs::create(const std::string& path) {
  Fd fd = open_fd(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  if (!fd.valid()) return system_error("create", path, errno);
  return std::make_unique<SystemWritableFile>(std::move(fd), path);
}

Result<std::unique_ptr<WritableFile>> SystemFs::open_append(const std::string& path) {
  Fd fd = open_fd(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW);
  if (!fd.valid()) return system_error("open for appending", path, errno);
  return std::make_unique<SystemWritableFile>(std::move(fd), path);
}

Result<std::unique_ptr<ReadableFile>> SystemFs::open(const std::string& path) {
  // O_NONBLOCK: a named pipe must be refused below, not waited for. It changes nothing for regular files.
  Fd fd = open_fd(path.c_str(), O_RDONLY | O_NONBLOCK);
  if (!fd.valid()) return system_error("open", path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return system_error("open", path, errno);
  if (S_ISDIR(status.st_mode)) return system_error("open", path, EISDIR);
  if (!S_ISREG(status.st_mode)) return fail(Code::Unsupported, fmt::format("open {}: not a regular file", path));
  return std::make_unique<SystemReadableFile>(std::move(fd), path, static_cast<std::uint64_t>(status.st_size));
}

Result<void> SystemFs::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return system_error("rename", arrow(from, to), errno);
  return {};
}

Result<void> SystemFs::rename_no_replace(const std::string& from, const std::string& to) {
  if (no_replace_ == NoReplace::Native) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno != EINVAL && errno != ENOSYS) return system_error("rename", arrow(from, to), errno);
  }
  if (::link(from.c_str(), to.c_str()) != 0 || ::unlink(from.c_str()) != 0) {
    return system_error("rename", arrow(from, to), errno);
  }
  return {};
}

Result<void> SystemFs::link(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) != 0) return system_error("link", arrow(from, to), errno);
  return {};
}

Result<void> SystemFs::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return system_error("remove", path, errno);
  return {};
}

Result<void> SystemFs::remove_tree(const std::string& path) {
  const Directory directory = open_directory_at(AT_FDCWD, path.c_str(), O_NOFOLLOW);
  if (!directory) {
    if (errno == ENOENT) return {};
    return system_error("remove", path, errno);
  }
  EL_CHECK(remove_below(directory.get(), path));
  if (::rmdir(path.c_str()) != 0) return system_error("remove", path, errno);
  return {};
}

Result<void> SystemFs::make_directories(const std::string& path) {
  if (is_directory(path)) return {};
  const std::string parent = parent_directory(path);
  if (parent != path && parent != ".") EL_CHECK(make_directories(parent));
  if (::mkdir(path.c_str(), 0755) != 0) {
    // Another process may have been quicker, and then it may not have synced the parent yet.
    if (const int error = errno; error != EEXIST || !is_directory(path)) {
      return system_error("make directory", path, error);
    }
  }
  return sync_directory(parent);
}

Result<void> SystemFs::sync_directory(const std::string& path) {
  const Fd fd = open_fd(path.c_str(), O_RDONLY | O_DIRECTORY);
  if (!fd.valid()) return system_error("sync directory", path, errno);
  if (without_interrupt([&] { return ::fsync(fd.get()); }) != 0) return system_error("sync directory", path, errno);
  return {};
}

Result<std::vector<DirectoryEntry>> SystemFs::list(const std::string& path) {
  const Directory directory = open_directory_at(AT_FDCWD, path.c_str(), 0);
  if (!directory) return system_error("list", path, errno);
  std::vector<DirectoryEntry> entries;
  for (;;) {
    std::optional<std::string> name;
    if (const int error = next_name(directory.get(), name); error != 0) return system_error("list", path, error);
    if (!name) break;
    struct stat status {};
    if (::fstatat(::dirfd(directory.get()), name->c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;  // removed since it was read
      return system_error("list", path + "/" + *name, errno);
    }
    const bool directory_entry = S_ISDIR(status.st_mode);
    entries.push_back({*name, directory_entry, directory_entry ? 0 : static_cast<std::uint64_t>(status.st_size)});
  }
  std::ranges::sort(entries, {}, &DirectoryEntry::name);
  return entries;
}

bool SystemFs::exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

Result<std::uint64_t> SystemFs::free_bytes(const std::string& path) {
  struct statvfs status {};
  if (without_interrupt([&] { return ::statvfs(path.c_str(), &status); }) != 0) {
    return system_error("free bytes of", path, errno);
  }
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace everlearn
