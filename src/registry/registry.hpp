// Which models exist, what became of them, which one serves. One value of the state table, written in the same
// transaction as what it decides; the pointer files models/current_<target> follow it. Decision thread only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

enum class ModelState : std::uint8_t { Candidate, Champion, Retired, Refused, RolledBack };
std::string_view text(ModelState state);

struct ModelEntry {
  std::string id, target;
  ModelState state = ModelState::Candidate;
  Timestamp trained_at;
  Timestamp seen_until;
  std::optional<Timestamp> promoted_at, retired_at;
  std::int64_t verdict = 0;  // id in the verdicts table
  std::string summary;       // one line: why promoted or refused
  bool pinned = false;       // never pruned
  bool whole = true;         // forest and attachments still there (else card and verdict only)
  std::uint64_t bytes = 0;
};

class Registry {
 public:
  void add(ModelEntry entry);
  /// Makes `id` the champion of its target; the one before retires. Errors: NotFound; InUse while a hand has pinned the
  /// target to another model.
  Result<void> promote(const std::string& id, Timestamp now, bool by_hand);
  /// Back to the champion before (or to `id`), by hand: pins the target until unpin(). Errors: NotFound if there is
  /// none.
  Result<std::string> rollback(const std::string& target, const std::string& id, Timestamp now);
  Result<void> pin(const std::string& id, bool pinned);
  void unpin_target(const std::string& target);
  std::optional<std::string> pinned_target(const std::string& target) const;  // the model a hand chose

  std::optional<std::string> champion(const std::string& target) const;
  /// Champions before the current one, latest first.
  std::vector<std::string> previous_champions(const std::string& target) const;
  const std::vector<ModelEntry>& entries() const { return entries_; }  // in order of admission
  const ModelEntry* find(const std::string& id_or_prefix) const;       // a unique prefix of >= 6 digits is enough
  ModelEntry* edit(const std::string& id);

  /// Ids whose files may go: keeps champion, the last three champions, pinned ones and the last 20 candidates of each
  /// target, then drops the oldest until `disk_cap` bytes hold (0: no cap). Cards and verdicts stay for ever.
  std::vector<std::string> prunable(std::uint64_t disk_cap) const;

  std::string to_json() const;
  static Result<Registry> from_json(std::string_view text);

 private:
  std::vector<ModelEntry> entries_;
  struct Line {
    std::string target;
    std::vector<std::string> champions;  // every one that served, oldest first; the last one serves
    std::string pinned;
  };
  Line& line_of(const std::string& target);
  const Line* find_line(const std::string& target) const;
  std::vector<Line> lines_;
};

/// Writes models/current_<target> ("<id>\n") by rename.
Result<void> write_pointer(Fs& fs, const std::string& models_directory, const std::string& target,
                           const std::string& id);

}  // namespace everlearn
