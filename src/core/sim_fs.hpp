// A file system in memory that behaves as badly as a real one may. Two planes: what programs see now, and what the disk
// would hold after a power cut.
//   - Bytes reach the disk with the file's sync(); names (create, rename, link, remove, new directories) with
//     sync_directory() of the directory they stand in. A rename is one step: both names or neither.
//   - crash() is the power cut and the reboot: of what was not synced, each write is kept, dropped or torn at a
//   512-byte
//     boundary, and each change of a name kept or dropped, as the seed decides; dropped bytes before kept ones read as
//     0; a change of a name goes when an earlier one of the same name goes.
//   - After a failed sync the unsynced bytes are still read back, but no later sync brings them to the disk; our own
//     files refuse all further writing through that handle.
//   - Operations are counted from 1 on; faults and the power cut are scripted by that count, by kind or by path.
// Paths are absolute or relative to the same root "/", which exists; ".." and links are not known. Codes and words are
// those of SystemFs. Same seed and same calls: same result. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/fs.hpp"
#include "core/rng.hpp"

namespace everlearn {

enum class FsOperation {
  Create,
  OpenAppend,
  Open,
  Append,
  Sync,
  Close,
  ReadAt,
  Rename,
  Link,
  Remove,
  MakeDirectory,
  SyncDirectory,
  List,
  FreeBytes,
};
inline constexpr std::size_t kFsOperations = 14;

enum class FsFault {
  IoError,     // EIO without effect; at Sync: the unsynced bytes will never reach the disk
  NoSpace,     // ENOSPC; an append leaves some of its bytes
  ShortWrite,  // an append leaves some of its bytes, then EIO; elsewhere like IoError
};

/// Applies to an operation that meets all conditions that are set.
struct FaultRule {
  FsFault fault = FsFault::IoError;
  std::optional<std::uint64_t> operation = {};  // its count
  std::optional<FsOperation> kind = {};
  std::string path_contains = {};
  std::uint64_t times = ~0ull;  // then the rule is used up
};

class SimFs final : public Fs {
 public:
  explicit SimFs(std::uint64_t seed = 0);
  SimFs(const SimFs&) = delete;
  SimFs& operator=(const SimFs&) = delete;
  ~SimFs() override;

  void add_fault(FaultRule rule) { faults_.push_back(std::move(rule)); }
  void clear_faults() { faults_.clear(); }
  /// From operation number `operation` on nothing has an effect and everything fails, until crash().
  void cut_power_at(std::uint64_t operation) { power_cut_at_ = operation; }
  /// Bytes that fit on the disk; nothing: unlimited.
  void set_capacity(std::optional<std::uint64_t> bytes) { capacity_ = bytes; }

  enum class Unsynced { Random, Dropped, Kept };
  /// Power cut and reboot. Files opened before are dead. Rules and counters stay, a power cut that was set is over.
  void crash(Unsynced unsynced = Unsynced::Random);

  /// Bit rot: changes one byte in both planes.
  Result<void> damage(const std::string& path, std::uint64_t offset, std::uint8_t xor_mask);

  std::uint64_t operations() const { return operations_; }
  std::uint64_t operations(FsOperation kind) const { return by_kind_[static_cast<std::size_t>(kind)]; }
  std::uint64_t used_bytes() const;

  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override;
  Result<std::unique_ptr<ReadableFile>> open(const std::string& path) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> rename_no_replace(const std::string& from, const std::string& to) override;
  Result<void> link(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> remove_tree(const std::string& path) override;       // counted as one Remove per name
  Result<void> make_directories(const std::string& path) override;  // counted as MakeDirectory, SyncDirectory per level
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  bool exists(const std::string& path) override;  // neither counted nor failing
  Result<std::uint64_t> free_bytes(const std::string& path) override;

 private:
  struct Node;
  struct NameChange;
  struct Place;
  class Writer;
  class Reader;
  using NodePtr = std::shared_ptr<Node>;

  Result<std::optional<FsFault>> step(FsOperation kind, const std::string& subject);
  Result<void> begin(FsOperation kind, const std::string& subject);
  Result<void> append(Node& node, std::string_view bytes, const std::string& path);
  Result<void> sync(Node& node, const std::string& path);
  Result<void> move(const std::string& from, const std::string& to, bool replace);
  Result<void> remove_below(const NodePtr& directory, const std::string& path);
  int locate(const std::string& path, Place& place) const;
  NodePtr add(const Place& place, bool is_directory);
  void apply(NameChange change);
  bool drops(Unsynced unsynced);
  void settle_names(Unsynced unsynced);
  void settle_bytes(Node& node, Unsynced unsynced);

  NodePtr root_;
  std::vector<NameChange> unsynced_names_;  // in the order they were made
  Rng rng_;
  std::vector<FaultRule> faults_;
  std::optional<std::uint64_t> power_cut_at_;
  std::optional<std::uint64_t> capacity_;
  std::uint64_t operations_ = 0;
  std::array<std::uint64_t, kFsOperations> by_kind_{};
  std::uint64_t boots_ = 0;
};

}  // namespace everlearn
