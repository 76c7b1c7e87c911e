#include "io/parquet_writer.hpp"

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>

#include <cmath>

#include <fmt/format.h>

#include "core/quoted.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kGroupRows = 65'536;

/// Arrow's view of a file of ours. Keeps our Error: Arrow's statuses know no codes of ours.
class ArrowSink final : public arrow::io::OutputStream {
 public:
  explicit ArrowSink(ReplacedFile& file) : file_{file} {}

  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return written_; }
  arrow::Status Write(const void* data, std::int64_t count) override {
    auto done = file_.append({static_cast<const char*>(data), static_cast<std::size_t>(count)});
    if (!done) {
      error_ = done.error();
      return arrow::Status::IOError(done.error().message);
    }
    written_ += count;
    return arrow::Status::OK();
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  ReplacedFile& file_;
  std::int64_t written_ = 0;
  bool closed_ = false;
  std::optional<Error> error_;
};

std::shared_ptr<arrow::DataType> arrow_type(ColumnType type) {
  switch (type) {
    case ColumnType::Text:
      return arrow::utf8();
    case ColumnType::Int64:
      return arrow::int64();
    case ColumnType::Double:
      return arrow::float64();
    case ColumnType::Time:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case ColumnType::Bool:
      return arrow::boolean();
  }
  return arrow::null();
}

class ParquetWriter final : public TableWriter {
 public:
  ParquetWriter(ReplacedFile file, std::string path, std::vector<TableColumn> columns)
      : file_{std::move(file)}, path_{std::move(path)}, columns_{std::move(columns)} {}

  Result<void> open() {
    return guarded([&]() -> arrow::Status {
      arrow::FieldVector fields;
      for (const TableColumn& column : columns_) fields.push_back(arrow::field(column.name, arrow_type(column.type)));
      schema_ = arrow::schema(fields);
      sink_ = std::make_shared<ArrowSink>(file_);
      const auto properties = parquet::WriterProperties::Builder()
                                  .compression(arrow::Compression::ZSTD)
                                  ->enable_page_checksum()
                                  ->created_by("everlearn")
                                  ->build();
      const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
      ARROW_ASSIGN_OR_RAISE(writer_, parquet::arrow::FileWriter::Open(*schema_, arrow::default_memory_pool(), sink_,
                                                                      properties, arrow_properties));
      return make_builders();
    });
  }

  Result<void> add_row(std::span<const Cell> row) override {
    EL_CHECK(check_row(columns_, row));
    return guarded([&]() -> arrow::Status {
      for (std::size_t i = 0; i < row.size(); ++i) ARROW_RETURN_NOT_OK(append(*builders_[i], row[i]));
      return ++rows_ == kGroupRows ? flush() : arrow::Status::OK();
    });
  }

  Result<void> finish() override {
    EL_CHECK(guarded([&]() -> arrow::Status {
      ARROW_RETURN_NOT_OK(flush());
      return writer_->Close();
    }));
    return file_.finish();
  }

 private:
  arrow::Status make_builders() {
    builders_.clear();
    for (const auto& field : schema_->fields()) {
      ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(field->type()));
      builders_.push_back(std::move(builder));
    }
    return arrow::Status::OK();
  }

  static arrow::Status append(arrow::ArrayBuilder& builder, const Cell& cell) {
    if (const auto* text = std::get_if<std::string_view>(&cell)) {
      return static_cast<arrow::StringBuilder&>(builder).Append(*text);
    }
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) {
      return static_cast<arrow::Int64Builder&>(builder).Append(*whole);
    }
    if (const auto* number = std::get_if<double>(&cell); number != nullptr && !std::isnan(*number)) {
      return static_cast<arrow::DoubleBuilder&>(builder).Append(*number);
    }
    if (const auto* time = std::get_if<Timestamp>(&cell)) {
      return static_cast<arrow::TimestampBuilder&>(builder).Append(time->us());
    }
    if (const auto* flag = std::get_if<bool>(&cell)) {
      return static_cast<arrow::BooleanBuilder&>(builder).Append(*flag);
    }
    return builder.AppendNull();
  }

  arrow::Status flush() {
    if (rows_ == 0) return arrow::Status::OK();
    arrow::ArrayVector arrays;
    for (const auto& builder : builders_) {
      ARROW_ASSIGN_OR_RAISE(auto array, builder->Finish());
      arrays.push_back(std::move(array));
    }
    rows_ = 0;
    return writer_->WriteTable(*arrow::Table::Make(schema_, arrays), kGroupRows);
  }

  /// An edge: Parquet reports some failures by exception.
  template <class Work>
  Result<void> guarded(Work work) {
    std::string reason;
    try {
      const arrow::Status status = work();
      if (status.ok()) return {};
      reason = status.message();
    } catch (const std::exception& e) {
      reason = e.what();
    }
    if (sink_ && sink_->error()) return tl::unexpected<Error>(*sink_->error());
    return fail(Code::Storage, fmt::format("{}: cannot be written: {}", path_, quoted(reason, 300)));
  }

  ReplacedFile file_;  // outlives sink_
  const std::string path_;
  const std::vector<TableColumn> columns_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<ArrowSink> sink_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  std::int64_t rows_ = 0;  // in the builders
};

}  // namespace

Result<std::unique_ptr<TableWriter>> make_parquet_writer(ReplacedFile file, std::string path,
                                                         std::vector<TableColumn> columns) {
  auto writer = std::make_unique<ParquetWriter>(std::move(file), std::move(path), std::move(columns));
  EL_CHECK(writer->open());
  return writer;
}

}  // namespace everlearn
