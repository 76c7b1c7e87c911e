#include "io/postgres_table.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "io/postgres_connection.hpp"
#include "io/postgres_values.hpp"
#include "io/time_reader.hpp"

namespace everlearn {
namespace {

// What TimeReader takes. Rows outside are no part of any range: they are found as rows without order.
constexpr const char* kEarliest = "1990-01-01T00:00:00Z";
constexpr const char* kLatest = "2100-01-01T00:00:00Z";

struct Column {
  std::string name;
  PostgresType type{};
  std::string type_name;  // for a cast
  bool counted = false;   // a time that is written as a number of source.time_unit
  bool local = false;     // a time without a zone, in source.time_zone
  ColumnKind kind = ColumnKind::Other;
};

/// Builds one statement with its parameters.
class Statement {
 public:
  std::string parameter(std::string value) {
    parameters.push_back(std::move(value));
    return fmt::format("${}", parameters.size());
  }
  std::string sql;
  std::vector<std::string> parameters;
};

class PostgresView final : public TableView {
 public:
  PostgresView(std::unique_ptr<PostgresConnection> connection, std::string relation, std::string name,
               const TableOptions& options)
      : connection_{std::move(connection)},
        relation_{std::move(relation)},
        name_{std::move(name)},
        time_zone_{options.time_zone.value_or("")},
        time_unit_{options.time_unit.value_or("")},
        times_{options.time_column, options.known_column} {}

