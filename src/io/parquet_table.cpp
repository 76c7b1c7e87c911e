// Parquet by way of Arrow, one batch of rows in memory at a time.
#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/quoted.hpp"
#include "core/time.hpp"
#include "io/csv.hpp"
#include "io/table_reader.hpp"

namespace everlearn {
namespace {

/// Arrow's view of a file of ours.
class ArrowFile final : public arrow::io::RandomAccessFile {
 public:
  explicit ArrowFile(std::unique_ptr<ReadableFile> file) : file_{std::move(file)} {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return position_; }
  arrow::Status Seek(std::int64_t position) override {
    position_ = position;
    return arrow::Status::OK();
  }
  arrow::Result<std::int64_t> GetSize() override { return static_cast<std::int64_t>(file_->size()); }
  arrow::Result<std::int64_t> ReadAt(std::int64_t position, std::int64_t count, void* out) override {
    std::int64_t filled = 0;
    while (filled < count) {
      const auto n = file_->read_at(static_cast<std::uint64_t>(position + filled),
                                    {static_cast<char*>(out) + filled, static_cast<std::size_t>(count - filled)});
      if (!n) return arrow::Status::IOError(n.error().message);
      if (*n == 0) break;
      filled += static_cast<std::int64_t>(*n);
    }
    return filled;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(std::int64_t position, std::int64_t count) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(count));
    ARROW_ASSIGN_OR_RAISE(const std::int64_t n, ReadAt(position, count, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(n));
    return std::shared_ptr<arrow::Buffer>{std::move(buffer)};
  }
  arrow::Result<std::int64_t> Read(std::int64_t count, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const std::int64_t n, ReadAt(position_, count, out));
    position_ += n;
    return n;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(std::int64_t count) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, count));
    position_ += buffer->size();
    return buffer;
  }

 private:
  const std::unique_ptr<ReadableFile> file_;
  std::int64_t position_ = 0;
  bool closed_ = false;
};

bool has_text(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DICTIONARY:
      return has_text(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::NA:
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DECIMAL128:
      return true;
    default:
      return false;
  }
}

template <class ArrayType>
auto value_of(const arrow::Array& array, std::int64_t row) {
  return static_cast<const ArrayType&>(array).Value(row);
}

template <class Number>
void append_number(std::string& text, Number value) {
  fmt::format_to(std::back_inserter(text), "{}", value);
}

void append_timestamp(std::string& text, const arrow::Array& array, std::int64_t row) {
  const auto& type = static_cast<const arrow::TimestampType&>(*array.type());
  std::int64_t value = value_of<arrow::TimestampArray>(array, row);
  constexpr std::int64_t kLimit = 300'000'000'000'000'000;  // us; the year 11476, far outside what is accepted
  switch (type.unit()) {
    case arrow::TimeUnit::SECOND:
      value = std::clamp(value, -kLimit / 1'000'000, kLimit / 1'000'000) * 1'000'000;
      break;
    case arrow::TimeUnit::MILLI:
      value = std::clamp(value, -kLimit / 1'000, kLimit / 1'000) * 1'000;
      break;
    case arrow::TimeUnit::MICRO:
      break;
    case arrow::TimeUnit::NANO:
      value = value / 1'000 - (value % 1'000 < 0 ? 1 : 0);
      break;
  }
  text += Timestamp{std::clamp(value, -kLimit, kLimit)}.iso();
  if (type.timezone().empty()) text.pop_back();  // a time without a zone stays one: the same rule as for text
}

