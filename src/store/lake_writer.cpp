#include <cmath>

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <unordered_set>

#include "store/lake_file.hpp"

namespace everlearn {
namespace {

// Parquet writes in small pieces.
constexpr std::size_t kBufferBytes = 1 << 20;

/// Arrow's stream over a file of ours; hashes what passes and keeps our own Error, which Arrow would flatten.
class FsOutput final : public arrow::io::OutputStream {
 public:
  explicit FsOutput(WritableFile& file) : file_{file} { set_mode(arrow::io::FileMode::WRITE); }

  arrow::Status Write(const void* data, std::int64_t n) override {
    const std::string_view bytes{static_cast<const char*>(data), static_cast<std::size_t>(n)};
    hash_.add(bytes);
    size_ += n;
    buffer_.append(bytes);
    return buffer_.size() < kBufferBytes ? arrow::Status::OK() : Flush();
  }
  arrow::Status Flush() override {
    if (!error_ && !buffer_.empty())
      if (auto written = file_.append(buffer_); !written) error_ = written.error();
    buffer_.clear();
    return error_ ? arrow::Status::IOError(error_->message) : arrow::Status::OK();
  }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return closed_; }
  arrow::Result<std::int64_t> Tell() const override { return size_; }

  const std::optional<Error>& error() const { return error_; }
  WrittenFile finish() { return {hex(hash_.finish()), static_cast<std::uint64_t>(size_)}; }

 private:
  WritableFile& file_;
  std::string buffer_;
  Sha256Stream hash_;
  std::int64_t size_ = 0;
  bool closed_ = false;
  std::optional<Error> error_;
};

/// Builds the columns of a table, and with each the encoding that suits it.
template <class Row>
class Columns {
 public:
  Columns(std::span<const Row> rows, parquet::WriterProperties::Builder& properties)
      : rows_{rows}, properties_{properties} {}

  template <class Get>
  arrow::Status times(const std::string& name, Get get) {
    const auto type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    packed(name);
    return add(name, type, false, arrow::TimestampBuilder{type, arrow::default_memory_pool()},
               [&](auto& builder, const Row& row) { return builder.Append(get(row).us()); });
  }
  template <class Get>
  arrow::Status integers(const std::string& name, Get get) {
    packed(name);
    return add(name, arrow::int64(), false, arrow::Int64Builder{},
               [&](auto& builder, const Row& row) { return builder.Append(get(row)); });
  }
  template <class Get>
  arrow::Status optional_integers(const std::string& name, Get get) {
    packed(name);
    return add(name, arrow::int64(), true, arrow::Int64Builder{}, [&](auto& builder, const Row& row) {
      const std::optional<std::int64_t> value = get(row);
      return value ? builder.Append(*value) : builder.AppendNull();
    });
  }
  /// NaN becomes null: both mean missing, and tools agree on null.
  template <class Get>
  arrow::Status doubles(const std::string& name, Get get) {
    split(name);
    return add(name, arrow::float64(), true, arrow::DoubleBuilder{}, [&](auto& builder, const Row& row) {
      const double value = get(row);
      return std::isnan(value) ? builder.AppendNull() : builder.Append(value);
    });
  }
  /// Prices: of one instrument they take few values, over and over, so mostly they are numbered in a dictionary.
  template <class Get>
  arrow::Status prices(const std::string& name, Get get) {
    std::unordered_set<std::int64_t> values;
    for (const Row& row : rows_)
      if (const std::optional<Price> price = get(row); price && few(values.size())) values.insert(price->nanos());
    if (!few(values.size())) split(name);
    return add(name, arrow::float64(), true, arrow::DoubleBuilder{}, [&](auto& builder, const Row& row) {
      const std::optional<Price> price = get(row);
      return price ? builder.Append(price->value()) : builder.AppendNull();
    });
  }
  /// Times that many rows share.
  template <class Get>
  arrow::Status shared_times(const std::string& name, Get get) {
    std::unordered_set<std::int64_t> values;
    for (const Row& row : rows_)
      if (few(values.size())) values.insert(get(row).us());
    if (!few(values.size())) packed(name);
    const auto type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    return add(name, type, false, arrow::TimestampBuilder{type, arrow::default_memory_pool()},
               [&](auto& builder, const Row& row) { return builder.Append(get(row).us()); });
  }
  /// NaN stays NaN.
  template <class Get>
  arrow::Status floats(const std::string& name, Get get) {
    split(name);
    return add(name, arrow::float32(), false, arrow::FloatBuilder{},
               [&](auto& builder, const Row& row) { return builder.Append(get(row)); });
  }
  /// Few different values: stored once each.
  template <class Get>
  arrow::Status texts(const std::string& name, Get get) {
    return add(name, arrow::dictionary(arrow::int32(), arrow::utf8()), false, arrow::StringDictionary32Builder{},
               [&](auto& builder, const Row& row) { return builder.Append(get(row)); });
  }
  /// Any Arrow builder whose values a dictionary in the file compresses well.
  template <class Builder, class Get>
  arrow::Status plain(const std::string& name, const std::shared_ptr<arrow::DataType>& type, Builder&& builder,
                      Get get) {
    return add(name, type, false, std::forward<Builder>(builder),
               [&](auto& to, const Row& row) { return to.Append(get(row)); });
  }
  arrow::Status double_lists(const std::string& name, const std::vector<double> Row::*member) {
    split(name + ".list.element");
    const auto values = std::make_shared<arrow::DoubleBuilder>();
    return add(name, arrow::list(arrow::float64()), false, arrow::ListBuilder{arrow::default_memory_pool(), values},
               [&](auto& builder, const Row& row) {
                 ARROW_RETURN_NOT_OK(builder.Append());
                 const std::vector<double>& list = row.*member;
                 // An empty vector may point nowhere, where Arrow copies from.
                 if (list.empty()) return arrow::Status::OK();
                 return values->AppendValues(list.data(), static_cast<std::int64_t>(list.size()));
               });
  }

