#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <utility>

#include "app/cli/command.hpp"
#include "app/cli/recording_flags.hpp"
#include "app/cli/signal_flags.hpp"
#include "app/daemon.hpp"
#include "core/system_fs.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  RecordingFlags recording;
  SignalFlags signal;
  std::string source;
  bool live = false, quiet = false;
};

Result<void> run(const Options& options) {
  if (options.live) return fail(Code::Config, "live trading is not built; no order was sent");
  EL_TRY(Place place, live_place(with_flags(options.common, options.signal)));
  LiveRequest request;
  EL_TRY(request.recording, options.recording.options());
  if (request.recording.from || request.recording.to)
    return fail(Code::Usage, "--from and --to are for recordings; the daemon takes what comes");
  request.source = options.source;
  request.config = std::move(place.config);
  request.data_directory = std::move(place.directory);
  request.trainer = beside_us("everlearn-train");
  request.console = !options.quiet;
  return run_daemon(std::move(request));
}

}  // namespace

void add_run(Verbs& verbs) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = verbs.app.add_subcommand(
      "run", "the daemon on the real clock, over a table or a CSV that is being appended to; on paper");
  add_common(*verb, options->common);
  verb->add_option("--source", options->source,
                   "db: the profile's Postgres table; or a file with its columns, or one "
                   "that grows");
  options->recording.add_to(*verb, false);
  add_signal_flags(*verb, options->signal);
  verb->add_flag("--live", options->live, "trade for real: refused, it is not built");
  verb->add_flag("--quiet", options->quiet, "log to the file only");
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
