// Reading everything again: each file against its SHA-256, page checksums and row hash, each hot row and state row
// against its CRC, and SQLite's own structure.
#include <fmt/format.h>

#include "store/store_impl.hpp"

namespace everlearn {
namespace {

template <class Row>
Result<void> check_rows(const CatalogueEntry& entry, const std::string& bytes) {
  RowsHash hash;
  std::int64_t rows = 0;
  EL_CHECK(read_lake_rows<Row>(entry.segment.path, bytes, {}, [&](std::int64_t seq, const Row& row) -> Result<bool> {
    hash.add(kDatasetOf<Row>, seq, to_record(row));
    ++rows;
    return true;
  }));
  if (rows != entry.segment.rows || hash.finish() != entry.rows_hash)
    return fail(Code::Damaged, fmt::format("{}: its rows are not those that were sealed", entry.segment.path));
  return {};
}

Result<void> check_segment(Fs& fs, const std::string& path, const CatalogueEntry& entry) {
  EL_TRY(const std::string bytes, load_lake_file(fs, path, entry.segment.sha256));
  switch (entry.segment.dataset) {
    case Dataset::Prices:
      return check_rows<PriceRow>(entry, bytes);
    case Dataset::Events:
      return check_rows<EventRow>(entry, bytes);
    case Dataset::Examples:
      return check_rows<ExampleRow>(entry, bytes);
    case Dataset::Labels:
      return check_rows<LabelRow>(entry, bytes);
    case Dataset::Predictions:
      return check_rows<PredictionRow>(entry, bytes);
  }
  return fail(Code::Damaged, fmt::format("{}: no such dataset", entry.segment.path));
}

}  // namespace

Result<std::vector<std::string>> StoreImpl::verify() const {
  std::vector<std::string> wrong;
  const auto report = [&](const auto& result) {
    if (!result) wrong.push_back(result.error().message);
  };

  EL_TRY(const std::string structure, database_.text("PRAGMA integrity_check(1)"));
  if (structure != "ok") wrong.push_back(fmt::format("everlearn.db: {}", structure));
  report(Catalogue::load(database_));
  for (const Dataset dataset : kDatasets) {
    const HotTable& table = hot(dataset);
    report(table.read(table.first_seq(), table.next_seq() - 1,
                      [](std::int64_t, const Record&) -> Result<bool> { return true; }));
    for (const CatalogueEntry& entry : catalogue_.entries(dataset))
      if (!entry.retired) report(check_segment(fs_, path_of(entry.segment), entry));
  }
  report(checkpoint());
  report(base());
  report(scan_inputs([](std::string_view) -> Result<void> { return {}; }));
  report(intents());
  report(fills());
  report(verdicts());
  report(equity());
  report(notes());
  report(alerts());
  report(deliveries());
  EL_TRY(sqlite::Statement keys, database_.prepare("SELECT key FROM state ORDER BY key"));
  for (;;) {
    EL_TRY(const bool found, keys.step());
    if (!found) break;
    const auto value = state(std::string{keys.text(0)});
    report(value);
    if (keys.text(0) != "coverage" || !value || !*value) continue;
    ByteReader in{**value};
    report(Coverage::decode_streams(in, {}));
  }
  return wrong;
}

}  // namespace everlearn
