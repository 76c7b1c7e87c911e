#include "app/config/config.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "app/config/keys.hpp"
#include "app/dot_env.hpp"
#include "model/conformal.hpp"

namespace everlearn {
namespace {

constexpr std::string_view kVariablePrefix = "EVERLEARN__";
constexpr const char* kSecret = "(set, not shown)";
constexpr std::string_view kSecretFile = "file:";
constexpr std::string_view kOldNames = "env.";
constexpr std::string_view kEveryTarget = "*";  // in the key that an old name stands for
constexpr std::string_view kPresets = "presets.";
constexpr std::string_view kDefine = "features.define.";  // NAME = "an expression over the row's columns"
constexpr std::string_view kPresetFlag = "preset";        // --preset NAME, and --set preset=NAME

struct Written {
  SettingValue value;
  std::string origin;
};
using Layer = std::map<std::string, Written>;

// --- TOML ------------------------------------------------------------------------------------------------------------

std::optional<std::string> scalar_text(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  return std::nullopt;
}

Result<void> flatten(const toml::table& table, const std::string& prefix, const std::string& origin, Layer& into) {
  for (const auto& [name, node] : table) {
    const std::string key = prefix + std::string{name.str()};
    if (const auto* inner = node.as_table()) {
      EL_CHECK(flatten(*inner, key + ".", origin, into));
      continue;
    }
    SettingValue value;
    if (const auto* array = node.as_array()) {
      value.list = true;
      for (const auto& element : *array) {
        auto text = scalar_text(element);
        if (!text) return fail(Code::Config, fmt::format("{}: {}: a list holds texts and numbers only", origin, key));
        value.items.push_back(std::move(*text));
      }
    } else {
      auto text = scalar_text(node);
      if (!text) return fail(Code::Config, fmt::format("{}: {}: dates and times are written as texts", origin, key));
      value = SettingValue::one(std::move(*text));
    }
    into.insert_or_assign(key, Written{std::move(value), fmt::format("{}:{}", origin, node.source().begin.line)});
  }
  return {};
}

Result<Layer> read_toml(const std::string& text, const std::string& origin) {
  Layer layer;
  try {
    EL_CHECK(flatten(toml::parse(text), "", origin, layer));
  } catch (const toml::parse_error& problem) {
    return fail(Code::Config,
                fmt::format("{}:{}: {}", origin, problem.source().begin.line, std::string{problem.description()}));
  }
  return layer;
}

// --- environment -----------------------------------------------------------------------------------------------------

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

// "target.<name>.<rest>": name and rest.
std::optional<std::pair<std::string, std::string>> target_key(const std::string& key) {
  if (!key.starts_with("target.")) return std::nullopt;
  const std::size_t dot = key.find('.', 7);
  if (dot == std::string::npos) return std::nullopt;
  return std::pair{key.substr(7, dot - 7), key.substr(dot + 1)};
}

std::set<std::string> target_names(const Layer& layer) {
  std::set<std::string> names;
  for (const auto& [key, written] : layer)
    if (const auto target = target_key(key)) names.insert(target->first);
  return names;
}

/// The keys that an old name stands for: of "target.*.rest" one for each target.
std::vector<std::string> meant_keys(const OldName& old, const Layer& merged) {
  const auto target = target_key(old.key);
  if (!target || target->first != kEveryTarget) return {old.key};
  std::vector<std::string> keys;
  for (const std::string& name : target_names(merged))
    keys.push_back(fmt::format("target.{}.{}", name, target->second));
  return keys;
}

/// One place where variables come from: the process's environment, or .env. Only names that mean something to us are
/// looked at; of anything else in there (a wallet key, say) not even a copy is made.
class Variables {
 public:
  Variables(const OldNames& old_names, std::string origin) : old_names_{old_names}, origin_{std::move(origin)} {}

  void add(std::string_view name, std::string_view value) {
    const std::string key{name};
    if (name.starts_with(kVariablePrefix) || old_names_.names.contains(key))
      known_.insert_or_assign(key, std::string{value});
    else if (!old_names_.unknown_prefix.empty() && name.starts_with(old_names_.unknown_prefix))
      unknown_.insert(key);
  }

