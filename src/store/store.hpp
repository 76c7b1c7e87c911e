// The store of one data directory: everlearn.db (SQLite: state and hot tail) and lake/ (immutable Parquet segments the
// catalogue names). Appends go into an open transaction; commit() makes them durable together with the checkpoint.
// One writing connection; the decision thread owns it. Errors: Storage (disk), Damaged (checksum, key written twice
// with other bytes, catalogue against files).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/world.hpp"
#include "store/coverage.hpp"
#include "store/rows.hpp"

namespace everlearn {

/// The steps of a seal, in order; reliability.md 4.2.
enum class SealStep : std::uint8_t { IntentCommitted, FileWritten, FileChecked, FileNamed, NameSynced, Committed };

struct StoreOptions {
  bool read_only = false;
  std::int64_t segment_rows = 65'536;               // a dataset's hot rows are sealed at this many,
  std::uint64_t segment_bytes = 32ull << 20;        // or this many payload bytes,
  Duration segment_age = Duration::days(7);         // or when the oldest is this much older than `now` of seal_due()
  std::int64_t aged_rows = 4'096;                   // and they are at least so many: a file of 20 rows costs 37 KB
  int parquet_level = 3;                            // zstd
  std::function<void(SealStep)> at_seal_step = {};  // tests: called after each step; may throw to stand for a crash
};

/// Time range over event_time: [from, to).
struct TimeRange {
  Timestamp from = Timestamp::min();
  Timestamp to = Timestamp::max();
};

struct Segment {
  std::int64_t id = 0;
  Dataset dataset{};
  std::string path;  // relative to the data directory
  std::string sha256;
  std::int64_t rows = 0;
  std::uint64_t bytes = 0;
  std::int64_t first_seq = 0, last_seq = 0;
  Timestamp first_event, last_event;  // event_time range
  Timestamp last_known;
};

struct DatasetStats {
  Dataset dataset{};
  std::int64_t hot_rows = 0, sealed_rows = 0, segments = 0;
  std::uint64_t sealed_bytes = 0;
  std::optional<Timestamp> first_event, last_event;
};

class Store {
 public:
  /// Opens or creates; recovers seals that were interrupted; refuses a damaged directory.
  static Result<std::unique_ptr<Store>> open(World world, const std::string& directory, StoreOptions options);
  virtual ~Store() = default;

  // --- what does not change: names written once, checked afterwards --------------------------------------------------
  /// Profile name, targets, feature columns ...: text under a key in the state table; part of the open transaction.
  /// Four keys name things in the lake, one line each: "profile", "instruments" (in id order), "columns" (name@hash, in
  /// row order), "targets". Errors: Usage if "columns" changes while examples are hot (seal_all() them first).
  virtual Result<void> put_state(const std::string& key, const std::string& value) = 0;
  virtual Result<std::optional<std::string>> state(const std::string& key) const = 0;
  virtual Result<void> erase_state(const std::string& key) = 0;

  // --- append (decision thread; visible to scans of this Store at once) ----------------------------------------------
  /// A key written twice must carry the same bytes (then it is ignored), else Damaged; also if the first row is sealed.
  /// Rows that retention deleted are forgotten.
  virtual Result<void> append(const PriceRow& row) = 0;
  virtual Result<void> append(const EventRow& row) = 0;
  virtual Result<void> append(const ExampleRow& row) = 0;
  virtual Result<void> append(const LabelRow& row) = 0;
  virtual Result<void> append(const PredictionRow& row) = 0;
  virtual Result<std::int64_t> append(const IntentRow& row) = 0;  // returns the id
  virtual Result<void> update_intent(std::int64_t id, const std::string& state, const std::string& reason) = 0;
  virtual Result<void> append(const FillRow& row) = 0;
  virtual Result<std::int64_t> append(const VerdictRow& row) = 0;
  virtual Result<void> append(const EquityRow& row) = 0;
  /// A key that is there already changes nothing; the first text stands.
  virtual Result<void> append(const AlertRow& row) = 0;
  /// Replaces what (alert, channel) had.
  virtual Result<void> put_delivery(const DeliveryRow& row) = 0;
  /// Retention of alerts: those of before `keep_from` go, in the open transaction. Returns how many.
  virtual Result<std::int64_t> forget_alerts(Timestamp keep_from) = 0;
  /// One line of the audit journal: promotions, rollbacks, pins, learning on/off, retention, restarts.
  virtual Result<void> note(Timestamp at, const std::string& kind, const std::string& text) = 0;

  // --- commit and checkpoint -----------------------------------------------------------------------------------------
  /// Everything appended since the last commit, and `checkpoint`, become durable in one transaction.
  virtual Result<void> commit(std::string_view checkpoint) = 0;
  virtual Result<std::optional<std::string>> checkpoint() const = 0;
  /// Commits without touching the checkpoint (verbs that change state while no engine runs).
  virtual Result<void> commit_state() = 0;
  virtual Result<void> rollback() = 0;

