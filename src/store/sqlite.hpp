// A small owner of SQLite's C handles; every code becomes a Result on the spot. One thread per Database.
// Errors: Storage (the disk refuses), Damaged (SQLite calls the file corrupt), InUse (another connection writes),
// Internal (our own SQL).
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace everlearn::sqlite {

struct Blob {
  std::string_view bytes;
};

/// A prepared statement. Text and blobs that are bound must live until the statement is reset; what a column returns
/// lives until the next step or reset.
class Statement {
 public:
  template <class... Values>
  Result<void> bind(const Values&... values) {
    int at = 0;
    Result<void> bound;
    (void)((bound = put(++at, values)).has_value() && ...);
    return bound;
  }
  /// True: a row is there. False: no more rows.
  Result<bool> step();
  void reset();
  /// Binds, steps to the end, resets: for statements without rows.
  template <class... Values>
  Result<void> run(const Values&... values) {
    Result<void> done = bind(values...);
    if (done) done = finish();
    reset();
    return done;
  }

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;  // NULL is NaN
  std::string_view text(int column) const;
  std::string_view blob(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  explicit Statement(sqlite3_stmt* raw) : raw_{raw} {}

  template <std::integral T>
  Result<void> put(int at, T value) {
    return put_integer(at, static_cast<std::int64_t>(value));
  }
  Result<void> put(int at, double value);  // NaN is NULL
  Result<void> put(int at, std::string_view value);
  Result<void> put(int at, const std::string& value) { return put(at, std::string_view{value}); }
  Result<void> put(int at, Blob value);
  Result<void> put(int at, std::optional<std::int64_t> value);  // none is NULL
  Result<void> put_integer(int at, std::int64_t value);
  Result<void> finish();
  Result<void> checked(int code) const;

  std::unique_ptr<sqlite3_stmt, Finalize> raw_;
};

class Database {
 public:
  enum class Mode { ReadOnly, Write };
  /// Write creates the file. Refuses a SQLite library older than 3.51.3. Errors: NotFound for ReadOnly.
  static Result<Database> open(const std::string& path, Mode mode);

  Result<Statement> prepare(std::string_view sql) const;
  /// One or more statements without arguments and rows.
  Result<void> run(const std::string& sql);
  /// The first column of the first row of a statement without arguments. Errors: Internal if there is none.
  Result<std::int64_t> integer(std::string_view sql) const;
  Result<std::string> text(std::string_view sql) const;
  std::int64_t changes() const;
  bool in_transaction() const;
  /// The file and its log.
  std::uint64_t bytes_on_disk() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };
  explicit Database(sqlite3* raw) : raw_{raw} {}
  std::unique_ptr<sqlite3, Close> raw_;
};

}  // namespace everlearn::sqlite
