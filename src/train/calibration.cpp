#include "train/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "model/blend.hpp"
#include "store/rows.hpp"

namespace everlearn {
namespace {

/// What the forest said and what came, a row after another; `width` values a row.
struct Said {
  std::size_t width = 1;
  std::vector<double> values, outcomes;

  void add(std::span<const double> row, double outcome) {
    values.insert(values.end(), row.begin(), row.end());
    outcomes.push_back(outcome);
  }
};

std::size_t width_of(const TrainJob& job) {
  return job.task == Task::Regression ? 1 : static_cast<std::size_t>(job.classes);
}

/// The rows of a selection and what the forest said about them.
struct StopRows {
  RowSelection rows;
  Said said;

  explicit StopRows(const TrainJob& job) : said{width_of(job), {}, {}} {}
  void add(const LabelledRow& row, std::span<const double> values) {
    rows.rows.push_back(row);
    said.add(values, row.label);
  }
  std::span<const double> values(std::size_t i) const {
    return std::span{said.values}.subspan(i * said.width, said.width);
  }
};

StopRows stop_rows(const TrainJob& job, const RowSelection& selection, std::span<const double> response) {
  StopRows stop{job};
  std::size_t i = 0;
  for (const LabelledRow& row : selection.rows) {
    if (row.role != Role::Stop) continue;
    if (job.task == Task::Binary)
      stop.add(row, std::vector{1 - response[i], response[i]});
    else
      stop.add(row, response.subspan(i * stop.said.width, stop.said.width));
    ++i;
  }
  return stop;
}

/// Earlier and later rows; none of the earlier reaches into the later.
std::pair<StopRows, StopRows> halves(const TrainJob& job, const StopRows& stop) {
  std::pair<StopRows, StopRows> cut{job, job};
  const std::vector<LabelledRow>& rows = stop.rows.rows;
  if (rows.empty()) return cut;
  const Timestamp middle = rows[rows.size() / 2].event_time;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].event_time >= middle)
      cut.second.add(rows[i], stop.values(i));
    else if (rows[i].label_end <= middle)
      cut.first.add(rows[i], stop.values(i));
  }
  return cut;
}

Result<Calibrator> fit_calibrator(const TrainJob& job, const Said& said) {
  const bool classes = job.task != Task::Regression;
  if (job.calibration == "none") return Calibrator{};
  if (job.calibration == "linear" && !classes) return Calibrator::fit_linear(said.values, said.outcomes);
  if (job.calibration == "temperature" && classes)
    return Calibrator::fit_temperature(said.values, static_cast<int>(said.width), said.outcomes);
  if (job.calibration == "isotonic" && classes)
    return Calibrator::fit_isotonic(said.values, static_cast<int>(said.width), said.outcomes);
  return fail(Code::Unsupported,
              fmt::format("calibration \"{}\" does not fit a {} task", job.calibration, task_name(job.task)));
}

/// The probabilities as they will act: calibrated, and mixed with what the baseline said when the row was decided.
Result<ConformalSets> fit_sets(const TrainJob& job, const Calibrator& calibrator, const StopRows& later) {
  EL_CHECK(check_model_weight(job.blend_weight, "job.json: blend_weight"));
  const std::size_t width = later.said.width;
  const auto start = static_cast<std::size_t>(job.baseline_start);
  Said acting{width, {}, {}};
  std::vector<double> said(width), acts(width);
  std::string problem;
  std::size_t i = 0;
  EL_CHECK(for_each_example(job, later.rows, [&](const LabelledRow& row, const ExampleRow& example) {
    if (!problem.empty()) return;
    if (example.baseline.size() < start + width) {
      problem = fmt::format("an example of instrument {} at {} has {} baseline values, {} from {} on are wanted",
                            index(row.instrument), row.event_time.iso(), example.baseline.size(), width, start);
      return;
    }
    std::ranges::copy(later.values(i++), said.begin());
    calibrator.apply(said);
    blend(said, std::span{example.baseline}.subspan(start, width), job.blend_weight, acts);
    acting.add(acts, row.label);
  }));
  if (!problem.empty()) return fail(Code::Damaged, problem);
  return ConformalSets::fit(acting.values, static_cast<int>(width), acting.outcomes, job.conformal_alpha);
}

}  // namespace

Result<Calibration> calibrate(const TrainJob& job, const RowSelection& selection, std::span<const double> response) {
  const StopRows stop = stop_rows(job, selection, response);
  Calibration calibration;
  if (!(job.conformal_alpha > 0)) {
    EL_TRY(calibration.calibrator, fit_calibrator(job, stop.said));
    return calibration;
  }
  if (job.task == Task::Regression)
    return fail(Code::Unsupported,
                fmt::format("prediction sets (conformal_alpha {}) do not fit a regression task", job.conformal_alpha));
  const auto [earlier, later] = halves(job, stop);
  EL_TRY(calibration.calibrator, fit_calibrator(job, earlier.said));
  EL_TRY(calibration.sets, fit_sets(job, calibration.calibrator, later));
  return calibration;
}

Result<void> write(Fs& fs, const std::string& directory, const Calibration& calibration) {
  EL_CHECK(replace_file(fs, directory + "/calibrator.json", calibration.calibrator.to_json()));
  if (!calibration.sets) return {};
  return replace_file(fs, directory + "/conformal.json", calibration.sets->to_json());
}

}  // namespace everlearn
