// Rows that could not be used, kept for a person to look at: one CSV per input with file, line, reason and raw text,
// and the count of each reason.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/fs.hpp"
#include "io/refusal.hpp"

namespace everlearn {

class Quarantine {
 public:
  enum class Mode {
    Replace,  // an input that is read from its beginning each time: DIR/<input>.csv appears at finish(), whole
    Append,   // an input that grows: rows are added to DIR/<input>.csv as they come
  };
  /// `directory` is made when the first row comes; empty: rows are counted and not kept.
  Quarantine(Fs& fs, std::string directory, Mode mode) : fs_{fs}, directory_{std::move(directory)}, mode_{mode} {}

  /// `path` as given by the user, `name` without its directory. Errors: Storage.
  Result<void> add(const std::string& path, const std::string& name, std::int64_t line, const Refusal& refusal,
                   std::string_view raw);
  /// Brings what was added to its place. Errors: Storage.
  Result<void> finish();

  /// reason -> rows.
  const std::map<std::string, std::int64_t>& counts() const { return counts_; }

 private:
  struct Input {
    std::string target;
    std::string pending;  // not yet written
    bool begun = false;
  };
  Result<void> flush(Input& input);

  Fs& fs_;
  const std::string directory_;
  const Mode mode_;
  std::map<std::string, std::int64_t> counts_;
  std::map<std::string, Input> inputs_;  // by path
};

}  // namespace everlearn
