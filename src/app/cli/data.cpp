#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "app/by_hand.hpp"
#include "app/cli/command.hpp"
#include "app/cli/recording_flags.hpp"
#include "app/dataset_export.hpp"
#include "app/recording_import.hpp"
#include "app/report/words.hpp"
#include "app/retention.hpp"
#include "core/json.hpp"
#include "store/record.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  std::string dataset, format, out, from, to;
  bool dry_run = false, confirm = false;
  std::size_t most = 20;
  RecordingFlags recording;
};

std::optional<std::string> iso_or_none(const std::optional<Timestamp>& t) {
  return t ? std::optional{t->iso()} : std::nullopt;
}

/// A simulation's directory is judged as the simulation was: without a look at the disk.
Result<LakeCap> cap_of(DataDirectory& directory) {
  std::optional<std::uint64_t> free;
  if (!directory.simulated() && directory.profile().retention_free_share > 0) {
    EL_TRY(free, directory.fs().free_bytes(directory.path()));
  }
  return lake_cap(directory.profile(), directory.store(), free);
}

std::string days_text(double days) {
  return days < 730 ? fmt::format("{} days", grouped(static_cast<std::int64_t>(days)))
                    : fmt::format("{:.1f} years", days / 365.25);
}

/// "it grows by 1.2 MB a day (the last 7 days); the cap is reached in 300 days; after 1 year ..., after 3 years ..."
std::string forecast_text(const DiskForecast& forecast, const LakeCap& cap) {
  if (forecast.measured.us() == 0) return "nothing to measure a growth by";
  const auto bytes = [](double n) { return bytes_of(static_cast<std::uint64_t>(n)); };
  std::string text = fmt::format("it grows by {} a day (the last {}); ", bytes(forecast.per_day),
                                 span_of(forecast.measured.as_seconds()));
  if (cap.bytes == 0)
    text += "no cap";
  else if (!forecast.days_to_cap)
    text += fmt::format("the cap, {}, is never reached", bytes_of(cap.bytes));
  else
    text += fmt::format("the cap, {}, is {}", bytes_of(cap.bytes),
                        *forecast.days_to_cap == 0 ? "reached" : "reached in " + days_text(*forecast.days_to_cap));
  return text + fmt::format("; after 1 year {}, after 3 years {}", bytes(forecast.after_one_year),
                            bytes(forecast.after_three_years));
}

