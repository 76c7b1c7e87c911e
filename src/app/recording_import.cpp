#include "app/recording_import.hpp"

#include <fmt/format.h>

#include "app/cycle_grid.hpp"
#include "app/event_keeper.hpp"
#include "io/recording.hpp"
#include "market/event_codec.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kRowsOfACommit = 50'000;
constexpr const char* kImported = "imported instruments";

// Ids are given once: those of an engine that ran here, then those of earlier imports.
Result<Instruments> known_instruments(const DataDirectory& directory) {
  Instruments table;
  for (const std::string& name : directory.instruments()) table.intern(name);
  EL_TRY(const auto saved, directory.store().state(kImported));
  if (!saved) return table;
  ByteReader in{*saved};
  EL_TRY(const Instruments before, Instruments::decode(in));
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Instrument& from = before[InstrumentId{static_cast<std::uint32_t>(i)}];
    table.edit(table.intern(from.name)) = from;
  }
  return table;
}

Result<void> name_instruments(Store& store, const Instruments& instruments) {
  std::string names;
  for (std::size_t i = 0; i < instruments.size(); ++i)
    names += instruments[InstrumentId{static_cast<std::uint32_t>(i)}].name + "\n";
  ByteWriter table;
  instruments.encode(table);
  EL_CHECK(store.put_state("instruments", names));
  return store.put_state(kImported, table.take());
}

Result<std::int64_t> rows_of(const Store& store) {
  EL_TRY(const auto stats, store.stats());
  std::int64_t rows = 0;
  for (const DatasetStats& dataset : stats) rows += dataset.hot_rows + dataset.sealed_rows;
  return rows;
}

}  // namespace

Result<ImportResult> import_recording(DataDirectory& directory, RecordingOptions recording) {
  const Profile& profile = directory.profile();
  Store& store = directory.store();
  EL_TRY(Instruments instruments, known_instruments(directory));
  const std::size_t known_before = instruments.size();
  EL_TRY(const std::int64_t rows_before, rows_of(store));
  recording.calendar = &directory.calendar();
  recording.delay = profile.source_delay;
  recording.context = profile.context;
  recording.probability = profile.probability;
  recording.quarantine_dir = directory.path() + "/quarantine/import";
  EL_TRY(const auto source, open_recording(directory.world(), recording, instruments));

  const CycleGrid grid{profile.cycle, directory.calendar()};
  ImportResult result;
  EventKeeper keeper{store, profile.store_events};
  while (true) {
    EL_TRY(const auto event, source->next());
    if (!event) break;
    note_coverage(store.coverage(), profile, directory.calendar(), grid, *event);
    if (const auto kept = keeper.keep(*event); !kept) {
      if (kept.error().code != Code::Damaged) return tl::unexpected<Error>(kept.error());
      return fail(Code::Config, fmt::format("{}: {}; what was imported before this row is kept",
                                            instruments[event->instrument].name, kept.error().message));
    }
    if (++result.events % kRowsOfACommit != 0) continue;
    EL_CHECK(name_instruments(store, instruments));
    EL_CHECK(store.commit_state());
    EL_CHECK(store.seal_due(event->known_at));
  }
  EL_CHECK(name_instruments(store, instruments));
  EL_CHECK(store.put_state("profile", profile.name));
  EL_CHECK(store.note(directory.now(), "import",
                      fmt::format("{} events of {}", result.events, fmt::join(source->report().inputs, ", "))));
  EL_CHECK(store.commit_state());
  if (!directory.fs().exists(kept_settings_path(directory.path())))
    EL_CHECK(keep_settings(directory.fs(), directory.path(), directory.config()));
  result.source = source->report();
  result.new_instruments = static_cast<std::int64_t>(instruments.size() - known_before);
  EL_TRY(const std::int64_t rows_after, rows_of(store));
  result.new_rows = rows_after - rows_before;
  return result;
}

}  // namespace everlearn
