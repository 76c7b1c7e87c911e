// The hot tail of one dataset: its newest rows, one SQLite table, contiguous sequence numbers. Every read checks the
// row's CRC and that no sequence number is missing. Writes happen in the Store's open transaction.
#pragma once

#include <functional>

#include "store/record.hpp"
#include "store/sqlite.hpp"

namespace everlearn {

class HotTable {
 public:
  /// `database` must outlive it.
  static Result<HotTable> open(const sqlite::Database& database, Dataset dataset);

  /// False: this row is there already. Errors: Damaged if its key is there with other bytes.
  Result<bool> append(const Record& record);
  /// Rows `first`..`last` in order; the callback returns false to stop. Errors: Damaged, naming dataset and sequence
  /// number; what the callback says.
  Result<void> read(std::int64_t first, std::int64_t last,
                    const std::function<Result<bool>(std::int64_t seq, const Record&)>& row) const;
  /// Errors: Damaged unless exactly these rows are there.
  Result<void> erase(std::int64_t first, std::int64_t last);
  /// Writes the next sequence number; part of each commit.
  Result<void> save_sequence();
  /// Counts again from the tables: after a rollback. Errors: Damaged if rows are missing.
  Result<void> reload();

  Dataset dataset() const { return dataset_; }
  std::int64_t rows() const { return next_seq_ - first_seq_; }
  std::uint64_t payload_bytes() const { return payload_bytes_; }
  std::int64_t first_seq() const { return first_seq_; }  // next_seq() when empty
  std::int64_t next_seq() const { return next_seq_; }
  /// known_at of the first row. Errors: Internal when empty.
  Result<Timestamp> first_known() const;

 private:
  HotTable(const sqlite::Database& database, Dataset dataset, sqlite::Statement insert, sqlite::Statement find,
           sqlite::Statement sequence)
      : database_{&database},
        dataset_{dataset},
        insert_{std::move(insert)},
        find_{std::move(find)},
        sequence_{std::move(sequence)} {}
  Result<Record> take(const sqlite::Statement& row) const;

  const sqlite::Database* database_;
  Dataset dataset_;
  sqlite::Statement insert_, find_, sequence_;
  std::int64_t first_seq_ = 1, next_seq_ = 1, saved_seq_ = 1;
  std::uint64_t payload_bytes_ = 0;
};

}  // namespace everlearn