  std::span<const Row> rows() const { return rows_; }
  std::shared_ptr<arrow::Table> table(std::shared_ptr<arrow::KeyValueMetadata> metadata) const {
    return arrow::Table::Make(arrow::schema(fields_, std::move(metadata)), arrays_);
  }

 private:
  template <class Builder, class Append>
  arrow::Status add(const std::string& name, const std::shared_ptr<arrow::DataType>& type, bool nullable,
                    Builder&& builder, Append append) {
    ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<std::int64_t>(rows_.size())));
    for (const Row& row : rows_) ARROW_RETURN_NOT_OK(append(builder, row));
    std::shared_ptr<arrow::Array> array;
    ARROW_RETURN_NOT_OK(builder.Finish(&array));
    fields_.push_back(arrow::field(name, type, nullable));
    arrays_.push_back(std::move(array));
    return arrow::Status::OK();
  }
  bool few(std::size_t values) const { return values * 8 <= rows_.size(); }
  void split(const std::string& path) {
    properties_.disable_dictionary(path)->encoding(path, parquet::Encoding::BYTE_STREAM_SPLIT);
  }
  void packed(const std::string& path) {
    properties_.disable_dictionary(path)->encoding(path, parquet::Encoding::DELTA_BINARY_PACKED);
  }

  std::span<const Row> rows_;
  parquet::WriterProperties::Builder& properties_;
  arrow::FieldVector fields_;
  arrow::ArrayVector arrays_;
};

/// `seqs`: the number of each row.
template <class Row>
arrow::Status add_key(Columns<Row>& columns, std::span<const std::int64_t> seqs, const LakeNames& names) {
  const Row* const begin = columns.rows().data();
  ARROW_RETURN_NOT_OK(
      columns.integers("seq", [&](const Row& row) { return seqs[static_cast<std::size_t>(&row - begin)]; }));
  ARROW_RETURN_NOT_OK(columns.texts("instrument", [&](const Row& row) {
    const std::size_t id = index(row.instrument);
    return id < names.instruments.size() ? names.instruments[id] : fmt::format("#{}", id);
  }));
  ARROW_RETURN_NOT_OK(columns.plain("instrument_id", arrow::int32(), arrow::Int32Builder{},
                                    [](const Row& row) { return static_cast<std::int32_t>(row.instrument); }));
  return columns.times("event_time", [](const Row& row) { return row.event_time; });
}

