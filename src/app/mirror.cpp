#include "app/mirror.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "app/file_time.hpp"
#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kShortId = 12, kShortest = 6;
constexpr const char* kTrainerText = "/trainer/model.txt";
constexpr std::uint64_t kLargestText = 1ull << 30;

// What the gate measured on unseen rows, by its check's name.
constexpr std::array<std::string_view, 4> kFigures{"accuracy", "accuracy_recent_200", "log_loss", "direction_accuracy"};

}  // namespace

std::string metadata_json(const Card& card) {
  JsonOut out;
  out.put("model_id", card.id)
      .put("target", card.target)
      .put("training_date", card.trained_at.iso())
      .put("as_of", card.as_of.iso())
      .put("rows", card.rows_fit + card.rows_stop)
      .put("rows_fit", card.rows_fit)
      .put("rows_early_stopping", card.rows_stop)
      .put("rows_judged", card.verdict.rows)
      .put("trees", card.trees)
      .put("features", static_cast<std::int64_t>(card.columns.size()))
      .put("verdict", text(card.verdict.outcome))
      .put("why", card.verdict.reason)
      .put("trained_because", card.reason)
      .put_json("params", to_json(card.params));
  for (const std::string_view name : kFigures) {
    const auto check = std::ranges::find(card.verdict.checks, name, &Check::name);
    if (check != card.verdict.checks.end()) out.put(name, check->measured);
  }
  return out.text();
}

std::map<std::string, std::string> history_names(const Profile& profile, const Registry& registry) {
  std::map<std::string, std::string> names;
  if (profile.mirror_history.empty()) return names;
  const std::size_t star = profile.mirror_history.find('*');
  const auto name = [&](const std::string& middle) {
    return std::string{profile.mirror_history}.replace(star, 1, middle);
  };
  const std::string& target = profile.targets[acting_target(profile)].name;
  std::set<std::string> taken;
  for (const ModelEntry& entry : registry.entries()) {
    if (entry.target != target) continue;
    const std::string time = file_time(entry.trained_at);
    const bool first = taken.insert(time).second;
    names.emplace(entry.id, name(first ? time : time + "_" + entry.id.substr(0, kShortest)));
  }
  return names;
}

std::string model_path(const Profile& profile, const Registry& registry, const std::string& id) {
  const auto names = history_names(profile, registry);
  const auto found = names.find(id);
  return "models/" + (found == names.end() ? id + kTrainerText : found->second);
}

namespace {

Result<void> write_history(Fs& fs, const std::string& models_directory, const Profile& profile,
                           const Registry& registry) {
  for (const auto& [id, name] : history_names(profile, registry)) {
    const std::string path = models_directory + "/" + name;
    const ModelEntry* entry = registry.find(id);
    const bool there = fs.exists(path);
    if (entry == nullptr || !entry->whole) {
      if (there) EL_CHECK(fs.remove(path));
      continue;
    }
    if (there || !fs.exists(models_directory + "/" + id + kTrainerText)) continue;
    EL_TRY(const std::string text, read_file(fs, models_directory + "/" + id + kTrainerText, kLargestText));
    EL_CHECK(replace_file(fs, path, text));
  }
  return {};
}

}  // namespace

Result<void> write_mirrors(Fs& fs, const std::string& models_directory, const Profile& profile,
                           const Registry& registry, const Card* champion) {
  EL_CHECK(write_history(fs, models_directory, profile, registry));
  if (champion == nullptr) return {};
  if (!profile.mirror_model.empty()) {
    EL_TRY(const std::string text, read_file(fs, models_directory + "/" + champion->id + kTrainerText, kLargestText));
    EL_CHECK(replace_file(fs, models_directory + "/" + profile.mirror_model, text));
  }
  if (!profile.mirror_metadata.empty()) {
    std::string name = profile.mirror_metadata;
    name.replace(name.find('*'), 1, champion->id.substr(0, kShortId));
    EL_TRY(const std::string pretty, json_pretty(metadata_json(*champion)));
    EL_CHECK(replace_file(fs, models_directory + "/" + name, pretty + "\n"));
  }
  if (profile.mirror_pointer.empty()) return {};
  // As the older system writes it: the path and no line end.
  return replace_file(fs, models_directory + "/" + profile.mirror_pointer, model_path(profile, registry, champion->id));
}

}  // namespace everlearn
