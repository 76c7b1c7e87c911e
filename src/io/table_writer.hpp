// Tables for other programs: CSV or Parquet with the same columns and values. The file appears at finish(), whole.
//
//   type    CSV                                             Parquet
//   Text    quoted where RFC 4180 needs it                  string
//   Int64   digits                                          int64
//   Double  shortest text that reads back the same bits     double
//   Time    2026-01-03T13:00:07.000000Z                     timestamp[us, UTC]
//   Bool    true, false                                     bool
//
// An absent value and a NaN are an empty field, or null. In CSV a text that begins with = + - @, a tab or a carriage
// return gets a ' before it, because spreadsheets would run it as a formula; `csv_safe = false` writes it as it is.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/fs.hpp"
#include "core/time.hpp"

namespace everlearn {

enum class TableFileFormat { Csv, Parquet };

enum class ColumnType { Text, Int64, Double, Time, Bool };

struct TableColumn {
  std::string name;
  ColumnType type{};
};

/// Absent, or the value of the column's type.
using Cell = std::variant<std::monostate, std::string_view, std::int64_t, double, Timestamp, bool>;

class TableWriter {
 public:
  /// Writes `path`.tmp until finish() renames it; without finish() it is removed.
  /// Errors: Storage; Usage for two columns of one name.
  static Result<std::unique_ptr<TableWriter>> create(Fs& fs, const std::string& path, TableFileFormat format,
                                                     std::vector<TableColumn> columns, bool csv_safe = true);
  virtual ~TableWriter() = default;
  /// One cell a column. Errors: Storage; Internal for a cell of another type.
  virtual Result<void> add_row(std::span<const Cell> row) = 0;
  /// Syncs and renames; replaces a file of that name. Call once, last.
  virtual Result<void> finish() = 0;
};

}  // namespace everlearn
