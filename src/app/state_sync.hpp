// A data directory made equal to the newest snapshot of its state, and a new snapshot of it written. A push writes the
// pieces that are new, then the list of files, and then replaces the head, on the condition that it is still the one
// that was pulled: a process killed at any moment leaves the snapshot before, and of two that pulled the same one only
// the first can push. Nothing is read without its SHA-256 being checked.
//
// The caller holds the directory's lock, and nothing has its database open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/state_snapshot.hpp"
#include "core/clock.hpp"
#include "core/fs.hpp"
#include "core/result.hpp"
#include "io/object_store.hpp"

namespace everlearn {

struct PullReport {
  std::int64_t snapshot = 0;  // 0: the state is empty
  std::optional<Timestamp> at;
  std::string by;
  std::int64_t files = 0, fetched = 0;
  std::uint64_t fetched_bytes = 0;
  std::int64_t set_aside = 0;  // files that no snapshot held, in quarantine/before-pull/
};

struct PushReport {
  std::int64_t snapshot = 0;
  bool unchanged = false;            // nothing was written: the newest snapshot holds these files
  std::int64_t files = 0, sent = 0;  // sent: pieces
  std::uint64_t sent_bytes = 0;
  std::int64_t dropped = 0;    // old snapshots
  std::int64_t collected = 0;  // objects that nothing had referred to for a day
  std::string uncollected;     // why some of that was left for later; empty: nothing was
};

/// One thread. Errors: Damaged: bytes that are not those of their hash; NotFound: no such snapshot; those of the store
/// and the disk.
class StateSync {
 public:
  /// `by`: who pushes, for people. `keep`: snapshots, the newest included.
  StateSync(Fs& fs, const Clock& clock, ObjectStore& store, std::string by, int keep = 10)
      : fs_{fs}, clock_{clock}, store_{store}, by_{std::move(by)}, keep_{keep} {}

  /// `number`: an older snapshot that is kept, to go on from it; the next push stands after the newest all the same.
  /// A directory that differs from it in what some snapshot held is replaced; what none held moves to
  /// quarantine/before-pull/. An empty state leaves the directory as it is.
  Result<PullReport> pull(const std::string& directory, std::optional<std::int64_t> number = {});
  /// Once, after pull(). Errors: InUse: another run has pushed since.
  Result<PushReport> push(const std::string& directory);

 private:
  Result<Snapshot> read_snapshot(std::int64_t number, const std::string& sha256);
  Result<std::string> read_piece(const std::string& sha256);
  Result<void> make_equal(const std::string& directory, const Snapshot& snapshot, PullReport& report);
  Result<void> fetch(const std::string& directory, const StateFile& file, PullReport& report);
  Result<void> remember(const std::string& directory, const Snapshot& snapshot);
  Result<std::vector<std::string>> look_for_loose(Snapshot& next, const StateHead& head);

  Fs& fs_;
  const Clock& clock_;
  ObjectStore& store_;
  const std::string by_;
  const int keep_;
  // The newest, as it was pulled; none: the state was empty.
  std::optional<StateHead> head_;
  std::string head_tag_;
  Snapshot newest_;
};

}  // namespace everlearn
