#include "store/catalogue.hpp"

#include <fmt/format.h>

#include "core/bytes.hpp"

namespace everlearn {
namespace {

std::string chain_start(Dataset dataset) {
  return sha256_hex(fmt::format("everlearn lake v1 {}", dataset_name(dataset)));
}

std::string next_link(const std::string& before, const Segment& segment, const std::string& rows_hash) {
  ByteWriter out;
  out.text(before);
  out.i64(segment.id);
  out.text(segment.path);
  out.text(segment.sha256);
  out.i64(segment.rows);
  out.u64(segment.bytes);
  out.i64(segment.first_seq);
  out.i64(segment.last_seq);
  out.time(segment.first_event);
  out.time(segment.last_event);
  out.time(segment.last_known);
  out.text(rows_hash);
  return sha256_hex(out.bytes());
}

}  // namespace

Result<Catalogue> Catalogue::load(const sqlite::Database& database) {
  Catalogue catalogue;
  EL_TRY(sqlite::Statement select,
         database.prepare("SELECT s.id, s.dataset, s.path, s.sha256, s.rows, s.bytes, s.first_seq, s.last_seq, "
                          "s.first_event, s.last_event, s.last_known, s.rows_hash, s.chain, r.chain "
                          "FROM segment s LEFT JOIN retired r ON r.segment = s.id ORDER BY s.dataset, s.first_seq"));
  for (;;) {
    EL_TRY(const bool found, select.step());
    if (!found) return catalogue;
    CatalogueEntry entry;
    Segment& segment = entry.segment;
    segment.id = select.integer(0);
    const std::int64_t dataset = select.integer(1);
    if (dataset < 0 || dataset >= static_cast<std::int64_t>(kDatasets.size()))
      return fail(Code::Damaged, fmt::format("catalogue: segment {} of dataset {}", segment.id, dataset));
    segment.dataset = static_cast<Dataset>(dataset);
    segment.path = select.text(2);
    segment.sha256 = select.text(3);
    segment.rows = select.integer(4);
    segment.bytes = static_cast<std::uint64_t>(select.integer(5));
    segment.first_seq = select.integer(6);
    segment.last_seq = select.integer(7);
    segment.first_event = Timestamp{select.integer(8)};
    segment.last_event = Timestamp{select.integer(9)};
    segment.last_known = Timestamp{select.integer(10)};
    entry.rows_hash = select.text(11);
    entry.chain = select.text(12);
    entry.retired = !select.is_null(13);

    auto& entries = catalogue.entries_[static_cast<std::size_t>(dataset)];
    const std::string before = entries.empty() ? chain_start(segment.dataset) : entries.back().chain;
    if (segment.first_seq != catalogue.next_seq(segment.dataset) ||
        segment.rows != segment.last_seq - segment.first_seq + 1 ||
        entry.chain != next_link(before, segment, entry.rows_hash) || (entry.retired && select.text(13) != entry.chain))
      return fail(Code::Damaged,
                  fmt::format("catalogue: segment {} ({}, rows {} to {}) does not continue its chain", segment.path,
                              dataset_name(segment.dataset), segment.first_seq, segment.last_seq));
    entries.push_back(std::move(entry));
  }
}

std::vector<Segment> Catalogue::segments(Dataset dataset) const {
  std::vector<Segment> segments;
  for (const CatalogueEntry& entry : entries(dataset))
    if (!entry.retired) segments.push_back(entry.segment);
  return segments;
}

std::int64_t Catalogue::next_seq(Dataset dataset) const {
  return entries(dataset).empty() ? 1 : entries(dataset).back().segment.last_seq + 1;
}

std::uint64_t Catalogue::bytes() const {
  std::uint64_t sum = 0;
  for (const auto& entries : entries_)
    for (const CatalogueEntry& entry : entries)
      if (!entry.retired) sum += entry.segment.bytes;
  return sum;
}

Result<Segment> Catalogue::add(const sqlite::Database& database, Segment segment, const std::string& rows_hash) {
  EL_TRY(segment.id, database.integer("SELECT coalesce(max(id), 0) + 1 FROM segment"));
  auto& entries = entries_[static_cast<std::size_t>(segment.dataset)];
  const std::string before = entries.empty() ? chain_start(segment.dataset) : entries.back().chain;
  CatalogueEntry entry{segment, rows_hash, next_link(before, segment, rows_hash), false};
  EL_TRY(sqlite::Statement insert, database.prepare("INSERT INTO segment VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  EL_CHECK(insert.run(segment.id, static_cast<int>(segment.dataset), segment.path, segment.sha256, segment.rows,
                      segment.bytes, segment.first_seq, segment.last_seq, segment.first_event.us(),
                      segment.last_event.us(), segment.last_known.us(), rows_hash, entry.chain));
  entries.push_back(std::move(entry));
  return segment;
}

Result<void> Catalogue::retire(const sqlite::Database& database, std::int64_t segment, Timestamp at) {
  for (auto& entries : entries_) {
    for (CatalogueEntry& entry : entries) {
      if (entry.segment.id != segment) continue;
      if (entry.retired) return fail(Code::NotFound, fmt::format("segment {} is deleted already", segment));
      EL_TRY(sqlite::Statement insert, database.prepare("INSERT INTO retired VALUES(?,?,?)"));
      EL_CHECK(insert.run(segment, at.us(), entry.chain));
      entry.retired = true;
      return {};
    }
  }
  return fail(Code::NotFound, fmt::format("segment {} is not in the catalogue", segment));
}

std::size_t SealedUntil::Hash::operator()(const Stream& stream) const {
  const auto& [instrument, kind, target] = stream;
  return std::hash<std::string>{}(kind)*31 + (static_cast<std::size_t>(instrument) << 16) + target;
}

SealedUntil::Stream SealedUntil::stream_of(Dataset dataset, const Record& record) {
  // An event's ordinal only tells apart what happened at one time.
  const std::uint32_t target = dataset == Dataset::Events ? 0 : record.ordinal;
  return {static_cast<std::uint32_t>(record.instrument), record.kind, target};
}

Result<SealedUntil> SealedUntil::load(const sqlite::Database& database) {
  SealedUntil until;
  EL_TRY(sqlite::Statement select,
         database.prepare("SELECT dataset, instrument, kind, target, event_time FROM sealed_until"));
  for (;;) {
    EL_TRY(const bool found, select.step());
    if (!found) return until;
    const std::int64_t dataset = select.integer(0);
    if (dataset < 0 || dataset >= static_cast<std::int64_t>(kDatasets.size()))
      return fail(Code::Damaged, fmt::format("sealed_until: dataset {}", dataset));
    until.latest_[static_cast<std::size_t>(dataset)]
                 [{static_cast<std::uint32_t>(select.integer(1)), std::string{select.text(2)},
                   static_cast<std::uint32_t>(select.integer(3))}] = Timestamp{select.integer(4)};
  }
}

bool SealedUntil::may_hold(Dataset dataset, const Record& record) const {
  const auto& latest = latest_[static_cast<std::size_t>(dataset)];
  if (latest.empty()) return false;
  const auto found = latest.find(stream_of(dataset, record));
  return found != latest.end() && record.event_time <= found->second;
}

Result<void> SealedUntil::raise(const sqlite::Database& database, Dataset dataset,
                                const std::map<Stream, Timestamp>& latest) {
  EL_TRY(sqlite::Statement upsert,
         database.prepare("INSERT INTO sealed_until VALUES(?,?,?,?,?) ON CONFLICT DO UPDATE SET event_time = "
                          "max(event_time, excluded.event_time)"));
  for (const auto& [stream, time] : latest) {
    const auto& [instrument, kind, target] = stream;
    EL_CHECK(upsert.run(static_cast<int>(dataset), instrument, kind, target, time.us()));
    Timestamp& known = latest_[static_cast<std::size_t>(dataset)].try_emplace(stream, time).first->second;
    known = std::max(known, time);
  }
  return {};
}

}  // namespace everlearn
