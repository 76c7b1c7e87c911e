// A profile is data: everything that makes one system differ from another. The configuration (app/config.hpp) fills it
// from the built-in profile, the user's file, the environment and the command line; nothing else reads those.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "alert/alert_settings.hpp"
#include "app/stated_skill.hpp"
#include "app/streams.hpp"
#include "core/time.hpp"
#include "io/table_options.hpp"
#include "io/venue_options.hpp"
#include "label/label.hpp"
#include "learn/scaling.hpp"
#include "learn/train_job.hpp"
#include "learn/tune_spec.hpp"
#include "registry/gate.hpp"
#include "signal/signal.hpp"
#include "store/store.hpp"
#include "trade/outlet_settings.hpp"
#include "trade/paper_account.hpp"

namespace everlearn {

struct TargetProfile {
  std::string name;   // "ret_5d"
  bool acts = false;  // exactly one target of a profile
  LabelSpec label;
  Task task = Task::Regression;
  LearnerParams learner;
  std::vector<Requirement> require;
  Comparison comparison = Comparison::Better;
  double margin = 0;
  double blend_weight = 0.7;         // of the model, in [0, 0.95]
  std::string calibration = "none";  // "none" | "linear" | "temperature" | "isotonic"
  double conformal_alpha = 0;        // classes: prediction sets may miss this share of outcomes; 0: no sets

  /// Values a prediction of this target has: 1, or one a class.
  int outputs() const { return task == Task::Regression ? 1 : label.classes(); }
};

struct Profile {
  std::string name;
  std::string title;  // one line for people

  // [source]
  std::vector<std::string> inputs;  // recordings of `demo`
  std::string calendar = "24/7";
  Duration source_delay;             // known_at = event_time + delay where the input gives no receive time
  bool probability = false;          // prices in [0, 1]
  double tick_size = 0;              // 0: unknown
  std::vector<std::string> context;  // instruments that feed features of others and make no examples
  Duration gap_after;  // a longer silence of a stream, in open time, is a gap; 0: one session (daily), else 2.5 samples
  bool store_events = true;                // keep bars, trades and books (prices are always kept)
  bool watched_books = false;              // a trusted book is as it is now, however long ago it changed
  std::vector<std::string> source_limits;  // what the data cannot tell, in sentences for the report
  TableOptions table;                      // where rows come from a database, or a file with the columns of its table

  VenueOptions venue;  // [venue]: where they come from a venue that is watched live

  // [cycle], [examples]
  Duration cycle;          // grid anchored to the epoch; 0: one cycle a session, at its close
  Duration sample;         // examples on this grid; 0: each cycle
  Duration max_price_age;  // an older last price makes no example and no decision (session calendars: open time)
  int commit_every = 64;   // cycles between commits in a simulation

  // [features], [prices]
  std::vector<std::string> features;        // patterns of the catalogue, stepped each cycle
  std::vector<std::string> dense_features;  // the same, stepped on the dense grid from dense prices alone
  std::vector<std::pair<std::string, std::string>> defined_features;  // name, expression over the row's other columns
  Duration dense_every;  // dense prices on this grid, anchored to the epoch; 0: none are kept

  std::vector<TargetProfile> targets;  // in order of name

  // [train]
  bool learning = true;               // may a model act at all; off by hand wins for good
  std::optional<bool> train_enabled;  // true: without waiting for auto_enable
  std::int64_t auto_enable = 0;       // effective labelled examples before learning starts by itself; 0: never
  std::string train_schedule;         // "quarterly", "6h", or a cron line
  std::string train_zone = "UTC";
  std::optional<Duration> train_max_age;            // a champion older than this asks for a training
  std::optional<double> train_min_sharpe;           // a live Sharpe under this asks for a training
  Duration train_min_gap;                           // between triggered trainings
  std::optional<double> train_min_recent_accuracy;  // served predictions right less often ask for one from scratch,
  Duration train_recent_gap = Duration::hours(6);   // at most this often
  Duration window;                                  // examples no older than this; 0: all
  double stop_share = 0.15;                         // of the window's time, before the hold-out
  double holdout_share = 0.2;                       // of the window's time, at its end
  Duration stop_most, holdout_most;                 // neither is longer than this; 0: no limit
  Duration embargo;
  std::int64_t min_effective = 0;  // in the fit rows
  std::int64_t min_holdout_effective = 0;
  std::int64_t max_examples = 25'000'000;
  Duration train_delay;  // virtual: a training as of T takes effect at T + delay; 0: the next cycle
  int threads = 1;
  std::uint64_t memory_bytes = 8ull << 30;
  Duration train_wall = Duration::hours(1);
  Duration model_expiry;  // after this a champion acts no longer; 0: never

  // [scaling]: how many rows a training takes, if not all of the window
  ScalingRules scaling;
  std::optional<Timestamp> scaling_start;  // of period 0; empty: the first training

  // [tune], [streams]
  TuneRules tune;
  Duration tune_every;  // between fine-tunes; 0: each cycle that makes examples
  StreamRules streams;

  // [ensemble]
  bool ensemble = false;  // the champion and those before it speak together, each by what it gained
  int ensemble_size = 5;  // at most so many

  // [gate]
  double max_gain_share = 0.25;
  int gate_draws = 1000;

  SignalRules signal;
  PaperRules paper;
  OutletSettings outlet;

  // [mirror]: copies in models/ under the names that older tools look for; empty: none
  std::string mirror_model;     // "lightgbm_model.txt": the champion of the target that acts, as its trainer wrote it
  std::string mirror_metadata;  // "model_metadata_*.json", * is the model: its card in short
  std::string mirror_history;   // "model_*.txt", * is a time: each model of that target
  std::string mirror_pointer;   // "current_model.txt": the path of the champion, in a line without its end
  std::string mirror_log;       // "name.log": in logs/, a link to the log that is being written

  StatedSkill stated;  // [report]: what somebody else says

  // [backfill]
  bool backfill = true;  // holes in past prices are filled from the source's history

  // [retention], [models], [store]
  Duration retention;                 // 0: keep for ever
  std::uint64_t retention_bytes = 0;  // 0: no cap
  double retention_free_share = 0;    // of the disk space that is free or the store's; 0: no cap
  std::uint64_t models_bytes = 0;     // 0: no cap
  StoreOptions store;
  Duration base_every;  // live: the market and the features are written so often, with what came since; 0: each commit

  AlertSettings alert;

  std::uint64_t seed = 1;
};

/// The number of the target that acts.
inline std::uint16_t acting_target(const Profile& profile) {
  std::uint16_t number = 0;
  while (number < profile.targets.size() && !profile.targets[number].acts) ++number;
  return number;
}

}  // namespace everlearn
