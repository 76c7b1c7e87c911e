#include "core/fs.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace everlearn {
namespace {

Result<void> write_synced(Fs& fs, const std::string& path, std::string_view bytes) {
  EL_TRY(const auto file, fs.create(path));
  EL_CHECK(file->append(bytes));
  EL_CHECK(file->sync());
  return file->close();
}

tl::unexpected<Error> too_large(const std::string& path, std::uint64_t size, std::uint64_t limit) {
  return fail(Code::OutOfRange, fmt::format("{}: {} bytes, more than the limit of {}", path, size, limit));
}

}  // namespace

std::string parent_directory(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  path = path.substr(0, slash);
  while (path.ends_with('/')) path.remove_suffix(1);
  return path.empty() ? "/" : std::string{path};
}

Result<std::string> read_file(Fs& fs, const std::string& path, std::uint64_t limit) {
  EL_TRY(const auto file, fs.open(path));
  if (file->size() > limit) return too_large(path, file->size(), limit);
  // One byte more than it had when opened: a file that grows is read to its present end.
  std::string bytes;
  std::size_t filled = 0;
  for (;;) {
    bytes.resize(std::max<std::size_t>(filled * 2, file->size() + 1));
    EL_TRY(const std::size_t n, file->read_at(filled, std::span{bytes}.subspan(filled)));
    if (n == 0) break;
    filled += n;
    if (filled > limit) return too_large(path, filled, limit);
  }
  bytes.resize(filled);
  return bytes;
}

Result<void> replace_file(Fs& fs, const std::string& path, std::string_view bytes) {
  const std::string temporary = path + ".tmp";
  if (fs.exists(temporary)) EL_CHECK(fs.remove(temporary));  // left behind by a crash
  auto done = write_synced(fs, temporary, bytes);
  if (done) done = fs.rename(temporary, path);
  if (!done) {
    (void)fs.remove(temporary);  // the first error is the one to tell
    return done;
  }
  return fs.sync_directory(parent_directory(path));
}

}  // namespace everlearn
