// everlearn-venue: the recorded venue on a port of loopback.
#include <cstdio>
#include <exception>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "core/scaled_clock.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "venue/desk.hpp"
#include "venue/scenario.hpp"
#include "venue/server.hpp"

namespace everlearn::venue {
namespace {

struct Arguments {
  std::string data, scenario, port_file, anchor, log;
  std::vector<std::string> recordings;
  std::optional<std::size_t> markets;
  std::optional<std::uint64_t> seed;
  std::uint16_t port = 0;
  double speed = 1;
  bool log_frames = false;
};

// "REAL,VIRTUAL", two RFC 3339 times.
Result<ClockAnchor> read_anchor(const std::string& text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string::npos) return fail(Code::Usage, fmt::format("--anchor '{}': must be REAL,VIRTUAL", text));
  EL_TRY(const Timestamp real, Timestamp::parse(text.substr(0, comma)));
  EL_TRY(const Timestamp shown, Timestamp::parse(text.substr(comma + 1)));
  return ClockAnchor{real, shown};
}

Result<void> serve(const Arguments& arguments) {
  SystemFs fs;
  const SystemClock real;
  Scenario scenario;
  if (!arguments.scenario.empty()) {
    EL_TRY(const std::string text, read_file(fs, arguments.scenario));
    EL_TRY(scenario, read_scenario(text));
  }
  VenueSetup& setup = scenario.setup;
  setup.data = arguments.data;
  if (setup.recordings.empty()) setup.recordings = {"price_history_10m"};
  if (!arguments.recordings.empty()) setup.recordings = arguments.recordings;
  if (arguments.markets) setup.markets = *arguments.markets;
  if (arguments.seed) setup.seed = *arguments.seed;

  std::optional<ClockAnchor> anchor;
  if (!arguments.anchor.empty()) {
    EL_TRY(anchor.emplace(), read_anchor(arguments.anchor));
    if (setup.begin == Timestamp{}) setup.begin = anchor->shown;
  }
  EL_TRY(const std::unique_ptr<Venue> venue, Venue::open(fs, setup));
  if (!anchor) anchor = ClockAnchor{real.now(), venue->now()};
  HeldClock held{anchor->shown};
  const ScaledClock scaled{real, *anchor, arguments.speed > 0 ? arguments.speed : 1};
  const bool stands = arguments.speed == 0;
  const Desk::Clocks clocks{.shown = stands ? static_cast<const Clock&>(held) : scaled,
                            .real = real,
                            .held = stands ? &held : nullptr,
                            .speed = arguments.speed};
  std::unique_ptr<WritableFile> log;
  if (!arguments.log.empty()) {
    EL_TRY(log, fs.open_append(arguments.log));
  }
  EL_TRY(const std::unique_ptr<Desk> desk,
         Desk::open(*venue, clocks, scenario, {.file = log.get(), .frames = arguments.log_frames}));
  EL_TRY(const std::unique_ptr<WebServer> server,
         WebServer::listen({.port = arguments.port, .socket_backlog = scenario.socket_backlog}, *desk));
  if (!arguments.port_file.empty())
    EL_CHECK(replace_file(fs, arguments.port_file, fmt::format("{}\n", server->port())));
  fmt::print("everlearn-venue: http://127.0.0.1:{}, {} markets, at {}, {} times as fast\n", server->port(),
             venue->listed().size(), venue->now().iso(), arguments.speed);
  std::fflush(stdout);
  server->run();
  return desk->finish();
}

int run(int argc, char** argv) {
  CLI::App app{"Serves recorded markets over the protocols of the venue they were recorded from, on loopback."};
  Arguments arguments;
  app.add_option("--data", arguments.data, "folder with the folders of recordings")->required();
  app.add_option("--scenario", arguments.scenario, "JSON file: what to serve, what to do wrong");
  app.add_option("--recording", arguments.recordings, "folders of recordings to serve")->delimiter(',');
  app.add_option("--markets", arguments.markets, "at most so many markets of each recording");
  app.add_option("--seed", arguments.seed, "of made books and trades");
  app.add_option("--port", arguments.port, "0: a free one")->default_str("0");
  app.add_option("--port-file", arguments.port_file, "file that gets the port when it is open");
  app.add_option("--speed", arguments.speed, "virtual seconds in a second; 0: the clock is moved by /control/clock")
      ->check(CLI::Range(0.0, 1e6))
      ->default_str("1");
  app.add_option("--anchor", arguments.anchor, "REAL,VIRTUAL: at that time the venue's clock shows this");
  app.add_option("--log", arguments.log, "file that gets the oracle's log, a JSON object a line");
  app.add_flag("--log-frames", arguments.log_frames, "each frame becomes an entry of the log");
  CLI11_PARSE(app, argc, argv);
  const auto served = serve(arguments);
  if (served) return 0;
  fmt::print(stderr, "everlearn-venue: {}\n", served.error().message);
  return served.error().code == Code::Usage ? 2 : 1;
}

}  // namespace
}  // namespace everlearn::venue

int main(int argc, char** argv) {
  try {
    return everlearn::venue::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "everlearn-venue: {}\n", error.what());
    return 1;
  }
}
