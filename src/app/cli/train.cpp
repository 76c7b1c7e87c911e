#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <memory>
#include <span>

#include "app/by_hand.hpp"
#include "app/cli/command.hpp"
#include "app/learner_settings.hpp"
#include "app/report/words.hpp"
#include "app/state_place.hpp"
#include "app/status.hpp"
#include "app/still_source.hpp"
#include "core/json.hpp"
#include "io/control_socket.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  bool force = false, check = false, progressive = false, validate = false;
  std::int64_t rows = 0;  // 0: as the profile says
  std::string state;
  std::vector<std::string> params;  // KEY=VALUE, for this training
};

Result<void> check(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const TrainingCheck answer, check_training(*directory));
  if (options.common.json) return print_json(JsonOut{}.put("due", answer.due).put("reason", answer.reason).text());
  fmt::print("{}: {}\n", answer.due ? "a training is due" : "no training is due", answer.reason);
  return {};
}

// Thresholds are there for a reason; going under them has to be said.
Result<void> enough(const DataDirectory& directory, bool force) {
  EL_TRY(const Progress progress, directory.progress());
  const std::int64_t needed = directory.profile().auto_enable;
  if (force || progress.effective >= needed) return {};
  return fail(Code::Training, fmt::format("{} of {} effective labelled examples; --force trains all the same",
                                          grouped(progress.effective), grouped(needed)));
}

Result<void> say(const Options& options, const std::string& said, const std::vector<std::string>& verdicts) {
  if (options.common.json)
    return print_json(JsonOut{}.put("done", true).put("text", said).put_list("verdicts", verdicts).text());
  fmt::print("{}\n", said);
  return {};
}

// What the candidate was asked on unseen rows, check by check.
std::string checks_text(const Verdict& verdict) {
  std::vector<std::vector<std::string>> rows{{"  check", "measured", "required", "", "note"}};
  for (const Check& check : verdict.checks)
    rows.push_back({"  " + check.name, fmt::format("{:.5g}", check.measured),
                    std::isnan(check.required) ? "" : fmt::format("{:.5g}", check.required),
                    check.passed ? "" : "not met", check.note});
  return table_text(rows);
}

// --validate asks for a verdict that lets the model serve, and makes the answer the exit status.
Result<void> validate(const DataDirectory& directory, std::span<const VerdictRow> rows) {
  std::string refused;
  for (const VerdictRow& row : rows) {
    EL_TRY(const TrainingRecord record, training_record(row));
    const std::string& target = directory.profile().targets[row.target].name;
    fmt::print(stderr, "{}, validated on {} unseen rows:\n{}", target, record.verdict.rows,
               checks_text(record.verdict));
    if (record.verdict.outcome != Outcome::Promoted)
      refused += fmt::format("{}{}: {}", refused.empty() ? "" : "; ", target, record.verdict.reason);
  }
  if (refused.empty()) return {};
  return fail(Code::Training, fmt::format("the model did not pass: {}", refused));
}

Result<void> check_rows(const Options& options, const Profile& profile) {
  if (options.progressive && profile.scaling.first == 0)
    return fail(Code::Usage, fmt::format("--progressive: profile {} has no [scaling] with first > 0", profile.name));
  return {};
}

// In a directory where nothing runs: the engine as of its last cycle, with an input that stands still.
Result<void> train_here(const Options& options, Place place) {
  EL_TRY(const auto directory,
         DataDirectory::open(place.directory, std::move(place.config), DataDirectory::Access::Change));
  EL_CHECK(check_rows(options, directory->profile()));
  EL_CHECK(enough(*directory, options.force));
  EL_TRY(const Progress before, directory->progress());
  if (!before.last_cycle) return fail(Code::Training, "no cycle has run here: there is nothing to train on");
  ManualClock clock{*before.last_cycle};
  Rng rng = Rng::named(directory->profile().seed, "engine");
  World world{clock, rng, directory->fs(), directory->world().proc};
  StillSource source;
  Instruments instruments;
  EL_TRY(const auto verdicts_before, directory->store().verdicts());
  EL_TRY(const auto engine,
         Engine::make(
             world, directory->profile(), directory->calendar(), directory->store(), source, instruments,
             {.data_directory = directory->path(), .trainer = beside_us("everlearn-train"), .virtual_clock = &clock}));
  EL_CHECK(engine->train_now(
      {.reason = "by hand", .rows = options.rows, .validate = options.validate, .params = options.params}));
  EL_TRY(const auto verdicts, directory->store().verdicts());
  std::string said = fmt::format("trained as of {}", before.last_cycle->iso().substr(0, 16));
  std::vector<std::string> jsons;
  for (std::size_t i = verdicts_before.size(); i < verdicts.size(); ++i) {
    EL_TRY(const TrainingRecord record, training_record(verdicts[i]));
    said += fmt::format("\n{}: {}{}: {}", directory->profile().targets[verdicts[i].target].name,
                        verdicts[i].bundle.empty() ? "" : brief(verdicts[i].bundle) + " ", verdicts[i].outcome,
                        record.verdict.reason);
    jsons.push_back(JsonOut{}
                        .put("target", directory->profile().targets[verdicts[i].target].name)
                        .put("model", verdicts[i].bundle)
                        .put_json("verdict", record.verdict.to_json())
                        .text());
  }
  if (jsons.empty()) return fail(Code::Training, "no target has a labelled example: there is nothing to train on");
  EL_CHECK(say(options, said, jsons));
  if (!options.validate) return {};
  return validate(*directory, std::span{verdicts}.subspan(verdicts_before.size()));
}