  Result<void> begin() {
    EL_CHECK(run("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    if (!time_unit_.empty()) {
      EL_TRY(TimeReader reader, TimeReader::make({std::nullopt, time_unit_, nullptr}));
      counted_times_ = std::make_unique<TimeReader>(std::move(reader));
    }
    EL_TRY(const PostgresResult none, run(fmt::format("SELECT * FROM {} LIMIT 0", relation_)));
    std::vector<std::uint32_t> strangers;
    for (int i = 0; i < none.columns(); ++i) {
      Column column;
      column.name = none.name(i);
      column.type = PostgresType{none.type(i)};
      column.kind = postgres_kind(column.type);
      column.type_name = postgres_type_name(column.type);
      if (column.type_name.empty()) strangers.push_back(none.type(i));
      sql_.push_back(std::move(column));
    }
    EL_CHECK(name_strangers(strangers));
    for (Column& column : sql_) columns_.push_back(described(column));
    return {};
  }

  const std::vector<LiveColumn>& columns() const override { return columns_; }

  Result<std::vector<FoundRow>> rows(const TablePlan& plan, const TableRange& range, std::size_t limit) override {
    Statement statement;
    const Column& order = column(plan, plan.order);
    const std::string order_name = sql_name(order.name);
    const auto at = [&](Timestamp time) { return moment(order, time, statement); };
    const auto text_at = [&](const char* time) { return at(Timestamp::parse(time).value()); };
    const std::string selected = selection(plan, statement);
    std::vector<std::string> wanted{
        fmt::format("{} >= {}", order_name,
                    range.from > Timestamp::parse(kEarliest).value() ? at(range.from) : text_at(kEarliest)),
        fmt::format("{} < {}", order_name, text_at(kLatest))};
    if (range.to < Timestamp::parse(kLatest).value())
      wanted.push_back(fmt::format("{} <= {}", order_name, at(range.to)));
    std::string by = order_name;
    if (plan.tie) {
      const Column& tie = column(plan, *plan.tie);
      const std::string tie_name = sql_name(tie.name);
      wanted.push_back(tie_name + " IS NOT NULL");
      by += ", " + tie_name;
      if (range.after)
        wanted.push_back(fmt::format("({}, {}) > ({}, {})", order_name, tie_name, at(range.after->order),
                                     tie_value(tie, range.after->tie, statement)));
    } else if (range.after) {
      wanted.push_back(fmt::format("{} > {}", order_name, at(range.after->order)));
    }
    statement.sql = fmt::format("SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT {}", selected, relation_,
                                fmt::join(wanted, " AND "), by, limit);
    EL_TRY(const PostgresResult result, run(statement.sql, statement.parameters));
    return found(plan, result);
  }

  Result<std::vector<FoundRow>> without_order(const TablePlan& plan, std::size_t limit) override {
    Statement statement;
    const Column& order = column(plan, plan.order);
    const std::string order_name = sql_name(order.name);
    const std::string selected = selection(plan, statement);
    const auto at = [&](const char* time) { return moment(order, Timestamp::parse(time).value(), statement); };
    // Each alone can go by an index; with OR none could.
    std::vector<std::string> wanted{order_name + " IS NULL", fmt::format("{} < {}", order_name, at(kEarliest)),
                                    fmt::format("{} >= {}", order_name, at(kLatest))};
    if (plan.tie) wanted.push_back(sql_name(column(plan, *plan.tie).name) + " IS NULL");
    std::vector<std::string> parts;
    for (const std::string& one : wanted)
      parts.push_back(fmt::format("(SELECT {} FROM {} WHERE {} LIMIT {})", selected, relation_, one, limit));
    statement.sql = fmt::format("{} LIMIT {}", fmt::join(parts, " UNION ALL "), limit);
    EL_TRY(const PostgresResult result, run(statement.sql, statement.parameters));
    return found(plan, result);
  }

  Result<std::optional<Timestamp>> newest(const TablePlan& plan) override {
    Statement statement;
    const Column& order = column(plan, plan.order);
    const std::string value = read_as(order, fmt::format("max({})", sql_name(order.name)), statement);
    EL_TRY(const PostgresResult result, run(fmt::format("SELECT {} FROM {}", value, relation_), statement.parameters));
    const auto bytes = result.rows() > 0 ? result.cell(0, 0) : std::nullopt;
    if (!bytes) return std::optional<Timestamp>{};
    if (!order.counted) return postgres_time(type_read(order), *bytes);
    const auto time = counted_times_->read(*bytes);
    if (!time) return fail(Code::BadData, fmt::format("{}: the newest {}: {}", name_, order.name, time.error().text()));
    return std::optional{time->time};
  }

  Result<void> close() override {
    EL_CHECK(run("COMMIT"));
    return {};
  }

 private:
  Result<PostgresResult> run(const std::string& sql, const std::vector<std::string>& parameters = {}) {
    auto done = connection_->run(sql, parameters);
    if (!done) return tl::unexpected<Error>(done.error().error(name_));
    return std::move(*done);
  }

  /// Types that are not ours: enums, extensions. They are read as text.
  Result<void> name_strangers(const std::vector<std::uint32_t>& types) {
    if (types.empty()) return {};
    EL_TRY(const PostgresResult names,
           run("SELECT pg_catalog.format_type(t, NULL) FROM unnest($1::oid[]) WITH ORDINALITY AS u(t, n) ORDER BY n",
               {fmt::format("{{{}}}", fmt::join(types, ","))}));
    int next = 0;
    for (Column& column : sql_)
      if (column.type_name.empty() && next < names.rows()) {
        column.type_name = names.cell(next++, 0).value_or("?");
        column.kind = ColumnKind::Text;
      }
    return {};
  }

  LiveColumn described(Column& column) const {
    const bool is_time = column.name == times_[0] || column.name == times_[1];
    std::string type = column.type_name;
    if (column.type == PostgresType::Timestamp) {
      column.local = !time_zone_.empty();
      column.kind = column.local ? ColumnKind::Time : ColumnKind::Other;
      if (is_time && !column.local) type += " (source.time_zone says which zone, such as UTC)";
    } else if (is_time && column.kind == ColumnKind::Number) {
      column.counted = counted_times_ != nullptr;
      if (column.counted) column.kind = ColumnKind::Time;
      if (!column.counted) type += " (source.time_unit says what it counts: s, ms, us or ns)";
    }
    return {column.name, std::move(type), column.kind};
  }

  const Column& column(const TablePlan& plan, std::size_t place) const {
    return *std::ranges::find(sql_, plan.columns[place], &Column::name);
  }

  /// As it is read: a local time with its zone, what has no binary form as text.
  std::string read_as(const Column& one, const std::string& value, Statement& statement) const {
    if (one.local) return fmt::format("({} AT TIME ZONE {}::text)", value, statement.parameter(time_zone_));
    return one.counted || !has_binary_form(one.type) ? value + "::text" : value;
  }

  PostgresType type_read(const Column& one) const {
    if (one.local) return PostgresType::Timestamptz;
    return one.counted || !has_binary_form(one.type) ? PostgresType::Text : one.type;
  }

  std::string selection(const TablePlan& plan, Statement& statement) const {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < plan.columns.size(); ++i) {
      const Column& one = column(plan, i);
      parts.push_back(read_as(one, sql_name(one.name), statement));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
  }

  /// A time in the column's own terms.
  std::string moment(const Column& column, Timestamp time, Statement& statement) const {
    if (column.counted) {
      constexpr std::int64_t kSecond = 1'000'000;
      const auto floor = [](std::int64_t a, std::int64_t b) { return a / b - (a % b < 0 ? 1 : 0); };
      const std::string count = time_unit_ == "s"    ? fmt::format("{}", floor(time.us(), kSecond))
                                : time_unit_ == "ms" ? fmt::format("{}", floor(time.us(), 1'000))
                                : time_unit_ == "us" ? fmt::format("{}", time.us())
                                                     : fmt::format("{}000", time.us());
      return fmt::format("{}::{}", statement.parameter(count), column.type_name);
    }
    if (column.type == PostgresType::Date) return fmt::format("{}::date", statement.parameter(time.date()));
    const std::string at = fmt::format("{}::timestamptz", statement.parameter(time.iso()));
    if (column.local) return fmt::format("({} AT TIME ZONE {}::text)", at, statement.parameter(time_zone_));
    return at;
  }

  static std::string tie_value(const Column& column, const std::string& text, Statement& statement) {
    // "character" alone would be one character long.
    const std::string type = column.type == PostgresType::Bpchar ? "bpchar" : column.type_name;
    return fmt::format("{}::{}", statement.parameter(text), type);
  }

  Result<std::vector<FoundRow>> found(const TablePlan& plan, const PostgresResult& result) {
    std::vector<FoundRow> rows;
    rows.reserve(static_cast<std::size_t>(result.rows()));
    for (int r = 0; r < result.rows(); ++r) {
      FoundRow row;
      for (std::size_t i = 0; i < plan.columns.size(); ++i) {
        const Column& one = column(plan, i);
        const auto bytes = result.cell(r, static_cast<int>(i));
        if (!bytes) {
          row.cells.emplace_back();
          continue;
        }
        const PostgresType type = type_read(one);
        auto text = postgres_text(type, *bytes);
        if (!text)
          return fail(Code::Unavailable, fmt::format("{}: column {} came with {} bytes for {}", name_,
                                                     sql_name(one.name), bytes->size(), one.type_name));
        if (i == plan.order && !one.counted) row.place.order = postgres_time(type, *bytes).value_or(Timestamp{});
        if (one.counted) {
          if (const auto time = counted_times_->read(*text)) {
            text = time->time.iso();
            if (i == plan.order) row.place.order = time->time;
          }
        }
        row.cells.push_back(std::move(*text));
      }
      if (plan.tie) row.place.tie = row.cells[*plan.tie];
      rows.push_back(std::move(row));
    }
    return rows;
  }

  const std::unique_ptr<PostgresConnection> connection_;
  const std::string relation_;
  const std::string name_;
  const std::string time_zone_, time_unit_;
  const std::array<std::string, 2> times_;  // columns that hold times
  std::unique_ptr<TimeReader> counted_times_;
  std::vector<Column> sql_;
  std::vector<LiveColumn> columns_;
};

class PostgresTable final : public LiveTable {
 public:
  PostgresTable(const TableOptions& options, std::string relation, std::string name)
      : options_{options}, relation_{std::move(relation)}, name_{std::move(name)} {}

  std::string name() const override { return name_; }

  Result<std::unique_ptr<TableView>> look() override {
    auto connection = PostgresConnection::open(options_.connection, options_.connect_timeout, options_.query_timeout);
    if (!connection) return tl::unexpected<Error>(connection.error().error(name_));
    auto view = std::make_unique<PostgresView>(std::move(*connection), relation_, name_, options_);
    EL_CHECK(view->begin());
    return view;
  }

 private:
  const TableOptions options_;
  const std::string relation_;
  const std::string name_;
};

}  // namespace

Result<std::string> postgres_relation(const TableOptions& options) {
  if (options.query.empty() && options.table.empty())
    return fail(Code::Config, "neither source.table nor source.query says what to read from the database");
  if (options.query.empty()) return sql_table(options.table);
  std::string query = options.query;
  while (!query.empty() && (query.back() == ';' || query.back() == ' ' || query.back() == '\n')) query.pop_back();
  return fmt::format("({}\n) AS rows", query);  // a comment at its end must not swallow what follows
}

Result<std::unique_ptr<LiveTable>> open_postgres_table(const TableOptions& options) {
  const auto target = PostgresTarget::of(options.connection);
  if (!target) return fail(Code::Config, fmt::format("source.connection: {}", target.error().message));
  EL_TRY(std::string relation, postgres_relation(options));
  std::string name =
      fmt::format("{} of {}", options.query.empty() ? "table " + options.table : "query", target->text());
  return std::make_unique<PostgresTable>(options, std::move(relation), std::move(name));
}

}  // namespace everlearn
