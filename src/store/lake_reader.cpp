#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/properties.h>

#include <algorithm>
#include <limits>

#include "store/lake_file.hpp"

namespace everlearn {
namespace {

// Rows of 120 features in a batch then fit the second-level cache, where they are turned from columns into rows.
constexpr std::int64_t kBatchRows = 1024;

/// The columns of one batch by name; a missing column or another type is an error, once per batch.
class Batch {
 public:
  explicit Batch(const arrow::RecordBatch& batch) : batch_{batch} {}

  template <class Array>
  const Array* column(const std::string& name) {
    const auto array = batch_.GetColumnByName(name);
    if (array && array->type_id() == Array::TypeClass::type_id) return static_cast<const Array*>(array.get());
    if (problem_.empty()) problem_ = fmt::format("column {} is missing or of another type", name);
    return nullptr;
  }
  template <class Array>
  std::vector<const Array*> columns(const std::string& prefix) {
    std::vector<const Array*> found;
    for (const auto& field : batch_.schema()->fields())
      if (field->name().starts_with(prefix)) found.push_back(column<Array>(field->name()));
    return found;
  }
  /// Null in files of releases that did not have the column yet.
  template <class Array>
  const Array* column_if_there(const std::string& name) {
    return batch_.GetColumnByName(name) ? column<Array>(name) : nullptr;
  }
  bool has(const std::string& name) const { return batch_.GetColumnByName(name) != nullptr; }
  const std::string& problem() const { return problem_; }

 private:
  const arrow::RecordBatch& batch_;
  std::string problem_;
};

double number(const arrow::DoubleArray& array, std::int64_t i) {
  return array.IsNull(i) ? std::numeric_limits<double>::quiet_NaN() : array.Value(i);
}

double number(const arrow::DoubleArray* array, std::int64_t i) {
  return array != nullptr ? number(*array, i) : std::numeric_limits<double>::quiet_NaN();
}

void set_numbers(std::vector<double>& values, const std::vector<const arrow::DoubleArray*>& columns, std::int64_t i) {
  values.resize(columns.size());
  for (std::size_t c = 0; c < columns.size(); ++c) values[c] = number(*columns[c], i);
}

/// A dictionary column, or nothing that could be read.
struct Texts {
  const arrow::DictionaryArray* array = nullptr;
  const arrow::StringArray* values = nullptr;
  Texts() = default;
  Texts(Batch& batch, const std::string& name) : array{batch.column<arrow::DictionaryArray>(name)} {
    if (array && array->dictionary()->type_id() == arrow::Type::STRING)
      values = static_cast<const arrow::StringArray*>(array->dictionary().get());
  }
  std::string_view at(std::int64_t i) const { return values ? values->GetView(array->GetValueIndex(i)) : ""; }
};

struct Key {
  const arrow::Int64Array* seq = nullptr;
  const arrow::Int32Array* instrument = nullptr;
  const arrow::TimestampArray* event_time = nullptr;

  explicit Key(Batch& batch)
      : seq{batch.column<arrow::Int64Array>("seq")},
        instrument{batch.column<arrow::Int32Array>("instrument_id")},
        event_time{batch.column<arrow::TimestampArray>("event_time")} {}
  template <class Row>
  void set(std::int64_t i, Row& row) const {
    row.instrument = static_cast<InstrumentId>(instrument->Value(i));
    row.event_time = Timestamp{event_time->Value(i)};
  }
};

Timestamp time(const arrow::TimestampArray& array, std::int64_t i) { return Timestamp{array.Value(i)}; }

/// Fields<Row>: the columns a row is made from, and how.
template <class Row>
struct Fields;

/// A price column: the exact numbers where the file has them, else doubles that are exact.
struct Prices {
  const arrow::Int64Array* nanos = nullptr;
  const arrow::DoubleArray* values = nullptr;
  Prices(Batch& batch, const std::string& name)
      : nanos{batch.column_if_there<arrow::Int64Array>(name + "_nanos")},
        values{nanos == nullptr ? batch.column<arrow::DoubleArray>(name) : nullptr} {}
  std::optional<Price> at(std::int64_t i) const {
    if (nanos != nullptr) return nanos->IsNull(i) ? std::nullopt : std::optional{Price::from_nanos(nanos->Value(i))};
    if (values->IsNull(i)) return std::nullopt;
    return Price::from(values->Value(i)).value_or(Price{});
  }
};

template <>
struct Fields<PriceRow> {
  const arrow::TimestampArray* known_at;
  Prices price, bid, ask;
  std::optional<Prices> last;
  const arrow::Int32Array* origin;
  Texts kind;

