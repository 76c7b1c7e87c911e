#include "io/input_files.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "core/quoted.hpp"

namespace everlearn {
namespace {

constexpr int kDeepest = 8;  // directories below an input; a loop of links ends here

std::string last_name(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return std::string{slash == std::string_view::npos ? path : path.substr(slash + 1)};
}

bool is_recording_name(std::string_view name) {
  if (name.starts_with('.')) return false;
  if (name.ends_with(".gz")) name.remove_suffix(3);
  constexpr std::array<std::string_view, 4> kEndings = {".csv", ".parquet", ".jsonl", ".ndjson"};
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.ends_with(ending); });
}

Result<void> collect(Fs& fs, const std::string& directory, const std::vector<DirectoryEntry>& entries, int depth,
                     std::vector<InputFile>& files) {
  for (const DirectoryEntry& entry : entries) {
    const std::string path = directory.ends_with('/') ? directory + entry.name : directory + "/" + entry.name;
    if (entry.is_directory) {
      if (entry.name.starts_with('.') || depth == kDeepest) continue;
      EL_TRY(const auto below, fs.list(path));
      EL_CHECK(collect(fs, path, below, depth + 1, files));
    } else if (is_recording_name(entry.name)) {
      files.push_back({path, entry.name, false});
    }
  }
  return {};
}

Result<void> add(Fs& fs, const std::string& path, std::vector<InputFile>& files) {
  if (!fs.exists(path))
    return fail(Code::NotFound, fmt::format("input {}: no such file or directory", quoted(path, 300)));
  const auto entries = fs.list(path);
  if (!entries) {  // not a directory
    files.push_back({path, last_name(path), false});
    return {};
  }
  const std::size_t had = files.size();
  EL_CHECK(collect(fs, path, *entries, 0, files));
  if (files.size() == had) {
    return fail(Code::NotFound,
                fmt::format("input {}: no .csv, .parquet or .jsonl file in this directory", quoted(path, 300)));
  }
  return {};
}

}  // namespace

Result<std::vector<InputFile>> input_files(Fs& fs, const RecordingOptions& options) {
  std::vector<InputFile> files;
  for (const std::string& path : options.inputs) EL_CHECK(add(fs, path, files));
  for (const std::string& entry : options.context) {
    bool among_inputs = false;
    for (InputFile& file : files) {
      if (file.path != entry && file.name != entry) continue;
      file.context = true;
      among_inputs = true;
    }
    if (among_inputs || !fs.exists(entry)) continue;
    const std::size_t had = files.size();
    EL_CHECK(add(fs, entry, files));
    for (std::size_t i = had; i < files.size(); ++i) files[i].context = true;
  }
  if (files.empty()) return fail(Code::Usage, "no input given");
  return files;
}

std::string default_symbol(const RecordingOptions& options, const std::string& file_name) {
  if (!options.symbol.empty() || !options.symbol_from_file) return options.symbol;
  return file_name.substr(0, file_name.find_first_of("_."));
}

}  // namespace everlearn
