#include "io/postgres_diagnosis.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/quoted.hpp"
#include "core/system_fd.hpp"
#include "io/postgres_connection.hpp"
#include "io/postgres_table.hpp"
#include "io/postgres_values.hpp"
#include "io/table_form.hpp"

namespace everlearn {
namespace {

using Kind = PostgresFailure::Kind;
using Step = DiagnosisStep::Result;

constexpr Duration kOld = Duration::days(1);       // a newest row of that age is worth a word
constexpr Duration kAhead = Duration::minutes(1);  // of the clock

struct FreeAddresses {
  void operator()(addrinfo* list) const noexcept { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

std::string address_text(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  const int failed =
      getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? text.data() : "?";
}

/// Whether the machine would know where to send a packet; none is sent.
bool has_route(const addrinfo& address) {
  const Fd socket{::socket(address.ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  return socket.get() >= 0 && ::connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0;
}

/// Empty: connected. Else why not.
std::string connect_problem(int family, const sockaddr* address, socklen_t size, Duration limit) {
  const Fd socket{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket.get() < 0) return std::strerror(errno);
  if (::connect(socket.get(), address, size) == 0) return {};
  if (errno != EINPROGRESS) return std::strerror(errno);
  pollfd watched{socket.get(), POLLOUT, 0};
  const int ready = ::poll(&watched, 1, static_cast<int>(limit.us() / 1'000));
  if (ready == 0) return fmt::format("no answer within {:g} s: a firewall, or the wrong port?", limit.as_seconds());
  int problem = 0;
  socklen_t length = sizeof problem;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &problem, &length);
  if (problem == ECONNREFUSED) return "refused: nothing listens at this port";
  return problem == 0 ? std::string{} : std::strerror(problem);
}

std::string first_of(std::string_view list) { return std::string{list.substr(0, list.find(','))}; }

class Diagnosis {
 public:
  Diagnosis(const TableOptions& options, Timestamp now) : options_{options}, now_{now} {}

  std::vector<DiagnosisStep> run() {
    const auto target = PostgresTarget::of(options_.connection);
    if (!target) {
      add(Step::Fail, "connection", target.error().message);
      return std::move(steps_);
    }
    target_ = *target;
    if (connection_string() && host() && login()) table();
    return std::move(steps_);
  }

 private:
  void add(Step result, std::string what, std::string text) {
    steps_.push_back({result, std::move(what), std::move(text)});
  }
  bool ok(std::string what, std::string text) {
    add(Step::Ok, std::move(what), std::move(text));
    return true;
  }
  bool failed(std::string what, std::string text) {
    add(Step::Fail, std::move(what), std::move(text));
    return false;
  }

  bool is_socket() const { return target_.host.empty() || target_.host.starts_with('/'); }

  bool connection_string() {
    const bool safe = is_socket() || target_.sslmode == "require" || target_.sslmode.starts_with("verify-");
    add(safe ? Step::Ok : Step::Warn, "connection",
        fmt::format("{}, port {}, user {}, sslmode {}, {}{}", target_.text(), target_.port, target_.user,
                    target_.sslmode, target_.has_password ? "with a password" : "no password in it",
                    safe ? "" : ": what is sent may be read on its way; sslmode=require or verify-full"));
    return true;
  }

  bool host() {
    if (is_socket()) return ok("host", fmt::format("a Unix socket below {}", first_of(target_.host)));
    const std::string name = first_of(target_.host);
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    const int problem = getaddrinfo(name.c_str(), first_of(target_.port).c_str(), &hints, &raw);
    const Addresses list{raw};
    if (problem != 0)
      return failed("host", fmt::format("{}: {}{}", quoted(name), gai_strerror(problem),
                                        problem == EAI_AGAIN ? ": is this machine online?" : ": is it spelled right?"));
    std::vector<std::string> four, six;
    bool six_works = false;
    for (const addrinfo* one = list.get(); one != nullptr; one = one->ai_next) {
      (one->ai_family == AF_INET6 ? six : four).push_back(address_text(*one));
      six_works = six_works || (one->ai_family == AF_INET6 && has_route(*one));
    }
    const std::string addresses =
        fmt::format("{}{}{}", fmt::join(four, ", "), four.empty() || six.empty() ? "" : ", ", fmt::join(six, ", "));
    if (four.empty() && !six_works)
      return failed("host", fmt::format("{} has only IPv6 addresses ({}), and this machine has no way to them: use the "
                                        "provider's pooler, whose name has IPv4 addresses",
                                        name, addresses));
    ok("host", fmt::format("{} is {}", name, addresses));
    return network(*list);
  }

  bool network(const addrinfo& list) {
    const auto begin = std::chrono::steady_clock::now();
    std::string problems;
    for (const addrinfo* one = &list; one != nullptr; one = one->ai_next) {
      const std::string problem =
          connect_problem(one->ai_family, one->ai_addr, one->ai_addrlen, options_.connect_timeout);
      if (problem.empty()) {
        const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
        return ok("network", fmt::format("{} port {} answers after {:.0f} ms", address_text(*one),
                                         first_of(target_.port), took.count()));
      }
      problems += fmt::format("{}{}: {}", problems.empty() ? "" : "; ", address_text(*one), problem);
    }
    return failed("network", fmt::format("port {}: {}", first_of(target_.port), problems));
  }

  bool login() {
    const auto begin = std::chrono::steady_clock::now();
    auto opened = PostgresConnection::open(options_.connection, options_.connect_timeout, options_.query_timeout);
    if (!opened) {
      const PostgresFailure& failure = opened.error();
      switch (failure.kind) {
        case Kind::Tls:
          return failed("TLS", failure.message);
        case Kind::Database:
          return failed("database", failure.message);
        case Kind::Access:
          return failed("login",
                        failure.message + (target_.has_password ? "" : " (there is no password in the string)"));
        case Kind::Time:
          return failed("login", failure.message +
                                     ": is the database asleep? source.connect_timeout is how long it may "
                                     "take to wake");
        default:
          return failed("login", failure.message);
      }
    }
    connection_ = std::move(*opened);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    const std::string tls = connection_->tls();
    add(tls.empty() && !is_socket() ? Step::Warn : Step::Ok, "TLS",
        tls.empty() ? "not encrypted"
                    : tls + (target_.sslmode == "verify-full" ? ", the server's name is verified" : ""));
    ok("login", fmt::format("let in as {} after {:.1f} s", target_.user, took.count()));
    ok("database", fmt::format("{}, PostgreSQL {}", target_.database, connection_->server_version()));
    const auto backend = number("SELECT pg_catalog.pg_backend_pid()::bigint");
    if (!backend) return false;
    // A pooler gives its clients process numbers of its own.
    if (*backend != connection_->backend())
      ok("pooler", "there is one in between; nothing that is used needs a session");
    else
      ok("pooler", "none in between");
    return true;
  }

  void table() {
    const auto relation = postgres_relation(options_);
    if (!relation) {
      failed("table", relation.error().message);
      return;
    }
    const std::string what = options_.query.empty() ? "table " + options_.table : "query";
    const auto columns = connection_->run(fmt::format("SELECT * FROM {} LIMIT 0", *relation));
    if (!columns) {
      const PostgresFailure& failure = columns.error();
      if (failure.kind == Kind::Rights) {
        failed("rights",
               fmt::format("{}; its owner may GRANT SELECT ON {} TO {}", failure.message,
                           options_.query.empty() ? *relation : "what the query reads", sql_name(target_.user)));
      } else {
        failed(failure.kind == Kind::Column ? "columns" : "table", failure.message);
      }
      return;
    }
    ok("table", fmt::format("{} is there and may be read, {} columns", what, columns->columns()));
    // The columns as a run would take them.
    const auto live = open_postgres_table(options_);
    const auto view = live ? (*live)->look() : Result<std::unique_ptr<TableView>>{tl::unexpected<Error>(live.error())};
    if (!view) {
      failed("columns", view.error().message);
      return;
    }
    const auto form = TableForm::make(options_, what, (*view)->columns());
    if (!form) {
      failed("columns", form.error().message);
      return;
    }
    ok("columns", (*form)->summary());
    if (options_.query.empty()) {
      rights(*relation);
      index(*relation, (*form)->plan());
    }
    newest(**view, **form);
  }

  void rights(const std::string& relation) {
    const auto writes = number(
        "SELECT (pg_catalog.has_table_privilege($1, 'INSERT') OR pg_catalog.has_table_privilege($1, 'UPDATE') OR "
        "pg_catalog.has_table_privilege($1, 'DELETE'))::int::bigint",
        {relation});
    if (!writes) return;
    if (*writes != 0)
      add(Step::Warn, "rights",
          fmt::format("{} may write to the table; a role that can only read is enough", target_.user));
    else
      ok("rights", fmt::format("{} can read and not write", target_.user));
  }

  void index(const std::string& relation, const TablePlan& plan) {
    const std::string& order = plan.columns[plan.order];
    const auto there = number(
        "SELECT count(*) FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid "
        "AND "
        "a.attnum = i.indkey[0] WHERE i.indrelid = $1::regclass AND a.attname = $2",
        {relation, order});
    if (!there) return;
    std::string wanted = sql_name(order);
    if (plan.tie) wanted += ", " + sql_name(plan.columns[*plan.tie]);
    if (*there == 0)
      add(Step::Warn, "index",
          fmt::format("none begins with {}: each look reads the whole table; CREATE INDEX ON {} ({})", sql_name(order),
                      relation, wanted));
    else
      ok("index", fmt::format("one begins with {}", sql_name(order)));
  }

  void newest(TableView& view, const TableForm& form) {
    auto found = view.newest(form.plan());
    if (!found) {
      failed("newest row", found.error().message);
      return;
    }
    if (!*found) {
      add(Step::Warn, "newest row", "the table is empty");
      return;
    }
    const Timestamp time = **found;
    if (time > now_ + kAhead) {
      add(Step::Warn, "newest row",
          fmt::format("{}, {} ahead of this machine's clock: rows wait until their time has come; is the time zone "
                      "right?",
                      time.iso(), Duration{(time - now_).us() / 1'000'000 * 1'000'000}.text()));
      return;
    }
    const Duration age{(now_ - time).us() / 1'000'000 * 1'000'000};
    add(age > kOld ? Step::Warn : Step::Ok, "newest row",
        fmt::format("{}, {:.1f} h old{}", time.iso(), age.as_seconds() / 3600,
                    age > kOld ? ": does anybody still write?" : ""));
  }

  /// Empty after a failure, which is told.
  std::optional<std::int64_t> number(const std::string& sql, const std::vector<std::string>& parameters = {}) {
    const auto result = connection_->run(sql, parameters);
    if (!result) {
      failed("query", result.error().message);
      return std::nullopt;
    }
    const auto cell = result->rows() > 0 ? result->cell(0, 0) : std::nullopt;
    const auto text = cell ? postgres_text(PostgresType::Int8, *cell) : std::nullopt;
    if (!text) return 0;
    std::int64_t value = 0;
    for (const char c : *text)
      if (c >= '0' && c <= '9') value = value * 10 + (c - '0');
    return value;
  }

  const TableOptions& options_;
  const Timestamp now_;
  PostgresTarget target_;
  std::unique_ptr<PostgresConnection> connection_;
  std::vector<DiagnosisStep> steps_;
};

}  // namespace

std::vector<DiagnosisStep> diagnose_postgres(const TableOptions& options, Timestamp now) {
  return Diagnosis{options, now}.run();
}

}  // namespace everlearn
