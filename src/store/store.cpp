#include "store/store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "store/schema.hpp"
#include "store/store_impl.hpp"

namespace everlearn {
namespace {

constexpr const char* kCoverageKey = "coverage";
constexpr std::size_t kSealedKeysKept = 4;

std::vector<std::string> lines_of(const std::optional<std::string>& text) {
  std::vector<std::string> lines;
  if (!text || text->empty()) return lines;
  std::size_t from = 0;
  for (;;) {
    const std::size_t end = text->find('\n', from);
    lines.push_back(text->substr(from, end - from));
    if (end == std::string::npos) return lines;
    from = end + 1;
  }
}

std::string key_of(const Record& record) {
  return fmt::format("{} {} {} {}", index(record.instrument), record.event_time.us(), record.ordinal, record.kind);
}

Sha256 hash_of(Dataset dataset, const Record& record) {
  Sha256Stream stream;
  stream.add(record.head(dataset));
  stream.add(record.payload);
  return stream.finish();
}

template <class Row>
Result<std::unordered_map<std::string, Sha256>> hash_rows(const std::string& name, const std::string& bytes) {
  std::unordered_map<std::string, Sha256> rows;
  EL_CHECK(read_lake_rows<Row>(name, bytes, {}, [&](std::int64_t, const Row& row) -> Result<bool> {
    const Record record = to_record(row);
    rows.emplace(key_of(record), hash_of(kDatasetOf<Row>, record));
    return true;
  }));
  return rows;
}

Result<std::unordered_map<std::string, Sha256>> hash_rows(Dataset dataset, const std::string& name,
                                                          const std::string& bytes) {
  switch (dataset) {
    case Dataset::Prices:
      return hash_rows<PriceRow>(name, bytes);
    case Dataset::Events:
      return hash_rows<EventRow>(name, bytes);
    case Dataset::Examples:
      return hash_rows<ExampleRow>(name, bytes);
    case Dataset::Labels:
      return hash_rows<LabelRow>(name, bytes);
    case Dataset::Predictions:
      return hash_rows<PredictionRow>(name, bytes);
  }
  return fail(Code::Internal, "no such dataset");
}

bool overlap(const Segment& segment, TimeRange range) {
  return segment.first_event < range.to && segment.last_event >= range.from;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(World world, const std::string& directory, StoreOptions options) {
  auto store = StoreImpl::open(world, directory, options);
  // A reader beside a daemon: retention may have deleted a file between the snapshot and the look at the files.
  if (!store && options.read_only && store.error().code == Code::Damaged)
    store = StoreImpl::open(world, directory, options);
  if (!store) return tl::unexpected<Error>(store.error());
  return std::unique_ptr<Store>{std::move(*store)};
}

Result<std::unique_ptr<StoreImpl>> StoreImpl::open(World world, const std::string& directory, StoreOptions options) {
  const bool read_only = options.read_only;
  const std::string path = directory + "/everlearn.db";
  if (!read_only)
    for (const char* below : {"/lake/.tmp", "/quarantine"}) EL_CHECK(world.fs.make_directories(directory + below));
  const auto mode = read_only ? sqlite::Database::Mode::ReadOnly : sqlite::Database::Mode::Write;
  EL_TRY(sqlite::Database database, sqlite::Database::open(path, mode));
  std::unique_ptr<StoreImpl> store{new StoreImpl{world, directory, std::move(options), std::move(database)}};
  if (auto loaded = store->load(); !loaded) return fail(loaded.error(), directory);
  return store;
}

Result<void> StoreImpl::load() {
  EL_CHECK(options_.read_only ? set_up_reader(database_) : set_up_writer(database_));
  EL_TRY(const bool empty, is_new(database_));
  if (empty) {
    // A lake without its catalogue is a damaged directory, never a new one.
    EL_TRY(const std::vector<std::string> files, files_below("lake"));
    if (!files.empty())
      return fail(Code::Damaged,
                  fmt::format("everlearn.db is empty or was removed; lake/ holds {} files", files.size()));
    if (options_.read_only) return fail(Code::NotFound, "everlearn.db is empty: nothing was committed here yet");
    EL_CHECK(create_schema(database_));
  }
  EL_CHECK(check_schema(database_));
  EL_CHECK(alerts_.open(database_, options_.read_only));
  EL_CHECK(inputs_.open(database_, options_.read_only));
  EL_CHECK(add_gap_filled(database_, options_.read_only));
  for (const Dataset dataset : kDatasets) {
    EL_TRY(HotTable table, HotTable::open(database_, dataset));
    hot_.push_back(std::move(table));
  }
  EL_TRY(catalogue_, Catalogue::load(database_));
  for (const Dataset dataset : kDatasets)
    if (catalogue_.next_seq(dataset) != hot(dataset).first_seq())
      return fail(Code::Damaged, fmt::format("{}: sealed rows end at {}, hot rows begin at {}", dataset_name(dataset),
                                             catalogue_.next_seq(dataset) - 1, hot(dataset).first_seq()));
  EL_TRY(sealed_until_, SealedUntil::load(database_));
  EL_CHECK(load_coverage());
  EL_CHECK(check_files());
  return options_.read_only ? Result<void>{} : recover();
}

// --- state -----------------------------------------------------------------------------------------------------------

Result<void> StoreImpl::put_state(const std::string& key, const std::string& value) {
  EL_CHECK(begin());
  if (key == "columns" && hot(Dataset::Examples).rows() > 0) {
    EL_TRY(const auto before, state(key));
    if (before && *before != value)
      return fail(Code::Usage, fmt::format("the columns change while {} examples are not sealed: seal them first",
                                           hot(Dataset::Examples).rows()));
  }
  EL_TRY(sqlite::Statement insert, database_.prepare("INSERT OR REPLACE INTO state VALUES(?,?,?)"));
  return insert.run(key, sqlite::Blob{value}, crc32(value, crc32(key)));
}

Result<std::optional<std::string>> StoreImpl::state(const std::string& key) const {
  EL_TRY(sqlite::Statement select, database_.prepare("SELECT value, crc FROM state WHERE key = ?"));
  EL_CHECK(select.bind(key));
  EL_TRY(const bool found, select.step());
  if (!found) return std::nullopt;
  std::string value{select.blob(0)};
  if (crc32(value, crc32(key)) != static_cast<std::uint32_t>(select.integer(1)))
    return fail(Code::Damaged, fmt::format("state: \"{}\" contradicts its checksum", key));
  return value;
}

Result<void> StoreImpl::erase_state(const std::string& key) {
  EL_CHECK(begin());
  EL_TRY(sqlite::Statement remove, database_.prepare("DELETE FROM state WHERE key = ?"));
  return remove.run(key);
}

Result<LakeNames> StoreImpl::lake_names() const {
  LakeNames names;
  EL_TRY(const auto profile, state("profile"));
  names.profile = profile.value_or("");
  EL_TRY(const auto instruments, state("instruments"));
  EL_TRY(const auto columns, state("columns"));
  EL_TRY(const auto targets, state("targets"));
  names.instruments = lines_of(instruments);
  names.columns = lines_of(columns);
  names.targets = lines_of(targets);
  return names;
}

// --- append ----------------------------------------------------------------------------------------------------------

Result<void> StoreImpl::begin() {
  if (options_.read_only) return fail(Code::Usage, fmt::format("{} is open for reading only", directory_));
  if (pending_ && !database_.in_transaction())
    return fail(Code::Storage, "everlearn.db: an earlier error undid what was not committed; roll back first");
  if (pending_) return {};
  EL_CHECK(database_.run("BEGIN IMMEDIATE"));
  pending_ = true;
  return {};
}

template <class Row>
Result<void> StoreImpl::append_row(const Row& row) {
  constexpr Dataset kDataset = kDatasetOf<Row>;
  EL_CHECK(begin());
  const Record record = to_record(row);
  if (sealed_until_.may_hold(kDataset, record)) {
    EL_TRY(const bool sealed, sealed_already(kDataset, record));
    if (sealed) return {};
  }
  EL_TRY([[maybe_unused]] const bool added, hot(kDataset).append(record));
  return {};
}

Result<bool> StoreImpl::sealed_already(Dataset dataset, const Record& record) {
  const std::string key = key_of(record);
  for (const CatalogueEntry& entry : catalogue_.entries(dataset)) {
    const Segment& segment = entry.segment;
    if (entry.retired || segment.first_event > record.event_time || segment.last_event < record.event_time) continue;
    auto keys = std::find_if(sealed_keys_.begin(), sealed_keys_.end(),
                             [&](const SealedKeys& k) { return k.segment == segment.id; });
    if (keys == sealed_keys_.end()) {
      EL_TRY(const std::string bytes, load_lake_file(fs_, path_of(segment), segment.sha256));
      EL_TRY(auto rows, hash_rows(dataset, segment.path, bytes));
      sealed_keys_.push_front({segment.id, std::move(rows)});
      if (sealed_keys_.size() > kSealedKeysKept) sealed_keys_.pop_back();
      keys = sealed_keys_.begin();
    }
    const auto there = keys->rows.find(key);
    if (there == keys->rows.end()) continue;
    if (there->second == hash_of(dataset, record)) return true;
    return fail(Code::Damaged, fmt::format("{}: {} written twice with other bytes; the first is in {}",
                                           dataset_name(dataset), record.key_text(dataset), segment.path));
  }
  return false;
}

Result<std::int64_t> StoreImpl::append(const IntentRow& row) {
  EL_CHECK(begin());
  return journal_.append(row);
}

Result<void> StoreImpl::update_intent(std::int64_t id, const std::string& state, const std::string& reason) {
  EL_CHECK(begin());
  return journal_.update_intent(id, state, reason);
}

Result<void> StoreImpl::append(const FillRow& row) {
  EL_CHECK(begin());
  return journal_.append(row);
}

Result<std::int64_t> StoreImpl::append(const VerdictRow& row) {
  EL_CHECK(begin());
  return journal_.append(row);
}

Result<void> StoreImpl::append(const EquityRow& row) {
  EL_CHECK(begin());
  return journal_.append(row);
}

Result<void> StoreImpl::append(const AlertRow& row) {
  EL_CHECK(begin());
  return alerts_.append(row);
}

Result<void> StoreImpl::put_delivery(const DeliveryRow& row) {
  EL_CHECK(begin());
  return alerts_.put_delivery(row);
}

Result<std::int64_t> StoreImpl::forget_alerts(Timestamp keep_from) {
  EL_CHECK(begin());
  return alerts_.forget(keep_from);
}

Result<void> StoreImpl::note(Timestamp at, const std::string& kind, const std::string& text) {
  EL_CHECK(begin());
  return journal_.note(at, kind, text);
}

// --- base and inputs -------------------------------------------------------------------------------------------------

Result<void> StoreImpl::append_input(std::string_view input) {
  EL_CHECK(begin());
  return inputs_.append(input);
}

Result<void> StoreImpl::keep_base(std::string_view base) {
  EL_CHECK(begin());
  return inputs_.keep_base(base);
}

// --- commit ----------------------------------------------------------------------------------------------------------

Result<void> StoreImpl::commit(std::string_view checkpoint) {
  EL_CHECK(begin());
  EL_TRY(sqlite::Statement write, database_.prepare("INSERT OR REPLACE INTO checkpoint VALUES(1,?,?)"));
  auto committed = write.run(sqlite::Blob{checkpoint}, crc32(checkpoint));
  if (committed) committed = save_coverage();
  if (committed) committed = finish_commit();
  // What failed is undone at once, so that nobody goes on with half of it; the caller's error is the first one.
  if (!committed) (void)rollback();
  return committed;
}

Result<void> StoreImpl::commit_state() {
  EL_CHECK(begin());
  auto committed = save_coverage();
  if (committed) committed = finish_commit();
  if (!committed) (void)rollback();
  return committed;
}

// Without the coverage: what a seal or retention commits between two checkpoints must not count points that the engine
// sees again after a restart from the earlier one.
Result<void> StoreImpl::finish_commit() {
  for (HotTable& table : hot_) EL_CHECK(table.save_sequence());
  EL_CHECK(database_.run("COMMIT"));
  pending_ = false;
  alerts_.committed();
  return {};
}

Result<void> StoreImpl::rollback() {
  if (!pending_) return {};
  if (database_.in_transaction()) EL_CHECK(database_.run("ROLLBACK"));
  pending_ = false;
  alerts_.rolled_back();
  EL_CHECK(inputs_.reload());
  for (HotTable& table : hot_) EL_CHECK(table.reload());
  EL_TRY(catalogue_, Catalogue::load(database_));
  EL_TRY(sealed_until_, SealedUntil::load(database_));
  return load_coverage();
}

Result<std::optional<std::string>> StoreImpl::checkpoint() const {
  EL_TRY(sqlite::Statement select, database_.prepare("SELECT bytes, crc FROM checkpoint"));
  EL_TRY(const bool found, select.step());
  if (!found) return std::nullopt;
  std::string bytes{select.blob(0)};
  if (crc32(bytes) != static_cast<std::uint32_t>(select.integer(1)))
    return fail(Code::Damaged, "checkpoint: contradicts its checksum");
  return bytes;
}

Result<void> StoreImpl::save_coverage() {
  ByteWriter streams;
  coverage_.encode_streams(streams);
  if (streams.bytes() != saved_streams_) {
    EL_CHECK(put_state(kCoverageKey, streams.bytes()));
    saved_streams_ = streams.take();
  }
  const std::vector<std::size_t> changed = coverage_.take_changed();
  if (changed.empty()) return {};
  EL_TRY(sqlite::Statement insert, database_.prepare("INSERT OR REPLACE INTO gap VALUES(?,?,?,?,?,?)"));
  EL_TRY(sqlite::Statement filled, database_.prepare("INSERT OR REPLACE INTO gap_filled VALUES(?,?)"));
  for (const std::size_t i : changed) {
    const Gap& gap = coverage_.gaps()[i];
    EL_CHECK(insert.run(i + 1, static_cast<std::uint32_t>(gap.instrument), gap.start.us(), gap.end.us(), gap.reason,
                        gap.filled_from));
    if (gap.filled_at) EL_CHECK(filled.run(i + 1, gap.filled_at->us()));
  }
  return {};
}

Result<void> StoreImpl::load_coverage() {
  std::vector<Gap> gaps;
  EL_TRY(const bool when, has_gap_filled(database_));
  EL_TRY(sqlite::Statement select,
         database_.prepare(when ? "SELECT g.id, g.instrument, g.start, g.end, g.reason, g.filled_from, f.at FROM gap g "
                                  "LEFT JOIN gap_filled f ON f.gap = g.id ORDER BY g.id"
                                : "SELECT id, instrument, start, end, reason, filled_from, NULL FROM gap ORDER BY id"));
  for (;;) {
    EL_TRY(const bool found, select.step());
    if (!found) break;
    if (select.integer(0) != static_cast<std::int64_t>(gaps.size()) + 1)
      return fail(Code::Damaged, fmt::format("coverage: gap {} is missing", gaps.size() + 1));
    gaps.push_back({.instrument = static_cast<InstrumentId>(select.integer(1)),
                    .start = Timestamp{select.integer(2)},
                    .end = Timestamp{select.integer(3)},
                    .reason = std::string{select.text(4)},
                    .filled_from = std::string{select.text(5)},
                    .filled_at = select.is_null(6) ? std::nullopt : std::optional{Timestamp{select.integer(6)}}});
  }
  EL_TRY(const auto streams, state(kCoverageKey));
  saved_streams_ = streams.value_or("");
  coverage_ = {};
  if (!streams) return {};
  ByteReader in{*streams};
  EL_TRY(coverage_, Coverage::decode_streams(in, std::move(gaps)));
  return in.finish("coverage");
}

// --- read ------------------------------------------------------------------------------------------------------------

template <class Row>
Result<void> StoreImpl::scan(TimeRange range, const std::function<bool(const Row&)>& callback) const {
  bool stopped = false;
  for (const Segment& segment : catalogue_.segments(kDatasetOf<Row>)) {
    if (!overlap(segment, range)) continue;
    EL_TRY(const std::string bytes, load_lake_file(fs_, path_of(segment), segment.sha256));
    EL_CHECK(read_lake_rows<Row>(segment.path, bytes, range, [&](std::int64_t, const Row& row) -> Result<bool> {
      stopped = !callback(row);
      return !stopped;
    }));
    if (stopped) return {};
  }
  // Up to the last row of now: the callback may append.
  const HotTable& table = hot(kDatasetOf<Row>);
  Row row;
  return table.read(table.first_seq(), table.next_seq() - 1, [&](std::int64_t, const Record& record) -> Result<bool> {
    if (record.event_time < range.from || record.event_time >= range.to) return true;
    EL_CHECK(from_record(record, row));
    return callback(row);
  });
}

Result<void> StoreImpl::scan_prices(TimeRange range, const std::function<bool(const PriceRow&)>& row) const {
  return scan<PriceRow>(range, row);
}
Result<void> StoreImpl::scan_events(TimeRange range, const std::function<bool(const EventRow&)>& row) const {
  return scan<EventRow>(range, row);
}
Result<void> StoreImpl::scan_examples(TimeRange range, const std::function<bool(const ExampleRow&)>& row) const {
  return scan<ExampleRow>(range, row);
}
Result<void> StoreImpl::scan_labels(TimeRange range, const std::function<bool(const LabelRow&)>& row) const {
  return scan<LabelRow>(range, row);
}
Result<void> StoreImpl::scan_predictions(TimeRange range, const std::function<bool(const PredictionRow&)>& row) const {
  return scan<PredictionRow>(range, row);
}

Result<std::vector<DatasetStats>> StoreImpl::stats() const {
  std::vector<DatasetStats> all;
  for (const Dataset dataset : kDatasets) {
    DatasetStats stats{.dataset = dataset, .hot_rows = hot(dataset).rows(), .first_event = {}, .last_event = {}};
    const auto widen = [&](Timestamp first, Timestamp last) {
      stats.first_event = stats.first_event ? std::min(*stats.first_event, first) : first;
      stats.last_event = stats.last_event ? std::max(*stats.last_event, last) : last;
    };
    for (const Segment& segment : catalogue_.segments(dataset)) {
      ++stats.segments;
      stats.sealed_rows += segment.rows;
      stats.sealed_bytes += segment.bytes;
      widen(segment.first_event, segment.last_event);
    }
    if (stats.hot_rows > 0) {
      EL_TRY(
          sqlite::Statement select,
          database_.prepare(fmt::format("SELECT min(event_time), max(event_time) FROM hot_{}", dataset_name(dataset))));
      EL_TRY([[maybe_unused]] const bool found, select.step());
      widen(Timestamp{select.integer(0)}, Timestamp{select.integer(1)});
    }
    all.push_back(stats);
  }
  return all;
}

std::uint64_t StoreImpl::bytes_on_disk() const { return catalogue_.bytes() + database_.bytes_on_disk(); }

}  // namespace everlearn
