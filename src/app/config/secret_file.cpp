#include "app/config/secret_file.hpp"

#include <fmt/format.h>

#include "core/system_fs.hpp"
#include "io/path_owner.hpp"

namespace everlearn {
namespace {

constexpr std::uint64_t kMostBytes = 16'384;

}  // namespace

Result<std::string> read_secret_file(const std::string& path) {
  EL_TRY(const PathOwner owner, owner_of(path));
  if ((owner.mode & 077) != 0)
    return fail(Code::Config,
                fmt::format("{} may be read or written by others (mode {:03o}): chmod 600 it", path, owner.mode));
  SystemFs fs;
  EL_TRY(std::string text, read_file(fs, path, kMostBytes));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  if (text.empty()) return fail(Code::Config, fmt::format("{} is empty", path));
  return text;
}

}  // namespace everlearn
