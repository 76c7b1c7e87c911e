#include "app/source_examination.hpp"

#include <fmt/format.h>

#include "app/live_source.hpp"
#include "app/report/words.hpp"
#include "app/status.hpp"
#include "core/bytes.hpp"
#include "io/file_table.hpp"
#include "io/postgres_diagnosis.hpp"
#include "io/table_form.hpp"
#include "io/venue_diagnosis.hpp"

namespace everlearn {
namespace {

/// What a source needs of the world, and nothing that changes it.
struct Outside {
  SystemClock clock;
  Rng rng{1};
  SystemFs fs;
  SystemProc proc;
  World world{clock, rng, fs, proc};
};

Finding finding(const DiagnosisStep& step) {
  const Health health = step.result == DiagnosisStep::Result::Ok     ? Health::Ok
                        : step.result == DiagnosisStep::Result::Warn ? Health::Warn
                                                                     : Health::Fail;
  return {health, step.what, step.text};
}

Finding examine_file(Fs& fs, const TableOptions& options) {
  const auto summary = [&]() -> Result<std::string> {
    EL_TRY(const auto table, open_file_table(fs, options));
    EL_TRY(const auto view, table->look());
    EL_TRY(const auto form, TableForm::make(options, table->name(), view->columns()));
    EL_TRY(const auto newest, view->newest(form->plan()));
    return fmt::format("{}: {}; newest row {}", options.table, form->summary(), newest ? newest->iso() : "none");
  }();
  if (!summary) return {Health::Fail, "table", summary.error().message};
  return {Health::Ok, "table", *summary};
}

/// An outcome that is filled in after the rows are read no more is never heard of.
std::vector<Finding> short_lookback(const Profile& profile) {
  for (const TargetProfile& target : profile.targets) {
    const Duration wanted = target.label.horizon + target.label.tolerance;
    if (target.label.kind == LabelKind::Column && profile.table.lookback < wanted)
      return {{Health::Warn, "lookback",
               fmt::format("source.lookback {} ends before target.{}'s horizon and tolerance of {}: an outcome that is "
                           "filled in then is not seen",
                           profile.table.lookback.text(), target.name, wanted.text())}};
  }
  return {};
}

Finding rows_waiting(const Profile& profile, DataDirectory* data) {
  Outside outside;
  Instruments instruments;
  const auto count = [&]() -> Result<SourceReport> {
    EL_TRY(const auto calendar, make_calendar(profile.calendar));
    RecordingOptions recording;
    recording.calendar = calendar.get();
    EL_TRY(const auto source, open_live_source(outside.world, profile, {}, recording, instruments));
    if (data != nullptr) {
      EL_TRY(const auto checkpoint, data->store().checkpoint());
      if (checkpoint) {
        ByteReader in{*checkpoint};  // docs/formats/checkpoint-v1.md: the version, then the input's position
        (void)in.u32();
        EL_CHECK(source->seek(in.text()));
      }
    }
    for (;;) {
      EL_TRY(const auto event, source->next());
      if (!event) break;
    }
    return source->report();
  }();
  if (!count) return {Health::Fail, "next run", count.error().message};
  if (!count->trouble.empty()) return {Health::Fail, "next run", "cannot be read now: " + count->trouble};
  std::string text = fmt::format("would read {} new {}", grouped(count->rows), count->rows == 1 ? "row" : "rows");
  if (count->late > 0) text += fmt::format(", {} of them late", grouped(count->late));
  if (count->corrected > 0) text += fmt::format(", {} corrected", grouped(count->corrected));
  for (const auto& [reason, rows] : count->refused)
    text += fmt::format("; {} set aside: {}", some(rows, "row"), reason);
  return {count->refused.empty() ? Health::Ok : Health::Warn, "next run", text};
}

std::vector<Finding> examine_venue(const Profile& profile, bool offline) {
  std::vector<Finding> findings;
  const VenueOptions options = venue_options(profile, {});
  if (offline)
    findings.push_back(
        {Health::Ok, "venue",
         fmt::format("{}, {} and {} are not asked: --dry-run", options.gamma, options.clob, options.socket)});
  else
    for (const DiagnosisStep& step : diagnose_venue(options, SystemClock{}.now())) findings.push_back(finding(step));
  for (const DiagnosisStep& step : diagnose_venue_limits(options)) findings.push_back(finding(step));
  return findings;
}

}  // namespace

std::vector<Finding> examine_source(const Profile& profile, bool offline) {
  if (profile.table.kind == SourceKind::Files) return {};
  if (profile.table.kind == SourceKind::Venue) return examine_venue(profile, offline);
  const auto calendar = make_calendar(profile.calendar);
  if (!calendar) return {{Health::Fail, "source", calendar.error().message}};
  RecordingOptions recording;
  recording.calendar = calendar->get();
  const TableOptions options = table_options(profile, recording);
  if (options.kind == SourceKind::TableFile) {
    SystemFs fs;
    return {examine_file(fs, options)};
  }
  std::vector<Finding> findings = short_lookback(profile);
  for (const DiagnosisStep& step : diagnose_postgres(options, SystemClock{}.now())) findings.push_back(finding(step));
  return findings;
}

std::vector<Finding> examine_next_run(const Profile& profile, DataDirectory* data, bool reads) {
  std::vector<Finding> findings;
  // A venue keeps no rows for us: what it says counts when it says it.
  const bool table = profile.table.kind != SourceKind::Files && profile.table.kind != SourceKind::Venue;
  if (reads && table) findings.push_back(rows_waiting(profile, data));
  if (data == nullptr) {
    findings.push_back({Health::Ok, "next run", "would be the first: no model serves, and none is tuned"});
    return findings;
  }
  const auto status = make_status(*data);
  if (!status) {
    findings.push_back({Health::Fail, "next run", status.error().message});
    return findings;
  }
  std::string text =
      fmt::format("learning is {}", status->progress.learning.empty() ? "about to begin" : status->progress.learning);
  if (!status->progress.stream.empty()) text += fmt::format("; the {} stream serves", status->progress.stream);
  if (status->next_training)
    text += fmt::format("; next base training {}", status->next_training->iso().substr(0, 16) + "Z");
  findings.push_back({Health::Ok, "next run", text});
  return findings;
}

}  // namespace everlearn
