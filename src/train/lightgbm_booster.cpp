#include "train/lightgbm_booster.hpp"

#include <LightGBM/c_api.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "core/system_clock.hpp"

namespace everlearn {
namespace {

struct FreeDataset {
  void operator()(void* handle) const noexcept { LGBM_DatasetFree(handle); }
};
struct FreeBooster {
  void operator()(void* handle) const noexcept { LGBM_BoosterFree(handle); }
};
using Dataset = std::unique_ptr<void, FreeDataset>;
using Booster = std::unique_ptr<void, FreeBooster>;

Result<void> library(int code) {
  if (code == 0) return {};
  return fail(Code::Training, fmt::format("LightGBM: {}", LGBM_GetLastError()));
}

constexpr std::size_t kBinSample = 200'000;  // rows that decide the bin edges: LightGBM's own default
constexpr double kZero = 1e-35;              // LightGBM's kZeroThreshold: nearer to 0 counts as 0 and is left out
constexpr std::int32_t kPushRows = 16'384;

std::string parameters(const TrainJob& job, bool continues) {
  const LearnerParams& p = job.params;
  std::string text = fmt::format(
      "boosting={} num_leaves={} max_depth={} learning_rate={} lambda_l1={} lambda_l2={} min_data_in_leaf={} "
      "feature_fraction={} max_bin={} bin_construct_sample_cnt={} seed={} num_threads={} deterministic=true "
      "force_col_wise=true feature_pre_filter=false metric=none verbosity=-1 data_random_seed=1",
      p.boosting, p.leaves, p.depth, p.learning_rate, p.l1, p.l2, p.min_rows_in_leaf, p.feature_fraction, p.max_bins,
      kBinSample, static_cast<std::int32_t>(job.seed & 0x7fffffff), job.threads);
  if (continues) text += " boost_from_average=false";  // the base's scores hold it
  if (p.row_fraction < 1) text += fmt::format(" bagging_fraction={} bagging_freq=1", p.row_fraction);
  switch (job.task) {
    case Task::Regression:
      return text + " objective=regression";
    case Task::Binary:
      return text + " objective=binary";
    case Task::Multiclass:
      return text + fmt::format(" objective=multiclass num_class={}", job.classes);
  }
  return text;
}

// The rows that decide the bin edges: every k-th fit row, as LightGBM wants them (per column, zeros left out).
class BinSample {
 public:
  BinSample(std::size_t columns, std::size_t fit_rows)
      : every_{(fit_rows + kBinSample - 1) / kBinSample}, values_(columns), places_(columns) {}

  void add(std::span<const float> row) {
    if (seen_++ % every_ != 0) return;
    for (std::size_t j = 0; j < row.size(); ++j) {
      const double value = static_cast<double>(row[j]);
      if (!(std::fabs(value) > kZero) && !std::isnan(value)) continue;
      values_[j].push_back(value);
      places_[j].push_back(rows_);
    }
    ++rows_;
  }

  Result<Dataset> dataset(std::size_t fit_rows, const std::string& parameters) {
    std::vector<double*> values;
    std::vector<int*> places;
    std::vector<int> counts;
    for (std::size_t j = 0; j < values_.size(); ++j) {
      values.push_back(values_[j].data());
      places.push_back(places_[j].data());
      counts.push_back(static_cast<int>(values_[j].size()));
    }
    DatasetHandle raw = nullptr;
    EL_CHECK(library(LGBM_DatasetCreateFromSampledColumn(
        values.data(), places.data(), static_cast<std::int32_t>(values_.size()), counts.data(), rows_,
        static_cast<std::int32_t>(fit_rows), static_cast<std::int64_t>(fit_rows), parameters.c_str(), &raw)));
    return Dataset{raw};
  }

 private:
  std::size_t every_, seen_ = 0;
  std::int32_t rows_ = 0;
  std::vector<std::vector<double>> values_;
  std::vector<std::vector<int>> places_;
};

// Collects rows and hands them over in blocks.
class Pusher {
 public:
  Pusher(DatasetHandle dataset, std::size_t columns) : dataset_{dataset}, columns_{columns} {}

  Result<void> add(std::span<const float> row) {
    block_.insert(block_.end(), row.begin(), row.end());
    return ++held_ == kPushRows ? flush() : Result<void>{};
  }
  Result<void> flush() {
    if (held_ == 0) return {};
    EL_CHECK(library(LGBM_DatasetPushRows(dataset_, block_.data(), C_API_DTYPE_FLOAT32, held_,
                                          static_cast<std::int32_t>(columns_), pushed_)));
    pushed_ += held_;
    held_ = 0;
    block_.clear();
    return {};
  }

