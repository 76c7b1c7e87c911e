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
  double clock_speed = 1;
  std::string clock_anchor;
  std::string record;
};

// "REAL,VIRTUAL"
Result<ClockAnchor> parse_anchor(const std::string& text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string::npos)
    return fail(Code::Usage, fmt::format("--clock-anchor {}: not REAL,VIRTUAL, two RFC 3339 times", text));
  ClockAnchor anchor;
  EL_TRY(anchor.real, Timestamp::parse(text.substr(0, comma)));
  EL_TRY(anchor.shown, Timestamp::parse(text.substr(comma + 1)));
  return anchor;
}

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
  if (!options.clock_anchor.empty()) {
    EL_TRY(request.clock_anchor, parse_anchor(options.clock_anchor));
  } else if (options.clock_speed != 1) {
    const Timestamp now = SystemClock{}.now();
    request.clock_anchor = ClockAnchor{now, now};
  }
  request.clock_speed = options.clock_speed;
  request.record = options.record;
  return run_daemon(std::move(request));
}

}  // namespace

void add_run(Verbs& verbs) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = verbs.app.add_subcommand(
      "run", "the daemon on the real clock, over a venue, a table or a CSV that is being appended to; on paper");
  add_common(*verb, options->common);
  verb->add_option("--source", options->source,
                   "db: the profile's Postgres table; or a file with its columns, or one "
                   "that grows");
  options->recording.add_to(*verb, false);
  add_signal_flags(*verb, options->signal);
  verb->add_option("--record", options->record,
                   "a venue: append all that comes from it to FILE, one JSON line each; simulate --input reads it");
  verb->add_flag("--live", options->live, "trade for real: refused, it is not built");
  verb->add_option("--clock-speed", options->clock_speed,
                   "for tests against a venue that runs alike: time runs so many times faster, and no alert is sent")
      ->check(CLI::Range(0.01, 1e6));
  verb->add_option("--clock-anchor", options->clock_anchor,
                   "REAL,VIRTUAL, two RFC 3339 times: the clock shows VIRTUAL at REAL (default: now, now)");
  verb->add_flag("--quiet", options->quiet, "log to the file only");
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
