#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

#include "app/cli/command.hpp"
#include "app/cli/progress_bar.hpp"
#include "app/cli/recording_flags.hpp"
#include "app/cli/signal_flags.hpp"
#include "app/report/report.hpp"
#include "app/simulation.hpp"
#include "core/json.hpp"
#include "core/system_fs.hpp"

namespace everlearn::cli {
namespace {

struct SimulateOptions {
  CommonOptions common;
  RecordingFlags recording;
  SignalFlags signal;
  bool fresh = false;
  std::string html;
  std::string source;
  std::string speed = "max";
};

Result<void> run(const SimulateOptions& options, RecordingOptions recording, Config config) {
  SystemFs fs;
  SimulationRequest request;
  request.data_directory = data_directory(options.common, config.profile);
  if (options.source.empty() == recording.inputs.empty()) return fail(Code::Usage, "give either --input or --source");
  if (!options.source.empty() && (recording.from || recording.to))
    return fail(Code::Usage, "--from and --to are for recordings; a table is read whole");
  request.source = options.source;
  request.recording = std::move(recording);
  request.trainer = beside_us("everlearn-train");
  request.fresh = options.fresh;
  request.config = std::move(config);
  {
    ProgressBar bar;
    request.on_progress = [&bar](const Progress& progress) { bar.show(progress); };
    EL_TRY(const SimulationResult result, simulate(request));
    if (result.was_finished)
      fmt::print(stderr, "this simulation is done: here is its report again (--fresh starts over)\n");
    for (const auto& [reason, rows] : result.source.refused)
      fmt::print(stderr, "{} row{} set aside: {} (see {}/quarantine/input)\n", rows, rows == 1 ? "" : "s", reason,
                 request.data_directory);
  }
  EL_TRY(const Report report, make_report(request.data_directory, request.config));
  const std::string page = options.html.empty() ? request.data_directory + "/report.html" : options.html;
  EL_CHECK(replace_file(fs, page, report_html(report)));
  if (options.common.json) {
    EL_TRY(const std::string pretty, json_pretty(report_json(report)));
    fmt::print("{}\n", pretty);
  } else {
    fmt::print("{}\nThe same with pictures: {}\n", report_text(report), page);
  }
  return {};
}

}  // namespace

void add_simulate(Verbs& verbs) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* verb = verbs.app.add_subcommand("simulate", "the whole loop on a virtual clock over recordings");
  add_common(*verb, options->common);
  options->recording.add_to(*verb, false);
  verb->add_option("--source", options->source,
                   "in place of recordings: db, the profile's table; or a CSV or Parquet file with its columns");
  add_signal_flags(*verb, options->signal);
  verb->add_flag("--fresh", options->fresh, "start over; what the directory holds moves to its quarantine/");
  verb->add_option("--html", options->html, "where the report with pictures goes (default: DIR/report.html)");
  verb->add_option("--speed", options->speed, "max: as fast as the machine goes")->check(CLI::IsMember({"max"}));
  verbs.runs[verb] = [options]() -> Result<void> {
    EL_TRY(Config config, load_config(with_flags(options->common, options->signal)));
    EL_TRY(RecordingOptions recording, options->recording.options());
    return run(*options, std::move(recording), std::move(config));
  };
}

void add_demo(Verbs& verbs) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* verb = verbs.app.add_subcommand("demo", "the whole loop on the recordings that bootstrap unpacked");
  add_common(*verb, options->common);
  verb->add_flag("--fresh", options->fresh, "start over; what the directory holds moves to its quarantine/");
  verb->add_option("--html", options->html, "where the report with pictures goes (default: DIR/report.html)");
  verbs.runs[verb] = [options]() -> Result<void> {
    if (options->common.profile.empty()) options->common.profile = "demo";
    EL_TRY(Config config, load_config(options->common));
    EL_TRY(const std::string root, recordings_root());
    RecordingOptions recording;
    for (const std::string& input : config.profile.inputs) recording.inputs.push_back(root + "/" + input);
    if (recording.inputs.empty())
      return fail(Code::Config, fmt::format("profile {} names no source.inputs to replay", config.profile.name));
    return run(*options, std::move(recording), std::move(config));
  };
}

}  // namespace everlearn::cli
