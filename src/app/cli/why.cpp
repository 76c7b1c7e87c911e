#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <utility>

#include "app/cli/command.hpp"
#include "app/explain.hpp"
#include "core/json.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  std::string model, target, instrument, at;
};

void print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) fmt::print("{}\n", line);
}

Result<void> every_target(DataDirectory& directory) {
  bool first = true;
  for (const TargetProfile& target : directory.profile().targets) {
    if (!std::exchange(first, false)) fmt::print("\n");
    const auto why = why_model(directory, "", target.name);
    if (why)
      print_lines(why->words);
    else
      fmt::print("{}\n", why.error().message);
  }
  return {};
}

Result<void> model(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  if (options.model.empty() && options.target.empty() && !options.common.json) return every_target(*directory);
  EL_TRY(const ModelWhy why, why_model(*directory, options.model, options.target));
  if (!options.common.json) {
    print_lines(why.words);
    return {};
  }
  JsonOut out;
  out.put("model", why.model.id).put("target", why.model.target).put("state", text(why.model.state));
  out.put("evidence_expired", why.evidence_expired).put("words", why.words);
  why.training ? out.put("champion_before", why.training->row.champion_before)
                     .put_json("verdict", why.training->verdict.to_json())
               : out.put_null("champion_before").put_null("verdict");
  return print_json(out.text());
}

Result<void> signal(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const auto at, parse_moment("--at", options.at));
  EL_TRY(const SignalWhy why, why_signal(*directory, options.instrument, at));
  if (!options.common.json) {
    print_lines(why.words);
    return {};
  }
  JsonOut out;
  out.put("instrument", why.instrument)
      .put("event_time", why.row.event_time.iso())
      .put("target", why.target)
      .put("bundle", why.row.bundle)
      .put("rung", why.row.rung)
      .put("model", why.row.model)
      .put("baseline", why.row.baseline)
      .put("blended", why.row.blended)
      .put("verdict", why.row.verdict);
  why.outcome&& why.outcome->known ? out.put("outcome", why.outcome->value) : out.put_null("outcome");
  return print_json(out.put("words", why.words).text());
}

Result<void> stream(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const StreamWhy why, why_stream(*directory));
  if (!options.common.json) {
    print_lines(why.words);
    return {};
  }
  EL_TRY(const Progress progress, directory->progress());
  JsonOut out;
  out.put("serves", progress.stream).put("accuracy", progress.stream_accuracy).put("words", why.words);
  why.verdict ? out.put("at", why.verdict->at.iso())
                    .put("base", why.verdict->base)
                    .put("tune", why.verdict->tune)
                    .put_json("verdict", why.verdict->verdict.to_json())
              : out.put_null("verdict");
  return print_json(out.text());
}

Result<void> quiet(const Options& options) {
  EL_TRY(const auto directory, open_directory(options.common, DataDirectory::Access::Read));
  EL_TRY(const Status status, make_status(*directory));
  const std::vector<std::string> words = why_quiet(status, *directory);
  if (options.common.json) return print_json(JsonOut{}.put("words", words).text());
  print_lines(words);
  return {};
}

}  // namespace

void add_why(Verbs& verbs) {
  CLI::App* why = verbs.app.add_subcommand("why", "in plain words");
  why->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* verb = why->add_subcommand("model", "why this model serves (or does not), with every check of its verdict");
  add_common(*verb, options->common);
  verb->add_option("model,--model", options->model, "an id, or six digits of it (default: the champion)");
  verb->add_option("--target", options->target, "whose champion (default: of the target that acts)");
  verbs.runs[verb] = [options] { return model(*options); };
  auto of_signal = std::make_shared<Options>();
  verb = why->add_subcommand("signal", "why a prediction became a signal, or did not (default: the latest)");
  add_common(*verb, of_signal->common);
  verb->add_option("--instrument", of_signal->instrument, "its name");
  verb->add_option("--at", of_signal->at, "at this time or before");
  verbs.runs[verb] = [of_signal] { return signal(*of_signal); };
  auto of_stream = std::make_shared<Options>();
  verb = why->add_subcommand("stream", "why the base or the tuned stream serves, with every check of the comparison");
  add_common(*verb, of_stream->common);
  verbs.runs[verb] = [of_stream] { return stream(*of_stream); };
  auto of_quiet = std::make_shared<Options>();
  verb = why->add_subcommand("quiet", "why nothing happens");
  add_common(*verb, of_quiet->common);
  verbs.runs[verb] = [of_quiet] { return quiet(*of_quiet); };
}

}  // namespace everlearn::cli
