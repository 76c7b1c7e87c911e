#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "app/by_hand.hpp"
#include "app/cli/command.hpp"
#include "app/report/words.hpp"
#include "app/status.hpp"
#include "app/still_source.hpp"
#include "core/json.hpp"
#include "io/control_socket.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  bool force = false, check = false;
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

// In a directory where nothing runs: the engine as of its last cycle, with an input that stands still.
Result<void> train_here(const Options& options, Place place) {
  EL_TRY(const auto directory,
         DataDirectory::open(place.directory, std::move(place.config), DataDirectory::Access::Change));
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
  EL_CHECK(engine->train_now("by hand"));
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
  return say(options, said, jsons);
}

Result<void> run(const Options& options) {
  if (options.check) return check(options);
  EL_TRY(Place place, find_place(options.common));
  const std::string socket = control_socket_path(place.directory);
  const auto there = ask_daemon(socket, HandRequest{"status", {}}.to_json(), Duration::seconds(10));
  if (!there) return train_here(options, std::move(place));
  {
    EL_TRY(const auto directory, DataDirectory::open(place.directory, place.config, DataDirectory::Access::Read));
    EL_CHECK(enough(*directory, options.force));
  }
  EL_TRY(const std::string answer,
         ask_daemon(socket, HandRequest{"train", {{"reason", "by hand"}}}.to_json(), Duration::seconds(60)));
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
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
