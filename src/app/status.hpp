// Where a data directory stands: the facts behind `status` and `why quiet`, read from its last commit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/alert_state.hpp"
#include "app/data_directory.hpp"
#include "app/history_facts.hpp"
#include "app/progress.hpp"

namespace everlearn {

struct ChampionStatus {
  std::string target, model;  // model empty: none serves
  std::optional<Timestamp> since;
  std::optional<Timestamp> expires;
  std::string why;       // one line of its verdict
  bool by_hand = false;  // pinned by a person
};

struct TrainingStatus {
  std::string target, outcome, reason, why, model;
  Timestamp as_of;
};

struct EngineStatus {
  std::optional<std::string> holder;  // of the directory's lock: a daemon, a simulation or a verb
  bool daemon = false;                // it answers at control.sock
  std::optional<Timestamp> started;   // of the daemon
  bool training = false;
  std::string source_trouble;  // why its source cannot be read now; empty: it can
  // Of a venue:
  std::int64_t followed = 0, second_tier = 0;    // markets
  std::map<std::string, std::int64_t> left_out;  // rule -> markets that are not followed because of it
  std::vector<std::string> health;               // of its feed: lines for people
};

struct Status {
  std::string profile, title, directory;
  bool simulated = false;
  Timestamp at;  // what "now" is: the clock, or the last cycle of a simulation
  EngineStatus engine;
  Progress progress;                                     // `labelled` and `effective` below are of the acting target
  std::int64_t labelled = 0, effective = 0, needed = 0;  // needed: effective examples at which learning starts
  bool learning_allowed = true;                          // by the profile
  bool enabled = false;                                  // by the profile: without waiting for `needed`
  bool off_by_hand = false;
  bool champion_expired = false;                // of the target that acts
  std::vector<ChampionStatus> champions;        // every target
  std::optional<TrainingStatus> last_training;  // of the acting target if there is one
  std::int64_t promoted = 0, refused = 0, insufficient = 0, failed = 0;
  std::optional<Timestamp> next_training;  // by the schedule
  std::optional<double> last_cycle_age_s;  // live only
  std::optional<Timestamp> last_event;     // newest price
  std::int64_t streams = 0, points = 0, gaps = 0;
  std::optional<HistoryFacts> history;  // of dense prices
  Duration history_step;
  double longest_gap_s = 0;
  std::uint64_t data_bytes = 0, free_bytes = 0;
  double capital = 0;
  AlertState alerts;
  std::string alert_words;
};

/// Asks a daemon too, and goes on without its answer. Errors: those of the store.
Result<Status> make_status(DataDirectory& directory);

/// "collecting: learning starts by itself at 2,000 effective labelled examples; 1,200 are there"
std::string learning_words(const Status& status);
/// "3,450 examples collected, 2,100 labeled (auto-enable pending: 1,890 effective of 2,000)"
std::string ml_data_words(const Status& status);
/// "tuned serves; base 46.5 % right; tuned 48.0 % right; 144 tunes, the latest 1a2b3c4d5e6f"
std::string streams_words(const Progress& progress);
std::string status_text(const Status& status);
std::string status_json(const Status& status);

/// What asks for a training now, or what is missing.
struct TrainingCheck {
  bool due = false;
  std::string reason;  // "42 of 2,000 effective labelled examples"
};
Result<TrainingCheck> check_training(const DataDirectory& directory);

}  // namespace everlearn
