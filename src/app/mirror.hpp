// Copies of the champion under the names that an older system's tools look for. For reading only: the engine itself
// never reads them back.
#pragma once

#include <string>

#include "app/profile.hpp"
#include "core/fs.hpp"
#include "registry/bundle.hpp"

namespace everlearn {

/// models/<mirror.model>: the champion as its trainer wrote it; models/<mirror.metadata>, * being the first twelve
/// digits of its id: what its card says in short. Each replaced in one step. Errors: Storage; NotFound for a model
/// without the trainer's text.
Result<void> write_mirrors(Fs& fs, const std::string& models_directory, const Profile& profile, const Card& champion);

/// The metadata file's JSON: model_id, target, training_date, rows, accuracy as judged on unseen rows, ...
std::string metadata_json(const Card& card);

}  // namespace everlearn
