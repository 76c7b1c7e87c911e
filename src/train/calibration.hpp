// What is fitted on the stop rows: the forest's word there against what happened, in a model that was not fitted to
// them. With prediction sets the rows are cut in two by time: the calibrator takes the earlier half (rows whose outcome
// was known when the later begins), the sets the later one, on the probabilities as they will act.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/fs.hpp"
#include "learn/train_job.hpp"
#include "model/calibrator.hpp"
#include "model/conformal.hpp"
#include "train/row_selection.hpp"

namespace everlearn {

struct Calibration {
  Calibrator calibrator;
  std::optional<ConformalSets> sets;
};

/// `response`: outputs of the forest (after its link) for each stop row of the selection, in order. Errors: Unsupported
/// for what does not fit the task; as for_each_example() where sets need the baseline's word.
Result<Calibration> calibrate(const TrainJob& job, const RowSelection& selection, std::span<const double> response);

/// Writes calibrator.json and, with sets, conformal.json.
Result<void> write(Fs& fs, const std::string& directory, const Calibration& calibration);

}  // namespace everlearn
