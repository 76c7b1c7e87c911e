// What a run has to tell people, from one commit to the next: lines of the log. Some of them are written as an older
// system's documents tell people to look for them; which is in docs/compatibility.md, and a test looks for them.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "app/profile.hpp"
#include "app/progress.hpp"
#include "io/log.hpp"
#include "market/source.hpp"
#include "store/store.hpp"

namespace everlearn {

class Teller {
 public:
  /// All three outlive it. `start`: what is known already and not told again.
  Teller(Log& log, const Profile& profile, const Store& store, const Progress& start)
      : log_{log}, profile_{profile}, store_{store}, told_{start} {}

  /// Before the first step.
  void begin(Timestamp at);
  /// After a commit. `training`: a trainer is at work.
  void tell(const Progress& now, bool training, const SourceReport& source, Timestamp at);

 private:
  void tell_learning(const Progress& now);
  void tell_trainings(const Progress& now, bool training);
  void tell_verdicts(std::int64_t count);
  void tell_champions(const Progress& now);
  void tell_input(const SourceReport& source);
  void tell_table(const SourceReport& source);
  void tell_history(const Progress& now);
  void tell_data(const Progress& now);

  Log& log_;
  const Profile& profile_;
  const Store& store_;
  Progress told_;
  bool training_ = false;
  std::string trouble_;
  std::int64_t late_ = 0, corrected_ = 0, gone_ = 0;
  std::map<std::string, std::int64_t> refused_;
  Timestamp said_at_, data_said_at_;
};

}  // namespace everlearn
