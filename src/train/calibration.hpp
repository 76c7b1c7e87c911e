// What is fitted on the stop rows: the forest's word there against what happened, in a model that was not fitted to
// them.
#pragma once

#include <span>
#include <string>

#include "core/fs.hpp"
#include "learn/train_job.hpp"
#include "model/calibrator.hpp"
#include "train/row_selection.hpp"

namespace everlearn {

struct Calibration {
  Calibrator calibrator;
};

/// `response`: outputs of the forest (after its link) for each stop row of the selection, in order. Errors: Unsupported
/// for a calibration that does not fit the task.
Result<Calibration> calibrate(const TrainJob& job, const RowSelection& selection, std::span<const double> response);

/// Writes calibrator.json.
Result<void> write(Fs& fs, const std::string& directory, const Calibration& calibration);

}  // namespace everlearn
