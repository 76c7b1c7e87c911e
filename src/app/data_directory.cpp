#include "app/data_directory.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/json.hpp"

namespace everlearn {

std::vector<std::string> text_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string kept_settings_path(const std::string& directory) { return directory + "/profile.toml"; }

Result<void> keep_settings(Fs& fs, const std::string& directory, const Config& config) {
  return replace_file(fs, kept_settings_path(directory), settings_toml(config));
}

DataDirectory::DataDirectory(std::string path, Config config)
    : path_{std::move(path)}, config_{std::move(config)}, rng_{Rng::named(config_.profile.seed, "verb")} {}

Result<std::unique_ptr<DataDirectory>> DataDirectory::open(const std::string& path, Config config, Access access) {
  std::unique_ptr<DataDirectory> directory{new DataDirectory{path, std::move(config)}};
  if (access == Access::Create) {
    EL_CHECK(directory->fs_.make_directories(path + "/models"));
  } else if (!directory->fs_.exists(path + "/everlearn.db")) {
    return fail(Code::NotFound, fmt::format("no data in {}: nothing has run there yet", path));
  }
  if (access != Access::Read) {
    EL_TRY(directory->lock_, DirectoryLock::take(path));
  }
  EL_TRY(directory->calendar_, make_calendar(directory->profile().calendar));
  StoreOptions options = directory->profile().store;
  options.read_only = access == Access::Read;
  EL_TRY(directory->store_, Store::open(directory->world(), path, options));
  EL_CHECK(directory->load());
  return directory;
}

Result<void> DataDirectory::load() {
  EL_TRY(const auto profile_name, store_->state("profile"));
  if (profile_name && *profile_name != profile().name)
    return fail(Code::Config, fmt::format("{} belongs to profile {}, not to {}", path_, *profile_name, profile().name));
  EL_TRY(const auto kept, store_->state("targets"));
  std::vector<std::string> targets;
  for (const TargetProfile& target : profile().targets) targets.push_back(target.name);
  if (kept && text_lines(*kept) != targets)
    return fail(Code::Config, fmt::format("{} was made with the targets {}, the settings have {}", path_,
                                          fmt::join(text_lines(*kept), ", "), fmt::join(targets, ", ")));
  EL_TRY(const auto names, store_->state("instruments"));
  if (names) instruments_ = text_lines(*names);
  EL_TRY(const auto input, store_->state("input"));
  simulated_ = input && *input != kLiveInput;
  EL_TRY(const Progress so_far, progress());
  last_cycle_ = so_far.last_cycle;
  return {};
}

Result<Progress> DataDirectory::progress() const {
  EL_TRY(const auto text, store_->state("progress"));
  if (!text) return Progress{};
  return Progress::from_json(*text);
}

Result<Registry> DataDirectory::registry() const {
  EL_TRY(const auto text, store_->state("registry"));
  if (!text) return Registry{};
  return Registry::from_json(*text);
}

std::string DataDirectory::instrument(InstrumentId id) const {
  if (id == kEveryInstrument) return "(all)";
  const std::size_t i = index(id);
  return i < instruments_.size() ? instruments_[i] : fmt::format("#{}", i);
}

Result<InstrumentId> DataDirectory::find_instrument(const std::string& name) const {
  for (std::size_t i = 0; i < instruments_.size(); ++i)
    if (instruments_[i] == name) return InstrumentId{static_cast<std::uint32_t>(i)};
  const auto meant = nearest(name, instruments_);
  return fail(Code::NotFound, fmt::format("no instrument \"{}\" among {}{}", name, instruments_.size(),
                                          meant ? fmt::format("; did you mean \"{}\"?", *meant) : ""));
}

std::uint16_t DataDirectory::acting_target() const {
  const auto& targets = profile().targets;
  const auto acts = std::find_if(targets.begin(), targets.end(), [](const TargetProfile& t) { return t.acts; });
  return static_cast<std::uint16_t>(acts - targets.begin());
}

Result<std::uint16_t> DataDirectory::find_target(const std::string& name) const {
  if (name.empty()) return acting_target();
  std::vector<std::string> names;
  for (const TargetProfile& target : profile().targets) {
    if (target.name == name) return static_cast<std::uint16_t>(names.size());
    names.push_back(target.name);
  }
  return fail(Code::NotFound, fmt::format("no target \"{}\": there are {}", name, fmt::join(names, ", ")));
}

Result<ModelEntry> DataDirectory::find_model(const Registry& registry, const std::string& id) const {
  if (const ModelEntry* entry = registry.find(id)) return *entry;
  return fail(Code::NotFound,
              fmt::format("no model \"{}\" among {}: six or more digits of an id that `models list` shows", id,
                          registry.entries().size()));
}

Result<TrainingRecord> training_record(const VerdictRow& row) {
  TrainingRecord record;
  record.row = row;
  auto in = JsonIn::parse(row.json);
  if (!in) return fail(Code::Damaged, fmt::format("verdict {}: {}", row.id, in.error().message));
  in->get("stop_until", record.stop_until);
  auto verdict = Verdict::from_json(in->json("verdict"));
  if (!verdict) return fail(Code::Damaged, fmt::format("verdict {}: {}", row.id, verdict.error().message));
  record.verdict = std::move(*verdict);
  if (const auto whole = in->finish(fmt::format("verdict {}", row.id)); !whole)
    return fail(Code::Damaged, whole.error().message);
  return record;
}

}  // namespace everlearn