  static bool wanted(std::string_view) { return true; }
  explicit Fields(Batch& batch)
      : known_at{batch.column<arrow::TimestampArray>("known_at")},
        price{batch, "price"},
        bid{batch, "bid"},
        ask{batch, "ask"},
        last{batch.has("last") ? std::optional{Prices{batch, "last"}} : std::nullopt},
        origin{batch.column<arrow::Int32Array>("origin")},
        kind{batch.has("kind") ? Texts{batch, "kind"} : Texts{}} {}
  void set(std::int64_t i, PriceRow& row) const {
    row.known_at = time(*known_at, i);
    row.price = price.at(i).value_or(Price{});
    row.bid = bid.at(i);
    row.ask = ask.at(i);
    row.last = last ? last->at(i) : std::nullopt;
    row.origin = static_cast<Origin>(origin->Value(i));
    row.kind = kind_of(kind.at(i));
  }

 private:
  static PriceKind kind_of(std::string_view name) {
    for (const PriceKind kind : {PriceKind::Mid, PriceKind::Trade, PriceKind::Quote, PriceKind::Close, PriceKind::Past})
      if (name == text(kind)) return kind;
    return PriceKind::Unknown;
  }
};

template <>
struct Fields<EventRow> {
  const arrow::TimestampArray* known_at;
  Texts kind;
  const arrow::Int64Array* ordinal;
  const arrow::BinaryArray* payload;

  static bool wanted(std::string_view) { return true; }
  explicit Fields(Batch& batch)
      : known_at{batch.column<arrow::TimestampArray>("known_at")},
        kind{batch, "kind"},
        ordinal{batch.column<arrow::Int64Array>("ordinal")},
        payload{batch.column<arrow::BinaryArray>("payload")} {}
  void set(std::int64_t i, EventRow& row) const {
    row.known_at = time(*known_at, i);
    row.kind = kind.at(i);
    row.ordinal = static_cast<std::uint32_t>(ordinal->Value(i));
    row.payload = payload->GetView(i);
  }
};

template <>
struct Fields<ExampleRow> {
  const arrow::TimestampArray* known_at;
  const arrow::DoubleArray* price;
  std::vector<const arrow::DoubleArray*> baseline, no_change;
  std::vector<const arrow::FloatArray*> features;

  static bool wanted(std::string_view) { return true; }
  explicit Fields(Batch& batch)
      : known_at{batch.column<arrow::TimestampArray>("known_at")},
        price{batch.column<arrow::DoubleArray>("price")},
        baseline{batch.columns<arrow::DoubleArray>("baseline.")},
        no_change{batch.columns<arrow::DoubleArray>("no_change.")},
        features{batch.columns<arrow::FloatArray>("f.")} {}
  void set(std::int64_t i, ExampleRow& row) const {
    row.known_at = time(*known_at, i);
    row.price = number(*price, i);
    set_numbers(row.baseline, baseline, i);
    set_numbers(row.no_change, no_change, i);
    row.features.resize(features.size());
    for (std::size_t c = 0; c < features.size(); ++c) row.features[c] = features[c]->Value(i);
  }
};

template <>
struct Fields<LabelRow> {
  const arrow::Int32Array* target;
  const arrow::BooleanArray* known;
  const arrow::DoubleArray* value;
  const arrow::TimestampArray *end, *known_at;
  Texts reason;

