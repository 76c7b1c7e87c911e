#include "store/fold_log.hpp"

#include <fmt/format.h>

#include "core/system_fs.hpp"
#include "store/sqlite.hpp"

namespace everlearn {

Result<void> fold_log(const std::string& directory) {
  SystemFs fs;
  const std::string path = directory + "/everlearn.db";
  if (!fs.exists(path)) return {};
  EL_TRY(const sqlite::Database database, sqlite::Database::open(path, sqlite::Database::Mode::Write));
  EL_TRY(const std::int64_t busy, database.integer("PRAGMA wal_checkpoint(TRUNCATE)"));
  if (busy != 0) return fail(Code::InUse, fmt::format("{} is read by another process", path));
  return {};
}

}  // namespace everlearn
