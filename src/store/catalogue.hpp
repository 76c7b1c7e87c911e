// Which lake files are data: the segments of each dataset in sequence order, bound together by a chain of hashes, so
// that a removed or edited entry is seen. A segment that retention deleted stays as a tombstone. Writes happen in the
// Store's open transaction.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "store/record.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"

namespace everlearn {

struct CatalogueEntry {
  Segment segment;
  std::string rows_hash;  // RowsHash over its rows
  std::string chain;      // SHA-256 over the entry before and this one
  bool retired = false;
};

class Catalogue {
 public:
  /// Errors: Damaged if an entry does not continue the chain of its dataset.
  static Result<Catalogue> load(const sqlite::Database& database);

  /// All entries, tombstones included, by dataset and sequence.
  const std::vector<CatalogueEntry>& entries(Dataset dataset) const {
    return entries_[static_cast<std::size_t>(dataset)];
  }
  /// Those whose files exist.
  std::vector<Segment> segments(Dataset dataset) const;
  std::int64_t next_seq(Dataset dataset) const;  // 1 + the last sealed one
  std::uint64_t bytes() const;

  /// Continues the chain; `segment.id` is set. Part of the open transaction; load() again if that rolls back.
  Result<Segment> add(const sqlite::Database& database, Segment segment, const std::string& rows_hash);
  /// Marks an entry as deleted by retention.
  Result<void> retire(const sqlite::Database& database, std::int64_t segment, Timestamp at);

 private:
  std::array<std::vector<CatalogueEntry>, kDatasets.size()> entries_;
};

/// How far the sealed rows of each stream of keys (dataset, instrument, kind, target) reach in event_time: a row after
/// that cannot be there already, so the usual append never opens a file.
class SealedUntil {
 public:
  static Result<SealedUntil> load(const sqlite::Database& database);
  /// False: no sealed row of this stream is as late as `record`.
  bool may_hold(Dataset dataset, const Record& record) const;

  using Stream = std::tuple<std::uint32_t, std::string, std::uint32_t>;  // instrument, kind, target
  static Stream stream_of(Dataset dataset, const Record& record);
  /// Part of the open transaction; load() again if that rolls back.
  Result<void> raise(const sqlite::Database& database, Dataset dataset, const std::map<Stream, Timestamp>& latest);

 private:
  struct Hash {
    std::size_t operator()(const Stream& stream) const;
  };
  std::array<std::unordered_map<Stream, Timestamp, Hash>, kDatasets.size()> latest_;  // look-up only, never iterated
};

}  // namespace everlearn
