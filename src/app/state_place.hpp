// Work in a data directory whose state lies elsewhere, in one call: lease, pull, work, push, release. For verbs that
// run once on a machine that may be another one each time.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "app/state_sync.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

struct StateRequest {
  std::string place;                               // a directory, or "s3://bucket/prefix"
  std::map<std::string, std::string> environment;  // AWS_*
  std::string data_directory;                      // may be missing or empty
  std::optional<std::int64_t> snapshot;            // go on from an older one
  Duration lease = Duration::minutes(15);
};

struct StateRun {
  PullReport pulled;
  std::optional<PushReport> pushed;  // empty: the work failed in a way that must not travel
  std::optional<std::string> died;   // whose lease had run out
  double pull_seconds = 0, push_seconds = 0;

  /// "snapshot 17 pulled (3 files, 1.2 MB), 18 pushed (2 pieces, 0.8 MB) to s3://bucket/prefix" and what else there is
  /// to say, one line each.
  std::string text(const std::string& place) const;
  std::string to_json(const std::string& place) const;
};

/// `work` holds nothing of the directory open when it returns, and calls `keep` now and then: an Error of it (the lease
/// is another's) ends the work. What a work that failed had committed travels too, unless its Error says that the
/// directory cannot be trusted (Damaged, Storage) or that it never began (Config, Usage, InUse). Returns its Error
/// after everything else is done. `run`, if given, is filled in either case. Errors: InUse, naming the holder of the
/// lease or of the directory; those of pull, work and push.
Result<void> run_in_state(const StateRequest& request,
                          const std::function<Result<void>(const std::function<Result<void>()>& keep)>& work,
                          StateRun* run = nullptr);

}  // namespace everlearn
