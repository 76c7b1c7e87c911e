#include "store/journal.hpp"

#include <fmt/format.h>

#include "core/bytes.hpp"
#include "core/hash.hpp"
#include "store/record.hpp"

namespace everlearn {
namespace {

constexpr const char* kSelectIntents =
    "SELECT id, instrument, created, expires, quantity, limit_nanos, expected_value, state, reason, crc FROM intent";
constexpr const char* kSelectFills =
    "SELECT id, intent, instrument, event_time, quantity, price_nanos, cost, reason, crc FROM fill ORDER BY id";
constexpr const char* kSelectVerdicts =
    "SELECT id, target, bundle, champion_before, as_of, outcome, reason, json, crc FROM verdict ORDER BY id";
constexpr const char* kSelectEquity =
    "SELECT event_time, equity, baseline_equity, costs, crc FROM equity ORDER BY event_time";
constexpr const char* kSelectNotes = "SELECT id, at, kind, text, crc FROM note ORDER BY id";

std::string canonical(const Store::Note& note) {
  ByteWriter out;
  out.time(note.at);
  out.text(note.kind);
  out.text(note.text);
  return out.take();
}

using everlearn::canonical;

Result<void> check(std::string_view table, std::int64_t id, std::string_view bytes, std::int64_t crc) {
  if (crc32(bytes) == static_cast<std::uint32_t>(crc)) return {};
  return fail(Code::Damaged, fmt::format("{}: row {} contradicts its checksum", table, id));
}

IntentRow take_intent(const sqlite::Statement& row) {
  IntentRow intent;
  intent.id = row.integer(0);
  intent.instrument = static_cast<InstrumentId>(row.integer(1));
  intent.created = Timestamp{row.integer(2)};
  intent.expires = Timestamp{row.integer(3)};
  intent.quantity = row.real(4);
  intent.limit = Price::from_nanos(row.integer(5));
  intent.expected_value = row.real(6);
  intent.state = row.text(7);
  intent.reason = row.text(8);
  return intent;
}

template <class Row, class Take>
Result<std::vector<Row>> read_all(const sqlite::Database& database, std::string_view table, const char* sql, int crc,
                                  const Take& take) {
  EL_TRY(sqlite::Statement select, database.prepare(sql));
  std::vector<Row> rows;
  for (;;) {
    EL_TRY(const bool found, select.step());
    if (!found) return rows;
    Row row = take(select);
    EL_CHECK(check(table, select.integer(0), canonical(row), select.integer(crc)));
    rows.push_back(std::move(row));
  }
}

}  // namespace

Result<std::int64_t> Journal::append(IntentRow row) {
  EL_TRY(row.id, database_->integer("SELECT coalesce(max(id), 0) + 1 FROM intent"));
  EL_TRY(sqlite::Statement insert, database_->prepare("INSERT INTO intent VALUES(?,?,?,?,?,?,?,?,?,?)"));
  EL_CHECK(insert.run(row.id, static_cast<std::uint32_t>(row.instrument), row.created.us(), row.expires.us(),
                      row.quantity, row.limit.nanos(), row.expected_value, row.state, row.reason,
                      crc32(canonical(row))));
  return row.id;
}

Result<void> Journal::update_intent(std::int64_t id, const std::string& state, const std::string& reason) {
  EL_TRY(sqlite::Statement select, database_->prepare(fmt::format("{} WHERE id = ?", kSelectIntents)));
  EL_CHECK(select.bind(id));
  EL_TRY(const bool found, select.step());
  if (!found) return fail(Code::NotFound, fmt::format("intent {} does not exist", id));
  IntentRow row = take_intent(select);
  EL_CHECK(check("intent", id, canonical(row), select.integer(9)));
  select.reset();
  row.state = state;
  row.reason = reason;
  EL_TRY(sqlite::Statement update, database_->prepare("UPDATE intent SET state = ?, reason = ?, crc = ? WHERE id = ?"));
  return update.run(row.state, row.reason, crc32(canonical(row)), id);
}

Result<std::int64_t> Journal::append(VerdictRow row) {
  EL_TRY(row.id, database_->integer("SELECT coalesce(max(id), 0) + 1 FROM verdict"));
  EL_TRY(sqlite::Statement insert, database_->prepare("INSERT INTO verdict VALUES(?,?,?,?,?,?,?,?,?)"));
  EL_CHECK(insert.run(row.id, row.target, row.bundle, row.champion_before, row.as_of.us(), row.outcome, row.reason,
                      row.json, crc32(canonical(row))));
  return row.id;
}

Result<void> Journal::append(const FillRow& row) {
  EL_TRY(const std::int64_t id, database_->integer("SELECT coalesce(max(id), 0) + 1 FROM fill"));
  EL_TRY(sqlite::Statement insert, database_->prepare("INSERT INTO fill VALUES(?,?,?,?,?,?,?,?,?)"));
  return insert.run(id, row.intent, static_cast<std::uint32_t>(row.instrument), row.event_time.us(), row.quantity,
                    row.price.nanos(), row.cost, row.reason, crc32(canonical(row)));
}

Result<void> Journal::append(const EquityRow& row) {
  EL_TRY(sqlite::Statement insert, database_->prepare("INSERT INTO equity VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING"));
  const std::uint32_t crc = crc32(canonical(row));
  EL_CHECK(insert.run(row.event_time.us(), row.equity, row.baseline_equity, row.costs, crc));
  if (database_->changes() == 1) return {};
  EL_TRY(const std::int64_t there,
         database_->integer(fmt::format("SELECT crc FROM equity WHERE event_time = {}", row.event_time.us())));
  if (there == crc) return {};
  return fail(Code::Damaged, fmt::format("equity: {} written twice with other values", row.event_time.iso()));
}

Result<void> Journal::note(Timestamp at, const std::string& kind, const std::string& text) {
  EL_TRY(const std::int64_t id, database_->integer("SELECT coalesce(max(id), 0) + 1 FROM note"));
  EL_TRY(sqlite::Statement insert, database_->prepare("INSERT INTO note VALUES(?,?,?,?,?)"));
  return insert.run(id, at.us(), kind, text, crc32(canonical(Store::Note{at, kind, text})));
}

Result<std::vector<IntentRow>> Journal::intents() const {
  return read_all<IntentRow>(*database_, "intent", fmt::format("{} ORDER BY id", kSelectIntents).c_str(), 9,
                             take_intent);
}

Result<std::vector<FillRow>> Journal::fills() const {
  return read_all<FillRow>(*database_, "fill", kSelectFills, 8, [](const sqlite::Statement& row) {
    return FillRow{.intent = row.integer(1),
                   .instrument = static_cast<InstrumentId>(row.integer(2)),
                   .event_time = Timestamp{row.integer(3)},
                   .quantity = row.real(4),
                   .price = Price::from_nanos(row.integer(5)),
                   .cost = row.real(6),
                   .reason = std::string{row.text(7)}};
  });
}

Result<std::vector<VerdictRow>> Journal::verdicts() const {
  return read_all<VerdictRow>(*database_, "verdict", kSelectVerdicts, 8, [](const sqlite::Statement& row) {
    return VerdictRow{.id = row.integer(0),
                      .target = static_cast<std::uint16_t>(row.integer(1)),
                      .bundle = std::string{row.text(2)},
                      .champion_before = std::string{row.text(3)},
                      .as_of = Timestamp{row.integer(4)},
                      .outcome = std::string{row.text(5)},
                      .reason = std::string{row.text(6)},
                      .json = std::string{row.text(7)}};
  });
}

Result<std::vector<EquityRow>> Journal::equity() const {
  return read_all<EquityRow>(*database_, "equity", kSelectEquity, 4, [](const sqlite::Statement& row) {
    return EquityRow{Timestamp{row.integer(0)}, row.real(1), row.real(2), row.real(3)};
  });
}

Result<std::vector<Store::Note>> Journal::notes() const {
  return read_all<Store::Note>(*database_, "note", kSelectNotes, 4, [](const sqlite::Statement& row) {
    return Store::Note{Timestamp{row.integer(1)}, std::string{row.text(2)}, std::string{row.text(3)}};
  });
}

}  // namespace everlearn
