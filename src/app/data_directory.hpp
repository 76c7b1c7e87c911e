// A data directory from the outside: what verbs look at and, while no engine runs, change.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/config/config.hpp"
#include "app/progress.hpp"
#include "core/lock.hpp"
#include "core/system_clock.hpp"
#include "core/system_fs.hpp"
#include "core/system_proc.hpp"
#include "core/world.hpp"
#include "market/calendar.hpp"
#include "registry/registry.hpp"
#include "registry/verdict.hpp"
#include "store/store.hpp"

namespace everlearn {

/// The settings in effect, kept in the directory, so that a verb need not be told them again: DIR/profile.toml.
Result<void> keep_settings(Fs& fs, const std::string& directory, const Config& config);
std::string kept_settings_path(const std::string& directory);

/// State "input" of a directory that the daemon fills; a simulation keeps the fingerprint of its recordings there.
inline constexpr std::string_view kLiveInput = "a file that grows";

/// Not copied, not moved: the world inside refers to it. One thread.
class DataDirectory {
 public:
  enum class Access {
    Read,    // one moment of it, also beside a running engine
    Change,  // holds the lock
    Create,  // the same, and makes what is missing
  };
  /// Errors: NotFound: no data there. InUse (Change, Create). Config: the directory is of another profile or of other
  /// targets.
  static Result<std::unique_ptr<DataDirectory>> open(const std::string& path, Config config, Access access);

  const std::string& path() const { return path_; }
  std::string models() const { return path_ + "/models"; }
  const Config& config() const { return config_; }
  const Profile& profile() const { return config_.profile; }
  const Calendar& calendar() const { return *calendar_; }
  World world() { return {clock_, rng_, fs_, proc_}; }
  Fs& fs() { return fs_; }
  Store& store() { return *store_; }
  const Store& store() const { return *store_; }

  /// Of the last commit; all zero before the first.
  Result<Progress> progress() const;
  Result<Registry> registry() const;
  /// Names by id.
  const std::vector<std::string>& instruments() const { return instruments_; }
  std::string instrument(InstrumentId id) const;
  /// Errors: NotFound with the nearest name.
  Result<InstrumentId> find_instrument(const std::string& name) const;
  /// Errors: NotFound naming the targets there are.
  Result<std::uint16_t> find_target(const std::string& name) const;
  std::uint16_t acting_target() const;
  /// Errors: NotFound, saying what an id looks like.
  Result<ModelEntry> find_model(const Registry& registry, const std::string& id) const;

  /// A recording on a virtual clock filled it, not the daemon.
  bool simulated() const { return simulated_; }
  /// The time that matters in it: the last cycle of a simulation, else the clock's.
  Timestamp now() const { return simulated_ && last_cycle_ ? *last_cycle_ : clock_.now(); }

 private:
  DataDirectory(std::string path, Config config);
  Result<void> load();

  const std::string path_;
  const Config config_;
  SystemFs fs_;
  SystemProc proc_;
  SystemClock clock_;
  Rng rng_;
  std::optional<DirectoryLock> lock_;
  std::unique_ptr<const Calendar> calendar_;
  std::unique_ptr<Store> store_;
  std::vector<std::string> instruments_;
  bool simulated_ = false;
  std::optional<Timestamp> last_cycle_;
};

/// The lines of a text, empty ones left out.
std::vector<std::string> text_lines(std::string_view text);

/// What a stored verdict says, with why its training started.
struct TrainingRecord {
  VerdictRow row;
  Verdict verdict;
  Timestamp stop_until;  // end of the rows it was fitted on and stopped by
};
/// Errors: Damaged.
Result<TrainingRecord> training_record(const VerdictRow& row);

}  // namespace everlearn
