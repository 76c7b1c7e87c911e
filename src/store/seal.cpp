// Sealing, after reliability.md 4.2. Hot rows leave and the segment enters in one SQLite transaction, so each row is in
// exactly one place at every instant: before that commit the file is an orphan, after it the file is the data.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "store/store_impl.hpp"

namespace everlearn {

/// A segment on its way.
struct StoreImpl::Draft {
  Segment segment;
  std::string rows_hash;
  std::map<SealedUntil::Stream, Timestamp> latest;
};

namespace {

bool same_shape(const ExampleRow& a, const ExampleRow& b) {
  return a.features.size() == b.features.size() && a.baseline.size() == b.baseline.size() &&
         a.no_change.size() == b.no_change.size();
}
template <class Row>
bool same_shape(const Row&, const Row&) {
  return true;
}

/// The hash of the rows that a reader gets out of the file.
template <class Row>
Result<std::string> hash_of_file(Fs& fs, const std::string& path, const std::string& sha256) {
  EL_TRY(const std::string bytes, load_lake_file(fs, path, sha256));
  RowsHash hash;
  EL_CHECK(read_lake_rows<Row>(path, bytes, {}, [&](std::int64_t seq, const Row& row) -> Result<bool> {
    hash.add(kDatasetOf<Row>, seq, to_record(row));
    return true;
  }));
  return hash.finish();
}

template <class Row>
Result<std::int64_t> export_rows(Fs& fs, const HotTable& table, const std::string& path, const LakeNames& names,
                                 int level) {
  std::vector<Row> rows;
  const auto take = [&](std::int64_t, const Record& record) -> Result<bool> {
    EL_CHECK(from_record(record, rows.emplace_back()));
    return true;
  };
  EL_CHECK(table.read(table.first_seq(), table.next_seq() - 1, take));
  EL_TRY([[maybe_unused]] const WrittenFile file,
         write_lake_file<Row>(fs, path, rows, table.first_seq(), names, level));
  return static_cast<std::int64_t>(rows.size());
}

std::string month_of(Timestamp time) {
  const std::string date = time.date();
  return date.substr(0, date.rfind('-'));
}

}  // namespace

Result<void> StoreImpl::nothing_pending(const char* what) const {
  if (options_.read_only) return fail(Code::Usage, fmt::format("{} is open for reading only", directory_));
  if (pending_) return fail(Code::Internal, fmt::format("{} while rows are not committed", what));
  return {};
}

Result<bool> StoreImpl::is_due(Dataset dataset, Timestamp now) const {
  const HotTable& table = hot(dataset);
  if (table.rows() == 0) return false;
  if (table.rows() >= options_.segment_rows || table.payload_bytes() >= options_.segment_bytes) return true;
  if (table.rows() < options_.aged_rows) return false;
  EL_TRY(const Timestamp oldest, table.first_known());
  return oldest < now - options_.segment_age;
}

Result<int> StoreImpl::seal_due(Timestamp now) {
  EL_CHECK(nothing_pending("seal"));
  int sealed = 0;
  for (const Dataset dataset : kDatasets) {
    for (;;) {
      EL_TRY(const bool due, is_due(dataset, now));
      if (!due) break;
      EL_CHECK(seal_front(dataset));
      ++sealed;
    }
  }
  return sealed;
}

Result<int> StoreImpl::seal_all() {
  EL_CHECK(nothing_pending("seal"));
  int sealed = 0;
  for (const Dataset dataset : kDatasets) {
    for (; hot(dataset).rows() > 0; ++sealed) EL_CHECK(seal_front(dataset));
  }
  return sealed;
}

Result<void> StoreImpl::seal_front(Dataset dataset) {
  switch (dataset) {
    case Dataset::Prices:
      return seal_front_of<PriceRow>();
    case Dataset::Events:
      return seal_front_of<EventRow>();
    case Dataset::Examples:
      return seal_front_of<ExampleRow>();
    case Dataset::Labels:
      return seal_front_of<LabelRow>();
    case Dataset::Predictions:
      return seal_front_of<PredictionRow>();
  }
  return fail(Code::Internal, "no such dataset");
}

template <class Row>
Result<void> StoreImpl::seal_front_of() {
  constexpr Dataset kDataset = kDatasetOf<Row>;
  const HotTable& table = hot(kDataset);

  // The oldest rows, as many as one segment may hold.
  Draft draft;
  std::vector<Row> rows;
  RowsHash hash;
  std::uint64_t bytes = 0;
  const auto take = [&](std::int64_t seq, const Record& record) -> Result<bool> {
    Row row;
    EL_CHECK(from_record(record, row));
    bytes += record.payload.size();
    if (!rows.empty() && (bytes > options_.segment_bytes || !same_shape(rows.front(), row))) return false;
    hash.add(kDataset, seq, record);
    Segment& segment = draft.segment;
    if (rows.empty()) {
      segment.first_event = segment.last_event = record.event_time;
      segment.last_known = record.known_at;
    }
    segment.first_event = std::min(segment.first_event, record.event_time);
    segment.last_event = std::max(segment.last_event, record.event_time);
    segment.last_known = std::max(segment.last_known, record.known_at);
    Timestamp& latest =
        draft.latest.try_emplace(SealedUntil::stream_of(kDataset, record), record.event_time).first->second;
    latest = std::max(latest, record.event_time);
    rows.push_back(std::move(row));
    return true;
  };
  const std::int64_t limit = std::min(table.first_seq() + options_.segment_rows, table.next_seq()) - 1;
  EL_CHECK(table.read(table.first_seq(), limit, take));
  draft.rows_hash = hash.finish();
  draft.segment.dataset = kDataset;
  draft.segment.rows = static_cast<std::int64_t>(rows.size());
  draft.segment.first_seq = table.first_seq();
  draft.segment.last_seq = table.first_seq() + draft.segment.rows - 1;
  EL_TRY(const LakeNames names, lake_names());

  EL_TRY(sqlite::Statement declare,
         database_.prepare("INSERT INTO seal_intent(dataset, first_seq, last_seq) VALUES(?,?,?)"));
  EL_CHECK(declare.run(static_cast<int>(kDataset), draft.segment.first_seq, draft.segment.last_seq));
  EL_TRY(const std::int64_t intent, database_.integer("SELECT max(id) FROM seal_intent"));
  at(SealStep::IntentCommitted);

  const std::string temporary = fmt::format("{}/lake/.tmp/{}-{}.parquet", directory_, dataset_name(kDataset), intent);
  const auto write = [&]() -> Result<void> {
    EL_TRY(const WrittenFile file,
           write_lake_file<Row>(fs_, temporary, rows, draft.segment.first_seq, names, options_.parquet_level));
    draft.segment.sha256 = file.sha256;
    draft.segment.bytes = file.bytes;
    at(SealStep::FileWritten);
    EL_TRY(const std::string read_back, hash_of_file<Row>(fs_, temporary, file.sha256));
    if (read_back != draft.rows_hash)
      return fail(Code::Storage, fmt::format("{}: reads back other rows than were written", temporary));
    at(SealStep::FileChecked);
    return publish(draft, temporary);
  };
  if (auto written = write(); !written) {
    // The rows are still hot. What cannot be removed now is an orphan: the next open moves it to quarantine/.
    if (fs_.exists(temporary)) (void)fs_.remove(temporary);
    (void)database_.run(fmt::format("DELETE FROM seal_intent WHERE id = {}", intent));
    return fail(Code::Storage, fmt::format("sealing {}: {}", dataset_name(kDataset), written.error().message));
  }
  return enter(draft, intent);
}

Result<void> StoreImpl::publish(Draft& draft, const std::string& temporary) {
  Segment& segment = draft.segment;
  const std::string month = fmt::format("lake/{}/{}", dataset_name(segment.dataset), month_of(segment.first_event));
  segment.path =
      fmt::format("{}/{}-{}.{}.parquet", month, segment.first_seq, segment.last_seq, segment.sha256.substr(0, 16));
  EL_CHECK(fs_.make_directories(directory_ + "/" + month));
  auto named = fs_.rename_no_replace(temporary, path_of(segment));
  if (!named && named.error().code == Code::InUse) {
    // An earlier attempt failed after its rename, and its file may never have reached the disk.
    EL_CHECK(quarantine(segment.path));
    named = fs_.rename_no_replace(temporary, path_of(segment));
  }
  EL_CHECK(named);
  at(SealStep::FileNamed);
  EL_CHECK(fs_.sync_directory(directory_ + "/" + month));
  EL_CHECK(fs_.sync_directory(directory_ + "/lake/.tmp"));
  at(SealStep::NameSynced);
  return {};
}

Result<void> StoreImpl::enter(Draft& draft, std::int64_t intent) {
  const auto write = [&]() -> Result<void> {
    EL_CHECK(begin());
    EL_TRY([[maybe_unused]] const Segment segment, catalogue_.add(database_, draft.segment, draft.rows_hash));
    EL_CHECK(hot(draft.segment.dataset).erase(draft.segment.first_seq, draft.segment.last_seq));
    EL_CHECK(sealed_until_.raise(database_, draft.segment.dataset, draft.latest));
    EL_CHECK(database_.run(fmt::format("DELETE FROM seal_intent WHERE id = {}", intent)));
    return finish_commit();
  };
  auto written = write();
  if (!written) {
    // The file stays where it is: whether a failed commit reached the disk is known only after the next one.
    (void)rollback();
    return written;
  }
  at(SealStep::Committed);
  return {};
}

Result<std::int64_t> StoreImpl::export_hot(Dataset dataset, const std::string& path) const {
  EL_TRY(const LakeNames names, lake_names());
  const HotTable& table = hot(dataset);
  switch (dataset) {
    case Dataset::Prices:
      return export_rows<PriceRow>(fs_, table, path, names, options_.parquet_level);
    case Dataset::Events:
      return export_rows<EventRow>(fs_, table, path, names, options_.parquet_level);
    case Dataset::Examples:
      return export_rows<ExampleRow>(fs_, table, path, names, options_.parquet_level);
    case Dataset::Labels:
      return export_rows<LabelRow>(fs_, table, path, names, options_.parquet_level);
    case Dataset::Predictions:
      return export_rows<PredictionRow>(fs_, table, path, names, options_.parquet_level);
  }
  return fail(Code::Internal, "no such dataset");
}

}  // namespace everlearn
