#include "io/table_reader.hpp"

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "io/csv.hpp"

namespace everlearn {
namespace {

class CsvTable final : public TableReader {
 public:
  explicit CsvTable(std::unique_ptr<ByteStream> bytes) : csv_{std::move(bytes)} {}

  Result<void> read_header(const std::string& path) {
    EL_TRY(const bool any, csv_.next(record_));
    if (!any) return fail(Code::BadData, fmt::format("{}: empty file", path));
    if (record_.refusal) {
      return fail(Code::BadData, fmt::format("{}:{}: {} in {}: is this a CSV file?", path, record_.line,
                                             record_.refusal->text(), quoted(record_.raw)));
    }
    header_.assign(record_.fields.begin(), record_.fields.end());
    return {};
  }

  const std::vector<std::string>& header() const override { return header_; }
  Result<void> choose(const std::vector<std::size_t>&) override { return {}; }
  Result<bool> next(TableRow& row) override {
    EL_TRY(const bool any, csv_.next(record_));
    row.line = record_.line;
    row.fields = record_.fields;
    row.refusal = record_.refusal;
    return any;
  }
  std::string raw() const override { return std::string{record_.raw}; }
  bool cut_short() const override { return csv_.cut_short(); }

 private:
  CsvReader csv_;
  CsvRecord record_;
  std::vector<std::string> header_;
};

}  // namespace

Result<FileForm> file_form(Fs& fs, const std::string& path) {
  EL_TRY(const auto bytes, open_bytes(fs, path));
  char head[4096];
  EL_TRY(const std::size_t n, bytes->read(head));
  std::string_view text{head, n};
  if (text.starts_with("PAR1")) return FileForm::Parquet;
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return FileForm::Empty;
  return text[first] == '{' ? FileForm::JsonLines : FileForm::Csv;
}

Result<std::unique_ptr<TableReader>> open_csv_table(Fs& fs, const std::string& path) {
  EL_TRY(auto bytes, open_bytes(fs, path));
  auto table = std::make_unique<CsvTable>(std::move(bytes));
  EL_CHECK(table->read_header(path));
  return table;
}

Result<std::unique_ptr<TableReader>> open_table(Fs& fs, const std::string& path, FileForm form) {
  return form == FileForm::Parquet ? open_parquet_table(fs, path) : open_csv_table(fs, path);
}

}  // namespace everlearn
