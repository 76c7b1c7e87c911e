#include "learn/golden.hpp"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>

#include <algorithm>

namespace everlearn {
namespace {

template <class T>
Result<T> ok(arrow::Result<T> result, Code code, const std::string& path) {
  if (!result.ok()) return fail(code, fmt::format("{}: {}", path, result.status().ToString()));
  return std::move(result).ValueUnsafe();
}

template <class Builder, class Value>
std::shared_ptr<arrow::Array> column_of(const std::vector<Value>& values, std::size_t offset, std::size_t stride) {
  Builder builder;
  for (std::size_t i = offset; i < values.size(); i += stride) (void)builder.Append(values[i]);
  std::shared_ptr<arrow::Array> array;
  (void)builder.Finish(&array);
  return array;
}

}  // namespace

Result<void> write_golden(Fs& fs, const std::string& path, const Golden& golden) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (std::size_t j = 0; j < golden.columns.size(); ++j) {
    fields.push_back(arrow::field(golden.columns[j], arrow::float32()));
    arrays.push_back(column_of<arrow::FloatBuilder>(golden.rows, j, golden.columns.size()));
  }
  const auto outputs = static_cast<std::size_t>(golden.outputs);
  for (std::size_t k = 0; k < outputs; ++k) {
    fields.push_back(arrow::field(fmt::format("raw.{}", k), arrow::float64()));
    arrays.push_back(column_of<arrow::DoubleBuilder>(golden.raw, k, outputs));
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  EL_TRY(const auto sink, ok(arrow::io::BufferOutputStream::Create(), Code::Storage, path));
  const auto properties =
      parquet::WriterProperties::Builder().compression(arrow::Compression::ZSTD)->enable_page_checksum()->build();
  if (const auto status = parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 65'536, properties);
      !status.ok())
    return fail(Code::Storage, fmt::format("{}: {}", path, status.ToString()));
  EL_TRY(const auto buffer, ok(sink->Finish(), Code::Storage, path));
  return replace_file(fs, path,
                      {reinterpret_cast<const char*>(buffer->data()), static_cast<std::size_t>(buffer->size())});
}

Result<Golden> read_golden(Fs& fs, const std::string& path) {
  EL_TRY(const std::string bytes, read_file(fs, path, 256 << 20));
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  parquet::arrow::FileReaderBuilder builder;
  const auto source = std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(
      reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<std::int64_t>(bytes.size())));
  std::unique_ptr<parquet::arrow::FileReader> reader;
  std::shared_ptr<arrow::Table> table;
  try {
    auto status = builder.Open(source, properties);
    if (status.ok()) status = builder.Build(&reader);
    if (!status.ok()) return fail(Code::Damaged, fmt::format("{}: {}", path, status.ToString()));
    EL_TRY(table, ok(reader->ReadTable(), Code::Damaged, path));
    EL_TRY(table, ok(table->CombineChunks(), Code::Damaged, path));
  } catch (const std::exception& problem) {  // Parquet throws on damaged pages
    return fail(Code::Damaged, fmt::format("{}: {}", path, problem.what()));
  }

  Golden golden;
  golden.outputs = 0;
  for (const auto& field : table->schema()->fields()) {
    if (field->type()->id() == arrow::Type::FLOAT)
      golden.columns.push_back(field->name());
    else if (field->name() == fmt::format("raw.{}", golden.outputs))
      ++golden.outputs;
    else
      return fail(Code::Damaged, fmt::format("{}: unexpected column {}", path, field->name()));
  }
  const auto n = static_cast<std::size_t>(table->num_rows());
  const std::size_t width = golden.columns.size();
  const auto outputs = static_cast<std::size_t>(golden.outputs);
  if (n == 0 || n > kGoldenRows || width == 0 || outputs == 0)
    return fail(Code::Damaged, fmt::format("{}: {} rows, {} features, {} outputs", path, n, width, outputs));
  golden.rows.resize(n * width);
  golden.raw.resize(n * outputs);
  for (std::size_t j = 0; j < width + outputs; ++j) {
    const auto& chunk = table->column(static_cast<int>(j))->chunk(0);
    if (chunk->null_count() != 0) return fail(Code::Damaged, fmt::format("{}: a null among the golden rows", path));
    for (std::size_t i = 0; i < n; ++i) {
      if (j < width)
        golden.rows[i * width + j] = static_cast<const arrow::FloatArray&>(*chunk).Value(static_cast<std::int64_t>(i));
      else
        golden.raw[i * outputs + (j - width)] =
            static_cast<const arrow::DoubleArray&>(*chunk).Value(static_cast<std::int64_t>(i));
    }
  }
  return golden;
}

}  // namespace everlearn