  static bool wanted(std::string_view name) { return name != "target"; }
  explicit Fields(Batch& batch)
      : target{batch.column<arrow::Int32Array>("target_id")},
        known{batch.column<arrow::BooleanArray>("known")},
        value{batch.column<arrow::DoubleArray>("value")},
        end{batch.column<arrow::TimestampArray>("end")},
        known_at{batch.column<arrow::TimestampArray>("known_at")},
        reason{batch, "reason"} {}
  void set(std::int64_t i, LabelRow& row) const {
    row.target = static_cast<std::uint16_t>(target->Value(i));
    row.known = known->Value(i);
    row.value = number(*value, i);
    row.end = time(*end, i);
    row.known_at = time(*known_at, i);
    row.reason = reason.at(i);
  }
};

template <>
struct Fields<PredictionRow> {
  const arrow::Int32Array* target;
  Texts bundle;
  const arrow::DoubleArray *model, *baseline, *no_change, *blended;
  const arrow::ListArray* probabilities;
  const arrow::DoubleArray* price;
  Texts rung, verdict, stream;
  const arrow::BooleanArray* served;
  const arrow::DoubleArray *expected, *half_spread, *outside_share, *recent_accuracy, *measured, *required;
  const arrow::Int64Array* set_bits;

  static bool wanted(std::string_view name) { return name != "target"; }
  explicit Fields(Batch& batch)
      : target{batch.column<arrow::Int32Array>("target_id")},
        bundle{batch, "bundle"},
        model{batch.column<arrow::DoubleArray>("model")},
        baseline{batch.column<arrow::DoubleArray>("baseline")},
        no_change{batch.column<arrow::DoubleArray>("no_change")},
        blended{batch.column<arrow::DoubleArray>("blended")},
        probabilities{batch.column<arrow::ListArray>("probabilities")},
        price{batch.column<arrow::DoubleArray>("price")},
        rung{batch, "rung"},
        verdict{batch, "verdict"},
        stream{batch.has("stream") ? Texts{batch, "stream"} : Texts{}},
        served{batch.column_if_there<arrow::BooleanArray>("served")},
        expected{batch.column_if_there<arrow::DoubleArray>("expected")},
        half_spread{batch.column_if_there<arrow::DoubleArray>("half_spread")},
        outside_share{batch.column_if_there<arrow::DoubleArray>("outside_share")},
        recent_accuracy{batch.column_if_there<arrow::DoubleArray>("recent_accuracy")},
        measured{batch.column_if_there<arrow::DoubleArray>("measured")},
        required{batch.column_if_there<arrow::DoubleArray>("required")},
        set_bits{batch.column_if_there<arrow::Int64Array>("set")} {}
  void set(std::int64_t i, PredictionRow& row) const {
    row.target = static_cast<std::uint16_t>(target->Value(i));
    row.bundle = bundle.at(i);
    row.model = number(*model, i);
    row.baseline = number(*baseline, i);
    row.no_change = number(*no_change, i);
    row.blended = number(*blended, i);
    const auto& values = static_cast<const arrow::DoubleArray&>(*probabilities->values());
    row.probabilities.clear();
    for (std::int64_t at = probabilities->value_offset(i); at < probabilities->value_offset(i + 1); ++at)
      row.probabilities.push_back(number(values, at));
    row.price = number(*price, i);
    row.rung = rung.at(i);
    row.verdict = verdict.at(i);
    row.stream = stream.at(i) == "tuned" ? Stream::Tuned : Stream::Base;
    row.served = served == nullptr || served->Value(i);
    row.expected = number(expected, i);
    row.half_spread = number(half_spread, i);
    row.outside_share = number(outside_share, i);
    row.set = set_bits != nullptr ? static_cast<std::uint32_t>(set_bits->Value(i)) : 0;
    row.recent_accuracy = number(recent_accuracy, i);
    row.measured = number(measured, i);
    row.required = number(required, i);
  }
};

arrow::Result<std::unique_ptr<parquet::arrow::FileReader>> open_reader(const std::string& bytes) {
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(
      std::make_shared<arrow::io::BufferReader>(std::make_shared<arrow::Buffer>(std::string_view{bytes})), properties));
  parquet::ArrowReaderProperties arrow_properties{/*use_threads=*/false};
  arrow_properties.set_batch_size(kBatchRows);
  arrow_properties.set_pre_buffer(false);
  builder.properties(arrow_properties);
  return builder.Build();
}

/// The first thing that went wrong among ours; Arrow's is in the Status.
template <class Row>
arrow::Status read_table(const std::string& bytes, TimeRange range,
                         const std::function<Result<bool>(std::int64_t, const Row&)>& callback,
                         std::optional<Error>& ours) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, open_reader(bytes));
  std::shared_ptr<arrow::Schema> schema;
  ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
  const auto dataset =
      schema->metadata() ? schema->metadata()->Get("everlearn.dataset") : arrow::Result<std::string>{""};
  if (!dataset.ok() || *dataset != dataset_name(kDatasetOf<Row>))
    return arrow::Status::Invalid("not a file of ", std::string{dataset_name(kDatasetOf<Row>)});
  // Every top-level column has exactly one leaf, so both have the same number.
  std::vector<int> wanted;
  for (int i = 0; i < schema->num_fields(); ++i) {
    const std::string& name = schema->field(i)->name();
    const bool key = name == "seq" || name == "instrument_id" || name == "event_time";
    if (key || (name != "instrument" && Fields<Row>::wanted(name))) wanted.push_back(i);
  }
  std::vector<int> groups(static_cast<std::size_t>(reader->num_row_groups()));
  for (std::size_t i = 0; i < groups.size(); ++i) groups[i] = static_cast<int>(i);

  ARROW_ASSIGN_OR_RAISE(const auto batches, reader->GetRecordBatchReader(groups, wanted));
  // Files whose rows lie in another order are put in order first; of those that do not, a row is held at a time.
  constexpr bool kInOrder = !std::is_same_v<Row, PriceRow>;
  std::vector<std::pair<std::int64_t, Row>> held;
  Row row;
  std::optional<std::int64_t> before;
  for (;;) {
    std::shared_ptr<arrow::RecordBatch> columns;
    ARROW_RETURN_NOT_OK(batches->ReadNext(&columns));
    if (!columns) break;
    Batch batch{*columns};
    const Key key{batch};
    const Fields<Row> fields{batch};
    if (!batch.problem().empty()) return arrow::Status::Invalid(batch.problem());
    for (std::int64_t i = 0; i < columns->num_rows(); ++i) {
      const std::int64_t seq = key.seq->Value(i);
      if constexpr (kInOrder) {
        if (before && seq != *before + 1) return arrow::Status::Invalid("row ", *before + 1, " is missing");
        before = seq;
        const Timestamp at = time(*key.event_time, i);
        if (at < range.from || at >= range.to) continue;
      }
      key.set(i, row);
      fields.set(i, row);
      if constexpr (!kInOrder) {
        held.emplace_back(seq, row);
        continue;
      }
      const Result<bool> more = callback(seq, row);
      if (!more) ours = more.error();
      if (!more || !*more) return arrow::Status::OK();
    }
  }
  std::sort(held.begin(), held.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [seq, kept] : held) {
    if (before && seq != *before + 1) return arrow::Status::Invalid("row ", *before + 1, " is missing");
    before = seq;
    if (kept.event_time < range.from || kept.event_time >= range.to) continue;
    const Result<bool> more = callback(seq, kept);
    if (!more) ours = more.error();
    if (!more || !*more) return arrow::Status::OK();
  }
  return arrow::Status::OK();
}