Result<void> stats(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const auto datasets, directory->store().stats());
  EL_TRY(const LakeCap cap, cap_of(*directory));
  EL_TRY(const DiskForecast forecast, forecast_disk(directory->store(), directory->profile(), cap, directory->now()));
  const Coverage& coverage = directory->store().coverage();
  if (options.common.json) {
    std::vector<std::string> all;
    for (const DatasetStats& dataset : datasets)
      all.push_back(JsonOut{}
                        .put("dataset", dataset_name(dataset.dataset))
                        .put("rows", dataset.hot_rows + dataset.sealed_rows)
                        .put("hot_rows", dataset.hot_rows)
                        .put("sealed_rows", dataset.sealed_rows)
                        .put("segments", dataset.segments)
                        .put("sealed_bytes", dataset.sealed_bytes)
                        .put("first", iso_or_none(dataset.first_event))
                        .put("last", iso_or_none(dataset.last_event))
                        .text());
    return print_json(JsonOut{}
                          .put("directory", directory->path())
                          .put_list("datasets", all)
                          .put("bytes_on_disk", directory->store().bytes_on_disk())
                          .put("lake_bytes", forecast.lake)
                          .put("growth_bytes_per_day", forecast.per_day)
                          .put("growth_measured_seconds", forecast.measured.as_seconds())
                          .put("retention", retention_words(directory->profile(), cap))
                          .put("cap_bytes", cap.bytes)
                          .put("days_to_cap", forecast.days_to_cap)
                          .put("bytes_after_1_year", forecast.after_one_year)
                          .put("bytes_after_3_years", forecast.after_three_years)
                          .put("streams", static_cast<std::int64_t>(coverage.streams().size()))
                          .put("points", coverage.points())
                          .put("gaps", static_cast<std::int64_t>(coverage.gaps().size()))
                          .text());
  }
  std::vector<std::vector<std::string>> rows{
      {"dataset", "rows", "of them hot", "segments", "sealed", "bytes/row", "first", "last"}};
  for (const DatasetStats& d : datasets)
    rows.push_back(
        {std::string{dataset_name(d.dataset)}, grouped(d.hot_rows + d.sealed_rows), grouped(d.hot_rows),
         grouped(d.segments), bytes_of(d.sealed_bytes),
         d.sealed_rows > 0 ? figure(static_cast<double>(d.sealed_bytes) / static_cast<double>(d.sealed_rows), 1) : "",
         d.first_event ? d.first_event->iso().substr(0, 16) : "",
         d.last_event ? d.last_event->iso().substr(0, 16) : ""});
  fmt::print("{}\n{} on disk; {}, {} points, {}\n", table_text(rows), bytes_of(directory->store().bytes_on_disk()),
             some(std::ssize(coverage.streams()), "stream"), grouped(coverage.points()),
             some(std::ssize(coverage.gaps()), "gap"));
  fmt::print("{} sealed in the lake; {}\nretention: {}\n", bytes_of(forecast.lake), forecast_text(forecast, cap),
             retention_words(directory->profile(), cap));
  return {};
}

/// "price history, 2026-01-03T13:00", or that it is not.
std::string filled_text(const Gap& gap) {
  if (gap.open()) return "no";
  return gap.filled_from + (gap.filled_at ? ", " + gap.filled_at->iso().substr(0, 16) : "");
}

Result<void> gaps(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  std::vector<Gap> all = directory->store().coverage().gaps();
  std::stable_sort(all.begin(), all.end(),
                   [](const Gap& a, const Gap& b) { return a.end - a.start > b.end - b.start; });
  if (options.common.json) {
    std::vector<std::string> list;
    for (const Gap& gap : all)
      list.push_back(JsonOut{}
                         .put("instrument", directory->instrument(gap.instrument))
                         .put("start", gap.start.iso())
                         .put("end", gap.end.iso())
                         .put("seconds", (gap.end - gap.start).as_seconds())
                         .put("reason", gap.reason)
                         .put("filled_from", gap.filled_from)
                         .put("filled_at", iso_or_none(gap.filled_at))
                         .text());
    return print_json(JsonOut{}
                          .put("gaps", static_cast<std::int64_t>(all.size()))
                          .put("open", static_cast<std::int64_t>(std::ranges::count_if(all, &Gap::open)))
                          .put_list("longest_first", list)
                          .text());
  }
  std::vector<std::vector<std::string>> rows{
      {"instrument", "last point before", "first after", "length", "reason", "filled"}};
  for (std::size_t i = 0; i < std::min(all.size(), options.most); ++i)
    rows.push_back({directory->instrument(all[i].instrument), all[i].start.iso().substr(0, 16),
                    all[i].end.iso().substr(0, 16), span_of((all[i].end - all[i].start).as_seconds()), all[i].reason,
                    filled_text(all[i])});
  fmt::print("{}, {} not filled", some(std::ssize(all), "gap"), grouped(std::ranges::count_if(all, &Gap::open)));
  if (!all.empty()) fmt::print(", the longest {}:\n\n{}", rows.size() - 1, table_text(rows));
  fmt::print("\n");
  return {};
}

