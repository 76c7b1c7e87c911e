#include "app/tunings.hpp"

#include <fmt/format.h>

#include "app/trainer_process.hpp"
#include "core/system_clock.hpp"
#include "registry/tune.hpp"
#include "store/lake_file.hpp"

namespace everlearn {
namespace {

constexpr int kFastest = 1;  // zstd: the files live for one job
constexpr int kThreads = 1;  // more of them cost more than a thousand rows give back

Result<void> write_rows(Fs& fs, const TrainJob& job, const TuneRows& rows) {
  LakeNames names;
  names.columns = job.columns;
  EL_CHECK(write_lake_file<ExampleRow>(fs, job.tail_examples, rows.examples, 1, names, kFastest));
  EL_CHECK(write_lake_file<LabelRow>(fs, job.tail_labels, rows.labels, 1, names, kFastest));
  return {};
}

}  // namespace

struct Tunings::Job {
  std::shared_ptr<const Predictor> base;
  TrainJob spec;
  std::string directory;
  std::string refused;  // before a child was started
  std::unique_ptr<Child> child;
  Stopwatch stopwatch;
};

Tunings::Tunings(World world, const Profile& profile) : world_{world}, profile_{profile} {}
Tunings::~Tunings() = default;

TrainJob tune_job(const Profile& profile, const Predictor& base, const TuneRows& rows, Timestamp at,
                  const Trainings::Place& place) {
  const std::uint16_t number = acting_target(profile);
  const TargetProfile& target = profile.targets[number];
  const TuneRules& rules = profile.tune;
  TrainJob job;
  job.target = target.name;
  job.target_index = number;
  job.task = target.task;
  job.classes = target.label.classes();
  job.as_of = at;
  const auto fit = static_cast<double>(rows.examples.size()) * (1 - rules.stop_share);
  job.fit_from = rows.examples.front().event_time;
  job.stop_from = rows.examples[static_cast<std::size_t>(fit)].event_time;
  job.stop_until = rows.examples.back().event_time + Duration{1};
  job.purge_stop_by = rows.boundary - profile.embargo;
  job.columns = place.columns;
  job.schema_hash = place.schema_hash;
  job.markets = place.markets;
  job.params = base.card().params;
  job.calibration = target.calibration;
  job.seed = profile.seed;
  job.threads = kThreads;
  job.tune = TuneSpec{.way = rules.way,
                      .base = base.card().id,
                      .base_directory = place.data_directory + "/models/" + base.card().id,
                      .trees = rules.trees,
                      .learning_rate = rules.learning_rate,
                      .early_stopping = rules.early_stopping,
                      .leaves = rules.leaves,
                      .depth = rules.depth,
                      .min_rows_in_leaf = rules.min_rows_in_leaf,
                      .decay = rules.decay};
  return job;
}

Result<void> Tunings::start(const std::shared_ptr<const Predictor>& base, const RecentRows& recent, Timestamp at,
                            const Trainings::Place& place) {
  if (base->tune() != nullptr)
    return fail(Code::Usage, fmt::format("{} is a tune itself, and only a base is tuned", base->id().substr(0, 12)));
  if (job_) return fail(Code::InUse, fmt::format("the tune as of {} still runs", job_->spec.as_of.iso()));
  auto job = std::make_unique<Job>();
  job->base = base;
  const TuneRows rows = recent.tune_rows(at);
  if (!rows.lacking.empty()) {
    job->refused = rows.lacking;
    job_ = std::move(job);
    return {};
  }
  job->directory = fmt::format("{}/jobs/tune-{}", place.data_directory, at.us());
  EL_CHECK(world_.fs.remove_tree(job->directory));  // what an interrupted run left there
  EL_CHECK(world_.fs.make_directories(job->directory));
  job->spec = tune_job(profile_, *base, rows, at, place);
  job->spec.tail_examples = job->directory + "/tail_examples.parquet";
  job->spec.tail_labels = job->directory + "/tail_labels.parquet";
  EL_CHECK(write_rows(world_.fs, job->spec, rows));
  EL_CHECK(replace_file(world_.fs, job->directory + "/job.json", job->spec.to_json()));
  EL_TRY(job->child, world_.proc.start(trainer_process(place.trainer, job->directory, kThreads, profile_.memory_bytes,
                                                       profile_.tune.wall)));
  job_ = std::move(job);
  return {};
}

Result<std::optional<TuneOutcome>> Tunings::collect(bool wait, const Trainings::Place& place) {
  if (!job_) return fail(Code::Usage, "no tune was started");
  if (!job_->refused.empty()) {
    TuneOutcome outcome{.refused = std::move(job_->refused), .predictor = {}, .result = {}};
    job_.reset();
    return std::optional{std::move(outcome)};
  }
  std::optional<ProcessExit> exit;
  if (wait) {
    EL_TRY(exit, job_->child->wait());
  } else {
    EL_TRY(exit, job_->child->poll());
  }
  if (!exit) return std::optional<TuneOutcome>{};
  const std::unique_ptr<Job> job = std::move(job_);
  EL_TRY(TuneOutcome outcome, admit(*job, *exit, place));
  outcome.seconds = job->stopwatch.seconds();
  EL_CHECK(world_.fs.remove_tree(job->directory));
  return std::optional{std::move(outcome)};
}

Result<TuneOutcome> Tunings::tune(const std::shared_ptr<const Predictor>& base, const RecentRows& rows, Timestamp at,
                                  const Trainings::Place& place) {
  EL_CHECK(start(base, rows, at, place));
  EL_TRY(auto outcome, collect(true, place));
  if (!outcome) return fail(Code::Internal, "a child that was waited for has not ended");
  return std::move(*outcome);
}

Result<TuneOutcome> Tunings::admit(const Job& job, const ProcessExit& exit, const Trainings::Place& place) {
  TuneOutcome outcome;
  if (!exit.ok()) {
    outcome.refused = why_trainer_ended(world_.fs, job.directory, exit, profile_.tune.wall);
    return outcome;
  }
  EL_TRY(const std::string text, read_file(world_.fs, job.directory + "/result.json", 64 << 20));
  EL_TRY(outcome.result, TrainResult::from_json(text));
  if (!outcome.result->ok) {
    outcome.refused = "refused before tuning: " + outcome.result->refused;
    return outcome;
  }
  auto admitted = admit_tune(world_.fs, place.data_directory + "/models", job.directory,
                             tune_card(job.base->card(), job.spec, *outcome.result, world_.clock.now()));
  auto tuned = admitted ? Predictor::tuned(job.base, std::move(*admitted))
                        : Result<std::shared_ptr<const Predictor>>{tl::unexpected<Error>(admitted.error())};
  if (!tuned) {
    if (tuned.error().code == Code::Storage) return tl::unexpected<Error>(tuned.error());
    outcome.refused = tuned.error().message;
    return outcome;
  }
  outcome.predictor = std::move(*tuned);
  return outcome;
}

}  // namespace everlearn
