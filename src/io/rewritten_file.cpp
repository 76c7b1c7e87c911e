#include "io/rewritten_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "core/system_error.hpp"
#include "core/system_fd.hpp"
#include "core/system_fs.hpp"

namespace everlearn {
namespace {

constexpr std::uint64_t kLargest = 1u << 20;

Result<struct stat> facts_of(const std::string& path) {
  struct stat facts {};
  if (::lstat(path.c_str(), &facts) != 0) return system_error("look at", path, errno);
  const auto refused = [&](const std::string& why) {
    return fail(Code::Unsupported, fmt::format("{} is not changed: {}", path, why));
  };
  if (S_ISLNK(facts.st_mode)) return refused("it is a link, and others may use what it leads to");
  if (!S_ISREG(facts.st_mode)) return refused("it is not a regular file");
  if (facts.st_nlink > 1)
    return refused(fmt::format("it has {} names, which would no longer be one file", facts.st_nlink));
  if ((facts.st_mode & S_IWUSR) == 0 || ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0)
    return fail(Code::Storage, fmt::format("{} is not changed: it is read-only", path));
  return facts;
}

/// A new file with the mode and owner of another, on the disk when this returns.
Result<void> write_like(const struct stat& like, const std::string& path, std::string_view bytes) {
  Fd fd = open_fd(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (!fd.valid()) return system_error("create", path, errno);
  const auto written = [&]() -> Result<void> {
    // Before the first byte: what is in there may be for its owner's eyes only.
    struct stat ours {};
    if (::fstat(fd.get(), &ours) != 0) return system_error("look at", path, errno);
    if ((ours.st_uid != like.st_uid || ours.st_gid != like.st_gid) && ::fchown(fd.get(), like.st_uid, like.st_gid) != 0)
      return system_error("give to its owner", path, errno);
    if (::fchmod(fd.get(), like.st_mode & 07777u) != 0) return system_error("set the mode of", path, errno);
    while (!bytes.empty()) {
      const ssize_t n = without_interrupt([&] { return ::write(fd.get(), bytes.data(), bytes.size()); });
      if (n <= 0) return system_error("write", path, n < 0 ? errno : EIO);
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    if (without_interrupt([&] { return ::fsync(fd.get()); }) != 0) return system_error("sync", path, errno);
    if (const int error = fd.close(); error != 0) return system_error("close", path, error);
    return {};
  }();
  if (!written) (void)::unlink(path.c_str());  // the first error is the one to tell
  return written;
}

}  // namespace

Result<bool> rewrite_file(const std::string& path, const std::string& copy,
                          const std::function<std::string(std::string_view text)>& edit) {
  SystemFs fs;
  EL_TRY(const struct stat facts, facts_of(path));
  EL_TRY(const std::string before, read_file(fs, path, kLargest));
  const std::string after = edit(before);
  if (after == before) return false;
  const std::string temporary = path + ".everlearn.tmp";
  if (fs.exists(temporary)) EL_CHECK(fs.remove(temporary));  // left behind by a crash
  EL_CHECK(write_like(facts, copy, before));
  const auto replaced = [&]() -> Result<void> {
    EL_CHECK(write_like(facts, temporary, after));
    EL_TRY(const std::string now, read_file(fs, path, kLargest));
    if (now != before) return fail(Code::Storage, fmt::format("{} is not changed: somebody else is changing it", path));
    return fs.rename(temporary, path);
  }();
  if (!replaced) {
    (void)fs.remove(temporary);
    (void)fs.remove(copy);
    return tl::unexpected<Error>(replaced.error());
  }
  EL_CHECK(fs.sync_directory(parent_directory(path)));
  return true;
}

}  // namespace everlearn
