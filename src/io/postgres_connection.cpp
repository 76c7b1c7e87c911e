#include "io/postgres_connection.hpp"

#include <poll.h>
#include <postgresql/libpq-fe.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <map>

#include <fmt/format.h>

#include "core/quoted.hpp"

namespace everlearn {
namespace {

using Kind = PostgresFailure::Kind;

constexpr const char* kForm =
    "wanted is postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=require (characters such as @ : / % in the password "
    "written as %40 %3A %2F %25) or host=HOST dbname=DATABASE user=USER password=PASSWORD";

struct FreeOptions {
  void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

struct FreeResult {
  void operator()(pg_result* result) const noexcept { PQclear(result); }
};

struct FreeText {
  void operator()(char* text) const noexcept { PQfreemem(text); }
};

/// What libpq makes of the string; its own words about a bad one may hold a part of the password, so they are not told.
PostgresOutcome<std::map<std::string, std::string>> parsed(const Secret& connection) {
  if (connection.empty())
    return tl::unexpected(PostgresFailure{Kind::Settings, "", fmt::format("no connection string is given; {}", kForm)});
  char* raw_words = nullptr;
  const Options options{PQconninfoParse(connection.reveal().c_str(), &raw_words)};
  const std::unique_ptr<char, FreeText> words{raw_words};
  if (!options)
    return tl::unexpected(
        PostgresFailure{Kind::Settings, "", fmt::format("the connection string cannot be read; {}", kForm)});
  std::map<std::string, std::string> values;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr) values[option->keyword] = option->val;
  return values;
}

std::string value_of(const std::map<std::string, std::string>& values, const std::string& key) {
  const auto at = values.find(key);
  return at == values.end() ? "" : at->second;
}

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// "...FATAL:  28P01: password..." -> "28P01": verbose messages tell the code, in whatever language the rest is.
std::string sqlstate_in(std::string_view text) {
  const auto is_code = [](std::string_view code) {
    return std::ranges::all_of(code, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
  };
  for (std::size_t at = text.find(":  "); at != std::string_view::npos; at = text.find(":  ", at + 1)) {
    const std::string_view rest = text.substr(at + 3);
    if (rest.size() > 7 && rest.substr(5, 2) == ": " && is_code(rest.substr(0, 5)))
      return std::string{rest.substr(0, 5)};
  }
  return {};
}

/// The line that says most, without its code. Where several addresses were tried, each has a line.
std::string first_words(std::string_view text, const std::string& sqlstate) {
  std::string words;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string line{text.substr(0, end)};
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.starts_with("LOCATION:") || line.starts_with('\t')) continue;
    if (!sqlstate.empty())
      if (const std::size_t at = line.find(sqlstate + ": "); at != std::string::npos)
        line.erase(at, sqlstate.size() + 2);
    if (line.starts_with("DETAIL:") || line.starts_with("HINT:")) line.insert(0, " ");
    words += (words.empty() || line.front() == ' ' ? "" : "; ") + line;
  }
  for (std::size_t at = words.find(":  "); at != std::string::npos; at = words.find(":  ", at)) words.erase(at + 1, 1);
  constexpr std::size_t kMost = 400;
  if (words.size() > kMost) words = words.substr(0, kMost) + "...";
  return words;
}

/// docs: PostgreSQL 15, appendix A. A pooler's own refusals come as 08P01, so their words count.
Kind kind_of(std::string_view state, std::string_view words) {
  if (has(words, "authentication failed") || has(words, "no such user") || has(words, "password supplied"))
    return Kind::Access;
  if (has(words, "no such database")) return Kind::Database;
  if (state == "28000" || state == "28P01") return Kind::Access;
  if (state == "3D000") return Kind::Database;
  if (state == "42501") return Kind::Rights;
  if (state == "42P01" || state == "3F000") return Kind::Table;
  if (state == "42703") return Kind::Column;
  const std::string_view family = state.substr(0, 2);
  for (const std::string_view busy : {"57", "53", "40", "55", "58", "XX"})
    if (family == busy) return Kind::Busy;
  if (family == "08") return has(words, "unsupported startup") ? Kind::Settings : Kind::Network;
  if (!state.empty()) return Kind::Query;
  if (has(words, "could not translate host name")) return Kind::Name;
  // A peer that vanishes is told in the words of the layer that noticed.
  for (const std::string_view lost :
       {"SYSCALL error", "unexpected eof", "closed unexpectedly", "closed the connection"})
    if (has(words, lost)) return Kind::Network;
  if (has(words, "SSL") || has(words, "certificate") || has(words, "channel binding")) return Kind::Tls;
  if (has(words, "invalid ") && (has(words, " value") || has(words, "connection option"))) return Kind::Settings;
  return Kind::Network;
}

class Deadline {
 public:
  explicit Deadline(Duration left) : end_{Clock::now() + std::chrono::microseconds{left.us()}} {}
  /// Until the socket is ready or time is up; false: it is up.
  bool wait(int socket, short events) const {
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now()).count();
      if (left <= 0) return false;
      pollfd watched{socket, events, 0};
      const int ready = ::poll(&watched, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return true;  // libpq finds out what it is
    }
  }