  // --- a heavy state, kept now and then, and the inputs since
  // --------------------------------------------------------- For state that is too large to be written with each
  // commit. A restart loads the base and folds the inputs again.
  /// One input since the base; part of the open transaction. One per commit, or one per event: both are cheap.
  virtual Result<void> append_input(std::string_view input) = 0;
  /// Replaces the base and forgets the inputs, in the open transaction. Other commits stay as small as they were.
  virtual Result<void> keep_base(std::string_view base) = 0;
  /// Nothing: none was ever kept. Errors: Damaged.
  virtual Result<std::optional<std::string>> base() const = 0;
  /// The inputs since the base in the order of append_input(), also where no base was kept yet. The view lives as long
  /// as the call; the callback appends nothing. Errors: Damaged, naming the input; what the callback says.
  virtual Result<void> scan_inputs(const std::function<Result<void>(std::string_view input)>& input) const = 0;
  virtual std::int64_t inputs() const = 0;  // how many

  // --- sealing and retention -----------------------------------------------------------------------------------------
  /// Seals datasets that are due at `now`; call right after commit(), never with rows uncommitted (Internal). Returns
  /// how many segments were made. After an error (Storage) the rows are still hot and a later call tries again.
  virtual Result<int> seal_due(Timestamp now) = 0;
  /// Seals every hot row (tests, export, end of a run if asked).
  virtual Result<int> seal_all() = 0;
  struct RetentionPlan {
    std::vector<Segment> segments;  // to delete, whole
    std::int64_t rows = 0, rows_total = 0;
    std::uint64_t bytes = 0, bytes_total = 0;
  };
  /// Whole segments whose last event is before `keep_from`, then the oldest until `disk_cap` bytes hold (0: no cap).
  virtual Result<RetentionPlan> plan_retention(Timestamp keep_from, std::uint64_t disk_cap) const = 0;
  /// Deletes the plan's segments: out of the catalogue in one transaction that leaves a tombstone and a note
  /// ("retention"), then the files.
  virtual Result<void> retain(const RetentionPlan& plan, Timestamp now) = 0;

  // --- read ----------------------------------------------------------------------------------------------------------
  // Scans give rows of the range in sequence order, sealed ones first; the callback returns false to stop.
  virtual Result<void> scan_prices(TimeRange, const std::function<bool(const PriceRow&)>&) const = 0;
  virtual Result<void> scan_events(TimeRange, const std::function<bool(const EventRow&)>&) const = 0;
  virtual Result<void> scan_examples(TimeRange, const std::function<bool(const ExampleRow&)>&) const = 0;
  virtual Result<void> scan_labels(TimeRange, const std::function<bool(const LabelRow&)>&) const = 0;
  virtual Result<void> scan_predictions(TimeRange, const std::function<bool(const PredictionRow&)>&) const = 0;
  virtual Result<std::vector<IntentRow>> intents() const = 0;
  virtual Result<std::vector<FillRow>> fills() const = 0;
  virtual Result<std::vector<VerdictRow>> verdicts() const = 0;
  virtual Result<std::vector<EquityRow>> equity() const = 0;
  struct Note {
    Timestamp at;
    std::string kind, text;
  };
  virtual Result<std::vector<Note>> notes() const = 0;

  /// Alerts of both functions: committed ones only, by id.
  virtual Result<std::vector<AlertRow>> alerts() const = 0;
  struct OpenAlert {
    AlertRow alert;
    DeliveryRow delivery;
  };
  /// Those with an id above `after` that `channel` has not settled.
  virtual Result<std::vector<OpenAlert>> open_alerts(const std::string& channel, std::int64_t after) const = 0;
  /// By alert, then channel.
  virtual Result<std::vector<DeliveryRow>> deliveries() const = 0;

  virtual std::vector<Segment> segments(Dataset dataset) const = 0;
  virtual Result<std::vector<DatasetStats>> stats() const = 0;
  virtual std::uint64_t bytes_on_disk() const = 0;
  /// Writes the hot rows of a dataset in the lake's Parquet layout to `path` (for a training job); returns how many,
  /// also when there are none.
  virtual Result<std::int64_t> export_hot(Dataset dataset, const std::string& path) const = 0;
  /// Re-reads every segment and hot row against its checksum. Returns what is wrong, empty if nothing.
  virtual Result<std::vector<std::string>> verify() const = 0;

  // --- coverage ------------------------------------------------------------------------------------------------------
  virtual Coverage& coverage() = 0;  // saved with the checkpoint transaction
  virtual const Coverage& coverage() const = 0;
};

/// Reads a segment or tail file of the lake; the trainer uses these without a Store. Columns are described in
/// docs/formats/lake-v1.md. `sha256` empty: not checked.
Result<void> read_examples(const std::string& path, const std::string& sha256, TimeRange range,
                           const std::function<bool(const ExampleRow&)>& row);
Result<void> read_labels(const std::string& path, const std::string& sha256, TimeRange range,
                         const std::function<bool(const LabelRow&)>& row);

/// The feature columns of an examples file, name@hash in row order, as the state "columns" was when it was written.
Result<std::vector<std::string>> read_columns(const std::string& path);

}  // namespace everlearn
