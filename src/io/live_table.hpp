// A table that others write to, as its reader sees it: a Postgres table, or a file with the same columns. The cells
// come as text whatever the table is made of, so that every table passes the same checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "io/refusal.hpp"

namespace everlearn {

enum class ColumnKind : std::uint8_t { Time, Date, Number, Bool, Text, Any, Other };

struct LiveColumn {
  std::string name;
  std::string type;  // as the table calls it: "timestamp with time zone"
  ColumnKind kind = ColumnKind::Any;
};

/// Which columns are read, and which of them put the rows in order.
struct TablePlan {
  std::vector<std::string> columns;
  std::size_t order = 0;           // of `columns`: a time
  std::optional<std::size_t> tie;  // of `columns`: tells rows of one time apart
};

struct RowPlace {
  Timestamp order;
  std::string tie;  // as the table writes it; empty without such a column
  bool operator==(const RowPlace&) const = default;
};

struct FoundRow {
  RowPlace place;
  std::int64_t line = 0;  // of a file; 0: none
  // As in the plan; empty: NULL. Numbers in their shortest exact form, booleans 0 and 1, times as RFC 3339 in UTC, or
  // a bare date.
  std::vector<std::string> cells;
  std::optional<Refusal> refusal;  // the row breaks the table's format; then `cells` hold it as it stands there
};

struct TableRange {
  std::optional<RowPlace> after;  // rows behind it only
  Timestamp from = Timestamp::min();
  Timestamp to = Timestamp::max();  // both included
};

/// One moment of a table; all reads see the same rows. One thread.
class TableView {
 public:
  virtual ~TableView() = default;
  /// All there are.
  virtual const std::vector<LiveColumn>& columns() const = 0;
  /// In order of place, at most `limit`; all of them or an Error. Errors: Unavailable: later it may work; others need a
  /// person.
  virtual Result<std::vector<FoundRow>> rows(const TablePlan& plan, const TableRange& range, std::size_t limit) = 0;
  /// Rows whose order is NULL or unreadable; at most `limit`.
  virtual Result<std::vector<FoundRow>> without_order(const TablePlan& plan, std::size_t limit) = 0;
  /// The latest order of any row, also one in the future; empty: there is none.
  virtual Result<std::optional<Timestamp>> newest(const TablePlan& plan) = 0;
  /// Ends it; what was read stands. A view that is only destroyed was given up.
  virtual Result<void> close() = 0;
};

class LiveTable {
 public:
  virtual ~LiveTable() = default;
  /// For messages; no secret in it: "table market.rows".
  virtual std::string name() const = 0;
  /// Errors: Unavailable: later it may work (server down, asleep or busy); others need a person.
  virtual Result<std::unique_ptr<TableView>> look() = 0;
};

}  // namespace everlearn
