// What a crash may leave behind, and what an open does about it. Nothing is deleted, with one exception: the file of a
// segment that retention had already taken out of the catalogue.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "store/store_impl.hpp"

namespace everlearn {
namespace {

constexpr int kQuarantineNames = 10'000;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

/// Paths of all files below, relative to the data directory, in order.
Result<std::vector<std::string>> StoreImpl::files_below(const std::string& relative) const {
  std::vector<std::string> files;
  if (!fs_.exists(directory_ + "/" + relative)) return files;
  EL_TRY(const auto entries, fs_.list(directory_ + "/" + relative));
  for (const DirectoryEntry& entry : entries) {
    const std::string path = relative + "/" + entry.name;
    if (!entry.is_directory) {
      files.push_back(path);
      continue;
    }
    EL_TRY(const std::vector<std::string> below, files_below(path));
    files.insert(files.end(), below.begin(), below.end());
  }
  return files;
}

Result<void> StoreImpl::check_files() const {
  for (const Dataset dataset : kDatasets) {
    std::map<std::string, std::uint64_t> sizes;  // of the listed month
    std::string listed;
    for (const Segment& segment : catalogue_.segments(dataset)) {
      const std::string month = parent_of(segment.path);
      if (month != listed) {
        sizes.clear();
        listed = month;
        if (fs_.exists(directory_ + "/" + month)) {
          EL_TRY(const auto entries, fs_.list(directory_ + "/" + month));
          for (const DirectoryEntry& entry : entries) sizes[entry.name] = entry.size;
        }
      }
      const auto found = sizes.find(name_of(segment.path));
      const std::string range = fmt::format("{} rows {} to {}, {} to {}", dataset_name(dataset), segment.first_seq,
                                            segment.last_seq, segment.first_event.iso(), segment.last_event.iso());
      if (found == sizes.end()) return fail(Code::Damaged, fmt::format("{} is missing ({})", segment.path, range));
      if (found->second != segment.bytes)
        return fail(Code::Damaged, fmt::format("{} has {} bytes instead of {} ({})", segment.path, found->second,
                                               segment.bytes, range));
    }
  }
  return {};
}

Result<void> StoreImpl::recover() {
  EL_CHECK(clear_orphans("lake"));
  // Their rows are hot and their files, if any, are in quarantine now.
  return database_.run("DELETE FROM seal_intent");
}

Result<void> StoreImpl::clear_orphans(const std::string& relative) {
  std::map<std::string, bool> named;  // path, retired
  for (const Dataset dataset : kDatasets)
    for (const CatalogueEntry& entry : catalogue_.entries(dataset)) named[entry.segment.path] = entry.retired;
  EL_TRY(const std::vector<std::string> files, files_below(relative));
  for (const std::string& path : files) {
    const auto found = named.find(path);
    if (found == named.end()) {
      EL_CHECK(quarantine(path));
    } else if (found->second) {
      EL_CHECK(fs_.remove(directory_ + "/" + path));
      EL_CHECK(fs_.sync_directory(directory_ + "/" + parent_of(path)));
    }
  }
  return {};
}

Result<void> StoreImpl::quarantine(const std::string& relative) {
  const std::string from = directory_ + "/" + relative;
  for (int i = 0; i < kQuarantineNames; ++i) {
    const std::string to =
        fmt::format("{}/quarantine/{}{}", directory_, name_of(relative), i == 0 ? "" : fmt::format(".{}", i));
    const auto moved = fs_.rename_no_replace(from, to);
    if (!moved && moved.error().code == Code::InUse) continue;
    EL_CHECK(moved);
    EL_CHECK(fs_.sync_directory(directory_ + "/quarantine"));
    return fs_.sync_directory(parent_of(from));
  }
  return fail(Code::Storage, fmt::format("quarantine/ holds {} files named {}", kQuarantineNames, name_of(relative)));
}

}  // namespace everlearn
