// A .env file: NAME=value a line, as shells and older systems read it. The reader and the one change we ever make in it
// agree on what a line means. docs/compatibility.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

struct DotEnvEntry {
  std::string_view name;
  std::string_view value;  // without quotes and without the comment behind it; of the text that was read
};

/// Its assignments in order of the lines; of two with one name the later one holds. `export ` before a name, spaces
/// around it and around the value, quotes of either kind, a comment after " #" and a carriage return at the end of a
/// line are understood. Nothing is copied: the entries look into `text`.
std::vector<DotEnvEntry> read_dot_env(std::string_view text);

/// What "NAME=true" does to such a text: the value of the last assignment is replaced and every other byte stays; where
/// there is none (a commented one is none), a line is added at the end, with the line end that the text has. The text
/// itself if it says so already.
std::string switched_on(std::string_view text, std::string_view name);

enum class DotEnvSwitch : std::uint8_t { NoFile, Already, Done };

/// Sets NAME=true in the file at `path`, in one step, with its mode and owner; the old one stays beside it as
/// PATH.yyyymmdd_hhmmss (of `at`, UTC). Errors: those of rewrite_file: a link, a file that is read-only or has further
/// names, a folder in which nothing can be written; then nothing has changed.
Result<DotEnvSwitch> switch_on_in_dot_env(const std::string& path, std::string_view name, Timestamp at);

}  // namespace everlearn
