// Copies of models under the names that an older system's tools look for. For reading only: the engine itself never
// reads them back.
#pragma once

#include <map>
#include <string>

#include "app/profile.hpp"
#include "core/fs.hpp"
#include "registry/bundle.hpp"
#include "registry/registry.hpp"

namespace everlearn {

/// Brings the files of [mirror] into line with the registry: models/<mirror.model>, the champion as its trainer wrote
/// it; models/<mirror.metadata>, * being the first twelve digits of its id: what its card says in short;
/// models/<mirror.history>, * being the time of its training: every model of the target that acts of which the archive
/// keeps the files, and no longer than it keeps them; models/<mirror.pointer>, which names the one that acts. Each
/// replaced in one step, a model before what names it. `champion` null: none acts, and what is there stays. Errors:
/// Storage; NotFound for a champion without the trainer's text.
Result<void> write_mirrors(Fs& fs, const std::string& models_directory, const Profile& profile,
                           const Registry& registry, const Card* champion);

/// Names in models/ of the models of the target that acts, by id: "model_20260104_120000.txt". A second model of the
/// same second has the first digits of its id behind the time. Empty without mirror.history.
std::map<std::string, std::string> history_names(const Profile& profile, const Registry& registry);

/// "models/model_20260104_120000.txt", or where the trainer's text of the model lies if no such name is kept.
std::string model_path(const Profile& profile, const Registry& registry, const std::string& id);

/// The metadata file's JSON: model_id, target, training_date, rows, accuracy as judged on unseen rows, ...
std::string metadata_json(const Card& card);

}  // namespace everlearn