Result<std::string> checked(const std::string& path, std::string bytes, const std::string& sha256) {
  if (sha256.empty()) return bytes;
  if (const std::string found = sha256_hex(bytes); found != sha256)
    return fail(Code::Damaged, fmt::format("{}: SHA-256 {} instead of {}", path, found, sha256));
  return bytes;
}

/// For a process without a World: the trainer.
Result<std::string> load_from_disk(const std::string& path, const std::string& sha256) {
  const auto file = arrow::io::ReadableFile::Open(path);
  if (!file.ok()) return fail(Code::NotFound, fmt::format("{}: {}", path, file.status().message()));
  const auto size = (*file)->GetSize();
  if (!size.ok()) return fail(Code::Storage, fmt::format("{}: {}", path, size.status().message()));
  std::string bytes(static_cast<std::size_t>(*size), '\0');
  const auto read = (*file)->Read(*size, bytes.data());
  if (!read.ok() || *read != *size)
    return fail(Code::Storage, fmt::format("{}: {}", path, read.ok() ? "cut while reading" : read.status().message()));
  return checked(path, std::move(bytes), sha256);
}

template <class Row>
Result<void> read_from_disk(const std::string& path, const std::string& sha256, TimeRange range,
                            const std::function<bool(const Row&)>& row) {
  EL_TRY(const std::string bytes, load_from_disk(path, sha256));
  return read_lake_rows<Row>(path, bytes, range, [&](std::int64_t, const Row& r) -> Result<bool> { return row(r); });
}

}  // namespace

