#include "app/trainings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/holdout.hpp"
#include "app/trainer_process.hpp"
#include "core/json.hpp"
#include "core/system_clock.hpp"

namespace everlearn {
namespace {

constexpr std::string_view kLibrary = "LightGBM 4.7.0";

Verdict failed(std::string reason) {
  Verdict verdict;
  verdict.outcome = Outcome::Failed;
  verdict.reason = std::move(reason);
  return verdict;
}

}  // namespace

struct Trainings::Job {
  TrainingRequest request;
  TrainJob spec;
  std::string directory;
  std::unique_ptr<Child> child;
  Stopwatch stopwatch;
};

Trainings::Trainings(World world, const Profile& profile, Store& store)
    : world_{world}, profile_{profile}, store_{store} {}
Trainings::~Trainings() = default;

GateRules gate_rules(const Profile& profile, const TargetProfile& target, const TrainResult& result) {
  GateRules rules;
  rules.task = target.task;
  rules.classes = target.label.classes();
  // The sign of a class is about the middle one; a value out of a table's column has none that is known to mean a move.
  rules.directional = target.label.kind != LabelKind::RealisedVolatility &&
                      (target.label.kind != LabelKind::Column || target.label.is_class());
  rules.unit = target.label.unit;
  rules.require = target.require;
  rules.comparison = target.comparison;
  rules.margin = target.margin;
  rules.min_effective = profile.min_holdout_effective;
  rules.half_tick = target.label.is_class() ? 0 : profile.tick_size / 2;
  rules.max_gain_share = profile.max_gain_share;
  const Duration horizon = target.label.sessions > 0 ? Duration::days(7) * ((target.label.sessions + 4) / 5)
                           : target.label.bars > 0   ? profile.cycle * target.label.bars
                                                     : target.label.horizon;
  rules.block = horizon * 2;
  rules.draws = profile.gate_draws;
  rules.seed = profile.seed;
  rules.label_min = result.label_min;
  rules.label_max = result.label_max;
  rules.cost_relative = 2 * (profile.paper.cost_bps + profile.paper.half_spread_bps) / 1e4;
  rules.periods_per_year = profile.calendar == "24/7" ? 365 : 252;
  return rules;
}

std::string training_json(const TrainingOutcome& outcome) {
  JsonOut out;
  out.put_json("verdict", outcome.verdict.to_json())
      .put("seconds", outcome.seconds)
      .put("gate_seconds", outcome.gate_seconds)
      .put("fit_from", outcome.request.plan.fit_from)
      .put("stop_from", outcome.request.plan.stop_from)
      .put("stop_until", outcome.request.plan.stop_until);
  if (outcome.result) out.put_json("result", outcome.result->to_json());
  return out.text();
}

Result<void> Trainings::start(const TrainingRequest& request, const Place& place) {
  const TargetProfile& target = profile_.targets[request.target];
  auto job = std::make_unique<Job>();
  job->request = request;
  job->directory = fmt::format("{}/jobs/{}-{}", place.data_directory, request.plan.as_of.us(), target.name);
  EL_CHECK(world_.fs.remove_tree(job->directory));  // what an interrupted run left there
  EL_CHECK(world_.fs.make_directories(job->directory));

  TrainJob& spec = job->spec;
  spec.target = target.name;
  spec.target_index = request.target;
  spec.task = target.task;
  spec.classes = target.label.classes();
  spec.as_of = request.plan.as_of;
  spec.fit_from = request.plan.fit_from;
  spec.stop_from = request.plan.stop_from;
  spec.stop_until = request.plan.stop_until;
  spec.purge_stop_by = request.plan.purge_stop_by;
  spec.columns = place.columns;
  spec.schema_hash = place.schema_hash;
  spec.markets = place.markets;
  spec.max_examples = profile_.max_examples;
  spec.min_effective = profile_.min_effective;
  spec.params = request.params.value_or(target.learner);
  spec.calibration = target.calibration;
  spec.conformal_alpha = target.conformal_alpha;
  spec.blend_weight = target.blend_weight;
  spec.baseline_start = static_cast<std::int64_t>(BaselineLayout{profile_}.start[request.target]);
  spec.seed = profile_.seed;
  spec.threads = profile_.threads;
  const auto sealed = [&](Dataset dataset, std::vector<SegmentRef>& into) {
    for (const Segment& segment : store_.segments(dataset))
      if (segment.last_event >= spec.fit_from)
        into.push_back({place.data_directory + "/" + segment.path, segment.sha256, segment.rows});
  };
  sealed(Dataset::Examples, spec.examples);
  sealed(Dataset::Labels, spec.labels);
  spec.tail_examples = job->directory + "/tail_examples.parquet";
  spec.tail_labels = job->directory + "/tail_labels.parquet";
  EL_CHECK(store_.export_hot(Dataset::Examples, spec.tail_examples));
  EL_CHECK(store_.export_hot(Dataset::Labels, spec.tail_labels));
  EL_CHECK(replace_file(world_.fs, job->directory + "/job.json", spec.to_json()));

  EL_TRY(job->child, world_.proc.start(trainer_process(place.trainer, job->directory, profile_.threads,
                                                       profile_.memory_bytes, profile_.train_wall)));
  jobs_.push_back(std::move(job));
  return {};
}

Result<std::vector<TrainingOutcome>> Trainings::collect(
    bool wait, const Place& place, const Registry& registry,
    const std::vector<std::shared_ptr<const Predictor>>& champions) {
  std::vector<TrainingOutcome> outcomes;
  std::vector<std::unique_ptr<Job>> still_running;
  for (auto& job : jobs_) {
    std::optional<ProcessExit> exit;
    if (wait) {
      EL_TRY(exit, job->child->wait());
    } else {
      EL_TRY(exit, job->child->poll());
    }
    if (!exit) {
      still_running.push_back(std::move(job));
      continue;
    }
    EL_TRY(auto outcome, judge(*job, *exit, place, registry, champions[job->request.target].get()));
    outcome.seconds = job->stopwatch.seconds();
    EL_CHECK(world_.fs.remove_tree(job->directory));
    outcomes.push_back(std::move(outcome));
  }
  jobs_ = std::move(still_running);
  std::sort(outcomes.begin(), outcomes.end(),
            [](const auto& a, const auto& b) { return a.request.target < b.request.target; });
  return outcomes;
}

Result<TrainingOutcome> Trainings::judge(const Job& job, const ProcessExit& exit, const Place& place,
                                         const Registry& registry, const Predictor* champion) {
  const TargetProfile& target = profile_.targets[job.request.target];
  TrainingOutcome outcome;
  outcome.request = job.request;
  outcome.champion_before = registry.champion(target.name).value_or("");
  if (!exit.ok()) {
    outcome.verdict = failed(why_trainer_ended(world_.fs, job.directory, exit, profile_.train_wall));
    return outcome;
  }
  EL_TRY(const std::string text, read_file(world_.fs, job.directory + "/result.json", 64 << 20));
  EL_TRY(outcome.result, TrainResult::from_json(text));
  const TrainResult& result = *outcome.result;
  if (!result.ok) {
    outcome.verdict = failed("refused before training: " + result.refused);
    if (result.refused.starts_with("too few")) outcome.verdict.outcome = Outcome::Insufficient;
    return outcome;
  }

  Card card;
  card.profile = profile_.name;
  card.target = target.name;
  card.task = target.task;
  card.classes = target.label.classes();
  card.columns = place.columns;
  card.schema_hash = place.schema_hash;
  card.as_of = job.request.plan.as_of;
  card.trained_at = world_.clock.now();
  card.seen_until = result.seen_until;
  card.intervals = result.intervals;
  card.expires_at = profile_.model_expiry.us() > 0 ? card.trained_at + profile_.model_expiry : Timestamp::max();
  card.rows_fit = result.rows_fit;
  card.rows_stop = result.rows_stop;
  card.effective = result.effective;
  card.label_min = result.label_min;
  card.label_max = result.label_max;
  card.trees = result.best_iteration;
  card.blend_weight = target.blend_weight;
  card.params = job.spec.params;
  card.seed = profile_.seed;
  card.reason = job.request.reason;
  card.gain = result.gain;
  card.canonical_job = job.spec.canonical();
  card.library = std::string{kLibrary};
  auto admitted = admit(world_.fs, place.data_directory + "/models", job.directory, std::move(card));
  if (!admitted) {
    if (admitted.error().code == Code::Storage) return tl::unexpected<Error>(admitted.error());
    outcome.verdict = failed(admitted.error().message);
    return outcome;
  }
  outcome.bundle = admitted->card.id;
  EL_TRY(outcome.predictor, Predictor::bind(std::move(*admitted), place.columns));

  const Stopwatch gate_stopwatch;
  Timestamp unseen = result.seen_until;
  if (champion != nullptr) unseen = std::max(unseen, champion->card().seen_until);
  unseen = std::max(unseen + profile_.embargo + Duration{1}, job.request.plan.stop_until);
  HoldoutQuery query{
      .target = job.request.target, .range = {unseen, Timestamp::max()}, .as_of = job.request.plan.as_of};
  EL_TRY(const auto rows, assemble_holdout(store_, profile_, query, *outcome.predictor, champion));
  GateRules rules = gate_rules(profile_, target, result);
  for (const Requirement& more : job.request.also_require) {
    const auto named = std::ranges::find(rules.require, more.name, &Requirement::name);
    if (named == rules.require.end())
      rules.require.push_back(more);
    else
      named->at_least = std::max(named->at_least, more.at_least);
  }
  const Gate gate{std::move(rules)};
  EL_TRY(outcome.verdict, gate.review(rows));
  outcome.verdict.rows_used_before = std::count_if(
      rows.begin(), rows.end(), [&](const HoldoutRow& row) { return row.event_time <= job.request.judged_until; });
  outcome.gate_seconds = gate_stopwatch.seconds();
  return outcome;
}

}  // namespace everlearn
