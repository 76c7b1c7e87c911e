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
  bool live = false, quiet = false;
};

// Without --profile a directory goes on with the settings it has; with one, these are the new ones.
Result<Place> place_of(const CommonOptions& options) {
  if (options.profile.empty()) return find_place(options);
  Place place;
  EL_TRY(place.config, load_config(options));
  place.directory = data_directory(options, place.config.profile);
  return place;
}

Result<void> run(const Options& options) {
  if (options.live) return fail(Code::Config, "live trading is not built; no order was sent");
  EL_TRY(Place place, place_of(with_flags(options.common, options.signal)));
  LiveRequest request;
  EL_TRY(request.recording, options.recording.options());
  if (request.recording.from || request.recording.to)
    return fail(Code::Usage, "--from and --to are for recordings; the daemon takes what comes");
  request.config = std::move(place.config);
  request.data_directory = std::move(place.directory);
  request.trainer = beside_us("everlearn-train");
  request.console = !options.quiet;
  return run_daemon(std::move(request));
}

}  // namespace

void add_run(Verbs& verbs) {
  auto options = std::make_shared<Options>();
  CLI::App* verb =
      verbs.app.add_subcommand("run", "the daemon on the real clock, over a CSV that is being appended to; on paper");
  add_common(*verb, options->common);
  options->recording.add_to(*verb, true);
  add_signal_flags(*verb, options->signal);
  verb->add_flag("--live", options->live, "trade for real: refused, it is not built");
  verb->add_flag("--quiet", options->quiet, "log to the file only");
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
