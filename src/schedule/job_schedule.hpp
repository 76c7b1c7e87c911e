// Named jobs and which of their periods have run. A period is one beginning of the job's rule; it runs once or not at
// all, whatever the clock does and however often the process starts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"
#include "schedule/rule.hpp"

namespace everlearn {

/// What happens to periods that began while nobody asked: the machine was off, or a step took long.
enum class Missed {
  RunOnce,  // the latest runs, and stands for all before it
  Skip,     // the latest runs if it began no longer than `late_after` ago; all before it are left out
  CatchUp,  // all run, oldest first
};

/// "run_once", "skip", "catch_up". Errors: Config.
Result<Missed> parse_missed(std::string_view text);
std::string_view text(Missed missed);

struct Job {
  std::string name;
  Rule rule;
  Missed missed = Missed::RunOnce;
  Duration late_after = Duration::hours(1);  // only for Skip
};

struct DueJob {
  std::string name;
  Timestamp period_start;
  std::int64_t missed = 0;  // earlier periods that will not run, counted up to JobSchedule::kMissedMost

  bool operator==(const DueJob&) const = default;
};

struct JobState {
  std::string name;
  std::string rule;
  Missed missed = Missed::RunOnce;
  std::optional<Timestamp> last_period;  // the latest that was marked
  std::optional<Timestamp> next_period;  // see JobSchedule::next()
};

/// One owner thread. Asks no clock: the same calls give the same answers.
class JobSchedule {
 public:
  static constexpr std::int64_t kMissedMost = 10'000;
  static constexpr std::size_t kCatchUpMost = 100;  // periods of one job that a call of due() names

  /// Periods that began at or before `since` count as past. Errors: Config for an empty or a repeated name.
  static Result<JobSchedule> make(std::vector<Job> jobs, Timestamp since);

  /// What is to run now, by (period_start, name). Changes nothing: says the same until mark_run().
  /// A clock that went back finds nothing due until it has caught up.
  std::vector<DueJob> due(Timestamp now) const;

  /// The period has run, or was given up: it and all before it are past. Marking it again changes nothing.
  /// Errors: NotFound for the name, OutOfRange if no period of the job begins then.
  Result<void> mark_run(std::string_view name, Timestamp period_start);

  /// The first period after now that has not run; empty where a Cron ends. Errors: NotFound.
  Result<std::optional<Timestamp>> next(std::string_view name, Timestamp now) const;

  /// Every job, by name.
  std::vector<JobState> states(Timestamp now) const;

  /// What has run, for the checkpoint (core/bytes.hpp).
  std::string encode() const;
  /// Takes the state of every job that the bytes name; jobs they do not name keep theirs, names without a job are
  /// dropped. Errors: Damaged, and then nothing is changed.
  Result<void> decode(std::string_view bytes);

 private:
  struct Entry {
    Job job;
    Timestamp done;                        // periods up to here are past
    std::optional<Timestamp> last_period;  // the latest that was marked
    std::optional<Timestamp> pending;      // the first period after done

    void finish(Timestamp until);
    std::optional<Timestamp> next(Timestamp now) const;
  };

  explicit JobSchedule(std::vector<Entry> entries) : entries_{std::move(entries)} {}
  Result<std::size_t> place_of(std::string_view name) const;

  std::vector<Entry> entries_;  // by name
};

}  // namespace everlearn