 private:
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end_;
};

std::string seconds(Duration duration) { return fmt::format("{:g} s", duration.as_seconds()); }

}  // namespace

bool PostgresFailure::may_pass() const {
  return kind == Kind::Name || kind == Kind::Network || kind == Kind::Busy || kind == Kind::Time;
}

Error PostgresFailure::error(const std::string& context) const {
  return {may_pass() ? Code::Unavailable : Code::Config, context + ": " + message};
}

PostgresOutcome<PostgresTarget> PostgresTarget::of(const Secret& connection) {
  const auto values = parsed(connection);
  if (!values) return tl::unexpected(values.error());
  // What the string leaves out comes from the PG* variables, or is libpq's own default.
  std::map<std::string, std::string> all;
  const Options defaults{PQconndefaults()};
  for (const PQconninfoOption* option = defaults.get(); option != nullptr && option->keyword != nullptr; ++option)
    if (option->val != nullptr) all[option->keyword] = option->val;
  for (const auto& [key, value] : *values) all[key] = value;
  PostgresTarget target;
  target.host = value_of(all, "host");
  if (target.host.empty()) target.host = value_of(all, "hostaddr");
  target.port = value_of(all, "port");
  if (target.port.empty()) target.port = "5432";
  target.user = value_of(all, "user");
  target.database = value_of(all, "dbname");
  if (target.database.empty()) target.database = target.user;
  target.sslmode = value_of(all, "sslmode");
  target.has_password = !value_of(all, "password").empty();
  return target;
}

std::string PostgresTarget::text() const {
  return fmt::format("{} at {}", database.empty() ? "the database" : database,
                     host.empty() ? "the local socket" : host);
}

PostgresResult::PostgresResult(pg_result* result) : result_{result} {}
void PostgresResult::Free::operator()(pg_result* result) const noexcept { PQclear(result); }
int PostgresResult::rows() const { return PQntuples(result_.get()); }
int PostgresResult::columns() const { return PQnfields(result_.get()); }
std::string PostgresResult::name(int column) const { return PQfname(result_.get(), column); }
std::uint32_t PostgresResult::type(int column) const { return PQftype(result_.get(), column); }

std::optional<std::string_view> PostgresResult::cell(int row, int column) const {
  if (PQgetisnull(result_.get(), row, column) != 0) return std::nullopt;
  return std::string_view{PQgetvalue(result_.get(), row, column),
                          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

PostgresConnection::PostgresConnection(pg_conn* connection, Secret password, Duration query_timeout)
    : connection_{connection}, password_{std::move(password)}, query_timeout_{query_timeout} {}

PostgresConnection::~PostgresConnection() { PQfinish(connection_); }

PostgresFailure PostgresConnection::failure(std::string_view message, std::string sqlstate) const {
  if (sqlstate.empty()) sqlstate = sqlstate_in(message);
  std::string words = without(first_words(message, sqlstate), password_);
  if (words.empty()) words = "the connection was lost";
  const Kind kind = kind_of(sqlstate, words);
  return {kind, std::move(sqlstate), std::move(words)};
}

PostgresOutcome<std::unique_ptr<PostgresConnection>> PostgresConnection::open(const Secret& connection,
                                                                              Duration connect_timeout,
                                                                              Duration query_timeout) {
  auto values = parsed(connection);
  if (!values) return tl::unexpected(values.error());
  const auto unless_given = [&](const char* key, const char* value) { values->try_emplace(key, value); };
  unless_given("application_name", "everlearn");
  unless_given("keepalives_idle", "10");  // a peer that is gone is noticed before a query's time is up
  unless_given("keepalives_interval", "5");
  unless_given("keepalives_count", "3");
  (*values)["client_encoding"] = "UTF8";
  std::vector<const char*> keys, texts;
  for (const auto& [key, value] : *values) {
    keys.push_back(key.c_str());
    texts.push_back(value.c_str());
  }
  keys.push_back(nullptr);
  texts.push_back(nullptr);

  std::string password = value_of(*values, "password");
  std::unique_ptr<PostgresConnection> made{new PostgresConnection{PQconnectStartParams(keys.data(), texts.data(), 0),
                                                                  Secret{std::move(password)}, query_timeout}};
  pg_conn* const raw = made->connection_;
  if (raw == nullptr) return tl::unexpected(PostgresFailure{Kind::Other, "", "libpq has no memory"});
  PQsetErrorVerbosity(raw, PQERRORS_VERBOSE);  // the only way to a failed connection's SQLSTATE
  PQsetNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);
  const Deadline deadline{connect_timeout};
  // libpq wants to be treated as if its first answer had been WRITING.
  for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; PQstatus(raw) != CONNECTION_BAD;) {
    const int socket = PQsocket(raw);
    if (socket >= 0 && !deadline.wait(socket, next == PGRES_POLLING_READING ? POLLIN : POLLOUT)) {
      const ConnStatusType stage = PQstatus(raw);
      const char* what = stage == CONNECTION_STARTED       ? "no connection"
                         : stage == CONNECTION_SSL_STARTUP ? "connected, but no TLS"
                         : stage == CONNECTION_AUTH_OK     ? "let in, but the server is not ready"
                                                           : "connected, but no answer";
      return tl::unexpected(
          PostgresFailure{Kind::Time, "", fmt::format("{} within {}", what, seconds(connect_timeout))});
    }
    next = PQconnectPoll(raw);
    if (next == PGRES_POLLING_OK) return made;
    if (next == PGRES_POLLING_FAILED) break;
  }
  return tl::unexpected(made->failure(PQerrorMessage(raw), {}));
}

