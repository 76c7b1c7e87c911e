#include "io/quarantine.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "io/csv.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kFlushBytes = 256 << 10;
constexpr std::size_t kRawKept = 64 << 10;  // of one row
constexpr std::string_view kHeader = "file,line,reason,raw\n";

}  // namespace

Result<void> Quarantine::add(const std::string& path, const std::string& name, std::int64_t line,
                             const Refusal& refusal, std::string_view raw) {
  ++counts_[std::string{refusal.reason}];
  if (directory_.empty()) return {};
  auto at = inputs_.find(path);
  if (at == inputs_.end()) {
    // Inputs of one name from different directories keep files of their own.
    std::string target = fmt::format("{}/{}.csv", directory_, name);
    const auto taken = [&] {
      return std::ranges::any_of(inputs_, [&](const auto& other) { return other.second.target == target; });
    };
    for (int i = 2; taken(); ++i) target = fmt::format("{}/{}~{}.csv", directory_, name, i);
    at = inputs_.emplace(path, Input{target, {}, false}).first;
  }
  Input& input = at->second;
  append_csv_field(input.pending, path);
  fmt::format_to(std::back_inserter(input.pending), ",{},", line);
  append_csv_field(input.pending, refusal.text());
  input.pending.push_back(',');
  append_csv_field(input.pending, raw.substr(0, kRawKept));
  input.pending.push_back('\n');
  if (mode_ == Mode::Append || input.pending.size() >= kFlushBytes) return flush(input);
  return {};
}

Result<void> Quarantine::flush(Input& input) {
  const std::string path = mode_ == Mode::Replace ? input.target + ".tmp" : input.target;
  if (!input.begun) {
    EL_CHECK(fs_.make_directories(directory_));
    if (mode_ == Mode::Replace && fs_.exists(path)) EL_CHECK(fs_.remove(path));
    if (!fs_.exists(path)) input.pending.insert(0, kHeader);
    input.begun = true;
  }
  EL_TRY(const auto file, fs_.open_append(path));
  EL_CHECK(file->append(input.pending));
  input.pending.clear();
  return file->close();
}

Result<void> Quarantine::finish() {
  for (auto& [path, input] : inputs_) {
    if (!input.pending.empty()) EL_CHECK(flush(input));
    if (mode_ == Mode::Append) continue;
    EL_TRY(const auto file, fs_.open_append(input.target + ".tmp"));
    EL_CHECK(file->sync());
    EL_CHECK(file->close());
    EL_CHECK(fs_.rename(input.target + ".tmp", input.target));
    EL_CHECK(fs_.sync_directory(directory_));
  }
  inputs_.clear();
  return {};
}

}  // namespace everlearn