template <class Row>
arrow::Status add_target(Columns<Row>& columns, const LakeNames& names) {
  ARROW_RETURN_NOT_OK(columns.texts("target", [&](const Row& row) {
    return row.target < names.targets.size() ? names.targets[row.target] : fmt::format("#{}", row.target);
  }));
  return columns.plain("target_id", arrow::int32(), arrow::Int32Builder{},
                       [](const Row& row) { return static_cast<std::int32_t>(row.target); });
}

std::optional<std::int64_t> nanos(const std::optional<Price>& price) {
  return price ? std::optional{price->nanos()} : std::nullopt;
}

/// Whether the double that stands for a price gives it back: all below some millions do.
bool comes_back(const std::optional<Price>& price) {
  if (!price) return true;
  const auto again = Price::from(price->value());
  return again && *again == *price;
}

/// A price as a double, and where that is not exact for every row, the exact one beside it.
template <class Get>
arrow::Status add_price(Columns<PriceRow>& columns, const std::string& name, Get get) {
  ARROW_RETURN_NOT_OK(columns.prices(name, get));
  const auto rows = columns.rows();
  if (std::all_of(rows.begin(), rows.end(), [&](const PriceRow& row) { return comes_back(get(row)); }))
    return arrow::Status::OK();
  return columns.optional_integers(name + "_nanos", [&](const PriceRow& row) { return nanos(get(row)); });
}

arrow::Status add_fields(Columns<PriceRow>& columns, const LakeNames&) {
  ARROW_RETURN_NOT_OK(columns.shared_times("known_at", [](const PriceRow& row) { return row.known_at; }));
  ARROW_RETURN_NOT_OK(
      add_price(columns, "price", [](const PriceRow& row) -> std::optional<Price> { return row.price; }));
  ARROW_RETURN_NOT_OK(add_price(columns, "bid", [](const PriceRow& row) { return row.bid; }));
  ARROW_RETURN_NOT_OK(add_price(columns, "ask", [](const PriceRow& row) { return row.ask; }));
  ARROW_RETURN_NOT_OK(add_price(columns, "last", [](const PriceRow& row) { return row.last; }));
  ARROW_RETURN_NOT_OK(columns.plain("origin", arrow::int32(), arrow::Int32Builder{},
                                    [](const PriceRow& row) { return static_cast<std::int32_t>(row.origin); }));
  return columns.texts("kind", [](const PriceRow& row) { return text(row.kind); });
}

arrow::Status add_fields(Columns<EventRow>& columns, const LakeNames&) {
  ARROW_RETURN_NOT_OK(columns.times("known_at", [](const EventRow& row) { return row.known_at; }));
  ARROW_RETURN_NOT_OK(columns.texts("kind", [](const EventRow& row) { return row.kind; }));
  ARROW_RETURN_NOT_OK(columns.integers("ordinal", [](const EventRow& row) { return row.ordinal; }));
  return columns.plain("payload", arrow::binary(), arrow::BinaryBuilder{},
                       [](const EventRow& row) { return row.payload; });
}

/// "f.<name>", with the definition's hash only where two columns share a name.
std::vector<std::string> feature_names(std::size_t count, const std::vector<std::string>& columns) {
  std::vector<std::string> names;
  std::set<std::string> used;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string column = columns.size() == count ? columns[i] : fmt::format("{}", i);
    std::string name = "f." + column.substr(0, column.find('@'));
    if (!used.insert(name).second) used.insert(name = "f." + column);
    names.push_back(std::move(name));
  }
  return names;
}

arrow::Status add_fields(Columns<ExampleRow>& columns, const LakeNames& names) {
  const ExampleRow shape = columns.rows().empty() ? ExampleRow{} : columns.rows().front();
  for (const ExampleRow& row : columns.rows())
    if (row.features.size() != shape.features.size() || row.baseline.size() != shape.baseline.size() ||
        row.no_change.size() != shape.no_change.size())
      return arrow::Status::Invalid("examples of different width in one file");

  ARROW_RETURN_NOT_OK(columns.times("known_at", [](const ExampleRow& row) { return row.known_at; }));
  ARROW_RETURN_NOT_OK(columns.doubles("price", [](const ExampleRow& row) { return row.price; }));
  for (std::size_t i = 0; i < shape.baseline.size(); ++i)
    ARROW_RETURN_NOT_OK(
        columns.doubles(fmt::format("baseline.{}", i), [i](const ExampleRow& row) { return row.baseline[i]; }));
  for (std::size_t i = 0; i < shape.no_change.size(); ++i)
    ARROW_RETURN_NOT_OK(
        columns.doubles(fmt::format("no_change.{}", i), [i](const ExampleRow& row) { return row.no_change[i]; }));
  const std::vector<std::string> features = feature_names(shape.features.size(), names.columns);
  for (std::size_t i = 0; i < features.size(); ++i)
    ARROW_RETURN_NOT_OK(columns.floats(features[i], [i](const ExampleRow& row) { return row.features[i]; }));
  return arrow::Status::OK();
}