PostgresOutcome<PostgresResult> PostgresConnection::run(const std::string& sql,
                                                        const std::vector<std::string>& parameters) {
  std::vector<const char*> texts;
  for (const std::string& parameter : parameters) texts.push_back(parameter.c_str());
  constexpr int kBinary = 1;
  if (PQsendQueryParams(connection_, sql.c_str(), static_cast<int>(texts.size()), nullptr, texts.data(), nullptr,
                        nullptr, kBinary) == 0)
    return tl::unexpected(failure(PQerrorMessage(connection_), {}));
  const Deadline deadline{query_timeout_};
  std::unique_ptr<pg_result, FreeResult> result;
  for (;;) {  // until the answer has ended
    for (;;) {
      const int flushed = PQflush(connection_);
      if (flushed < 0) return tl::unexpected(failure(PQerrorMessage(connection_), {}));
      if (flushed == 0 && PQisBusy(connection_) == 0) break;
      const auto events = static_cast<short>(POLLIN | (flushed > 0 ? POLLOUT : 0));
      if (!deadline.wait(PQsocket(connection_), events)) {
        cancel();
        return tl::unexpected(
            PostgresFailure{Kind::Time, "", fmt::format("a query took longer than {}", seconds(query_timeout_))});
      }
      if (PQconsumeInput(connection_) == 0) return tl::unexpected(failure(PQerrorMessage(connection_), {}));
    }
    std::unique_ptr<pg_result, FreeResult> next{PQgetResult(connection_)};
    if (!next) break;
    if (!result) result = std::move(next);  // one statement has one
  }
  if (!result) return tl::unexpected(failure(PQerrorMessage(connection_), {}));
  const ExecStatusType status = PQresultStatus(result.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return PostgresResult{result.release()};
  const auto field = [&](int code) {
    const char* text = PQresultErrorField(result.get(), code);
    return std::string{text != nullptr ? text : ""};
  };
  std::string words = field(PG_DIAG_MESSAGE_PRIMARY);
  if (words.empty()) words = PQresultErrorMessage(result.get());
  if (const std::string hint = field(PG_DIAG_MESSAGE_HINT); !hint.empty()) words += "\nHINT: " + hint;
  return tl::unexpected(failure(words, field(PG_DIAG_SQLSTATE)));
}

/// The peer is alive (keepalives say), only slow: it need not go on for nobody.
void PostgresConnection::cancel() {
  std::array<char, 256> words{};
  PGcancel* const request = PQgetCancel(connection_);
  if (request != nullptr) (void)PQcancel(request, words.data(), static_cast<int>(words.size()));
  PQfreeCancel(request);
}

std::string PostgresConnection::tls() const {
  if (PQsslInUse(connection_) == 0) return {};
  const char* protocol = PQsslAttribute(connection_, "protocol");
  return protocol != nullptr ? protocol : "TLS";
}

std::int64_t PostgresConnection::backend() const { return PQbackendPID(connection_); }

std::string PostgresConnection::server_version() const {
  const char* version = PQparameterStatus(connection_, "server_version");
  return version != nullptr ? version : "";
}

std::string sql_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

Result<std::string> sql_table(std::string_view table) {
  const auto wrong = [&] {
    return fail(Code::Config, fmt::format("source.table {} is not a name or SCHEMA.NAME", quoted(table)));
  };
  std::string out, part;
  bool inside = false, was_quoted = false;
  const auto end_part = [&] {
    if (part.empty()) return false;
    out += (out.empty() ? "" : ".") + sql_name(part);
    part.clear();
    was_quoted = false;
    return true;
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    const char c = table[i];
    if (inside) {
      if (c != '"') {
        part += c;
      } else if (i + 1 < table.size() && table[i + 1] == '"') {
        part += c;
        ++i;
      } else {
        inside = false;
      }
    } else if (c == '"' && part.empty() && !was_quoted) {
      inside = was_quoted = true;
    } else if (c == '.') {
      if (!end_part()) return wrong();
    } else if (c == '\0' || was_quoted) {
      return wrong();
    } else {
      part += c;
    }
  }
  if (inside || !end_part()) return wrong();
  return out;
}

}  // namespace everlearn
