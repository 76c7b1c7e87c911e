#include "store/sqlite.hpp"

#include <cmath>

#include <fmt/format.h>
#include <sqlite3.h>

namespace everlearn::sqlite {
namespace {

// 3.51.3 repairs a race between two checkpointing connections that could lose committed pages (3.7.0 to 3.51.2).
constexpr int kOldestLibrary = 3'051'003;
// For the moment in which another connection recovers or restarts the log. A reader may be the one that recovers it,
// when it is the first to look after a crash: a writer that starts just then has to wait for it.
constexpr int kPatienceMs = 2'000;

Code code_of(int sqlite_code) {
  switch (sqlite_code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::Damaged;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Code::InUse;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_NOMEM:
      return Code::Storage;
    default:
      return Code::Internal;
  }
}

tl::unexpected<Error> failed(sqlite3* database) {
  const int code = sqlite3_extended_errcode(database);
  return fail(code_of(code), fmt::format("everlearn.db: {} (SQLite {})", sqlite3_errmsg(database), code));
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }

Result<void> Statement::checked(int code) const {
  if (code != SQLITE_OK) return failed(sqlite3_db_handle(raw_.get()));
  return {};
}

Result<void> Statement::put_integer(int at, std::int64_t value) {
  return checked(sqlite3_bind_int64(raw_.get(), at, value));
}

Result<void> Statement::put(int at, double value) { return checked(sqlite3_bind_double(raw_.get(), at, value)); }

// An empty view may point nowhere, which SQLite would take for NULL.
Result<void> Statement::put(int at, std::string_view value) {
  return checked(
      sqlite3_bind_text64(raw_.get(), at, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8));
}

Result<void> Statement::put(int at, Blob value) {
  const std::string_view bytes = value.bytes;
  return checked(sqlite3_bind_blob64(raw_.get(), at, bytes.empty() ? "" : bytes.data(), bytes.size(), SQLITE_STATIC));
}

Result<void> Statement::put(int at, std::optional<std::int64_t> value) {
  return value ? put_integer(at, *value) : checked(sqlite3_bind_null(raw_.get(), at));
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(raw_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return failed(sqlite3_db_handle(raw_.get()));
}

void Statement::reset() {
  sqlite3_reset(raw_.get());
  sqlite3_clear_bindings(raw_.get());
}

Result<void> Statement::finish() {
  for (;;) {
    EL_TRY(const bool more, step());
    if (!more) return {};
  }
}

bool Statement::is_null(int column) const { return sqlite3_column_type(raw_.get(), column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(raw_.get(), column); }

double Statement::real(int column) const {
  return is_null(column) ? std::numeric_limits<double>::quiet_NaN() : sqlite3_column_double(raw_.get(), column);
}

std::string_view Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(raw_.get(), column));
  return text ? std::string_view{text, static_cast<std::size_t>(sqlite3_column_bytes(raw_.get(), column))} : "";
}

std::string_view Statement::blob(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(raw_.get(), column));
  return bytes ? std::string_view{bytes, static_cast<std::size_t>(sqlite3_column_bytes(raw_.get(), column))} : "";
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  if (sqlite3_libversion_number() < kOldestLibrary)
    return fail(
        Code::Unsupported,
        fmt::format("SQLite {} is older than 3.51.3, which repairs a loss of committed pages", sqlite3_libversion()));
  const int flags = mode == Mode::ReadOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  Database database{raw};
  if (code != SQLITE_OK) {
    if (!raw) return fail(Code::Storage, fmt::format("{}: out of memory", path));
    const bool missing = mode == Mode::ReadOnly && (code & 0xff) == SQLITE_CANTOPEN;
    return fail(missing ? Code::NotFound : code_of(code), fmt::format("{}: {}", path, sqlite3_errmsg(raw)));
  }
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_busy_timeout(raw, kPatienceMs);
  if (mode == Mode::ReadOnly) sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(raw_.get(), sql.data(), static_cast<int>(sql.size()), 0, &raw, nullptr) != SQLITE_OK)
    return failed(raw_.get());
  return Statement{raw};
}

Result<void> Database::run(const std::string& sql) {
  if (sqlite3_exec(raw_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return failed(raw_.get());
  return {};
}

Result<std::int64_t> Database::integer(std::string_view sql) const {
  EL_TRY(Statement statement, prepare(sql));
  EL_TRY(const bool found, statement.step());
  if (!found) return fail(Code::Internal, fmt::format("no row from: {}", sql));
  return statement.integer(0);
}

Result<std::string> Database::text(std::string_view sql) const {
  EL_TRY(Statement statement, prepare(sql));
  EL_TRY(const bool found, statement.step());
  if (!found) return fail(Code::Internal, fmt::format("no row from: {}", sql));
  return std::string{statement.text(0)};
}

std::int64_t Database::changes() const { return sqlite3_changes64(raw_.get()); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(raw_.get()) == 0; }

std::uint64_t Database::bytes_on_disk() const {
  std::uint64_t sum = 0;
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    sqlite3_file* file = nullptr;
    sqlite3_int64 size = 0;
    if (sqlite3_file_control(raw_.get(), "main", which, &file) == SQLITE_OK && file && file->pMethods &&
        file->pMethods->xFileSize(file, &size) == SQLITE_OK)
      sum += static_cast<std::uint64_t>(size);
  }
  return sum;
}

}  // namespace everlearn::sqlite
