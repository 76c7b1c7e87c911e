#include "store/schema.hpp"

#include <fmt/format.h>

#include "store/record.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kApplicationId = 0x45564c31;  // "EVL1"
constexpr std::int64_t kVersion = 1;

constexpr const char* kStateTables = R"sql(
CREATE TABLE state(key TEXT PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoint(id INTEGER PRIMARY KEY CHECK(id = 1), bytes BLOB NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE TABLE sequence(dataset INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL) STRICT;
CREATE TABLE gap(id INTEGER PRIMARY KEY, instrument INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
  reason TEXT NOT NULL, filled_from TEXT NOT NULL) STRICT;
CREATE TABLE seal_intent(id INTEGER PRIMARY KEY AUTOINCREMENT, dataset INTEGER NOT NULL, first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL) STRICT;
CREATE TABLE segment(id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL, path TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, first_seq INTEGER NOT NULL,
  last_seq INTEGER NOT NULL, first_event INTEGER NOT NULL, last_event INTEGER NOT NULL, last_known INTEGER NOT NULL,
  rows_hash TEXT NOT NULL, chain TEXT NOT NULL) STRICT;
CREATE TABLE retired(segment INTEGER PRIMARY KEY, at INTEGER NOT NULL, chain TEXT NOT NULL) STRICT;
CREATE TABLE sealed_until(dataset INTEGER NOT NULL, instrument INTEGER NOT NULL, kind TEXT NOT NULL,
  target INTEGER NOT NULL, event_time INTEGER NOT NULL,
  PRIMARY KEY(dataset, instrument, kind, target)) STRICT, WITHOUT ROWID;
CREATE TABLE intent(id INTEGER PRIMARY KEY, instrument INTEGER NOT NULL, created INTEGER NOT NULL,
  expires INTEGER NOT NULL, quantity REAL, limit_nanos INTEGER NOT NULL, expected_value REAL, state TEXT NOT NULL,
  reason TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE TABLE fill(id INTEGER PRIMARY KEY, intent INTEGER NOT NULL, instrument INTEGER NOT NULL,
  event_time INTEGER NOT NULL, quantity REAL, price_nanos INTEGER NOT NULL, cost REAL, reason TEXT NOT NULL,
  crc INTEGER NOT NULL) STRICT;
CREATE TABLE verdict(id INTEGER PRIMARY KEY, target INTEGER NOT NULL, bundle TEXT NOT NULL,
  champion_before TEXT NOT NULL, as_of INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
  json TEXT NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE TABLE equity(event_time INTEGER PRIMARY KEY, equity REAL, baseline_equity REAL, costs REAL,
  crc INTEGER NOT NULL) STRICT;
CREATE TABLE note(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
  crc INTEGER NOT NULL) STRICT;
)sql";

// One table per dataset. `ordinal` is an event's ordinal, or the target of a label or prediction.
constexpr const char* kHotTable = R"sql(
CREATE TABLE hot_{0}(seq INTEGER PRIMARY KEY, instrument INTEGER NOT NULL, event_time INTEGER NOT NULL,
  kind TEXT NOT NULL, ordinal INTEGER NOT NULL, known_at INTEGER NOT NULL, payload BLOB NOT NULL,
  crc INTEGER NOT NULL) STRICT;
CREATE UNIQUE INDEX hot_{0}_key ON hot_{0}(instrument, event_time, ordinal, kind);
INSERT INTO sequence VALUES({1}, 1);
)sql";

}  // namespace

Result<bool> is_new(const sqlite::Database& database) {
  EL_TRY(const std::int64_t objects, database.integer("SELECT count(*) FROM sqlite_schema"));
  return objects == 0;
}

Result<void> create_schema(sqlite::Database& database) {
  std::string sql = "BEGIN IMMEDIATE;";
  sql += kStateTables;
  for (const Dataset dataset : kDatasets)
    sql += fmt::format(fmt::runtime(kHotTable), dataset_name(dataset), static_cast<int>(dataset));
  sql += fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}; COMMIT;", kApplicationId, kVersion);
  return database.run(sql);
}

Result<void> check_schema(const sqlite::Database& database) {
  EL_TRY(const std::int64_t application, database.integer("PRAGMA application_id"));
  if (application != kApplicationId)
    return fail(Code::Damaged,
                fmt::format("everlearn.db: application id {:#x} instead of {:#x}: another program's file", application,
                            kApplicationId));
  EL_TRY(const std::int64_t version, database.integer("PRAGMA user_version"));
  if (version != kVersion)
    return fail(Code::Unsupported,
                fmt::format("everlearn.db: layout version {}, this program knows {}", version, kVersion));
  return {};
}

Result<bool> has_gap_filled(const sqlite::Database& database) {
  EL_TRY(const std::int64_t tables,
         database.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'gap_filled'"));
  return tables > 0;
}

Result<void> add_gap_filled(sqlite::Database& database, bool read_only) {
  EL_TRY(const bool there, has_gap_filled(database));
  if (there || read_only) return {};
  return database.run("CREATE TABLE gap_filled(gap INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT;");
}

Result<void> set_up_writer(sqlite::Database& database) {
  EL_TRY(const std::string mode, database.text("PRAGMA journal_mode = WAL"));
  if (mode != "wal") return fail(Code::Storage, fmt::format("everlearn.db: journal mode {} instead of wal", mode));
  // The writer is the only connection that checkpoints; readers open with NO_CKPT_ON_CLOSE.
  EL_CHECK(
      database.run("PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                   "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4096;"
                   "PRAGMA journal_size_limit = 67108864;"));
  EL_TRY(const std::int64_t synchronous, database.integer("PRAGMA synchronous"));
  if (synchronous != 2) return fail(Code::Internal, "everlearn.db: synchronous is not FULL");
  return {};
}

Result<void> set_up_reader(sqlite::Database& database) {
  return database.run("PRAGMA query_only = ON; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; BEGIN;");
}

}  // namespace everlearn