// A running daemon fills holes by itself; this shows what is open, and asks it to look now.
Result<void> backfill(const Options& options) {
  EL_TRY(const Place place, find_place(options.common));
  EL_TRY(const std::string said, carry_out({"backfill", {}}, place.directory, place.config));
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  std::vector<Gap> open;
  double filled = 0;
  for (const Gap& gap : directory->store().coverage().gaps()) {
    if (gap.open())
      open.push_back(gap);
    else
      filled += (gap.end - gap.start).as_seconds();
  }
  std::ranges::stable_sort(open, std::greater<>{}, [](const Gap& gap) { return gap.end - gap.start; });
  if (options.common.json) {
    std::vector<std::string> list;
    for (const Gap& gap : open)
      list.push_back(JsonOut{}
                         .put("instrument", directory->instrument(gap.instrument))
                         .put("start", gap.start.iso())
                         .put("end", gap.end.iso())
                         .put("seconds", (gap.end - gap.start).as_seconds())
                         .put("reason", gap.reason)
                         .text());
    return print_json(
        JsonOut{}.put("text", said).put("filled_seconds", filled).put_list("open_longest_first", list).text());
  }
  fmt::print("{}\n{} not filled; {} of silence were filled\n", said, some(std::ssize(open), "gap"), span_of(filled));
  std::vector<std::vector<std::string>> rows{{"instrument", "last point before", "first after", "length", "reason"}};
  for (std::size_t i = 0; i < std::min(open.size(), options.most); ++i)
    rows.push_back({directory->instrument(open[i].instrument), open[i].start.iso().substr(0, 16),
                    open[i].end.iso().substr(0, 16), span_of((open[i].end - open[i].start).as_seconds()),
                    open[i].reason});
  if (!open.empty()) fmt::print("\n{}\n", table_text(rows));
  return {};
}

Result<void> export_data(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  TimeRange range;
  EL_TRY(const auto from, parse_moment("--from", options.from));
  EL_TRY(const auto to, parse_moment("--to", options.to));
  if (from) range.from = *from;
  if (to) range.to = *to;
  const auto format = options.format == "parquet" ? TableFileFormat::Parquet : TableFileFormat::Csv;
  EL_TRY(const std::int64_t rows, export_dataset(*directory, options.dataset, range, options.out, format));
  if (options.common.json)
    return print_json(JsonOut{}.put("dataset", options.dataset).put("rows", rows).put("file", options.out).text());
  fmt::print("{} of {} in {}\n", some(rows, "row"), options.dataset, options.out);
  return {};
}

Result<void> import_data(const Options& options) {
  EL_TRY(Place place, find_place(options.common));
  EL_TRY(RecordingOptions recording, options.recording.options());
  EL_TRY(const auto directory,
         DataDirectory::open(place.directory, std::move(place.config), DataDirectory::Access::Create));
  EL_TRY(const ImportResult result, import_recording(*directory, std::move(recording)));
  if (options.common.json)
    return print_json(JsonOut{}
                          .put("inputs", result.source.inputs)
                          .put("time_unit", result.source.time_unit)
                          .put("events", result.events)
                          .put("new_rows", result.new_rows)
                          .put("new_instruments", result.new_instruments)
                          .put("refused", result.source.refused)
                          .text());
  fmt::print("{} read (times: {}), {} new, {} new\n", some(result.events, "event"), result.source.time_unit,
             some(result.new_rows, "row"), some(result.new_instruments, "instrument"));
  for (const auto& [reason, rows] : result.source.refused)
    fmt::print(stderr, "{} set aside: {} (see {}/quarantine/import)\n", some(rows, "row"), reason, directory->path());
  return {};
}

Result<void> verify(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const auto wrong, directory->store().verify());
  if (options.common.json) {
    EL_CHECK(print_json(JsonOut{}.put("good", wrong.empty()).put("wrong", wrong).text()));
  } else {
    for (const std::string& line : wrong) fmt::print("{}\n", line);
    if (wrong.empty()) fmt::print("every stored row agrees with its checksum\n");
  }
  if (!wrong.empty())
    return fail(Code::Damaged, fmt::format("{}: {}", directory->path(), some(std::ssize(wrong), "contradiction")));
  return {};
}

