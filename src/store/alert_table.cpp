#include "store/alert_table.hpp"

#include <fmt/format.h>

#include "core/hash.hpp"
#include "store/record.hpp"

namespace everlearn {
namespace {

constexpr const char* kTables = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE alert(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, severity INTEGER NOT NULL,
  key TEXT NOT NULL UNIQUE, text TEXT NOT NULL, expires INTEGER, quiet_may_hold INTEGER NOT NULL,
  crc INTEGER NOT NULL) STRICT;
CREATE TABLE delivery(alert INTEGER NOT NULL, channel TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL,
  parts INTEGER NOT NULL, at INTEGER NOT NULL, next_try INTEGER NOT NULL, detail TEXT NOT NULL, crc INTEGER NOT NULL,
  PRIMARY KEY(alert, channel)) STRICT, WITHOUT ROWID;
COMMIT;
)sql";

// Twice nine columns: the alert's, then the delivery's.
constexpr const char* kAlertColumns =
    "a.id, a.at, a.kind, a.severity, a.key, a.text, a.expires, a.quiet_may_hold, a.crc";
constexpr const char* kDeliveryColumns =
    "d.alert, d.channel, d.state, d.attempts, d.parts, d.at, d.next_try, d.detail, d.crc";

Result<AlertRow> take_alert(const sqlite::Statement& row) {
  AlertRow alert;
  alert.id = row.integer(0);
  alert.at = Timestamp{row.integer(1)};
  alert.kind = row.text(2);
  alert.severity = static_cast<Severity>(row.integer(3));
  alert.key = row.text(4);
  alert.text = row.text(5);
  if (!row.is_null(6)) alert.expires = Timestamp{row.integer(6)};
  alert.quiet_may_hold = row.integer(7) != 0;
  if (crc32(canonical(alert)) != static_cast<std::uint32_t>(row.integer(8)))
    return fail(Code::Damaged, fmt::format("alert: row {} contradicts its checksum", alert.id));
  return alert;
}

Result<DeliveryRow> take_delivery(const sqlite::Statement& row, int from) {
  DeliveryRow delivery;
  delivery.alert = row.integer(from);
  delivery.channel = row.text(from + 1);
  delivery.state = static_cast<DeliveryState>(row.integer(from + 2));
  delivery.attempts = static_cast<int>(row.integer(from + 3));
  delivery.parts = static_cast<int>(row.integer(from + 4));
  delivery.at = Timestamp{row.integer(from + 5)};
  delivery.next_try = Timestamp{row.integer(from + 6)};
  delivery.detail = row.text(from + 7);
  if (crc32(canonical(delivery)) != static_cast<std::uint32_t>(row.integer(from + 8)))
    return fail(Code::Damaged,
                fmt::format("delivery: row {} of {} contradicts its checksum", delivery.alert, delivery.channel));
  return delivery;
}

}  // namespace

Result<void> AlertTable::open(sqlite::Database& database, bool read_only) {
  EL_TRY(const std::int64_t tables,
         database.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'alert'"));
  if (tables == 0 && read_only) return {};
  if (tables == 0) EL_CHECK(database.run(kTables));
  there_ = true;
  EL_TRY(last_, database.integer("SELECT coalesce(max(id), 0) FROM alert"));
  committed_ = last_;
  return {};
}

Result<void> AlertTable::append(AlertRow row) {
  row.id = last_ + 1;
  EL_TRY(sqlite::Statement insert,
         database_->prepare("INSERT INTO alert VALUES(?,?,?,?,?,?,?,?,?) ON CONFLICT(key) DO NOTHING"));
  const auto expires = row.expires ? std::optional{row.expires->us()} : std::nullopt;
  EL_CHECK(insert.run(row.id, row.at.us(), row.kind, static_cast<int>(row.severity), row.key, row.text, expires,
                      row.quiet_may_hold, crc32(canonical(row))));
  if (database_->changes() == 1) last_ = row.id;
  return {};
}

Result<void> AlertTable::put_delivery(const DeliveryRow& row) {
  if (row.alert < 1 || row.alert > last_)
    return fail(Code::NotFound, fmt::format("alert {} does not exist", row.alert));
  EL_TRY(sqlite::Statement insert, database_->prepare("INSERT OR REPLACE INTO delivery VALUES(?,?,?,?,?,?,?,?,?)"));
  return insert.run(row.alert, row.channel, static_cast<int>(row.state), row.attempts, row.parts, row.at.us(),
                    row.next_try.us(), row.detail, crc32(canonical(row)));
}

Result<std::int64_t> AlertTable::forget(Timestamp keep_from) {
  EL_TRY(sqlite::Statement deliveries,
         database_->prepare("DELETE FROM delivery WHERE alert IN (SELECT id FROM alert WHERE at < ?)"));
  EL_CHECK(deliveries.run(keep_from.us()));
  // The newest one stays: the next id follows it.
  EL_TRY(sqlite::Statement alerts, database_->prepare("DELETE FROM alert WHERE at < ? AND id < ?"));
  EL_CHECK(alerts.run(keep_from.us(), last_));
  return database_->changes();
}

Result<std::vector<AlertRow>> AlertTable::alerts() const {
  std::vector<AlertRow> rows;
  if (!there_) return rows;
  EL_TRY(sqlite::Statement select,
         database_->prepare(fmt::format("SELECT {} FROM alert a WHERE a.id <= ? ORDER BY a.id", kAlertColumns)));
  EL_CHECK(select.bind(committed_));
  for (;;) {
    EL_TRY(const bool found, select.step());
    if (!found) return rows;
    EL_TRY(AlertRow alert, take_alert(select));
    rows.push_back(std::move(alert));
  }
}

Result<std::vector<Store::OpenAlert>> AlertTable::open_alerts(const std::string& channel, std::int64_t after) const {
  std::vector<Store::OpenAlert> rows;
  if (!there_ || after >= committed_) return rows;
  EL_TRY(sqlite::Statement select,
         database_->prepare(fmt::format("SELECT {}, {} FROM alert a LEFT JOIN delivery d ON d.alert = a.id AND "
                                        "d.channel = ? WHERE a.id > ? AND a.id <= ? AND coalesce(d.state, {}) <= {} "
                                        "ORDER BY a.id",
                                        kAlertColumns, kDeliveryColumns, static_cast<int>(DeliveryState::Waiting),
                                        static_cast<int>(DeliveryState::Sending))));
  EL_CHECK(select.bind(channel, after, committed_));
  for (;;) {
    EL_TRY(const bool found, select.step());
    if (!found) return rows;
    EL_TRY(AlertRow alert, take_alert(select));
    DeliveryRow delivery{.alert = alert.id, .channel = channel, .at = {}, .next_try = {}, .detail = {}};
    if (!select.is_null(9)) {
      EL_TRY(delivery, take_delivery(select, 9));
    }
    rows.push_back({std::move(alert), std::move(delivery)});
  }
}

Result<std::vector<DeliveryRow>> AlertTable::deliveries() const {
  std::vector<DeliveryRow> rows;
  if (!there_) return rows;
  EL_TRY(sqlite::Statement select,
         database_->prepare(fmt::format("SELECT {} FROM delivery d ORDER BY d.alert, d.channel", kDeliveryColumns)));
  for (;;) {
    EL_TRY(const bool found, select.step());
    if (!found) return rows;
    EL_TRY(DeliveryRow delivery, take_delivery(select, 0));
    rows.push_back(std::move(delivery));
  }
}

}  // namespace everlearn