  /// Of one setting under two names ours goes first, so it is laid on last.
  Result<void> overlay_on(Layer& merged, Config& config) const {
    std::vector<std::string> names;
    for (const auto& [name, old] : old_names_.names) names.push_back(name);
    for (const std::string& name : unknown_) {
      const auto meant = nearest(name, names);
      config.not_honoured.push_back({name, origin_, meant ? fmt::format("did you mean {}?", *meant) : ""});
    }
    for (const auto& [name, value] : known_) {
      if (name.starts_with(kVariablePrefix)) continue;
      const OldName& old = old_names_.names.at(name);
      if (old.key.empty()) {
        config.without_effect.push_back({name, origin_, old.no_effect});
        continue;
      }
      for (const std::string& key : meant_keys(old, merged)) {
        const auto below = merged.find(key);
        const auto meant = old_value(old, value, below == merged.end() ? SettingValue::one("") : below->second.value);
        if (!meant) return fail(Code::Config, fmt::format("{} {}: {} ({})", origin_, name, meant.error().message, key));
        merged.insert_or_assign(key, Written{*meant, origin_ + " " + name});
      }
    }
    for (const auto& [name, value] : known_) {
      if (!name.starts_with(kVariablePrefix)) continue;
      std::string key = lower(name.substr(kVariablePrefix.size()));
      for (std::size_t i = key.find("__"); i != std::string::npos; i = key.find("__")) key.replace(i, 2, ".");
      merged.insert_or_assign(key, Written{SettingValue::one(value), origin_ + " " + name});
    }
    return {};
  }

 private:
  const OldNames& old_names_;
  const std::string origin_;
  std::map<std::string, std::string> known_;
  std::set<std::string> unknown_;
};

// --- applying --------------------------------------------------------------------------------------------------------

// "features.define.<name>": names are the user's.
bool is_definition(const std::string& key) {
  return key.starts_with(kDefine) && key.find('.', kDefine.size()) == std::string::npos;
}

std::vector<std::string> known_keys(const std::set<std::string>& targets) {
  std::vector<std::string> keys;
  for (const Key& key : profile_keys()) keys.emplace_back(key.key);
  for (const LearnerKey& key : learner_keys()) keys.push_back(fmt::format("learner.{}", key.key));
  for (const std::string& target : targets) {
    for (const TargetKey& key : target_keys()) keys.push_back(fmt::format("target.{}.{}", target, key.key));
    for (const LearnerKey& key : learner_keys()) keys.push_back(fmt::format("target.{}.learner.{}", target, key.key));
  }
  return keys;
}

class Applier {
 public:
  Applier(Layer merged, const ConfigInput& input) : merged_{std::move(merged)}, input_{input} {}

  template <class K, class Into>
  Result<void> apply(const K& key, const std::string& name, Into& into, std::vector<Setting>& settings,
                     const std::string& fallback_from = {}) {
    auto found = merged_.find(name);
    if (found == merged_.end() && !fallback_from.empty()) found = merged_.find(fallback_from);
    const bool written = found != merged_.end();
    const SettingValue value = written ? found->second.value : SettingValue::one(std::string{key.fallback});
    const std::string origin = written ? found->second.origin : "default";
    if (const auto applied = key.apply(into, value); !applied)
      return fail(Code::Config, fmt::format("{}: {}: {} ({})", origin, name, applied.error().message, key.doc));
    settings.push_back({name, value.text(), value, origin, std::string{key.doc}});
    return {};
  }

