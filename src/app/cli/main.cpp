// everlearn: the daemon and its command line.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <exception>

#include "app/cli/command.hpp"

int main(int argc, char** argv) {
  using namespace everlearn;
  CLI::App app{"everlearn: a continuous-learning engine for trading models"};
  app.set_version_flag("--version", EVERLEARN_VERSION);
  app.require_subcommand(1);
  cli::Verbs verbs{app, {}};
  cli::add_demo(verbs);
  cli::add_simulate(verbs);
  cli::add_run(verbs);
  cli::add_analyze(verbs);
  cli::add_init(verbs);
  cli::add_config(verbs);
  cli::add_alerts(verbs);
  cli::add_status(verbs);
  cli::add_doctor(verbs);
  cli::add_why(verbs);
  cli::add_signals(verbs);
  cli::add_intents(verbs);
  cli::add_performance(verbs);
  cli::add_models(verbs);
  cli::add_evaluate(verbs);
  cli::add_train(verbs);
  cli::add_pause(verbs);
  cli::add_data(verbs);
  cli::add_features(verbs);
  cli::add_schedule(verbs);
  cli::add_logs(verbs);
  try {
    app.parse(argc, argv);
    for (auto& [verb, run] : verbs.runs) {
      if (!verb->parsed()) continue;
      const auto done = run();
      if (done) return 0;
      fmt::print(stderr, "everlearn: {}\n", done.error().message);
      return cli::exit_code(done.error().code);
    }
    return 0;
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : 2;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "everlearn: {}\n", problem.what());
    return 1;
  }
}