void append_cell(std::string& text, const arrow::Array& array, std::int64_t row) {
  if (array.IsNull(row)) return;
  switch (array.type_id()) {
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(array);
      return append_cell(text, *dictionary.dictionary(), dictionary.GetValueIndex(row));
    }
    case arrow::Type::BOOL:
      return append_number(text, value_of<arrow::BooleanArray>(array, row) ? 1 : 0);
    case arrow::Type::INT8:
      return append_number(text, int{value_of<arrow::Int8Array>(array, row)});
    case arrow::Type::INT16:
      return append_number(text, value_of<arrow::Int16Array>(array, row));
    case arrow::Type::INT32:
      return append_number(text, value_of<arrow::Int32Array>(array, row));
    case arrow::Type::INT64:
      return append_number(text, value_of<arrow::Int64Array>(array, row));
    case arrow::Type::UINT8:
      return append_number(text, int{value_of<arrow::UInt8Array>(array, row)});
    case arrow::Type::UINT16:
      return append_number(text, value_of<arrow::UInt16Array>(array, row));
    case arrow::Type::UINT32:
      return append_number(text, value_of<arrow::UInt32Array>(array, row));
    case arrow::Type::UINT64:
      return append_number(text, value_of<arrow::UInt64Array>(array, row));
    case arrow::Type::FLOAT:
      return append_number(text, value_of<arrow::FloatArray>(array, row));
    case arrow::Type::DOUBLE:
      return append_number(text, value_of<arrow::DoubleArray>(array, row));
    case arrow::Type::STRING:
      text += static_cast<const arrow::StringArray&>(array).GetView(row);
      return;
    case arrow::Type::LARGE_STRING:
      text += static_cast<const arrow::LargeStringArray&>(array).GetView(row);
      return;
    case arrow::Type::DATE32:
      text += Timestamp{value_of<arrow::Date32Array>(array, row) * std::int64_t{86'400'000'000}}.date();
      return;
    case arrow::Type::TIMESTAMP:
      return append_timestamp(text, array, row);
    case arrow::Type::DECIMAL128:
      text += static_cast<const arrow::Decimal128Array&>(array).FormatValue(row);
      return;
    default:
      return;  // choose() has refused it
  }
}

class ParquetTable final : public TableReader {
 public:
  explicit ParquetTable(std::string path) : path_{std::move(path)} {}

  Result<void> open(Fs& fs) {
    EL_TRY(auto file, fs.open(path_));
    return guarded([&]() -> arrow::Status {
      parquet::ReaderProperties properties = parquet::default_reader_properties();
      properties.set_page_checksum_verification(true);
      parquet::arrow::FileReaderBuilder builder;
      ARROW_RETURN_NOT_OK(builder.Open(std::make_shared<ArrowFile>(std::move(file)), properties));
      parquet::ArrowReaderProperties arrow_properties{/*use_threads=*/false};
      arrow_properties.set_pre_buffer(false);
      arrow_properties.set_batch_size(16'384);
      builder.properties(arrow_properties);
      ARROW_ASSIGN_OR_RAISE(reader_, builder.Build());
      ARROW_RETURN_NOT_OK(reader_->GetSchema(&schema_));
      for (const auto& field : schema_->fields()) header_.push_back(field->name());
      chosen_.resize(header_.size());
      for (std::size_t i = 0; i < chosen_.size(); ++i) chosen_[i] = i;
      return arrow::Status::OK();
    });
  }

  const std::vector<std::string>& header() const override { return header_; }

  Result<void> choose(const std::vector<std::size_t>& columns) override {
    chosen_ = columns;
    std::sort(chosen_.begin(), chosen_.end());
    chosen_.erase(std::unique(chosen_.begin(), chosen_.end()), chosen_.end());
    for (const std::size_t column : chosen_) {
      const auto& field = *schema_->field(static_cast<int>(column));
      if (!has_text(*field.type())) {
        return fail(Code::BadData, fmt::format("{}: column {} is of type {}, which is not understood", path_,
                                               quoted(field.name()), field.type()->ToString()));
      }
    }
    return {};
  }

  Result<bool> next(TableRow& row) override {
    while (!batch_ || at_ == batch_->num_rows()) {
      EL_CHECK(guarded([&] { return next_batch(); }));
      if (!batch_) return false;
    }
    cells_.resize(header_.size());
    fields_.assign(header_.size(), {});
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      std::string& cell = cells_[chosen_[i]];
      cell.clear();
      append_cell(cell, *batch_->column(static_cast<int>(i)), at_);
      fields_[chosen_[i]] = cell;
    }
    ++at_;
    row.line = ++line_;
    row.fields = fields_;
    row.refusal.reset();
    return true;
  }

  std::string raw() const override {
    std::string line;
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      if (i > 0) line.push_back(',');
      append_csv_field(line, fields_[chosen_[i]]);
    }
    return line;
  }
  bool cut_short() const override { return false; }

 private:
  arrow::Status next_batch() {
    if (!batches_) {
      // Leaf numbers: a nested column that nobody chose counts several of them.
      std::vector<int> leaves;
      const auto* leaf_schema = reader_->parquet_reader()->metadata()->schema();
      for (const std::size_t column : chosen_) leaves.push_back(leaf_schema->ColumnIndex(header_[column]));
      std::vector<int> groups(static_cast<std::size_t>(reader_->num_row_groups()));
      for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);
      ARROW_ASSIGN_OR_RAISE(batches_, reader_->GetRecordBatchReader(groups, leaves));
    }
    at_ = 0;
    return batches_->ReadNext(&batch_);
  }

  /// An edge: Parquet reports some damage by exception.
  template <class Work>
  Result<void> guarded(Work work) const {
    std::string reason;
    try {
      const arrow::Status status = work();
      if (status.ok()) return {};
      reason = status.message();
    } catch (const std::exception& e) {
      reason = e.what();
    }
    return fail(Code::BadData, fmt::format("{}: not a good Parquet file: {}", path_, quoted(reason, 300)));
  }

  const std::string path_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;  // outlives batches_
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  std::vector<std::string> header_;
  std::vector<std::size_t> chosen_;
  std::int64_t at_ = 0;
  std::int64_t line_ = 0;
  std::vector<std::string> cells_;
  std::vector<std::string_view> fields_;
};

}  // namespace

Result<std::unique_ptr<TableReader>> open_parquet_table(Fs& fs, const std::string& path) {
  auto table = std::make_unique<ParquetTable>(path);
  EL_CHECK(table->open(fs));
  return table;
}

}  // namespace everlearn
