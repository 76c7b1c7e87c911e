#include "io/table_writer.hpp"

#include <cmath>
#include <set>

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "io/csv.hpp"
#include "io/parquet_writer.hpp"
#include "io/replaced_file.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kFlushBytes = 256 << 10;

bool looks_like_formula(std::string_view text) {
  return !text.empty() && std::string_view{"=+-@\t\r"}.find(text.front()) != std::string_view::npos;
}

class CsvWriter final : public TableWriter {
 public:
  CsvWriter(ReplacedFile file, std::vector<TableColumn> columns, bool safe)
      : file_{std::move(file)}, columns_{std::move(columns)}, safe_{safe} {
    for (const TableColumn& column : columns_) {
      if (&column != &columns_.front()) pending_.push_back(',');
      append_text(column.name);
    }
    pending_.push_back('\n');
  }

  Result<void> add_row(std::span<const Cell> row) override {
    EL_CHECK(check_row(columns_, row));
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) pending_.push_back(',');
      append_cell(row[i]);
    }
    pending_.push_back('\n');
    if (pending_.size() < kFlushBytes) return {};
    return flush();
  }

  Result<void> finish() override {
    EL_CHECK(flush());
    return file_.finish();
  }

 private:
  Result<void> flush() {
    EL_CHECK(file_.append(pending_));
    pending_.clear();
    return {};
  }

  void append_text(std::string_view text) {
    if (safe_ && looks_like_formula(text)) {
      append_csv_field(pending_, "'" + std::string{text});
    } else {
      append_csv_field(pending_, text);
    }
  }

  void append_cell(const Cell& cell) {
    if (const auto* text = std::get_if<std::string_view>(&cell)) {
      append_text(*text);
    } else if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
      fmt::format_to(std::back_inserter(pending_), "{}", *whole);
    } else if (const auto* number = std::get_if<double>(&cell)) {
      if (!std::isnan(*number)) fmt::format_to(std::back_inserter(pending_), "{}", *number);
    } else if (const auto* time = std::get_if<Timestamp>(&cell)) {
      pending_ += time->iso();
    } else if (const auto* flag = std::get_if<bool>(&cell)) {
      pending_ += *flag ? "true" : "false";
    }
  }

  ReplacedFile file_;
  const std::vector<TableColumn> columns_;
  const bool safe_;
  std::string pending_;
};

}  // namespace

Result<void> check_row(const std::vector<TableColumn>& columns, std::span<const Cell> row) {
  if (row.size() != columns.size()) {
    return fail(Code::Internal, fmt::format("table: a row of {} cells for {} columns", row.size(), columns.size()));
  }
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i].index() != 0 && row[i].index() != static_cast<std::size_t>(columns[i].type) + 1) {
      return fail(Code::Internal, fmt::format("table: a cell of another type in column {}", quoted(columns[i].name)));
    }
  }
  return {};
}

Result<std::unique_ptr<TableWriter>> TableWriter::create(Fs& fs, const std::string& path, TableFileFormat format,
                                                         std::vector<TableColumn> columns, bool csv_safe) {
  std::set<std::string_view> names;
  for (const TableColumn& column : columns) {
    if (!names.insert(column.name).second) {
      return fail(Code::Usage, fmt::format("{}: two columns are called {}", path, quoted(column.name)));
    }
  }
  EL_TRY(auto file, ReplacedFile::create(fs, path));
  if (format == TableFileFormat::Parquet) return make_parquet_writer(std::move(file), path, std::move(columns));
  return std::make_unique<CsvWriter>(std::move(file), std::move(columns), csv_safe);
}

}  // namespace everlearn
