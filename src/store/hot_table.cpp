#include "store/hot_table.hpp"

#include <fmt/format.h>

namespace everlearn {

Result<HotTable> HotTable::open(const sqlite::Database& database, Dataset dataset) {
  const std::string_view name = dataset_name(dataset);
  EL_TRY(
      sqlite::Statement insert,
      database.prepare(fmt::format("INSERT INTO hot_{}(seq, instrument, event_time, kind, ordinal, known_at, payload, "
                                   "crc) VALUES(?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING",
                                   name)));
  EL_TRY(sqlite::Statement find,
         database.prepare(fmt::format("SELECT seq, instrument, event_time, kind, ordinal, known_at, payload, crc FROM "
                                      "hot_{} WHERE instrument = ? AND event_time = ? AND ordinal = ? AND kind = ?",
                                      name)));
  EL_TRY(sqlite::Statement sequence, database.prepare("UPDATE sequence SET next_seq = ? WHERE dataset = ?"));
  HotTable table{database, dataset, std::move(insert), std::move(find), std::move(sequence)};
  EL_CHECK(table.reload());
  return table;
}

Result<void> HotTable::reload() {
  const std::string_view name = dataset_name(dataset_);
  EL_TRY(next_seq_, database_->integer(
                        fmt::format("SELECT next_seq FROM sequence WHERE dataset = {}", static_cast<int>(dataset_))));
  saved_seq_ = next_seq_;
  EL_TRY(sqlite::Statement count, database_->prepare(fmt::format(
                                      "SELECT count(*), min(seq), max(seq), sum(length(payload)) FROM hot_{}", name)));
  EL_TRY([[maybe_unused]] const bool found, count.step());
  const std::int64_t rows = count.integer(0);
  first_seq_ = next_seq_ - rows;
  if (rows > 0 && (count.integer(1) != first_seq_ || count.integer(2) != next_seq_ - 1))
    return fail(Code::Damaged, fmt::format("{}: {} hot rows from {} to {}, expected them to end at {}", name, rows,
                                           count.integer(1), count.integer(2), next_seq_ - 1));
  payload_bytes_ = static_cast<std::uint64_t>(count.integer(3));
  return {};
}

Result<Record> HotTable::take(const sqlite::Statement& row) const {
  Record record;
  record.instrument = static_cast<InstrumentId>(row.integer(1));
  record.event_time = Timestamp{row.integer(2)};
  record.kind = row.text(3);
  record.ordinal = static_cast<std::uint32_t>(row.integer(4));
  record.known_at = Timestamp{row.integer(5)};
  record.payload = row.blob(6);
  if (record.crc(dataset_) != static_cast<std::uint32_t>(row.integer(7)))
    return fail(Code::Damaged,
                fmt::format("{}: row {} contradicts its checksum", dataset_name(dataset_), row.integer(0)));
  return record;
}

Result<bool> HotTable::append(const Record& record) {
  EL_CHECK(insert_.run(next_seq_, static_cast<std::uint32_t>(record.instrument), record.event_time.us(), record.kind,
                       record.ordinal, record.known_at.us(), sqlite::Blob{record.payload}, record.crc(dataset_)));
  if (database_->changes() == 1) {
    ++next_seq_;
    payload_bytes_ += record.payload.size();
    return true;
  }
  EL_CHECK(
      find_.bind(static_cast<std::uint32_t>(record.instrument), record.event_time.us(), record.ordinal, record.kind));
  const auto same = [&]() -> Result<bool> {
    EL_TRY(const bool found, find_.step());
    if (!found)
      return fail(Code::Damaged, fmt::format("{}: {} is in the way of its own insertion, but cannot be read",
                                             dataset_name(dataset_), record.key_text(dataset_)));
    EL_TRY(const Record there, take(find_));
    return there == record;
  }();
  find_.reset();
  EL_TRY(const bool equal, same);
  if (!equal)
    return fail(Code::Damaged, fmt::format("{}: {} written twice with other bytes", dataset_name(dataset_),
                                           record.key_text(dataset_)));
  return false;
}

Result<void> HotTable::read(std::int64_t first, std::int64_t last,
                            const std::function<Result<bool>(std::int64_t seq, const Record&)>& row) const {
  if (first > last) return {};
  EL_TRY(sqlite::Statement select, database_->prepare(fmt::format(
                                       "SELECT seq, instrument, event_time, kind, ordinal, known_at, payload, crc FROM "
                                       "hot_{} WHERE seq BETWEEN ? AND ? ORDER BY seq",
                                       dataset_name(dataset_))));
  EL_CHECK(select.bind(first, last));
  for (std::int64_t seq = first; seq <= last; ++seq) {
    EL_TRY(const bool found, select.step());
    if (!found || select.integer(0) != seq)
      return fail(Code::Damaged, fmt::format("{}: row {} is missing", dataset_name(dataset_), seq));
    EL_TRY(const Record record, take(select));
    EL_TRY(const bool more, row(seq, record));
    if (!more) return {};
  }
  return {};
}

Result<void> HotTable::erase(std::int64_t first, std::int64_t last) {
  const std::string_view name = dataset_name(dataset_);
  EL_TRY(const std::int64_t bytes,
         database_->integer(
             fmt::format("SELECT sum(length(payload)) FROM hot_{} WHERE seq BETWEEN {} AND {}", name, first, last)));
  EL_TRY(sqlite::Statement remove,
         database_->prepare(fmt::format("DELETE FROM hot_{} WHERE seq BETWEEN ? AND ?", name)));
  EL_CHECK(remove.run(first, last));
  if (first != first_seq_ || database_->changes() != last - first + 1)
    return fail(Code::Damaged,
                fmt::format("{}: {} of the rows {} to {} are there", name, database_->changes(), first, last));
  first_seq_ = last + 1;
  payload_bytes_ -= static_cast<std::uint64_t>(bytes);
  return {};
}

Result<void> HotTable::save_sequence() {
  if (saved_seq_ == next_seq_) return {};
  EL_CHECK(sequence_.run(next_seq_, static_cast<int>(dataset_)));
  saved_seq_ = next_seq_;
  return {};
}

Result<Timestamp> HotTable::first_known() const {
  EL_TRY(const std::int64_t us, database_->integer(fmt::format("SELECT known_at FROM hot_{} WHERE seq = {}",
                                                               dataset_name(dataset_), first_seq_)));
  return Timestamp{us};
}

}  // namespace everlearn
