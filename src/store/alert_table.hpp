// Alerts and how far each got on each channel. An alert never changes; its delivery does. Only what is committed is
// handed out: what a person was told must not be undone by a crash. Each row carries a CRC over its canonical bytes;
// every read checks it (Damaged, naming table and row).
#pragma once

#include "store/rows.hpp"
#include "store/sqlite.hpp"
#include "store/store.hpp"

namespace everlearn {

class AlertTable {
 public:
  /// `database` must outlive it.
  explicit AlertTable(const sqlite::Database& database) : database_{&database} {}

  /// Directories made before there were alerts have no tables for them: a writer makes them, a reader sees no alerts.
  Result<void> open(sqlite::Database& database, bool read_only);

  Result<void> append(AlertRow row);
  /// Errors: NotFound: no such alert.
  Result<void> put_delivery(const DeliveryRow& row);
  /// Alerts of before `keep_from` go, with their deliveries; how many.
  Result<std::int64_t> forget(Timestamp keep_from);
  void committed() { committed_ = last_; }
  void rolled_back() { last_ = committed_; }

  Result<std::vector<AlertRow>> alerts() const;
  Result<std::vector<Store::OpenAlert>> open_alerts(const std::string& channel, std::int64_t after) const;
  Result<std::vector<DeliveryRow>> deliveries() const;

 private:
  const sqlite::Database* database_;
  bool there_ = false;
  std::int64_t last_ = 0;       // the largest id
  std::int64_t committed_ = 0;  // the same, as of the last commit
};

}  // namespace everlearn