Result<std::string> load_lake_file(Fs& fs, const std::string& path, const std::string& sha256) {
  EL_TRY(std::string bytes, read_file(fs, path));
  return checked(path, std::move(bytes), sha256);
}

template <class Row>
Result<void> read_lake_rows(const std::string& name, const std::string& bytes, TimeRange range,
                            const std::function<Result<bool>(std::int64_t seq, const Row& row)>& row) {
  std::optional<Error> ours;
  arrow::Status status;
  try {
    status = read_table<Row>(bytes, range, row, ours);
  } catch (const std::exception& thrown) {  // Parquet throws below Arrow's Status
    status = arrow::Status::Invalid(thrown.what());
  }
  if (ours) return tl::unexpected<Error>(*ours);
  if (!status.ok()) return fail(Code::Damaged, fmt::format("{}: {}", name, status.message()));
  return {};
}

template Result<void> read_lake_rows(const std::string&, const std::string&, TimeRange,
                                     const std::function<Result<bool>(std::int64_t, const PriceRow&)>&);
template Result<void> read_lake_rows(const std::string&, const std::string&, TimeRange,
                                     const std::function<Result<bool>(std::int64_t, const EventRow&)>&);
template Result<void> read_lake_rows(const std::string&, const std::string&, TimeRange,
                                     const std::function<Result<bool>(std::int64_t, const ExampleRow&)>&);
template Result<void> read_lake_rows(const std::string&, const std::string&, TimeRange,
                                     const std::function<Result<bool>(std::int64_t, const LabelRow&)>&);
template Result<void> read_lake_rows(const std::string&, const std::string&, TimeRange,
                                     const std::function<Result<bool>(std::int64_t, const PredictionRow&)>&);

Result<void> read_examples(const std::string& path, const std::string& sha256, TimeRange range,
                           const std::function<bool(const ExampleRow&)>& row) {
  return read_from_disk<ExampleRow>(path, sha256, range, row);
}

Result<void> read_labels(const std::string& path, const std::string& sha256, TimeRange range,
                         const std::function<bool(const LabelRow&)>& row) {
  return read_from_disk<LabelRow>(path, sha256, range, row);
}

Result<std::vector<std::string>> read_columns(const std::string& path) {
  EL_TRY(const std::string bytes, load_from_disk(path, ""));
  const auto read = [&]() -> arrow::Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(const auto reader, open_reader(bytes));
    std::shared_ptr<arrow::Schema> schema;
    ARROW_RETURN_NOT_OK(reader->GetSchema(&schema));
    if (!schema->metadata()) return arrow::Status::Invalid("not a file of the lake");
    return schema->metadata()->Get("everlearn.columns");
  };
  arrow::Result<std::string> text;
  try {
    text = read();
  } catch (const std::exception& thrown) {
    text = arrow::Status::Invalid(thrown.what());
  }
  if (!text.ok()) return fail(Code::Damaged, fmt::format("{}: {}", path, text.status().message()));
  std::vector<std::string> columns;
  for (std::size_t from = 0; from < text->size();) {
    const std::size_t end = std::min(text->find('\n', from), text->size());
    columns.push_back(text->substr(from, end - from));
    from = end + 1;
  }
  return columns;
}

}  // namespace everlearn
