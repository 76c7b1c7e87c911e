#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>
#include <set>

#include "app/cli/command.hpp"
#include "app/row_schema.hpp"
#include "core/json.hpp"
#include "feature/catalogue_text.hpp"
#include "feature/feature_set.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  std::string group;
  bool markdown = false, used = false;
};

Result<void> list(const Options& options) {
  if (options.markdown) {
    fmt::print("{}", catalogue_markdown());
    return {};
  }
  EL_TRY(const Config config, load_config(options.common));
  const Profile& profile = config.profile;
  const Duration step = profile.cycle.us() > 0 ? profile.cycle : Duration::days(1);
  EL_TRY(const RowSchema schema, RowSchema::make(profile));
  const FeatureSet& chosen = schema.features();
  std::set<std::string> used, groups;
  std::vector<FeatureDefinition> all = catalogue(step);
  for (std::size_t i = 0; i < chosen.size(); ++i) used.insert(chosen[i].name);
  std::set<std::string> listed;
  for (const FeatureDefinition& feature : all) listed.insert(feature.name);
  for (std::size_t i = 0; i < chosen.size(); ++i)  // windows that only the profile asks for
    if (!listed.contains(chosen[i].name)) all.push_back(chosen[i]);
  for (const FeatureDefinition& feature : all) groups.insert(feature.group);
  if (!options.group.empty() && !groups.contains(options.group))
    return fail(Code::NotFound, fmt::format("no group \"{}\": there are {}", options.group, fmt::join(groups, ", ")));
  std::erase_if(all, [&](const FeatureDefinition& feature) {
    return (!options.group.empty() && feature.group != options.group) || (options.used && !used.contains(feature.name));
  });
  if (options.common.json) {
    std::vector<std::string> features;
    for (const FeatureDefinition& feature : all)
      features.push_back(JsonOut{}
                             .put("name", feature.name)
                             .put("column", feature.column())
                             .put("group", feature.group)
                             .put("formula", feature.formula)
                             .put("unit", feature.unit)
                             .put("source", feature.source)
                             .put("warm_up", feature.warm_up)
                             .put("reference", feature.reference)
                             .put("used", used.contains(feature.name))
                             .text());
    return print_json(JsonOut{}
                          .put("profile", profile.name)
                          .put("step", step.text())
                          .put("used", static_cast<std::int64_t>(used.size()))
                          .put_list("features", features)
                          .text());
  }
  std::vector<std::vector<std::string>> rows{{"", "feature", "group", "reads", "warm-up", "unit", "formula"}};
  for (const FeatureDefinition& feature : all)
    rows.push_back({used.contains(feature.name) ? "*" : "", feature.name, feature.group, feature.source,
                    fmt::format("{}", feature.warm_up), feature.unit, feature.formula});
  fmt::print("{}\n{} features at a step of {}; profile {} uses {} (*). Any other window can be asked for by name.\n",
             table_text(rows), all.size(), step.text(), profile.name, used.size());
  return {};
}

}  // namespace

void add_features(Verbs& verbs) {
  CLI::App* features = verbs.app.add_subcommand("features", "what can be computed");
  features->require_subcommand(1);
  auto options = std::make_shared<Options>();
  CLI::App* verb = features->add_subcommand("list", "the catalogue, and what the profile uses of it");
  add_common(*verb, options->common);
  verb->add_option("--group", options->group, "one group only");
  verb->add_flag("--used", options->used, "what the profile uses only");
  verb->add_flag("--markdown", options->markdown, "the whole catalogue: docs/features.md");
  verbs.runs[verb] = [options] { return list(*options); };
}

}  // namespace everlearn::cli
