// For this module's tests: recorded files that are not part of the repository. Where they are absent a test says so.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "core/system_fs.hpp"
#include "io/byte_stream.hpp"
#include "io/lines.hpp"

namespace everlearn {

/// Below EVERLEARN_SHARED, else beside the repository.
std::string shared_path(const std::string& name);

/// The file's bytes; empty, with a message, where it is absent.
inline std::string shared_file(const std::string& name) {
  SystemFs fs;
  auto bytes = read_file(fs, shared_path(name));
  if (!bytes) MESSAGE("skipped: no ", name);
  return bytes ? *std::move(bytes) : std::string{};
}

/// Lines of a file, maybe compressed; none, with a message, where it is absent.
inline std::vector<std::string> shared_lines(const std::string& name) {
  SystemFs fs;
  std::vector<std::string> all;
  auto bytes = open_bytes(fs, shared_path(name));
  if (!bytes) {
    MESSAGE("skipped: no ", name);
    return all;
  }
  LineSplitter lines{*std::move(bytes)};
  TextLine line;
  for (;;) {
    const auto any = lines.next(line);
    REQUIRE(any);
    if (!*any) return all;
    REQUIRE_FALSE(line.refusal);
    all.emplace_back(line.text);
  }
}

}  // namespace everlearn