Result<void> retain(const Options& options) {
  if (options.dry_run == options.confirm)
    return fail(Code::Usage, "data retain: say --dry-run (what would go) or --confirm (delete it now)");
  const auto access = options.confirm ? DataDirectory::Access::Change : DataDirectory::Access::Read;
  EL_TRY(const auto directory, open_directory(options.common, access));
  const Profile& profile = directory->profile();
  Store& store = directory->store();
  const Timestamp now = directory->now();
  EL_TRY(const LakeCap cap, cap_of(*directory));
  const Timestamp keep_from = profile.retention.us() > 0 ? now - profile.retention : Timestamp::min();
  EL_TRY(const auto plan, store.plan_retention(keep_from, cap.bytes));
  std::vector<std::string> names;
  for (const Segment& segment : plan.segments) names.push_back(segment.path);
  if (options.confirm) {
    // The mark that a person has seen this setting: the engine deletes by it from now on.
    EL_CHECK(store.put_state("retention", retention_setting(profile)));
    EL_CHECK(store.commit_state());
    EL_CHECK(store.retain(plan, now));
  }
  const std::string rule = retention_words(profile, cap);
  if (options.common.json)
    return print_json(JsonOut{}
                          .put("rule", rule)
                          .put("deleted", options.confirm)
                          .put("segments", names)
                          .put("rows", plan.rows)
                          .put("rows_total", plan.rows_total)
                          .put("bytes", plan.bytes)
                          .put("bytes_total", plan.bytes_total)
                          .text());
  fmt::print("rule: {} (as of {})\n{} {}: {} of {}, {} of {}\n", rule, now.date(),
             options.confirm ? "deleted" : "would delete", some(std::ssize(plan.segments), "segment"),
             grouped(plan.rows), some(plan.rows_total, "row"), bytes_of(plan.bytes), bytes_of(plan.bytes_total));
  for (const std::string& name : names) fmt::print("  {}\n", name);
  return {};
}

}  // namespace

void add_data(Verbs& verbs) {
  CLI::App* data = verbs.app.add_subcommand("data", "what is stored");
  data->require_subcommand(1);
  const auto add = [&](const char* name, const char* what, Result<void> (*run)(const Options&)) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = data->add_subcommand(name, what);
    add_common(*verb, options->common);
    verbs.runs[verb] = [options, run] { return run(*options); };
    return std::pair{verb, options};
  };
  add("stats", "rows, segments and bytes of each dataset", stats);
  {
    const auto [verb, options] = add("gaps", "silences longer than expected, the longest first", gaps);
    verb->add_option("--most", options->most, "how many to show (--json shows all)");
  }
  {
    const auto [verb, options] =
        add("backfill", "what is not filled, and a running daemon looks for it at once", backfill);
    verb->add_option("--most", options->most, "how many to show (--json shows all)");
  }
  {
    const auto [verb, options] = add("export", "a dataset as a table for other programs", export_data);
    verb->add_option("--dataset", options->dataset, fmt::format("{}", fmt::join(export_datasets(), ", ")))->required();
    options->format = "csv";
    verb->add_option("--format", options->format, "csv or parquet")->check(CLI::IsMember({"csv", "parquet"}));
    verb->add_option("--out", options->out, "the file")->required();
    verb->add_option("--from", options->from, "first time, RFC 3339 or a date (UTC)");
    verb->add_option("--to", options->to, "end, not included");
  }
  {
    const auto [verb, options] = add("import", "store recordings; twice is once", import_data);
    options->recording.add_to(*verb, true);
  }
  add("verify", "read everything again, against its checksums", verify);
  {
    const auto [verb, options] = add("retain", "delete by the retention rule", retain);
    verb->add_flag("--dry-run", options->dry_run, "say what would go");
    verb->add_flag("--confirm", options->confirm, "delete it, also after a changed setting");
  }
}

}  // namespace everlearn::cli
