// A recorded table as rows of text, whatever the file format: CSV gives its fields, Parquet its values written out
// exactly (numbers in their shortest exact form, times with their zone). So every format passes the same checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.hpp"
#include "io/refusal.hpp"

namespace everlearn {

struct TableRow {
  std::int64_t line = 0;                     // CSV: in the file, from 1; Parquet: number of the row, from 1
  std::span<const std::string_view> fields;  // as in the header; valid until the next row
  std::optional<Refusal> refusal;            // the row breaks the file format; then `fields` is empty
};

class TableReader {
 public:
  virtual ~TableReader() = default;
  virtual const std::vector<std::string>& header() const = 0;
  /// Only these fields will be looked at; others may come empty. Call before the first next().
  /// Errors: BadData for a type that has no text.
  virtual Result<void> choose(const std::vector<std::size_t>& columns) = 0;
  /// The next row; false at the end. Errors: Storage; BadData where nothing further can be read.
  virtual Result<bool> next(TableRow& row) = 0;
  /// The last row as it stands in the file, or its chosen fields, for the quarantine.
  virtual std::string raw() const = 0;
  /// The file ended too early; what came before is good. Known once next() has returned false.
  virtual bool cut_short() const = 0;
};

enum class FileForm { Empty, Csv, JsonLines, Parquet };

/// By its first bytes, after unpacking.
Result<FileForm> file_form(Fs& fs, const std::string& path);

/// A CSV whose first record is the header. Errors: NotFound, Storage; BadData where the header is not text.
Result<std::unique_ptr<TableReader>> open_csv_table(Fs& fs, const std::string& path);
/// Errors: NotFound, Storage, BadData.
Result<std::unique_ptr<TableReader>> open_parquet_table(Fs& fs, const std::string& path);
/// Either of them.
Result<std::unique_ptr<TableReader>> open_table(Fs& fs, const std::string& path, FileForm form);

}  // namespace everlearn
