#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/fs.hpp"
#include "io/bar_times.hpp"
#include "io/input_files.hpp"
#include "io/quarantine.hpp"
#include "io/recorded.hpp"
#include "io/recording_options.hpp"
#include "io/table_reader.hpp"
#include "market/source.hpp"

namespace everlearn {

/// Reads and checks all inputs of one recording. Use once.
class RecordingLoader {
 public:
  RecordingLoader(Fs& fs, const RecordingOptions& options);
  /// Fills `report`. Errors: as open_recording().
  Result<Recorded> load(SourceReport& report);

 private:
  class RowJudge;
  struct NameHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const { return std::hash<std::string_view>{}(name); }
  };

  Result<void> load_table(std::uint32_t file, FileForm form);
  Result<void> load_prices(std::uint32_t file, TableReader& table, RowReader& rows);
  Result<void> load_bars(std::uint32_t file, TableReader& table, RowReader& rows);
  Result<void> load_book_events(std::uint32_t file, TableReader& table, RowReader& rows);
  Result<void> load_messages(std::uint32_t file);
  Result<void> place_bars(std::uint32_t file, std::size_t first_series, BarTimes& times);
  Result<void> refuse_late(std::vector<LateRefusal> late);
  Result<void> check_context() const;

  /// Finds, or adds `first` as its first row describes it.
  std::uint32_t instrument(std::string_view name, std::uint32_t file, RecordedInstrument&& first);
  Series& series_of(std::uint32_t instrument, std::uint32_t file);
  void note_time_unit(const std::string& unit);

  Fs& fs_;
  const RecordingOptions& options_;
  std::vector<InputFile> files_;
  Recorded recorded_;
  Quarantine quarantine_;
  std::vector<std::string> time_units_;
  std::int64_t good_rows_ = 0;
  std::unordered_map<std::string, std::uint32_t, NameHash, std::equal_to<>> by_name_;  // look-up only
  std::map<std::pair<std::uint32_t, std::uint32_t>, Series*> series_by_key_;           // (file, instrument)
};

}  // namespace everlearn
