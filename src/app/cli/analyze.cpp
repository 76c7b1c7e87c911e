#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <utility>

#include "app/analysis.hpp"
#include "app/cli/command.hpp"
#include "app/cli/recording_flags.hpp"
#include "app/cli/signal_flags.hpp"
#include "app/state_place.hpp"
#include "core/json.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  RecordingFlags recording;
  SignalFlags signals;
  std::string source, state, now, lease = "15m";
  std::optional<std::int64_t> snapshot;
  bool train = true, verbose = false;
};

Result<LiveRequest> live_request(const Options& options, ManualClock& replayed) {
  LiveRequest request;
  EL_TRY(Place place, live_place(with_flags(options.common, options.signals)));
  EL_TRY(request.recording, options.recording.options());
  if (request.recording.from || request.recording.to)
    return fail(Code::Usage, "--from and --to are for recordings; a run takes what there is");
  request.source = options.source;
  request.config = std::move(place.config);
  request.data_directory = std::move(place.directory);
  request.trainer = beside_us("everlearn-train");
  request.console = options.verbose;
  request.trains = options.train;
  EL_TRY(const auto now, parse_moment("--now", options.now));
  if (now) {
    replayed.set(*now);
    request.clock = &replayed;
  }
  return request;
}

Result<void> say(const Options& options, const Analysis& run, const std::optional<StateRun>& state) {
  if (!options.common.json) {
    fmt::print("{}", run.text());
    if (state) fmt::print("{:<10} {}\n", "State", state->text(options.state));
    return {};
  }
  if (!state) return print_json(run.to_json());
  return print_json(JsonOut{}.put_json("run", run.to_json()).put_json("state", state->to_json(options.state)).text());
}

Result<void> run(const Options& options) {
  ManualClock replayed;
  EL_TRY(LiveRequest live, live_request(options, replayed));
  const auto lease = Duration::parse(options.lease);
  if (!lease || lease->us() <= 0)
    return fail(Code::Usage, fmt::format("--lease {}: wanted a duration such as 15m", options.lease));
  EL_TRY(StopSignals signals, StopSignals::take());
  std::optional<Analysis> done;
  std::optional<StateRun> state;
  const auto work = [&](const std::function<Result<void>()>& keep) -> Result<void> {
    EL_TRY(done, analyze({.live = live, .signals = &signals, .keep = keep}));
    return {};
  };
  auto ran = options.state.empty() ? work({}) : [&]() -> Result<void> {
    StateRequest request;
    request.place = options.state;
    request.environment = process_environment();
    request.data_directory = live.data_directory;
    request.snapshot = options.snapshot;
    request.lease = *lease;
    return run_in_state(request, work, &state.emplace());
  }();
  if (done) EL_CHECK(say(options, *done, state));
  EL_CHECK(ran);
  if (done->stopped) return fail(Code::Unavailable, "ended by a signal; what was done is kept");
  if (!done->source.trouble.empty()) return fail(Code::Unavailable, done->source.trouble);
  return {};
}

}  // namespace

void add_analyze(Verbs& verbs) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = verbs.app.add_subcommand("analyze", "one run of the loop, for cron and CI schedulers; on paper");
  add_common(*verb, options->common);
  verb->add_option("--source", options->source,
                   "db: the profile's Postgres table; or a file with its columns, or one "
                   "that grows");
  options->recording.add_to(*verb, false);
  add_signal_flags(*verb, options->signals);
  auto* state = verb->add_option("--state", options->state,
                                 "where the state lies between runs: a directory, or s3://bucket/prefix");
  verb->add_option("--snapshot", options->snapshot, "of the state: go on from an older one")->needs(state);
  verb->add_option("--lease", options->lease, "how long others wait for a run of this state that died (default: 15m)")
      ->needs(state);
  verb->add_flag("--train,!--no-train", options->train, "a due base training runs in this run, or is left to another");
  verb->add_option("--now", options->now, "a clock that stands at this time: to replay runs; no alerts are sent");
  verb->add_flag("--verbose", options->verbose, "log on stderr too");
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
