// From "train now" to a verdict: exports the hot rows, starts everlearn-train, admits what it made, puts the hold-out
// together and asks the gate. Targets train side by side. Decision thread only; the work happens in child processes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/profile.hpp"
#include "app/training_plan.hpp"
#include "core/world.hpp"
#include "registry/registry.hpp"
#include "serve/predictor.hpp"
#include "store/store.hpp"

namespace everlearn {

struct TrainingRequest {
  std::uint16_t target = 0;
  TrainingPlan plan;
  std::string reason;
  std::int64_t rows_wanted = 0, rows_there = 0;  // by scaling or by hand; wanted 0: all of the window
  std::vector<Requirement> also_require;         // beside the target's own
  std::optional<LearnerParams> params;           // in place of the target's own
  Timestamp judged_until = Timestamp::min();     // latest hold-out row that an earlier verdict of the target used
};

struct TrainingOutcome {
  TrainingRequest request;
  Verdict verdict;
  std::string bundle;  // empty if no model came of it
  std::string champion_before;
  std::shared_ptr<const Predictor> predictor;  // of the bundle
  std::optional<TrainResult> result;
  double seconds = 0;  // wall time, child and gate
  double gate_seconds = 0;
};

class Trainings {
 public:
  struct Place {
    std::string data_directory;
    std::string trainer;               // path of everlearn-train
    std::vector<std::string> columns;  // of the feature bank
    std::string schema_hash;
    std::vector<std::string> markets;  // by instrument
  };
  Trainings(World world, const Profile& profile, Store& store);
  ~Trainings();

  /// Errors: Storage; Training if the child cannot be started.
  Result<void> start(const TrainingRequest& request, const Place& place);
  bool running() const { return !jobs_.empty(); }
  /// What has finished, in target order; `wait`: all of it. A child that dies is an outcome (failed), not an Error.
  Result<std::vector<TrainingOutcome>> collect(bool wait, const Place& place, const Registry& registry,
                                               const std::vector<std::shared_ptr<const Predictor>>& champions);

 private:
  struct Job;
  Result<TrainingOutcome> judge(const Job& job, const ProcessExit& exit, const Place& place, const Registry& registry,
                                const Predictor* champion);

  World world_;
  const Profile& profile_;
  Store& store_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::int64_t started_ = 0;
};

/// What a VerdictRow keeps of a training: verdict, counts, timing.
std::string training_json(const TrainingOutcome& outcome);

/// The gate's rules for one target, from the profile and what the trained labels looked like.
GateRules gate_rules(const Profile& profile, const TargetProfile& target, const TrainResult& result);

}  // namespace everlearn