 private:
  DatasetHandle dataset_;
  std::size_t columns_;
  std::vector<float> block_;
  std::int32_t held_ = 0, pushed_ = 0;
};

double loss_of(const TrainJob& job, std::span<const double> response, std::span<const float> labels) {
  const std::size_t n = labels.size();
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double label = static_cast<double>(labels[i]);
    switch (job.task) {
      case Task::Regression:
        sum += (response[i] - label) * (response[i] - label);
        break;
      case Task::Binary: {
        const double p = label > 0.5 ? response[i] : 1 - response[i];
        sum -= std::log(std::max(p, 1e-15));
        break;
      }
      case Task::Multiclass:
        // LightGBM keeps scores class by class: class k of row i stands at k * n + i.
        sum -= std::log(std::max(response[static_cast<std::size_t>(label) * n + i], 1e-15));
        break;
    }
  }
  return sum / static_cast<double>(n);
}

Result<std::vector<double>> stop_response(BoosterHandle booster, std::size_t size) {
  std::vector<double> response(size);
  std::int64_t got = 0;
  EL_CHECK(library(LGBM_BoosterGetPredict(booster, 1, &got, response.data())));
  if (static_cast<std::size_t>(got) != size)
    return fail(Code::Training, fmt::format("LightGBM gave {} stop predictions, {} expected", got, size));
  return response;
}

std::vector<double> row_major(const TrainJob& job, std::vector<double> response, std::size_t rows) {
  if (job.task != Task::Multiclass) return response;
  const auto classes = static_cast<std::size_t>(job.classes);
  std::vector<double> turned(response.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < classes; ++k) turned[i * classes + k] = response[k * rows + i];
  return turned;
}

// The scores that boosting begins with; the library wants them class by class.
Result<void> begin_from(const TrainJob& job, const Dataset& data, const std::vector<double>& raw, std::size_t rows) {
  const std::size_t outputs = raw.size() / rows;
  std::vector<double> turned(raw.size());
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t k = 0; k < outputs; ++k) turned[k * rows + i] = raw[i * outputs + k];
  if (outputs != (job.task == Task::Multiclass ? static_cast<std::size_t>(job.classes) : 1))
    return fail(Code::Model, fmt::format("the base gives {} scores a row, a {} task has another number", outputs,
                                         task_name(job.task)));
  return library(LGBM_DatasetSetField(data.get(), "init_score", turned.data(), static_cast<int>(turned.size()),
                                      C_API_DTYPE_FLOAT64));
}

Result<std::string> model_text(BoosterHandle booster, int iterations) {
  std::string text(1 << 20, '\0');
  std::int64_t length = 0;
  const auto save = [&] {
    return library(LGBM_BoosterSaveModelToString(booster, 0, iterations, C_API_FEATURE_IMPORTANCE_GAIN,
                                                 static_cast<std::int64_t>(text.size()), &length, text.data()));
  };
  EL_CHECK(save());
  if (static_cast<std::size_t>(length) > text.size()) {
    text.resize(static_cast<std::size_t>(length));
    EL_CHECK(save());
  }
  text.resize(static_cast<std::size_t>(length) - 1);  // without the terminating zero
  return text;
}

}  // namespace