// On a machine that may be empty: the state is pulled, and pushed with the verdict and the model.
Result<void> train_in_state(const Options& options) {
  EL_TRY(const Place place, live_place(options.common));
  StateRequest request;
  request.place = options.state;
  request.environment = process_environment();
  request.data_directory = place.directory;
  request.lease = request.lease + place.config.profile.train_wall;  // nothing keeps it while the trainer runs
  StateRun run;
  const auto trained = run_in_state(
      request,
      [&](const std::function<Result<void>()>&) -> Result<void> {
        EL_TRY(Place pulled, find_place(options.common));
        return train_here(options, std::move(pulled));
      },
      &run);
  if (run.pushed) fmt::print(stderr, "{}\n", run.text(options.state));
  return trained;
}

Result<void> run(const Options& options) {
  if (options.check) return check(options);
  EL_TRY([[maybe_unused]] const LearnerParams understood, with_settings({}, options.params));
  if (!options.state.empty()) return train_in_state(options);
  EL_TRY(Place place, find_place(options.common));
  const std::string socket = control_socket_path(place.directory);
  const auto there = ask_daemon(socket, HandRequest{"status", {}}.to_json(), Duration::seconds(10));
  if (!there) return train_here(options, std::move(place));
  {
    EL_TRY(const auto directory, DataDirectory::open(place.directory, place.config, DataDirectory::Access::Read));
    EL_CHECK(check_rows(options, directory->profile()));
    EL_CHECK(enough(*directory, options.force));
  }
  if (options.validate)
    return fail(Code::Usage,
                "--validate waits for the verdict, but a daemon trains on its own time: `models list` tells it");
  HandRequest wish{"train", {{"reason", "by hand"}}};
  if (options.rows > 0) wish.args["rows"] = fmt::format("{}", options.rows);
  if (!options.params.empty()) wish.args["params"] = fmt::format("{}", fmt::join(options.params, "\n"));
  EL_TRY(const std::string answer, ask_daemon(socket, wish.to_json(), Duration::seconds(60)));
  EL_TRY(const std::string said, answer_from_json(answer));
  return say(options, said, {});
}

}  // namespace

void add_train(Verbs& verbs) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = verbs.app.add_subcommand("train", "train now; the gate decides what becomes of it");
  add_common(*verb, options->common);
  auto* force = verb->add_flag("--force", options->force, "also with fewer examples than train.auto_enable");
  verb->add_flag("--check", options->check, "only say whether a training is due, and why")->excludes(force);
  verb->add_flag(
      "--validate", options->validate,
      "the newest 200 unseen rows must be right often enough too (train.min_recent_accuracy, else 45 %); shows "
      "every check, and exits with 1 unless the model passed");
  auto* rows = verb->add_option("--limit", options->rows, "train on the newest so many labelled rows")
                   ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  verb->add_flag("--progressive", options->progressive,
                 "on the rows that the profile's [scaling] wants this week, as the schedule does")
      ->excludes(rows);
  verb->add_option("--param", options->params,
                   "KEY=VALUE of the learner for this training alone, under our name or LightGBM's: learning_rate, "
                   "max_depth, num_leaves, n_estimators ...; may be repeated")
      ->delimiter(',');
  verb->add_option("--state", options->state,
                   "where the state lies between runs: a directory, or s3://bucket/prefix; see analyze");
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
