#include "train/tune.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <utility>

#include "core/system_clock.hpp"
#include "forest/lightgbm.hpp"
#include "learn/golden.hpp"
#include "registry/tune.hpp"
#include "train/calibration.hpp"
#include "train/golden_proof.hpp"
#include "train/leaf_refit.hpp"
#include "train/lightgbm_booster.hpp"

namespace everlearn {
namespace {

constexpr double kLeastProbability = 1e-15;
// Of a thousand rows a bin then holds some fifteen, about as many as the smallest leaf. With 255 bins a tune takes half
// as long again, and its loss is the same within one part in a hundred.
constexpr int kMostBins = 63;

// Where the base's columns stand among the job's.
Result<std::vector<std::size_t>> places_of(const std::vector<std::string>& wanted, const TrainJob& job) {
  std::unordered_map<std::string_view, std::size_t> place;
  for (std::size_t i = 0; i < job.columns.size(); ++i) place.emplace(job.columns[i], i);
  std::vector<std::size_t> places;
  for (const std::string& column : wanted) {
    const auto found = place.find(column);
    if (found == place.end())
      return fail(Code::Model, fmt::format("base {} needs column {}, which the rows do not have",
                                           job.tune->base.substr(0, 12), column));
    places.push_back(found->second);
  }
  return places;
}

// The rows of one role, in the base's columns.
struct Rows {
  std::vector<float> features;
  std::vector<double> labels;
};

// What a tune is made of and judged by.
class Bench {
 public:
  static Result<Bench> make(const TrainJob& job, Bundle base, const RowSelection& selection,
                            const std::vector<float>& features) {
    EL_TRY(const auto places, places_of(base.card.columns, job));
    Bench bench{job, std::move(base)};
    for (std::size_t i = 0; i < selection.rows.size(); ++i) {
      const LabelledRow& row = selection.rows[i];
      Rows& rows = row.role == Role::Fit ? bench.fit_ : bench.stop_;
      rows.labels.push_back(row.label);
      for (const std::size_t place : places) rows.features.push_back(features[i * job.columns.size() + place]);
    }
    return bench;
  }

  const Bundle& base() const { return base_; }
  const Rows& fit() const { return fit_; }
  const Rows& stop() const { return stop_; }

  std::vector<double> raw(const Forest& forest, const Rows& rows) const {
    std::vector<double> raw(rows.labels.size() * static_cast<std::size_t>(forest.outputs()));
    forest.raw_batch(rows.features, raw);
    return raw;
  }
  /// Raw scores to what the model says, calibrated. One value a row, or one a class.
  double stop_loss(std::vector<double> raw, const Calibrator& calibrator) const {
    base_.forest.respond(raw);
    return response_loss(raw, calibrator);
  }
  /// Mean squared error or log loss of the stop rows, from outputs of the forest after its link.
  double response_loss(std::span<const double> response, const Calibrator& calibrator) const {
    const std::size_t outputs = static_cast<std::size_t>(base_.forest.outputs());
    std::vector<double> said;
    double sum = 0;
    for (std::size_t i = 0; i < stop_.labels.size(); ++i) {
      const auto row = response.subspan(i * outputs, outputs);
      if (job_.task == Task::Regression) {
        const double error = calibrator.apply(row[0]) - stop_.labels[i];
        sum += error * error;
        continue;
      }
      said.assign(row.begin(), row.end());
      if (job_.task == Task::Binary) said = {1 - row[0], row[0]};
      calibrator.apply(said);
      sum -= std::log(std::max(said[static_cast<std::size_t>(stop_.labels[i])], kLeastProbability));
    }
    return sum / static_cast<double>(stop_.labels.size());
  }

