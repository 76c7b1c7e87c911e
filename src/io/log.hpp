// What the daemon tells people: one JSON object a line in DIR/everlearn.jsonl, and the same for reading on stderr. Not
// the record of what was decided: that is the store's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.hpp"
#include "core/json.hpp"

namespace everlearn {

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };

struct LogOptions {
  std::string directory;                 // exists; empty: no file
  bool console = true;                   // stderr, from Info on
  std::uint64_t file_bytes = 16u << 20;  // then everlearn.jsonl becomes everlearn.1.jsonl
  int files = 5;                         // kept beside the current one
  std::string link;                      // a name in the directory that leads to the current file too; empty: none
};

/// Any thread. A line that cannot be written is lost, the engine goes on.
class Log {
 public:
  /// `clock` outlives the log. Errors: Storage; InUse if something else than a link has the name of the link.
  static Result<std::unique_ptr<Log>> open(const Clock& clock, const LogOptions& options);
  virtual ~Log() = default;
  /// {"at":"2026-01-03T13:00:07.000000Z","level":"info","event":"promoted","text":"...","data":{...}}
  /// `event`: one of few words that a program can look for; `text`: for a person.
  virtual void write(LogLevel level, std::string_view event, std::string_view text, const JsonOut& data = {}) = 0;
};

}  // namespace everlearn
