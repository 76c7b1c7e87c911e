// What the columns of a table mean: chosen by the options and the columns there are, then used for each row. Prices
// pass the checks of a recording (table_format.hpp).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/bar_times.hpp"
#include "io/live_table.hpp"
#include "io/table_format.hpp"
#include "io/table_options.hpp"
#include "io/time_reader.hpp"
#include "market/event.hpp"

namespace everlearn {

/// What one row says.
struct TableRowSays {
  std::string instrument;
  Timestamp event_time;
  Timestamp known_at;              // as the row has it, or event_time + delay; not before event_time
  std::optional<EventBody> price;  // PricePoint or Bar
  std::optional<Fields> fields;
};

/// One thread.
class TableForm {
 public:
  /// `table`: its name for messages. Errors: Config naming the setting, the column and what there is.
  static Result<std::unique_ptr<TableForm>> make(const TableOptions& options, const std::string& table,
                                                 std::span<const LiveColumn> there);

  const TablePlan& plan() const { return plan_; }
  /// The columns in use, one "kind name" a line: what a later look is compared with.
  const std::string& columns_in_use() const { return in_use_; }
  /// For people: "bars by symbol, time ts, 14 fields, outcome move".
  std::string summary() const;
  bool has_bars() const { return kind_ == TableKind::Bars; }

  /// Looks how long a bar is; false: more rows are needed first. Errors: BadData for no length a bar can have.
  Result<bool> learn(std::span<const FoundRow> rows);
  std::optional<Duration> bar_length() const { return bars_.length(); }

  RowResult<TableRowSays> read(const FoundRow& row);
  /// What tells this row from others: its key, time and id as they are written.
  std::string identity(const FoundRow& row) const;
  /// "rfc3339" or "date"; empty before the first row.
  const std::string& time_unit() const { return times_.unit(); }

 private:
  TableForm(const TableOptions& options, TimeReader times, TimeReader known_times, TimeReader end_times);
  Result<void> choose(const std::string& table, std::span<const LiveColumn> there);
  RowResult<void> read_price(const FoundRow& row, TableRowSays& says);
  RowResult<void> read_fields(const FoundRow& row, TableRowSays& says) const;
  RowResult<std::optional<double>> outcome_of(std::string_view cell) const;

  const TableOptions options_;
  const std::string instrument_;  // where no column names it
  TimeReader times_, known_times_, end_times_;
  BarTimes bars_;
  TablePlan plan_;
  std::string in_use_;
  std::size_t time_ = 0;  // places in the plan
  std::optional<std::size_t> key_, id_, known_, outcome_;
  std::vector<std::size_t> fields_;
  std::optional<TableKind> kind_;                  // of the price columns; empty: there are none
  std::vector<std::optional<std::size_t>> price_;  // places in the plan of what `rows_` reads; empty: "0"
  std::unique_ptr<RowReader> rows_;
  std::map<std::string, Timestamp, std::less<>> last_stamp_;  // while the length of a bar is looked for
};

/// Says which column changed since `in_use` was written: gone, or of another kind; empty: none did.
std::string changed_column(const std::string& in_use, std::span<const LiveColumn> there);

/// What a table reads by, as far as it decides which row is which and what it says: a position made with other settings
/// means other rows.
std::string identity_settings(const TableOptions& options);

}  // namespace everlearn
