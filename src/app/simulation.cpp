#include "app/simulation.hpp"

#include <fmt/format.h>

#include <set>

#include "app/data_directory.hpp"
#include "app/live_source.hpp"
#include "app/row_schema.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/lock.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "io/recording.hpp"

namespace everlearn {
namespace {

// Settings that change how a result is computed but not what it is: a directory may go on with others.
const std::set<std::string, std::less<>> kMeansOnly{"source.connection",
                                                    "source.connect_timeout",
                                                    "source.query_timeout",
                                                    "source.batch_rows",
                                                    "source.poll",
                                                    "train.threads",
                                                    "train.memory_mb",
                                                    "train.wall",
                                                    "source.inputs",
                                                    "source.limits",
                                                    "title",
                                                    "alert.min_severity",
                                                    "alert.telegram.token",
                                                    "alert.telegram.chat",
                                                    "alert.telegram.api"};

std::string settings_fingerprint(const Config& config) {
  std::string text;
  for (const Setting& setting : config.settings)
    if (!kMeansOnly.contains(setting.key)) text += setting.key + "=" + setting.value + "\n";
  return sha256_hex(text);
}

// By content, so that a copy under another name is the same input.
Result<std::string> input_fingerprint(Fs& fs, const RecordingOptions& recording) {
  std::set<std::string> parts;
  std::vector<std::string> waiting = recording.inputs;
  while (!waiting.empty()) {
    const std::string path = waiting.back();
    waiting.pop_back();
    if (const auto entries = fs.list(path)) {
      for (const DirectoryEntry& entry : *entries) waiting.push_back(path + "/" + entry.name);
      continue;
    }
    EL_TRY(const auto file, fs.open(path));
    Sha256Stream hash;
    std::vector<char> block(1 << 20);
    for (std::uint64_t offset = 0; offset < file->size();) {
      EL_TRY(const std::size_t n, file->read_at(offset, block));
      if (n == 0) break;
      hash.add({block.data(), n});
      offset += n;
    }
    parts.insert(hex(hash.finish()));
  }
  std::string text;
  for (const std::string& part : parts) text += part + "\n";
  for (const auto& [ours, theirs] : recording.columns) text += ours + "=" + theirs + "\n";
  text += fmt::format("{}|{}|{}|{}|{}|{}|{}|{}\n", recording.time_zone.value_or(""), recording.time_unit.value_or(""),
                      recording.bar_stamp_start, recording.symbol_from_file, recording.symbol,
                      recording.bar_length.value_or(Duration{}).us(), recording.from.value_or(Timestamp::min()).us(),
                      recording.to.value_or(Timestamp::max()).us());
  return sha256_hex(text);
}

// A file by its content, a database by its name: what it holds is not ours to fix.
Result<std::string> table_fingerprint(Fs& fs, const Profile& profile, const SimulationRequest& request) {
  RecordingOptions recording = request.recording;
  recording.inputs.clear();
  if (fs.exists(request.source)) recording.inputs = {request.source};
  EL_TRY(const std::string contents, input_fingerprint(fs, recording));
  if (!recording.inputs.empty()) return contents;
  return sha256_hex(contents + live_source_name(profile, request.source, recording));
}

// Starting over deletes nothing: the old contents move aside.
Result<void> set_aside(Fs& fs, const std::string& directory, Timestamp now) {
  EL_TRY(const auto entries, fs.list(directory));
  std::string aside;
  for (const DirectoryEntry& entry : entries) {
    if (entry.name == "lock" || entry.name == "quarantine") continue;
    if (aside.empty()) {
      aside = fmt::format("{}/quarantine/before-fresh-{}", directory, now.us());
      EL_CHECK(fs.make_directories(aside));
    }
    EL_CHECK(fs.rename(directory + "/" + entry.name, aside + "/" + entry.name));
  }
  return {};
}

Result<void> remember(Store& store, const std::string& key, const std::string& value, const std::string& what) {
  EL_TRY(const auto before, store.state(key));
  if (!before) return store.put_state(key, value);
  if (*before == value) return {};
  return fail(Code::Config,
              fmt::format("this data directory was started with another {}; give --fresh to start over, or "
                          "another --data",
                          what));
}

std::string lines(const std::vector<std::string>& items) { return fmt::format("{}", fmt::join(items, "\n")); }

std::string source_json(const SourceReport& report) {
  return JsonOut{}
      .put("inputs", report.inputs)
      .put("time_unit", report.time_unit)
      .put("rows", report.rows)
      .put("refused", report.refused)
      .text();
}

Result<SourceReport> source_from(const std::string& text) {
  EL_TRY(JsonIn in, JsonIn::parse(text));
  SourceReport report;
  in.get("inputs", report.inputs);
  in.get("time_unit", report.time_unit);
  in.get("rows", report.rows);
  in.get("refused", report.refused);
  EL_CHECK(in.finish("source report"));
  return report;
}

}  // namespace

Result<SimulationResult> simulate(const SimulationRequest& request) {
  const Profile& profile = request.config.profile;
  const std::string& directory = request.data_directory;
  SystemFs fs;
  SystemProc proc;
  ManualClock clock;
  Rng rng = Rng::named(profile.seed, "engine");
  const World world{clock, rng, fs, proc};

  EL_TRY(const auto calendar, make_calendar(profile.calendar));
  EL_CHECK(fs.make_directories(directory));
  EL_TRY(const auto lock, DirectoryLock::take(directory));
  if (request.fresh) EL_CHECK(set_aside(fs, directory, SystemClock{}.now()));
  EL_CHECK(fs.make_directories(directory + "/models"));
  EL_TRY(const auto store, Store::open(world, directory, profile.store));

  std::vector<std::string> targets;
  for (const TargetProfile& target : profile.targets) targets.push_back(target.name);
  EL_TRY(const RowSchema schema, RowSchema::make(profile));
  const bool is_table = !request.source.empty();
  EL_TRY(const std::string input,
         is_table ? table_fingerprint(fs, profile, request) : input_fingerprint(fs, request.recording));
  EL_CHECK(remember(*store, "profile", profile.name, "profile"));
  EL_CHECK(remember(*store, "settings", settings_fingerprint(request.config), "set of settings"));
  EL_CHECK(remember(*store, "input", input, "input"));
  EL_CHECK(keep_settings(fs, directory, request.config));
  EL_CHECK(store->put_state("targets", lines(targets)));
  EL_CHECK(store->put_state("columns", lines(schema.columns())));
  EL_CHECK(store->commit_state());

  SimulationResult result;
  EL_TRY(const auto saved, store->state("progress"));
  EL_TRY(const auto saved_source, store->state("source"));
  if (saved && saved_source) {
    EL_TRY(result.progress, Progress::from_json(*saved));
    EL_TRY(result.source, source_from(*saved_source));
    if (result.progress.finished) {
      result.was_finished = true;
      return result;
    }
  }

  Instruments instruments;
  RecordingOptions recording = request.recording;
  recording.calendar = calendar.get();
  recording.delay = profile.source_delay;
  recording.context = profile.context;
  recording.probability = profile.probability;
  recording.quarantine_dir = directory + "/quarantine/input";
  if (profile.table.kind == SourceKind::Venue) recording.venue = venue_options(profile, recording).rules;
  // A recording is read again from its beginning; a table goes on where it was.
  if (!is_table || !saved) EL_CHECK(fs.remove_tree(recording.quarantine_dir));
  EL_TRY(const auto source, is_table ? open_whole_source(world, profile, request.source, recording, instruments)
                                     : open_recording(world, recording, instruments));
  result.source = source->report();
  EL_CHECK(store->put_state("source", source_json(result.source)));

  EL_TRY(const auto engine, Engine::make(world, profile, *calendar, *store, *source, instruments,
                                         {.data_directory = directory,
                                          .trainer = request.trainer,
                                          .virtual_clock = &clock,
                                          .on_progress = request.on_progress}));
  EL_CHECK(engine->run_to_end());
  result.progress = engine->progress();
  if (is_table || recording.venue) {  // only now it is known
    result.source = source->report();
    EL_CHECK(store->put_state("source", source_json(result.source)));
    EL_CHECK(store->commit_state());
  }
  return result;
}

}  // namespace everlearn