Result<Boosted> boost(const TrainJob& job, const RowSelection& selection, const RowSource& rows,
                      const Continuation* from) {
  Boosted boosted;
  const Stopwatch preparing;
  const std::size_t columns = job.columns.size();
  std::vector<float> fit_labels, stop_labels;
  for (const LabelledRow& row : selection.rows)
    (row.role == Role::Fit ? fit_labels : stop_labels).push_back(static_cast<float>(row.label));

  const std::string settings = parameters(job, from != nullptr);
  // The sample goes before the rows come: of 130 columns it takes 300 MB.
  const auto with_bins = [&]() -> Result<Dataset> {
    BinSample sample{columns, fit_labels.size()};
    EL_CHECK(rows([&](const LabelledRow& row, std::span<const float> features) {
      if (row.role == Role::Fit) sample.add(features);
    }));
    return sample.dataset(fit_labels.size(), settings);
  };
  EL_TRY(const Dataset fit, with_bins());
  DatasetHandle raw_stop = nullptr;
  EL_CHECK(library(LGBM_DatasetCreateByReference(fit.get(), static_cast<std::int64_t>(stop_labels.size()), &raw_stop)));
  const Dataset stop{raw_stop};
  Pusher fit_rows{fit.get(), columns}, stop_rows{stop.get(), columns};
  Result<void> pushed;
  EL_CHECK(rows([&](const LabelledRow& row, std::span<const float> features) {
    if (pushed) pushed = (row.role == Role::Fit ? fit_rows : stop_rows).add(features);
  }));
  EL_CHECK(pushed);
  EL_CHECK(fit_rows.flush());
  EL_CHECK(stop_rows.flush());
  const auto label = [](const Dataset& data, const std::vector<float>& labels) {
    return library(
        LGBM_DatasetSetField(data.get(), "label", labels.data(), static_cast<int>(labels.size()), C_API_DTYPE_FLOAT32));
  };
  EL_CHECK(label(fit, fit_labels));
  EL_CHECK(label(stop, stop_labels));
  if (from != nullptr) {
    EL_CHECK(begin_from(job, fit, from->fit_raw, fit_labels.size()));
    EL_CHECK(begin_from(job, stop, from->stop_raw, stop_labels.size()));
  }
  std::vector<const char*> names;
  for (const std::string& column : job.columns) names.push_back(column.c_str());
  EL_CHECK(library(LGBM_DatasetSetFeatureNames(fit.get(), names.data(), static_cast<int>(names.size()))));

  BoosterHandle raw = nullptr;
  EL_CHECK(library(LGBM_BoosterCreate(fit.get(), settings.c_str(), &raw)));
  const Booster booster{raw};
  EL_CHECK(library(LGBM_BoosterAddValidData(booster.get(), stop.get())));
  boosted.prepare_seconds = preparing.seconds();

  const Stopwatch training;
  const std::size_t outputs = job.task == Task::Multiclass ? static_cast<std::size_t>(job.classes) : 1;
  const bool stops = job.params.early_stopping > 0 && job.params.boosting != "rf";
  boosted.stop_loss = from != nullptr ? from->stop_loss : std::numeric_limits<double>::infinity();
  for (int iteration = 1; iteration <= job.params.trees; ++iteration) {
    int finished = 0;
    EL_CHECK(library(LGBM_BoosterUpdateOneIter(booster.get(), &finished)));
    const bool last = iteration == job.params.trees || finished != 0;
    if (stops || last) {
      EL_TRY(auto response, stop_response(booster.get(), stop_labels.size() * outputs));
      const double loss = from != nullptr ? from->loss(row_major(job, response, stop_labels.size()))
                                          : loss_of(job, response, stop_labels);
      if (!stops || loss < boosted.stop_loss) {
        boosted.stop_loss = loss;
        boosted.best_iteration = iteration;
        boosted.stop_response = row_major(job, std::move(response), stop_labels.size());
      }
    }
    if (finished != 0 || (stops && iteration - boosted.best_iteration >= job.params.early_stopping)) break;
  }
  if (boosted.best_iteration > 0) {
    EL_TRY(boosted.model_text, model_text(booster.get(), boosted.best_iteration));
  }
  boosted.train_seconds = training.seconds();
  return boosted;
}

Result<std::vector<double>> library_raw(const std::string& text, std::span<const float> rows, std::size_t columns,
                                        int outputs) {
  BoosterHandle raw = nullptr;
  int iterations = 0;
  EL_CHECK(library(LGBM_BoosterLoadModelFromString(text.c_str(), &iterations, &raw)));
  const Booster booster{raw};
  const std::size_t n = rows.size() / columns;
  std::vector<double> scores(n * static_cast<std::size_t>(outputs));
  std::int64_t got = 0;
  EL_CHECK(library(LGBM_BoosterPredictForMat(booster.get(), rows.data(), C_API_DTYPE_FLOAT32,
                                             static_cast<std::int32_t>(n), static_cast<std::int32_t>(columns), 1,
                                             C_API_PREDICT_RAW_SCORE, 0, -1, "num_threads=1", &got, scores.data())));
  if (static_cast<std::size_t>(got) != scores.size())
    return fail(Code::Training, fmt::format("LightGBM gave {} raw scores, {} expected", got, scores.size()));
  return scores;
}

}  // namespace everlearn
