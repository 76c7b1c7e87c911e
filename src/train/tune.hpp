// Tunes a base bundle to a job's rows, in the way the job names. Fitted on the fit rows; what is no better on the stop
// rows, which are newer, is dropped: the difference is then empty and the tune says what its base says.
#pragma once

#include <string>
#include <vector>

#include "core/fs.hpp"
#include "learn/train_job.hpp"
#include "train/row_selection.hpp"

namespace everlearn {

/// `features`: the selected rows in the job's columns, row-major. `result` describes the selection; the tune's figures
/// are added. Writes tune.bin and, where trees were added, golden.parquet and model.txt. What cannot be tuned is a
/// result (refused). Errors: of load_bundle(); Model if the job has not all columns of the base; Training.
Result<TrainResult> tune_base(Fs& fs, const std::string& directory, const TrainJob& job, const RowSelection& selection,
                              std::vector<float> features, TrainResult result);

}  // namespace everlearn
