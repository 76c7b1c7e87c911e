#include "app/live_source.hpp"

#include <fmt/format.h>

#include "io/file_table.hpp"
#include "io/postgres_table.hpp"
#include "io/table_source.hpp"
#include "io/tail_source.hpp"
#include "io/venue_source.hpp"

namespace everlearn {
namespace {

constexpr const char* kDatabase = "db";

enum class Input { Grows, Database, File, Venue };

struct Choice {
  Input input = Input::Grows;
  std::string path;  // of a file
};

Result<Choice> choose(const Profile& profile, const std::string& source_flag, const RecordingOptions& recording) {
  const SourceKind kind = profile.table.kind;
  if (source_flag == kDatabase) return Choice{Input::Database, {}};
  const bool grows = kind == SourceKind::Files || kind == SourceKind::Venue;
  if (!source_flag.empty()) return Choice{grows ? Input::Grows : Input::File, source_flag};
  if (!recording.inputs.empty()) return Choice{Input::Grows, recording.inputs.front()};
  if (kind == SourceKind::Postgres) return Choice{Input::Database, {}};
  if (kind == SourceKind::Venue) return Choice{Input::Venue, {}};
  if (kind == SourceKind::TableFile) {
    if (profile.table.table.empty())
      return fail(Code::Config, "source.kind is table_file, but source.table does not say which file");
    return Choice{Input::File, profile.table.table};
  }
  return fail(Code::Usage, fmt::format("which input? Profile {} names no table: give --input FILE or --source db|FILE",
                                       profile.name));
}

Result<std::unique_ptr<LiveTable>> open_live_table(Fs& fs, const TableOptions& options) {
  return options.kind == SourceKind::Postgres ? open_postgres_table(options) : open_file_table(fs, options);
}

TableOptions chosen_options(const Profile& profile, const RecordingOptions& recording, const Choice& choice) {
  TableOptions options = table_options(profile, recording);
  options.kind = choice.input == Input::Database ? SourceKind::Postgres : SourceKind::TableFile;
  if (choice.input == Input::File) options.table = choice.path;
  return options;
}

Result<std::unique_ptr<Source>> open_chosen(World world, const TableOptions& options, Instruments& instruments) {
  if (options.kind == SourceKind::Postgres && options.connection.empty())
    return fail(Code::Config,
                "no connection string: set EVERLEARN__SOURCE__CONNECTION, or the older name that the profile has for "
                "source.connection under [env]; it may also stand in .env or be file:PATH");
  EL_TRY(auto table, open_live_table(world.fs, options));
  return open_table(world, options, std::move(table), instruments);
}

}  // namespace

TableOptions table_options(const Profile& profile, const RecordingOptions& recording) {
  TableOptions options = profile.table;
  // A file that stands in for the table must name its instrument alike.
  if (options.symbol.empty()) options.symbol = options.short_name();
  if (!recording.symbol.empty()) options.symbol = recording.symbol;
  if (recording.time_zone) options.time_zone = recording.time_zone;
  if (recording.time_unit) options.time_unit = recording.time_unit;
  if (recording.bar_length) options.bar_length = recording.bar_length;
  if (!recording.bar_stamp_start) options.bar_stamp_start = false;
  for (const auto& [ours, theirs] : recording.columns) options.columns.insert_or_assign(ours, theirs);
  options.delay = profile.source_delay;
  options.probability = profile.probability;
  options.context = profile.context;
  options.calendar = recording.calendar;
  options.quarantine_dir = recording.quarantine_dir;
  options.strict = recording.strict;
  return options;
}

VenueOptions venue_options(const Profile& profile, const RecordingOptions& recording) {
  VenueOptions options = profile.venue;
  const LabelSpec& label = profile.targets[acting_target(profile)].label;
  if (label.horizon.us() > 0) options.rules.horizon = label.horizon;
  options.rules.linger = options.rules.horizon + label.tolerance;
  if (profile.dense_every.us() > 0) options.rules.past_step = profile.dense_every;
  options.rules.fields = profile.table.fields;
  options.quarantine_dir = recording.quarantine_dir;
  return options;
}

Result<std::unique_ptr<Source>> open_live_source(World world, const Profile& profile, const std::string& source_flag,
                                                 const RecordingOptions& recording, Instruments& instruments,
                                                 const VenueRun& venue) {
  EL_TRY(const Choice choice, choose(profile, source_flag, recording));
  if (choice.input != Input::Venue && !venue.record.empty())
    return fail(Code::Usage, fmt::format("--record {}: only what a venue tells can be recorded", venue.record));
  if (choice.input == Input::Venue) {
    VenueSourceOptions options;
    options.feed.venue = venue_options(profile, recording);
    if (profile.dense_every.us() > 0) options.feed.dense_every = profile.dense_every;
    if (profile.cycle.us() > 0) options.feed.poll_every = profile.cycle;
    options.feed.speed = venue.speed;
    options.feed.seed = profile.seed;
    options.record = venue.record;
    return open_venue(world, options, instruments);
  }
  if (choice.input == Input::Grows) {
    RecordingOptions options = recording;
    options.inputs = {choice.path};
    return open_tail(world, options, instruments);
  }
  return open_chosen(world, chosen_options(profile, recording, choice), instruments);
}

Result<std::unique_ptr<Source>> open_whole_source(World world, const Profile& profile, const std::string& source_flag,
                                                  const RecordingOptions& recording, Instruments& instruments) {
  EL_TRY(const Choice choice, choose(profile, source_flag, recording));
  if (choice.input == Input::Grows || choice.input == Input::Venue)
    return fail(Code::Usage, fmt::format("--source {}: profile {} reads no table; --input takes recordings",
                                         source_flag, profile.name));
  TableOptions options = chosen_options(profile, recording, choice);
  options.whole = true;
  options.lookback = {};
  return open_chosen(world, options, instruments);
}

std::string live_source_name(const Profile& profile, const std::string& source_flag,
                             const RecordingOptions& recording) {
  const auto choice = choose(profile, source_flag, recording);
  if (!choice) return "nothing";
  if (choice->input == Input::Venue) return profile.venue.socket;
  if (choice->input != Input::Database) return choice->path;
  const auto table = open_postgres_table(chosen_options(profile, recording, *choice));
  return table ? (*table)->name() : "the database";
}

}  // namespace everlearn
