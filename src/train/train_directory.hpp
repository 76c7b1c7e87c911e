#pragma once

#include <string>

#include "core/fs.hpp"
#include "learn/train_job.hpp"

namespace everlearn {

/// Does the job of a directory: reads job.json, writes model.txt, forest.bin, calibrator.json, golden.parquet and,
/// last, result.json. Data that can teach nothing is a result (ok = false, refused says why), not an Error.
Result<TrainResult> train_directory(Fs& fs, const std::string& directory);

}  // namespace everlearn