  // The text goes into the profile; what is shown, kept and compared is that there is one. What a reader says about it
  // is not passed on: it may quote it.
  Result<void> apply_secret(const Key& key, Profile& into, std::vector<Setting>& settings) {
    const std::string name{key.key};
    const auto found = merged_.find(name);
    const std::string given = found == merged_.end() ? "" : found->second.value.text();
    const std::string origin = found == merged_.end() ? "default" : found->second.origin;
    const auto wrong = [&](const std::string& why) {
      return fail(Code::Config, fmt::format("{}: {}: {} ({})", origin, name, why, key.doc));
    };
    std::string secret = given;
    const bool in_file = given.starts_with(kSecretFile);
    if (in_file) {
      if (!input_.secret_file) return wrong("files of secrets are not read here");
      const auto text = input_.secret_file(given.substr(kSecretFile.size()));
      if (!text) return wrong(text.error().message);
      secret = *text;
    }
    if (!key.apply(into, SettingValue::one(secret))) return wrong("what is given is not of the form it has");
    const std::string shown = given.empty() || in_file ? given : kSecret;
    settings.push_back({name, shown, SettingValue::one(in_file ? given : ""), origin, std::string{key.doc}});
    return {};
  }

  // In order of name. An empty text takes away what a layer below defines.
  Result<void> apply_definitions(Profile& into, std::vector<Setting>& settings) {
    for (const auto& [key, written] : merged_) {
      if (!is_definition(key)) continue;
      const auto text = as_text(written.value);
      if (!text) return fail(Code::Config, fmt::format("{}: {}: {}", written.origin, key, text.error().message));
      settings.push_back({key, written.value.text(), written.value, written.origin,
                          "a feature of your own: an expression over the row's columns"});
      if (!text->empty()) into.defined_features.emplace_back(key.substr(kDefine.size()), *text);
    }
    return {};
  }

