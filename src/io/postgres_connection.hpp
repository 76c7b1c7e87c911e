// One connection to a PostgreSQL server by libpq, made for servers behind a transaction pooler: nothing of a session is
// used (no prepared statement with a name, no SET, no LISTEN), time limits are kept on this side, and what goes wrong
// is sorted into what may pass and what needs a person.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "core/result.hpp"
#include "core/secret.hpp"
#include "core/time.hpp"

struct pg_conn;
struct pg_result;

namespace everlearn {

struct PostgresFailure {
  enum class Kind : std::uint8_t {
    Settings,  // the connection string cannot be read
    Name,      // no such host
    Network,   // no connection, or it was lost
    Tls,
    Access,    // wrong password, no such user, not let in
    Database,  // no such database
    Rights,
    Table,   // no such table
    Column,  // no such column
    Query,   // anything else that is wrong with a query
    Busy,    // starting up, shutting down, too many clients, a conflict: later it may work
    Time,    // took too long
    Other,
  };
  Kind kind = Kind::Other;
  std::string sqlstate;  // as the server gave it; empty: it comes from this side
  std::string message;   // one line, without the password

  /// The same may work later.
  bool may_pass() const;
  /// Unavailable if it may pass, else Config.
  Error error(const std::string& context) const;
};

template <class T>
using PostgresOutcome = tl::expected<T, PostgresFailure>;

/// Where a connection string leads, for messages. Its parts may come from the PG* variables too.
struct PostgresTarget {
  std::string host;  // a name, an address, or a directory with a Unix socket; maybe several, by comma
  std::string port;
  std::string database, user, sslmode;
  bool has_password = false;

  static PostgresOutcome<PostgresTarget> of(const Secret& connection);
  /// "neondb at ep-one.eu.neon.tech"
  std::string text() const;
};

class PostgresResult {
 public:
  explicit PostgresResult(pg_result* result);
  int rows() const;
  int columns() const;
  std::string name(int column) const;
  std::uint32_t type(int column) const;  // its OID
  /// In the binary format; empty: NULL. Valid as long as the result.
  std::optional<std::string_view> cell(int row, int column) const;

 private:
  struct Free {
    void operator()(pg_result* result) const noexcept;
  };
  std::unique_ptr<pg_result, Free> result_;
};

/// One thread.
class PostgresConnection {
 public:
  /// Waits up to `connect_timeout` for a server that is asleep. Destroying it hangs up.
  static PostgresOutcome<std::unique_ptr<PostgresConnection>> open(const Secret& connection, Duration connect_timeout,
                                                                   Duration query_timeout);
  ~PostgresConnection();
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  /// One statement with its parameters as text. A query that takes longer than the limit is cancelled.
  PostgresOutcome<PostgresResult> run(const std::string& sql, const std::vector<std::string>& parameters = {});

  /// "TLSv1.3"; empty: not encrypted.
  std::string tls() const;
  /// The process that serves it, as the server said when it let us in.
  std::int64_t backend() const;
  /// "15.8 (Debian 15.8-0+deb12u1)"; empty: it does not say.
  std::string server_version() const;

 private:
  PostgresConnection(pg_conn* connection, Secret password, Duration query_timeout);
  PostgresFailure failure(std::string_view message, std::string sqlstate) const;
  void cancel();

  pg_conn* const connection_;
  const Secret password_;
  const Duration query_timeout_;
};

/// "a""b" for a name as SQL wants it.
std::string sql_name(std::string_view name);
/// "market.rows" -> "\"market\".\"rows\""; parts may be in double quotes already. Errors: Config.
Result<std::string> sql_table(std::string_view table);

}  // namespace everlearn