arrow::Status add_fields(Columns<LabelRow>& columns, const LakeNames& names) {
  ARROW_RETURN_NOT_OK(add_target(columns, names));
  ARROW_RETURN_NOT_OK(
      columns.plain("known", arrow::boolean(), arrow::BooleanBuilder{}, [](const LabelRow& row) { return row.known; }));
  ARROW_RETURN_NOT_OK(columns.doubles("value", [](const LabelRow& row) { return row.value; }));
  ARROW_RETURN_NOT_OK(columns.times("end", [](const LabelRow& row) { return row.end; }));
  ARROW_RETURN_NOT_OK(columns.times("known_at", [](const LabelRow& row) { return row.known_at; }));
  return columns.texts("reason", [](const LabelRow& row) { return row.reason; });
}

arrow::Status add_fields(Columns<PredictionRow>& columns, const LakeNames& names) {
  ARROW_RETURN_NOT_OK(add_target(columns, names));
  ARROW_RETURN_NOT_OK(columns.texts("bundle", [](const PredictionRow& row) { return row.bundle; }));
  ARROW_RETURN_NOT_OK(columns.doubles("model", [](const PredictionRow& row) { return row.model; }));
  ARROW_RETURN_NOT_OK(columns.doubles("baseline", [](const PredictionRow& row) { return row.baseline; }));
  ARROW_RETURN_NOT_OK(columns.doubles("no_change", [](const PredictionRow& row) { return row.no_change; }));
  ARROW_RETURN_NOT_OK(columns.doubles("blended", [](const PredictionRow& row) { return row.blended; }));
  ARROW_RETURN_NOT_OK(columns.double_lists("probabilities", &PredictionRow::probabilities));
  ARROW_RETURN_NOT_OK(columns.doubles("price", [](const PredictionRow& row) { return row.price; }));
  ARROW_RETURN_NOT_OK(columns.texts("rung", [](const PredictionRow& row) { return row.rung; }));
  ARROW_RETURN_NOT_OK(columns.texts("verdict", [](const PredictionRow& row) { return row.verdict; }));
  ARROW_RETURN_NOT_OK(
      columns.texts("stream", [](const PredictionRow& row) { return row.stream == Stream::Tuned ? "tuned" : "base"; }));
  ARROW_RETURN_NOT_OK(columns.plain("served", arrow::boolean(), arrow::BooleanBuilder{},
                                    [](const PredictionRow& row) { return row.served; }));
  ARROW_RETURN_NOT_OK(columns.doubles("expected", [](const PredictionRow& row) { return row.expected; }));
  ARROW_RETURN_NOT_OK(columns.doubles("half_spread", [](const PredictionRow& row) { return row.half_spread; }));
  ARROW_RETURN_NOT_OK(columns.doubles("outside_share", [](const PredictionRow& row) { return row.outside_share; }));
  ARROW_RETURN_NOT_OK(columns.integers("set", [](const PredictionRow& row) { return row.set; }));
  ARROW_RETURN_NOT_OK(columns.doubles("recent_accuracy", [](const PredictionRow& row) { return row.recent_accuracy; }));
  ARROW_RETURN_NOT_OK(columns.doubles("measured", [](const PredictionRow& row) { return row.measured; }));
  return columns.doubles("required", [](const PredictionRow& row) { return row.required; });
}

