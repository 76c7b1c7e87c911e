#include "train/train_directory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/system_clock.hpp"
#include "forest/lightgbm.hpp"
#include "label/label.hpp"
#include "learn/golden.hpp"
#include "train/calibration.hpp"
#include "train/degenerate.hpp"
#include "train/golden_proof.hpp"
#include "train/lightgbm_booster.hpp"
#include "train/row_selection.hpp"
#include "train/tune.hpp"

namespace everlearn {
namespace {

Result<TrainResult> refuse(Fs& fs, const std::string& directory, TrainResult result, std::string why) {
  result.refused = std::move(why);
  EL_CHECK(replace_file(fs, directory + "/result.json", result.to_json()));
  return result;
}

void describe(const RowSelection& selection, TrainResult& result) {
  EffectiveCount effective;
  std::map<Role, TrainingInterval> seen;
  for (const LabelledRow& row : selection.rows) {
    result.seen_until = std::max(result.seen_until, row.label_end);
    result.last_row = row.event_time;
    TrainingInterval& interval =
        seen.try_emplace(row.role, TrainingInterval{row.event_time, row.label_end}).first->second;
    interval.last = std::max(interval.last, row.label_end);
    if (row.role == Role::Stop) {
      ++result.rows_stop;
      continue;
    }
    if (result.rows_fit++ == 0) {
      result.fit_first = row.event_time;
      result.label_min = result.label_max = row.label;
    }
    result.fit_last = row.event_time;
    result.label_min = std::min(result.label_min, row.label);
    result.label_max = std::max(result.label_max, row.label);
    effective.add(row.instrument, row.event_time, row.label_end);
  }
  result.effective = effective.value();
  for (const auto& [role, interval] : seen) result.intervals.push_back(interval);
  result.intervals = united(std::move(result.intervals));
}

// Passes over the rows: from the files, and from memory after the first pass where that is cheap.
class RowPasses {
 public:
  RowPasses(const TrainJob& job, const RowSelection& selection)
      : job_{job}, selection_{selection}, keeps_{selection.rows.size() * job.columns.size() <= kKeptValues} {}

  /// The features of all rows, after the first pass; empty where they were too many to keep.
  std::vector<float> take() { return std::move(kept_); }

  Result<void> pass(const RowVisitor& visitor) {
    const std::size_t width = job_.columns.size();
    if (!kept_.empty()) {
      for (std::size_t i = 0; i < selection_.rows.size(); ++i)
        visitor(selection_.rows[i], std::span{kept_}.subspan(i * width, width));
      return {};
    }
    return for_each_row(job_, selection_, [&](const LabelledRow& row, std::span<const float> features) {
      if (keeps_) kept_.insert(kept_.end(), features.begin(), features.end());
      visitor(row, features);
    });
  }

 private:
  static constexpr std::size_t kKeptValues = 256ull << 20;  // 1 GiB

  const TrainJob& job_;
  const RowSelection& selection_;
  const bool keeps_;
  std::vector<float> kept_;
};

// Every k-th selected row, so that the golden rows span the whole time.
class GoldenSample {
 public:
  explicit GoldenSample(std::size_t population) : every_{std::max<std::size_t>(1, population / kGoldenRows)} {}
  void add(std::span<const float> row) {
    if (seen_++ % every_ == 0 && taken_++ < kGoldenRows) rows.insert(rows.end(), row.begin(), row.end());
  }
  std::vector<float> rows;

 private:
  std::size_t every_, seen_ = 0, taken_ = 0;
};

}  // namespace

Result<TrainResult> train_directory(Fs& fs, const std::string& directory) {
  EL_TRY(const std::string text, read_file(fs, directory + "/job.json", 64 << 20));
  EL_TRY(const TrainJob job, TrainJob::from_json(text));
  if (job.params.learner != "lightgbm")
    return fail(Code::Unsupported, fmt::format("learner \"{}\" is not built in", job.params.learner));

  TrainResult result;
  const Stopwatch reading;
  EL_TRY(const RowSelection selection, select_rows(job));
  describe(selection, result);
  if (auto why = degenerate_labels(job, selection, result.effective); !why.empty())
    return refuse(fs, directory, std::move(result), std::move(why));

  FeatureWatch watch{job.columns.size()};
  GoldenSample sample{selection.rows.size()};
  RowPasses rows{job, selection};
  EL_CHECK(rows.pass([&](const LabelledRow& row, std::span<const float> features) {
    sample.add(features);
    if (row.role == Role::Fit) watch.add(features);
  }));
  result.read_seconds = reading.seconds();
  if (const std::string column = watch.infinite(job.columns); !column.empty())
    return refuse(fs, directory, std::move(result), fmt::format("infinite feature: {}", column));
  result.dead_features = watch.dead(job.columns);
  if (result.dead_features.size() == job.columns.size())
    return refuse(fs, directory, std::move(result), "dead features: every column is constant or missing");

  if (job.tune) {
    EL_TRY(TrainResult tuned, tune_base(fs, directory, job, selection, rows.take(), std::move(result)));
    EL_CHECK(replace_file(fs, directory + "/result.json", tuned.to_json()));
    return tuned;
  }

  EL_TRY(const Boosted boosted, boost(job, selection, [&](const RowVisitor& visitor) { return rows.pass(visitor); }));
  EL_TRY(const Forest forest, forest_from_lightgbm(boosted.model_text));
  EL_TRY(const Golden golden, prove_conversion(forest, boosted.model_text, job.columns, std::move(sample.rows)));
  EL_TRY(const Calibration calibration, calibrate(job, selection, boosted.stop_response));

  result.ok = true;
  result.best_iteration = boosted.best_iteration;
  result.stop_loss = boosted.stop_loss;
  result.prepare_seconds = boosted.prepare_seconds;
  result.train_seconds = boosted.train_seconds;
  const std::vector<double> gain = forest.gain();
  for (std::size_t j = 0; j < gain.size(); ++j) result.gain[job.columns[j]] = gain[j];

  EL_CHECK(replace_file(fs, directory + "/model.txt", boosted.model_text));
  EL_CHECK(replace_file(fs, directory + "/forest.bin", forest.encode()));
  EL_CHECK(write(fs, directory, calibration));
  EL_CHECK(write_golden(fs, directory + "/golden.parquet", golden));
  EL_CHECK(replace_file(fs, directory + "/result.json", result.to_json()));
  return result;
}

}  // namespace everlearn
