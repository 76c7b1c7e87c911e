#include "train/degenerate.hpp"

#include <fmt/format.h>

#include <cmath>
#include <set>

namespace everlearn {
namespace {

// Fewer rows cannot make two leaves of the smallest allowed size.
std::int64_t fewest_fit_rows(const TrainJob& job) {
  return std::max<std::int64_t>(2 * job.params.min_rows_in_leaf, 50);
}
constexpr std::int64_t kFewestStopRows = 20;

}  // namespace

std::string degenerate_labels(const TrainJob& job, const RowSelection& selection, std::int64_t effective) {
  std::int64_t fit = 0, stop = 0;
  std::set<double> values;
  for (const LabelledRow& row : selection.rows) {
    ++(row.role == Role::Fit ? fit : stop);
    if (!std::isfinite(row.label))
      return fmt::format("non-finite label of instrument {} at {}", index(row.instrument), row.event_time.iso());
    const bool whole = row.label == std::floor(row.label);
    if (job.task != Task::Regression && (!whole || row.label < 0 || row.label >= job.classes))
      return fmt::format("class out of range: label {} of a task with {} classes", row.label, job.classes);
    if (row.role == Role::Fit && values.size() < 2) values.insert(row.label);
  }
  if (fit < fewest_fit_rows(job)) return fmt::format("too few rows: {} to fit, {} needed", fit, fewest_fit_rows(job));
  if (stop < kFewestStopRows) return fmt::format("too few rows: {} to stop by, {} needed", stop, kFewestStopRows);
  if (effective < job.min_effective)
    return fmt::format("too few effective rows: {} of {} needed", effective, job.min_effective);
  if (values.size() < 2)
    return job.task == Task::Regression ? fmt::format("constant label: every one is {}", *values.begin())
                                        : fmt::format("one class: every label is {}", *values.begin());
  return {};
}

void FeatureWatch::add(std::span<const float> row) {
  for (std::size_t j = 0; j < row.size(); ++j) {
    Seen& seen = seen_[j];
    const float value = row[j];
    if (std::isnan(value)) {
      seen.missing = true;
      continue;
    }
    if (std::isinf(value)) seen.infinite = true;
    if (!seen.any)
      seen.first = value;
    else if (value != seen.first)
      seen.varies = true;
    seen.any = true;
  }
}

std::vector<std::string> FeatureWatch::dead(const std::vector<std::string>& columns) const {
  std::vector<std::string> names;
  for (std::size_t j = 0; j < columns.size(); ++j)
    if (!seen_[j].any || (!seen_[j].varies && !seen_[j].missing)) names.push_back(columns[j]);
  return names;
}

std::string FeatureWatch::infinite(const std::vector<std::string>& columns) const {
  for (std::size_t j = 0; j < columns.size(); ++j)
    if (seen_[j].infinite) return columns[j];
  return {};
}

}  // namespace everlearn
