#include "app/mirror.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/json.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kShortId = 12;
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

Result<void> write_mirrors(Fs& fs, const std::string& models_directory, const Profile& profile, const Card& champion) {
  if (!profile.mirror_model.empty()) {
    EL_TRY(const std::string text,
           read_file(fs, models_directory + "/" + champion.id + "/trainer/model.txt", kLargestText));
    EL_CHECK(replace_file(fs, models_directory + "/" + profile.mirror_model, text));
  }
  if (!profile.mirror_metadata.empty()) {
    std::string name = profile.mirror_metadata;
    name.replace(name.find('*'), 1, champion.id.substr(0, kShortId));
    EL_TRY(const std::string pretty, json_pretty(metadata_json(champion)));
    EL_CHECK(replace_file(fs, models_directory + "/" + name, pretty + "\n"));
  }
  return {};
}

}  // namespace everlearn