/// In which order the rows of a file lie. Prices: one instrument after the other, since a price is most like the one
/// before it of its own instrument; everything else as it was written.
template <class Row>
std::vector<std::size_t> file_order(std::span<const Row> rows) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if constexpr (std::is_same_v<Row, PriceRow>)
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::tie(rows[a].instrument, rows[a].event_time) < std::tie(rows[b].instrument, rows[b].event_time);
    });
  return order;
}

template <class Row>
arrow::Status write_table(std::span<const Row> written, std::int64_t first_seq, const LakeNames& names, int zstd_level,
                          const std::shared_ptr<FsOutput>& output) {
  std::vector<std::int64_t> seqs;
  std::vector<Row> ordered;
  for (const std::size_t i : file_order(written)) {
    seqs.push_back(first_seq + static_cast<std::int64_t>(i));
    if constexpr (std::is_same_v<Row, PriceRow>) ordered.push_back(written[i]);
  }
  const std::span<const Row> rows = std::is_same_v<Row, PriceRow> ? std::span<const Row>{ordered} : written;
  parquet::WriterProperties::Builder properties;
  properties.compression(parquet::Compression::ZSTD)
      ->compression_level(zstd_level)
      ->enable_page_checksum()
      ->created_by("everlearn")
      // Pages of 64 KiB: a damaged one is found without reading far.
      ->data_pagesize(64 * 1024);
  Columns<Row> columns{rows, properties};
  ARROW_RETURN_NOT_OK(add_key(columns, seqs, names));
  ARROW_RETURN_NOT_OK(add_fields(columns, names));

  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  metadata->Append("everlearn.dataset", std::string{dataset_name(kDatasetOf<Row>)});
  metadata->Append("everlearn.version", std::is_same_v<Row, PriceRow> ? "2" : "1");
  metadata->Append("everlearn.profile", names.profile);
  if constexpr (std::is_same_v<Row, ExampleRow>)
    metadata->Append("everlearn.columns", fmt::format("{}", fmt::join(names.columns, "\n")));
  else
    metadata->Append("everlearn.targets", fmt::format("{}", fmt::join(names.targets, "\n")));

  const auto table = columns.table(std::move(metadata));
  const auto arrow_properties = parquet::ArrowWriterProperties::Builder{}.store_schema()->build();
  ARROW_ASSIGN_OR_RAISE(auto writer, parquet::arrow::FileWriter::Open(*table->schema(), arrow::default_memory_pool(),
                                                                      output, properties.build(), arrow_properties));
  ARROW_RETURN_NOT_OK(writer->WriteTable(*table));
  ARROW_RETURN_NOT_OK(writer->Close());
  return output->Flush();
}

}  // namespace

template <class Row>
Result<WrittenFile> write_lake_file(Fs& fs, const std::string& path, std::span<const Row> rows, std::int64_t first_seq,
                                    const LakeNames& names, int zstd_level) {
  EL_TRY(const auto file, fs.create(path));
  const auto output = std::make_shared<FsOutput>(*file);
  arrow::Status status;
  try {
    status = write_table(rows, first_seq, names, zstd_level, output);
  } catch (const std::exception& thrown) {  // Parquet throws below Arrow's Status
    status = arrow::Status::UnknownError(thrown.what());
  }
  if (output->error()) return fail(*output->error(), path);
  if (!status.ok()) {
    const Code code = status.IsInvalid() ? Code::BadData : Code::Internal;
    return fail(code, fmt::format("{}: {}", path, status.message()));
  }
  EL_CHECK(file->sync());
  EL_CHECK(file->close());
  return output->finish();
}

template Result<WrittenFile> write_lake_file(Fs&, const std::string&, std::span<const PriceRow>, std::int64_t,
                                             const LakeNames&, int);
template Result<WrittenFile> write_lake_file(Fs&, const std::string&, std::span<const EventRow>, std::int64_t,
                                             const LakeNames&, int);
template Result<WrittenFile> write_lake_file(Fs&, const std::string&, std::span<const ExampleRow>, std::int64_t,
                                             const LakeNames&, int);
template Result<WrittenFile> write_lake_file(Fs&, const std::string&, std::span<const LabelRow>, std::int64_t,
                                             const LakeNames&, int);
template Result<WrittenFile> write_lake_file(Fs&, const std::string&, std::span<const PredictionRow>, std::int64_t,
                                             const LakeNames&, int);

}  // namespace everlearn
