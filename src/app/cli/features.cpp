#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "app/cli/command.hpp"
#include "app/feature_rebuild.hpp"
#include "app/report/words.hpp"
#include "app/row_schema.hpp"
#include "core/json.hpp"
#include "feature/catalogue_text.hpp"
#include "feature/feature_set.hpp"

namespace everlearn::cli {
namespace {

struct Options {
  CommonOptions common;
  std::string group, to;
  bool markdown = false, used = false;
};

/// A feature of the catalogue or of a row.
struct Listed {
  FeatureDefinition feature;
  std::string column;
  std::string use;  // "each cycle", "dense", "defined", "field"; empty: not of the row
};

/// The catalogue at the cycle's step, then what only the row has: other windows, dense features, expressions, fields.
std::vector<Listed> listed(const RowSchema& schema, const Profile& profile) {
  std::vector<Listed> all;
  std::map<std::string, std::size_t> place;
  for (FeatureDefinition& feature : catalogue(schema.features().step())) {
    place.emplace(feature.name, all.size());
    all.push_back({feature, feature.column(), ""});
  }
  const auto& columns = schema.columns();
  const std::size_t fasts = schema.features().size();
  for (std::size_t i = 0; i < fasts; ++i) {
    const FeatureDefinition& feature = schema.features()[i];
    const auto at = place.try_emplace(feature.name, all.size()).first->second;
    if (at == all.size()) all.push_back({feature, feature.column(), ""});
    all[at].use = "each cycle";
  }
  for (std::size_t i = 0; i < schema.dense().size(); ++i)
    all.push_back({schema.dense()[i], columns[fasts + i], "dense"});
  for (const auto& [name, text] : profile.defined_features) {
    const auto one = std::ranges::find(schema.defined(), name, &RowSchema::Defined::name);
    all.push_back({{.name = name, .group = "defined", .formula = text, .unit = "", .source = "row"},
                   columns[one->column],
                   "defined"});
  }
  for (std::size_t i = 0; i < profile.table.fields.size(); ++i)
    all.push_back(
        {{.name = profile.table.fields[i], .group = "fields", .formula = "as the source gives it", .source = "source"},
         columns[columns.size() - profile.table.fields.size() + i],
         "field"});
  return all;
}

Result<void> list(const Options& options) {
  if (options.markdown) {
    fmt::print("{}", catalogue_markdown());
    return {};
  }
  EL_TRY(const Config config, load_config(options.common));
  const Profile& profile = config.profile;
  EL_TRY(const RowSchema schema, RowSchema::make(profile));
  std::vector<Listed> all = listed(schema, profile);
  std::set<std::string> groups;
  for (const Listed& one : all) groups.insert(one.feature.group);
  if (!options.group.empty() && !groups.contains(options.group))
    return fail(Code::NotFound, fmt::format("no group \"{}\": there are {}", options.group, fmt::join(groups, ", ")));
  std::erase_if(all, [&](const Listed& one) {
    return (!options.group.empty() && one.feature.group != options.group) || (options.used && one.use.empty());
  });
  const Duration step = schema.features().step();
  if (options.common.json) {
    std::vector<std::string> features;
    for (const Listed& one : all)
      features.push_back(JsonOut{}
                             .put("name", one.feature.name)
                             .put("column", one.column)
                             .put("group", one.feature.group)
                             .put("formula", one.feature.formula)
                             .put("unit", one.feature.unit)
                             .put("source", one.feature.source)
                             .put("warm_up", one.feature.warm_up)
                             .put("reference", one.feature.reference)
                             .put("used", !one.use.empty())
                             .put("use", one.use)
                             .text());
    return print_json(JsonOut{}
                          .put("profile", profile.name)
                          .put("step", step.text())
                          .put("dense_step", schema.dense().size() > 0 ? schema.dense().step().text() : "")
                          .put("used", static_cast<std::int64_t>(schema.size()))
                          .put_list("features", features)
                          .text());
  }
  std::vector<std::vector<std::string>> rows{{"", "feature", "group", "reads", "warm-up", "unit", "formula"}};
  for (const Listed& one : all)
    rows.push_back({one.use, one.feature.name, one.feature.group, one.feature.source,
                    fmt::format("{}", one.feature.warm_up), one.feature.unit, one.feature.formula});
  fmt::print(
      "{}\n{} features at a step of {}; a row of profile {} has {} columns. Any other window can be asked for by "
      "name.\n",
      table_text(rows), all.size(), step.text(), profile.name, schema.size());
  return {};
}

/// Settings of the directory as they are kept are those before; --profile and --set give those now.
Result<void> rebuild(const Options& options) {
  CommonOptions old = options.common;
  old.profile.clear();
  old.settings.clear();
  if (old.data.empty() && !options.common.profile.empty()) {
    EL_TRY(const Config config, load_config(options.common));
    old.data = data_directory(options.common, config.profile);
  }
  EL_TRY(Place before, find_place(old));
  CommonOptions now = options.common;
  if (now.profile.empty()) now.profile = kept_settings_path(before.directory);
  EL_TRY(Config config, load_config(now));
  RebuildRequest request{
      .from = before.directory, .before = std::move(before.config), .now = std::move(config), .to = options.to};
  if (!options.common.json)
    request.on_progress = [](std::int64_t done, std::int64_t of) {
      fmt::print(stderr, "{} of {} examples\n", grouped(done), grouped(of));
    };
  EL_TRY(const RebuildResult result, rebuild_features(request));
  if (options.common.json)
    return print_json(JsonOut{}
                          .put("from", request.from)
                          .put("to", request.to)
                          .put("examples", result.examples)
                          .put("kept", result.kept)
                          .put("computed", result.computed)
                          .put("missing", result.missing)
                          .put("dropped", result.dropped)
                          .text());
  fmt::print("{}: {} with {} columns: {} as they were, {} computed, {} missing in what is past, {} no more\n",
             request.to, some(result.examples, "example"),
             result.kept.size() + result.computed.size() + result.missing.size(), result.kept.size(),
             result.computed.size(), result.missing.size(), result.dropped.size());
  for (const std::string& column : result.computed) fmt::print("  computed  {}\n", column);
  for (const std::string& column : result.missing)
    fmt::print("  missing   {} (what it reads is not stored; known from now on)\n", column);
  for (const std::string& column : result.dropped)
    fmt::print("  dropped   {} (models that need it do not serve in {})\n", column, request.to);
  fmt::print("{} stays as it is.\n", request.from);
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
  auto anew = std::make_shared<Options>();
  verb = features->add_subcommand("rebuild", "a data directory again, with the features that --profile or --set give");
  add_common(*verb, anew->common);
  verb->add_option("--to", anew->to, "the new directory; the old one stays as it is")->required();
  verbs.runs[verb] = [anew] { return rebuild(*anew); };
}

}  // namespace everlearn::cli
