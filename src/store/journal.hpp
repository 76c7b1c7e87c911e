// The small state tables: intents, fills, verdicts, daily equity and the audit notes. Each row carries a CRC over its
// canonical bytes; every read checks it (Damaged, naming table and row). Writes happen in the Store's open transaction.
#pragma once

#include "store/rows.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"

namespace everlearn {

class Journal {
 public:
  /// `database` must outlive it.
  explicit Journal(const sqlite::Database& database) : database_{&database} {}

  /// The id is the largest one + 1, whatever `row.id` says.
  Result<std::int64_t> append(IntentRow row);
  Result<std::int64_t> append(VerdictRow row);
  Result<void> append(const FillRow& row);
  /// A day written twice must carry the same values.
  Result<void> append(const EquityRow& row);
  Result<void> update_intent(std::int64_t id, const std::string& state, const std::string& reason);
  Result<void> note(Timestamp at, const std::string& kind, const std::string& text);

  Result<std::vector<IntentRow>> intents() const;
  Result<std::vector<FillRow>> fills() const;
  Result<std::vector<VerdictRow>> verdicts() const;
  Result<std::vector<EquityRow>> equity() const;
  Result<std::vector<Store::Note>> notes() const;

 private:
  const sqlite::Database* database_;
};

}  // namespace everlearn
