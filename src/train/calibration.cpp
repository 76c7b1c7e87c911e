#include "train/calibration.hpp"

#include <fmt/format.h>

#include <vector>

namespace everlearn {
namespace {

std::vector<double> stop_outcomes(const RowSelection& selection) {
  std::vector<double> outcomes;
  for (const LabelledRow& row : selection.rows)
    if (row.role == Role::Stop) outcomes.push_back(row.label);
  return outcomes;
}

Result<Calibrator> fit_calibrator(const TrainJob& job, std::span<const double> response,
                                  std::span<const double> outcomes) {
  if (job.calibration == "none") return Calibrator{};
  if (job.calibration == "linear" && job.task == Task::Regression) return Calibrator::fit_linear(response, outcomes);
  if (job.calibration != "temperature" || job.task == Task::Regression)
    return fail(Code::Unsupported,
                fmt::format("calibration \"{}\" does not fit a {} task", job.calibration, task_name(job.task)));
  if (job.task == Task::Multiclass) return Calibrator::fit_temperature(response, job.classes, outcomes);
  std::vector<double> both;
  for (const double p : response) both.insert(both.end(), {1 - p, p});
  return Calibrator::fit_temperature(both, 2, outcomes);
}

}  // namespace

Result<Calibration> calibrate(const TrainJob& job, const RowSelection& selection, std::span<const double> response) {
  Calibration calibration;
  EL_TRY(calibration.calibrator, fit_calibrator(job, response, stop_outcomes(selection)));
  return calibration;
}

Result<void> write(Fs& fs, const std::string& directory, const Calibration& calibration) {
  return replace_file(fs, directory + "/calibrator.json", calibration.calibrator.to_json());
}

}  // namespace everlearn
