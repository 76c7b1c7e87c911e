// What a state outside this machine consists of: snapshots of a data directory, each a list of files in pieces named by
// their SHA-256, and one head that names the newest. docs/formats/state-v1.md.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.hpp"
#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

inline constexpr std::uint64_t kPieceBytes = 4u << 20;  // all but the last of a file

struct StateFile {
  std::string path;  // below the data directory
  std::uint64_t size = 0;
  std::vector<std::string> pieces;  // SHA-256 of each, in order
  bool operator==(const StateFile&) const = default;
};

struct Snapshot {
  std::int64_t number = 0;
  Timestamp at;
  std::string by;                  // who pushed it
  std::vector<StateFile> files;    // by path
  Timestamp collected;             // when objects were last looked through
  std::vector<std::string> loose;  // objects that nothing referred to then: gone the next time, if it is still so

  const StateFile* find(const std::string& path) const;
  std::string to_json() const;
  /// Errors: Damaged, Unsupported for another version.
  static Result<Snapshot> from_json(std::string_view text);
};

struct StateHead {
  std::int64_t snapshot = 0;
  std::string sha256;  // of the snapshot's JSON
  Timestamp at;
  std::string by;
  std::vector<std::string> earlier;  // SHA-256 of the snapshots before, newest first, that are kept

  std::string to_json() const;
  /// Errors: Damaged, Unsupported for another version.
  static Result<StateHead> from_json(std::string_view text);
};

std::string piece_name(const std::string& sha256);
std::string snapshot_name(std::int64_t number, const std::string& sha256);

/// Reads a file and cuts it; `piece` gets each in order, with its SHA-256.
Result<StateFile> cut_file(Fs& fs, const std::string& directory, const std::string& path,
                           const std::function<Result<void>(const std::string& sha256, std::string_view bytes)>& piece);

/// Paths of the files of a data directory that a snapshot holds, sorted: all but what belongs to this machine and this
/// moment: lock, control.sock, logs/, jobs/, SQLite's log, files being written, what pull() set aside.
Result<std::vector<std::string>> state_paths(Fs& fs, const std::string& directory);

}  // namespace everlearn
