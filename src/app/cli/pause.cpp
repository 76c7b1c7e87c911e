#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "app/by_hand.hpp"
#include "app/cli/command.hpp"
#include "core/json.hpp"
#include "io/control_socket.hpp"

namespace everlearn::cli {
namespace {

Result<void> say(const CommonOptions& options, const std::string& said) {
  if (options.json) return print_json(JsonOut{}.put("done", true).put("text", said).text());
  fmt::print("{}\n", said);
  return {};
}

Result<void> turn(const CommonOptions& options, const std::string& verb) {
  EL_TRY(const Place place, find_place(options));
  EL_TRY(const std::string said, carry_out({verb, {}}, place.directory, place.config));
  return say(options, said);
}

Result<void> stop(const CommonOptions& options) {
  EL_TRY(const Place place, find_place(options));
  EL_TRY(const std::string answer,
         ask_daemon(control_socket_path(place.directory), HandRequest{"stop", {}}.to_json(), Duration::seconds(60)));
  EL_TRY(const std::string said, answer_from_json(answer));
  return say(options, said);
}

}  // namespace

void add_pause(Verbs& verbs) {
  const auto add = [&](const char* name, const char* what, std::function<Result<void>(const CommonOptions&)> run) {
    auto options = std::make_shared<CommonOptions>();
    CLI::App* verb = verbs.app.add_subcommand(name, what);
    add_common(*verb, *options);
    verbs.runs[verb] = [options, run = std::move(run)] { return run(*options); };
  };
  add("pause", "turn learning off: collect and label, let no model act; stays off across restarts",
      [](const CommonOptions& options) { return turn(options, "pause"); });
  add("resume", "turn learning on again", [](const CommonOptions& options) { return turn(options, "resume"); });
  add("stop", "end the daemon of the directory", stop);
}

}  // namespace everlearn::cli