 private:
  Layer merged_;
  const ConfigInput& input_;
};

Result<void> refuse_unknown(const Layer& merged, const std::vector<std::string>& known) {
  for (const auto& [key, written] : merged) {
    if (key.starts_with("env.") || is_definition(key) || std::find(known.begin(), known.end(), key) != known.end())
      continue;
    const auto meant = nearest(key, known);
    return fail(Code::Config, fmt::format("{}: unknown setting \"{}\"{}", written.origin, key,
                                          meant ? fmt::format("; did you mean \"{}\"?", *meant) : ""));
  }
  return {};
}

Result<std::pair<std::string, std::string>> profile_text(Fs& fs, const std::string& profile) {
  std::vector<std::string> names;
  for (const auto& [name, text] : built_in_profiles()) {
    if (name == profile) return std::pair{name, text};
    names.push_back(name);
  }
  if (profile.find('/') == std::string::npos && !profile.ends_with(".toml"))
    return fail(Code::Config, fmt::format("no profile \"{}\": built in are {}; or give the path of a TOML file",
                                          profile, fmt::join(names, ", ")));
  EL_TRY(const std::string text, read_file(fs, profile, 1 << 20));
  return std::pair{std::string{}, text};
}

void overlay(Layer& below, const Layer& above) {
  for (const auto& [key, written] : above) below.insert_or_assign(key, written);
}

// Takes "presets.<name>.<key>" out of the layer: the settings of each preset, by its name.
Result<std::map<std::string, Layer>> take_presets(Layer& layer) {
  std::map<std::string, Layer> presets;
  for (auto at = layer.lower_bound(std::string{kPresets}); at != layer.end() && at->first.starts_with(kPresets);
       at = layer.erase(at)) {
    const std::size_t dot = at->first.find('.', kPresets.size());
    if (dot == std::string::npos)
      return fail(Code::Config, fmt::format("{}: {}: a preset is a table of settings", at->second.origin, at->first));
    const std::string name = at->first.substr(kPresets.size(), dot - kPresets.size());
    presets[name].emplace(at->first.substr(dot + 1), at->second);
  }
  return presets;
}

// A directory keeps presets as they are written.
Result<void> refuse_secrets(const Layer& preset) {
  for (const Key& key : profile_keys())
    if (const auto found = preset.find(std::string{key.key}); key.secret && found != preset.end())
      return fail(Code::Config,
                  fmt::format("{}: {} is a secret, and no preset holds one", found->second.origin, key.key));
  return {};
}

// Between what the profile and the environment say and the user's own flags.
Result<void> apply_preset(Layer& merged, const std::map<std::string, Layer>& presets, const std::string& wanted,
                          const std::string& profile) {
  const auto found = presets.find(wanted);
  if (found == presets.end()) {
    std::vector<std::string> names;
    for (const auto& [name, settings] : presets) names.push_back(name);
    return fail(Code::Config,
                fmt::format("no preset \"{}\": profile {} has {}", wanted, profile,
                            names.empty() ? std::string{"none"} : fmt::format("{}", fmt::join(names, ", "))));
  }
  for (const auto& [key, written] : found->second)
    merged.insert_or_assign(key, Written{written.value, "preset " + wanted});
  return {};
}

}  // namespace

Result<Config> Config::load(Fs& fs, const ConfigInput& input) {
  EL_TRY(const auto found, profile_text(fs, input.profile));
  const auto& [built_in, text] = found;
  EL_TRY(Layer merged, read_toml(text, built_in.empty() ? input.profile : "profile " + built_in));
  std::string name = built_in;
  if (const auto base = merged.find("base"); base != merged.end()) {  // a user's file on top of a built-in profile
    const std::string base_name = base->second.value.items.front();
    merged.erase(base);
    EL_TRY(const auto below, profile_text(fs, base_name));
    EL_TRY(Layer layer, read_toml(below.second, "profile " + base_name));
    overlay(layer, merged);
    merged = std::move(layer);
    name = base_name;
  }
  if (name.empty()) {
    name = input.profile.substr(input.profile.find_last_of('/') + 1);
    name.resize(name.size() - (name.ends_with(".toml") ? 5 : 0));
  }

  if (const auto given = merged.find("name"); given != merged.end()) {
    name = given->second.value.text();
    merged.erase(given);
  }
  if (name.empty() || name.front() == '.' || name.find_first_of("/\\\n") != std::string::npos)
    return fail(Code::Config, fmt::format("\"{}\" is no name for a profile: it names a folder", name));

  Config config;
  for (const auto& [key, written] : merged)
    if (key.starts_with(kOldNames))
      if (const auto added = config.old_names.add(key.substr(kOldNames.size()), written.value); !added)
        return fail(Code::Config, fmt::format("{}: {}", written.origin, added.error().message));
  EL_CHECK(config.old_names.check());
  Variables dot_env{config.old_names, ".env"};
  for (const DotEnvEntry& entry : read_dot_env(input.dot_env)) dot_env.add(entry.name, entry.value);
  EL_CHECK(dot_env.overlay_on(merged, config));
  Variables environment{config.old_names, "environment"};
  for (const auto& [variable, value] : input.environment) environment.add(variable, value);
  EL_CHECK(environment.overlay_on(merged, config));
  EL_TRY(const auto presets, take_presets(merged));
  for (const auto& [preset, layer] : presets)
    for (const auto& [key, written] : layer) config.presets[preset].emplace(key, written.value);
  for (const auto& [key, value] : input.overrides)
    if (key == kPresetFlag) EL_CHECK(apply_preset(merged, presets, value, name));
  for (const auto& [key, value] : input.overrides)
    if (key != kPresetFlag) merged.insert_or_assign(key, Written{SettingValue::one(value), "command line"});

  const std::set<std::string> targets = target_names(merged);
  const std::vector<std::string> known = known_keys(targets);
  EL_CHECK(refuse_unknown(merged, known));
  for (const auto& [preset, layer] : presets) {
    EL_CHECK(refuse_unknown(layer, known));
    EL_CHECK(refuse_secrets(layer));
  }
  for (const auto& [variable, old] : config.old_names.names)
    for (const std::string& key : meant_keys(old, merged))
      if (!key.empty() && std::find(known.begin(), known.end(), key) == known.end())
        return fail(Code::Config, fmt::format("env.{} stands for \"{}\", which is no setting", variable, key));

  config.profile.name = name;
  Applier applier{merged, input};
  for (const Key& key : profile_keys())
    EL_CHECK(key.secret ? applier.apply_secret(key, config.profile, config.settings)
                        : applier.apply(key, std::string{key.key}, config.profile, config.settings));
  EL_CHECK(applier.apply_definitions(config.profile, config.settings));
  for (const std::string& target_name : targets) {
    TargetProfile target;
    target.name = target_name;
    const std::string prefix = "target." + target_name + ".";
    for (const TargetKey& key : target_keys())
      EL_CHECK(applier.apply(key, prefix + std::string{key.key}, target, config.settings));
    for (const LearnerKey& key : learner_keys())
      EL_CHECK(applier.apply(key, prefix + "learner." + std::string{key.key}, target.learner, config.settings,
                             "learner." + std::string{key.key}));
    config.profile.targets.push_back(std::move(target));
  }
  const Duration step = config.profile.sample.us() > 0 ? config.profile.sample : config.profile.cycle;
  for (TargetProfile& target : config.profile.targets) target.label.step = step;
  config.profile.paper.probability_price = config.profile.signal.probability_price = config.profile.probability;
  config.profile.paper.tick_size = config.profile.tick_size;
  EL_CHECK(check_profile(config.profile));
  return config;
}

std::vector<std::string> unheard_words(const Config& config) {
  std::vector<std::string> lines;
  for (const UnheardVariable& one : config.not_honoured)
    lines.push_back(fmt::format("NOT HONOURED: {} ({}): profile {} knows no such name{}", one.name, one.origin,
                                config.profile.name, one.why.empty() ? "" : "; " + one.why));
  for (const UnheardVariable& one : config.without_effect)
    lines.push_back(fmt::format("no effect: {} ({}): {}", one.name, one.origin, one.why));
  return lines;
}

std::optional<std::string> auto_enable_env_name(const Config& config) {
  return config.old_names.name_of("train.enabled");
}

namespace {

// What is flat, and what a table says turned out.
Result<void> check_label(const Profile& profile, const TargetProfile& target) {
  const LabelSpec& label = target.label;
  const TableOptions& table = profile.table;
  const auto wrong = [&](std::string_view key, const std::string& message) {
    return fail(Code::Config, fmt::format("target.{}.{}{}", target.name, key, message));
  };
  if (label.flat_volatility > 0 && label.kind != LabelKind::Direction3)
    return wrong("flat_volatility", fmt::format(" = {} is of label = \"direction_3\" only", label.flat_volatility));
  if (label.flat_volatility > 0 && label.flat > 0)
    return wrong("flat", fmt::format(" = {} and flat_volatility = {} contradict each other: give one of them",
                                     label.flat, label.flat_volatility));
  if (label.kind != LabelKind::Column) {
    if (label.column_classes > 0)
      return wrong("classes", fmt::format(" = {} is of label = \"column\" only", label.column_classes));
    return {};
  }
  if (table.kind == SourceKind::Files || table.outcome_column.empty())
    return wrong("label", " = \"column\" needs a table and its source.outcome_column");
  if (label.bars > 0) return wrong("horizon", " of a column is a time or sessions: rows are no bars");
  if (label.column_classes == 1) return wrong("classes", " = 1: 0 for a value, else at least 2");
  if (!table.outcome_values.empty() && std::cmp_not_equal(table.outcome_values.size(), label.column_classes))
    return wrong("classes", fmt::format(" = {}, but source.outcome_values names {}", label.column_classes,
                                        table.outcome_values.size()));
  return {};
}

}  // namespace

Result<void> check_profile(const Profile& profile) {
  const auto wrong = [](std::string message) { return fail(Code::Config, std::move(message)); };
  const auto acting = std::count_if(profile.targets.begin(), profile.targets.end(),
                                    [](const TargetProfile& target) { return target.acts; });
  if (profile.targets.empty()) return wrong("no target: a profile needs at least one [target.<name>]");
  if (acting != 1) return wrong(fmt::format("{} targets have acts = true, exactly one must", acting));
  if (profile.stop_share + profile.holdout_share > 0.7)
    return wrong(fmt::format("train.stop_share {} + train.holdout_share {} leave less than 0.3 of the window to fit",
                             profile.stop_share, profile.holdout_share));
  if (profile.cycle.us() == 0 && profile.calendar == "24/7")
    return wrong("cycle.every = \"session\" needs a calendar with sessions, or a duration");
  if (profile.sample.us() > 0 && profile.cycle.us() > 0 && profile.sample.us() % profile.cycle.us() != 0)
    return wrong(fmt::format("examples.every {} is not a multiple of cycle.every {}", profile.sample.text(),
                             profile.cycle.text()));
  if (!profile.dense_features.empty() && profile.dense_every.us() <= 0)
    return wrong("features.dense needs the grid of dense prices: prices.every is none");
  // A feature that is the answer would look like the best one.
  if (std::ranges::count(profile.table.fields, profile.table.outcome_column) > 0 &&
      !profile.table.outcome_column.empty())
    return wrong(fmt::format("source.fields holds source.outcome_column {}: an outcome is no feature",
                             profile.table.outcome_column));
  for (const TargetProfile& target : profile.targets) {
    EL_CHECK(check_label(profile, target));
    if (target.learner.boosting == "rf" && target.learner.row_fraction >= 1 && target.learner.feature_fraction >= 1)
      return wrong(fmt::format("target.{}: a random forest needs learner.row_fraction < 1", target.name));
    if (target.label.sessions > 0 && profile.calendar == "24/7")
      return wrong(fmt::format("target.{}.horizon counts sessions, but the calendar is 24/7", target.name));
    const bool classes = target.task != Task::Regression;
    if (target.calibration != "none" && (target.calibration == "linear") == classes)
      return wrong(fmt::format("target.{}.calibration = \"{}\" does not fit a {} task", target.name, target.calibration,
                               task_name(target.task)));
    if (target.conformal_alpha > 0 && !classes)
      return wrong(fmt::format("target.{}.conformal_alpha = {}: only classes have prediction sets", target.name,
                               target.conformal_alpha));
    if (target.conformal_alpha > 0 && target.label.classes() > ConformalSets::kMaxClasses)
      return wrong(fmt::format("target.{}.conformal_alpha: a prediction set of {} classes, {} at most", target.name,
                               target.label.classes(), ConformalSets::kMaxClasses));
  }
  const auto& acts = *std::find_if(profile.targets.begin(), profile.targets.end(),
                                   [](const TargetProfile& target) { return target.acts; });
  if (profile.tune.way != TuneWay::None && acts.task == Task::Regression)
    return wrong(
        fmt::format("tune.way \"{}\": fine-tuning and its streams are for class targets; target.{} is a return or a "
                    "volatility",
                    tune_way_name(profile.tune.way), acts.name));
  if (profile.tune.rows_min > profile.tune.rows_max)
    return wrong(
        fmt::format("tune.rows_min {} is more than tune.rows_max {}", profile.tune.rows_min, profile.tune.rows_max));
  if ((profile.tune.way == TuneWay::Trees || profile.tune.way == TuneWay::Leaves) && acts.learner.boosting == "rf")
    return wrong(fmt::format("tune.way \"{}\" does not tune a random forest: its trees do not correct one another",
                             tune_way_name(profile.tune.way)));
  if (profile.train_min_recent_accuracy && acts.task == Task::Regression)
    return wrong(fmt::format("train.min_recent_accuracy is for class targets; target.{} is not one", acts.name));
  if (profile.signal.conformal && acts.conformal_alpha == 0)
    return wrong(fmt::format("signal.conformal needs prediction sets: target.{}.conformal_alpha is 0", acts.name));
  if (profile.scaling.most > 0 && profile.scaling.most < profile.scaling.first)
    return wrong(
        fmt::format("scaling.most {} is less than scaling.first {}", profile.scaling.most, profile.scaling.first));
  if (profile.tune_every.us() > 0 && profile.cycle.us() > 0 && profile.tune_every.us() % profile.cycle.us() != 0)
    return wrong(fmt::format("tune.every {} is not a multiple of cycle.every {}", profile.tune_every.text(),
                             profile.cycle.text()));
  if (profile.retention.us() > 0 && profile.window.us() > 0 && profile.retention < profile.window)
    return wrong(fmt::format("retention.days keeps {}, less than train.window {}", profile.retention.text(),
                             profile.window.text()));
  return {};
}

}  // namespace everlearn
