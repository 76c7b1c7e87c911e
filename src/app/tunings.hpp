// From "tune now" to a tuned predictor: writes the rows, starts everlearn-train, admits what it made and applies it to
// the base. One tune at a time, of the target that acts. Decision thread only; the work happens in a child process.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/profile.hpp"
#include "app/recent_rows.hpp"
#include "app/trainings.hpp"
#include "core/world.hpp"
#include "serve/predictor.hpp"

namespace everlearn {

struct TuneOutcome {
  std::string refused;                         // why there is no tune; empty: there is one
  std::shared_ptr<const Predictor> predictor;  // the base with the tune; of an empty difference, as the base
  std::optional<TrainResult> result;           // where the child came to one
  double seconds = 0;                          // wall time, from the rows to the predictor
};

class Tunings {
 public:
  Tunings(World world, const Profile& profile);
  ~Tunings();

  /// Starts a tune of `base` as of `at`. Too few rows are an outcome, which collect() gives at once. Errors: Usage if
  /// `base` is a tune itself; InUse while one runs; Storage; Training if the child cannot be started.
  Result<void> start(const std::shared_ptr<const Predictor>& base, const RecentRows& rows, Timestamp at,
                     const Trainings::Place& place);
  bool running() const { return job_ != nullptr; }
  /// What start() came to, empty while the child runs; `wait`: for its end. A child that dies, or whose work is not
  /// admitted, is an outcome (refused), not an Error. Errors: Storage; Usage if nothing was started.
  Result<std::optional<TuneOutcome>> collect(bool wait, const Trainings::Place& place);

  /// Both, one after the other.
  Result<TuneOutcome> tune(const std::shared_ptr<const Predictor>& base, const RecentRows& rows, Timestamp at,
                           const Trainings::Place& place);

 private:
  struct Job;
  Result<TuneOutcome> admit(const Job& job, const ProcessExit& exit, const Trainings::Place& place);

  World world_;
  const Profile& profile_;
  std::unique_ptr<Job> job_;
};

/// The job of a tune, without where its rows lie. The newest tune.stop_share of the rows are its stop rows; rows of one
/// moment stand on one side.
TrainJob tune_job(const Profile& profile, const Predictor& base, const TuneRows& rows, Timestamp at,
                  const Trainings::Place& place);

}  // namespace everlearn
