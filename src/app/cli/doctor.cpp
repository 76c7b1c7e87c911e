#include "app/doctor.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "app/cli/command.hpp"
#include "core/json.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  bool deep = false, dry_run = false;
};

Result<void> run(const Options& options) {
  std::vector<Finding> findings;
  auto place = find_place(options.common);
  if (!place) {
    findings.push_back({Health::Fail, "settings", place.error().message});
  } else {
    findings = examine({.config = place->config,
                        .directory = place->directory,
                        .trainer = beside_us("everlearn-train"),
                        .deep = options.deep,
                        .dry_run = options.dry_run});
  }
  std::int64_t failed = 0, warned = 0;
  std::vector<std::string> jsons;
  for (const Finding& finding : findings) {
    failed += finding.health == Health::Fail;
    warned += finding.health == Health::Warn;
    jsons.push_back(
        JsonOut{}.put("health", text(finding.health)).put("what", finding.what).put("text", finding.text).text());
  }
  if (options.common.json) {
    EL_CHECK(print_json(JsonOut{}
                            .put("healthy", failed == 0)
                            .put("warnings", warned)
                            .put("failures", failed)
                            .put_list("checks", jsons)
                            .text()));
  } else {
    for (const Finding& finding : findings)
      fmt::print("{:<5} {:<16} {}\n", text(finding.health), finding.what, finding.text);
  }
  if (failed == 0) return {};
  return fail(place ? Code::NotFound : place.error().code,
              fmt::format("{} of {} checks failed", failed, findings.size()));
}

}  // namespace

void add_doctor(Verbs& verbs) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = verbs.app.add_subcommand("doctor", "is everything in order? step by step");
  add_common(*verb, options->common);
  verb->add_flag(
      "--dry-run", options->dry_run,
      "also say what one run would do, and ask the channels of alerts; change and send nothing, leave a venue alone");
  verb->add_flag("--deep", options->deep, "also read every stored row against its checksum");
  verbs.runs[verb] = [options] { return run(*options); };
}

}  // namespace everlearn::cli
