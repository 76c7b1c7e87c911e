#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli/command.hpp"
#include "app/evaluation.hpp"
#include "app/explain.hpp"
#include "app/report/words.hpp"
#include "core/json.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  std::string model, against, target, out;
  bool as_judged = false;
};

// For the rows next to each other: x.json, x.rules.json, x.verdict.json
std::string beside(const std::string& path, const std::string& what) {
  const std::string stem = path.ends_with(".json") ? path.substr(0, path.size() - 5) : path;
  return stem + "." + what + ".json";
}

Result<void> run(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  std::string model = options.model;
  if (model.empty()) {
    EL_TRY(const Registry registry, directory->registry());
    EL_TRY(const std::uint16_t target, directory->find_target(options.target));
    const std::string& name = directory->profile().targets[target].name;
    const auto champion = registry.champion(name);
    if (!champion) return fail(Code::NotFound, fmt::format("no model serves {}: give --model", name));
    model = *champion;
  }
  EL_TRY(const Evaluation result, evaluate(*directory, model, options.against,
                                           options.as_judged ? EvaluationRows::Verdict : EvaluationRows::Since));
  if (!options.out.empty()) {
    EL_CHECK(replace_file(directory->fs(), options.out, rows_json(result.rows)));
    EL_CHECK(replace_file(directory->fs(), beside(options.out, "rules"), rules_json(result.rules)));
    EL_CHECK(replace_file(directory->fs(), beside(options.out, "verdict"), result.verdict.to_json() + "\n"));
  }
  if (options.common.json)
    return print_json(JsonOut{}
                          .put("model", result.model)
                          .put("target", result.target)
                          .put("against", result.against)
                          .put("from", result.from.iso())
                          .put("rows", static_cast<std::int64_t>(result.rows.size()))
                          .put_json("verdict", result.verdict.to_json())
                          .text());
  fmt::print("model {} of {} on {} ({} effective) from {} to {}, none of which it had seen{}\n", brief(result.model),
             result.target, some(std::ssize(result.rows), "row"), grouped(result.verdict.effective),
             result.verdict.holdout_first.date(), result.verdict.holdout_last.date(),
             result.against.empty() ? ", against the baseline" : ", against model " + brief(result.against));
  fmt::print("the gate would say: {}: {}\n", text(result.verdict.outcome), result.verdict.reason);
  for (const Check& check : result.verdict.checks) fmt::print("  {}\n", check_words(check));
  if (!options.out.empty()) fmt::print("rows, rules and verdict are in {} and beside it\n", options.out);
  return {};
}

}  // namespace

void add_evaluate(Verbs& verbs) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = verbs.app.add_subcommand("evaluate", "judge a stored model on what came after all it saw");
  add_common(*verb, options->common);
  verb->add_option("--model", options->model, "an id, or six digits of it (default: the champion)");
  verb->add_option("--target", options->target, "whose champion");
  verb->add_option("--against", options->against, "another model, on the same rows");
  verb->add_flag("--as-judged", options->as_judged, "on exactly the rows of its verdict, against the champion of then");
  verb->add_option("--out", options->out, "the rows as JSON, rules and verdict beside it: for tests/gate/recompute.py");
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