 private:
  Bench(const TrainJob& job, Bundle base) : job_{job}, base_{std::move(base)} {}
  const TrainJob& job_;
  Bundle base_;
  Rows fit_, stop_;
};

struct Candidate {
  TuneDifference difference;
  double stop_loss = 0;
  int iterations = 0;
};

// More trees, of the tune's own size and rate, from where the base stands.
Result<Candidate> more_trees(Fs& fs, const std::string& directory, const TrainJob& job, const RowSelection& selection,
                             const Bench& bench, double loss_before) {
  const Bundle& base = bench.base();
  TrainJob further = job;
  further.columns = base.card.columns;
  further.params.trees = job.tune->trees;
  further.params.learning_rate = job.tune->learning_rate;
  further.params.early_stopping = job.tune->early_stopping;
  further.params.leaves = job.tune->leaves;
  further.params.depth = job.tune->depth;
  further.params.min_rows_in_leaf = job.tune->min_rows_in_leaf;
  further.params.max_bins = std::min(job.params.max_bins, kMostBins);

  const std::size_t width = base.card.columns.size();
  const RowSource rows = [&](const RowVisitor& visitor) -> Result<void> {
    std::size_t fit = 0, stop = 0;
    for (const LabelledRow& row : selection.rows) {
      const bool fits = row.role == Role::Fit;
      const std::size_t at = fits ? fit++ : stop++;
      visitor(row, std::span{(fits ? bench.fit() : bench.stop()).features}.subspan(at * width, width));
    }
    return {};
  };
  const Continuation from{
      bench.raw(base.forest, bench.fit()), bench.raw(base.forest, bench.stop()), loss_before,
      [&](std::span<const double> response) { return bench.response_loss(response, base.calibrator); }};
  EL_TRY(const Boosted boosted, boost(further, selection, rows, &from));
  if (boosted.best_iteration == 0) return Candidate{{}, loss_before, 0};

  EL_TRY(Forest forest, forest_from_lightgbm(boosted.model_text));
  std::vector<float> sample;
  const std::size_t fit_rows = bench.fit().labels.size(), every = std::max<std::size_t>(1, fit_rows / kGoldenRows);
  for (std::size_t i = 0; i < fit_rows && sample.size() < kGoldenRows * width; i += every) {
    const auto row = std::span{bench.fit().features}.subspan(i * width, width);
    sample.insert(sample.end(), row.begin(), row.end());
  }
  EL_TRY(const Golden golden, prove_conversion(forest, boosted.model_text, base.card.columns, std::move(sample)));
  EL_CHECK(write_golden(fs, directory + "/golden.parquet", golden));
  EL_CHECK(replace_file(fs, directory + "/model.txt", boosted.model_text));

  std::vector<double> raw = from.stop_raw;
  const std::size_t outputs = static_cast<std::size_t>(forest.outputs());
  for (std::size_t i = 0; i < bench.stop().labels.size(); ++i)
    forest.add_raw(std::span{bench.stop().features}.subspan(i * width, width),
                   std::span{raw}.subspan(i * outputs, outputs));
  const double loss = bench.stop_loss(std::move(raw), base.calibrator);
  return Candidate{std::move(forest), loss, boosted.best_iteration};
}

Result<Candidate> other_leaves(const TrainJob& job, const Bench& bench) {
  const Bundle& base = bench.base();
  const RefitRules rules{.task = job.task,
                         .learning_rate = job.params.learning_rate,
                         .l1 = job.params.l1,
                         .l2 = job.params.l2,
                         .decay = job.tune->decay};
  const std::vector<double> values = refit_leaves(base.forest, bench.fit().features, bench.fit().labels, rules);
  std::vector<LeafStep> steps = steps_between(base.forest.leaf_values(), values);
  EL_TRY(const Forest moved, base.forest.moved(steps));
  return Candidate{std::move(steps), bench.stop_loss(bench.raw(moved, bench.stop()), base.calibrator), 0};
}

Result<Candidate> other_calibrator(const TrainJob& job, const RowSelection& selection, const Bench& bench) {
  const Bundle& base = bench.base();
  TrainJob fitting = job;  // the calibrator takes what is called stop rows: here it is fitted on the fit rows
  fitting.conformal_alpha = 0;
  if (fitting.calibration == "none") fitting.calibration = job.task == Task::Regression ? "linear" : "temperature";
  RowSelection rows;
  for (LabelledRow row : selection.rows)
    if (row.role == Role::Fit) {
      row.role = Role::Stop;
      rows.rows.push_back(row);
    }
  std::vector<double> response = bench.raw(base.forest, bench.fit());
  base.forest.respond(response);
  EL_TRY(Calibration fitted, calibrate(fitting, rows, response));
  const double loss = bench.stop_loss(bench.raw(base.forest, bench.stop()), fitted.calibrator);
  return Candidate{std::move(fitted.calibrator), loss, 0};
}

}  // namespace

Result<TrainResult> tune_base(Fs& fs, const std::string& directory, const TrainJob& job, const RowSelection& selection,
                              std::vector<float> features, TrainResult result) {
  const Stopwatch preparing;
  if (features.size() != selection.rows.size() * job.columns.size())
    return fail(Code::OutOfRange, fmt::format("{} rows of {} columns are more than a tune holds in memory",
                                              selection.rows.size(), job.columns.size()));
  const std::string& place = job.tune->base_directory;
  const std::size_t slash = place.rfind('/');
  if (slash == std::string::npos || place.substr(slash + 1) != job.tune->base)
    return fail(Code::Model, fmt::format("{} is not the directory of base {}", place, job.tune->base));
  EL_TRY(Bundle loaded, load_bundle(fs, place.substr(0, slash), job.tune->base));
  EL_TRY(const Bench bench, Bench::make(job, std::move(loaded), selection, features));
  const Bundle& base = bench.base();
  if (base.card.task != job.task || base.card.classes != job.classes)
    return fail(Code::Model, fmt::format("base {} is of a {} task with {} classes, the rows are of a {} with {}",
                                         job.tune->base.substr(0, 12), task_name(base.card.task), base.card.classes,
                                         task_name(job.task), job.classes));
  if (base.forest.averaged() && job.tune->way != TuneWay::Calibration) {
    result.refused = fmt::format("way \"{}\" does not tune a random forest: its trees do not correct one another",
                                 tune_way_name(job.tune->way));
    return result;
  }
  result.stop_loss_before = bench.stop_loss(bench.raw(base.forest, bench.stop()), base.calibrator);
  result.prepare_seconds = preparing.seconds();

  const Stopwatch tuning;
  Candidate candidate;
  switch (job.tune->way) {
    case TuneWay::Trees: {
      EL_TRY(candidate, more_trees(fs, directory, job, selection, bench, result.stop_loss_before));
      break;
    }
    case TuneWay::Leaves: {
      EL_TRY(candidate, other_leaves(job, bench));
      break;
    }
    case TuneWay::Calibration: {
      EL_TRY(candidate, other_calibrator(job, selection, bench));
      break;
    }
    case TuneWay::None:
      return fail(Code::Unsupported, "a job that tunes in the way \"none\"");
  }
  if (!(candidate.stop_loss < result.stop_loss_before)) candidate = {{}, result.stop_loss_before, 0};
  result.train_seconds = tuning.seconds();
  result.ok = true;
  result.stop_loss = candidate.stop_loss;
  result.best_iteration = candidate.iterations;
  result.changed = changes_of(candidate.difference);
  if (const auto* trees = std::get_if<Forest>(&candidate.difference)) {
    const std::vector<double> gain = trees->gain();
    for (std::size_t j = 0; j < gain.size(); ++j) result.gain[base.card.columns[j]] = gain[j];
  }
  EL_CHECK(replace_file(fs, directory + "/tune.bin", encode_difference(candidate.difference)));
  return result;
}

}  // namespace everlearn
