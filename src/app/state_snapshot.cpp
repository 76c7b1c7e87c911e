#include "app/state_snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/quoted.hpp"

namespace everlearn {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::string_view kFormat = "everlearn state";

constexpr std::array<std::string_view, 9> kOfThisMachine{"lock",       "control.sock",     "logs",
                                                         "jobs",       "everlearn.db-wal", "everlearn.db-shm",
                                                         "state.json", "lake/.tmp",        "quarantine/before-pull"};

bool of_this_machine(const std::string& path) {
  return path.ends_with(".tmp") ||
         std::find(kOfThisMachine.begin(), kOfThisMachine.end(), path) != kOfThisMachine.end();
}

bool is_sha256(const std::string& text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// Below the directory, and nothing that the directory has for itself.
bool may_stand_in_a_state(const std::string& path) {
  if (path.empty() || path.starts_with('/') || of_this_machine(path)) return false;
  std::string_view rest = path;
  while (true) {
    const std::size_t slash = rest.find('/');
    const std::string_view part = rest.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    rest.remove_prefix(slash + 1);
  }
}

Result<JsonIn> open_document(std::string_view text, const std::string& what) {
  auto in = JsonIn::parse(text);
  if (!in) return fail(Code::Damaged, fmt::format("{}: {}", what, in.error().message));
  std::string format;
  std::int64_t version = 0;
  in->get("format", format);
  in->get("version", version);
  if (const auto whole = in->finish(what); !whole) return fail(Code::Damaged, whole.error().message);
  if (format != kFormat) return fail(Code::Damaged, fmt::format("{}: format {}", what, quoted(format)));
  if (version != kVersion)
    return fail(Code::Unsupported, fmt::format("{}: version {}, this program reads {}", what, version, kVersion));
  return in;
}

Result<void> finish(const JsonIn& in, const std::string& what) {
  if (const auto whole = in.finish(what); !whole) return fail(Code::Damaged, whole.error().message);
  return {};
}

}  // namespace

const StateFile* Snapshot::find(const std::string& path) const {
  const auto found = std::lower_bound(files.begin(), files.end(), path,
                                      [](const StateFile& file, const std::string& name) { return file.path < name; });
  return found != files.end() && found->path == path ? &*found : nullptr;
}

std::string Snapshot::to_json() const {
  std::vector<std::string> list;
  for (const StateFile& file : files)
    list.push_back(JsonOut{}.put("path", file.path).put("size", file.size).put("pieces", file.pieces).text());
  return JsonOut{}
      .put("format", kFormat)
      .put("version", kVersion)
      .put("snapshot", number)
      .put("at", at)
      .put("by", by)
      .put_list("files", list)
      .put("collected", collected)
      .put("loose", loose)
      .text();
}

Result<Snapshot> Snapshot::from_json(std::string_view text) {
  const std::string what = "snapshot of a state";
  EL_TRY(JsonIn in, open_document(text, what));
  Snapshot snapshot;
  in.get("snapshot", snapshot.number);
  in.get("at", snapshot.at);
  in.get("by", snapshot.by);
  in.get("collected", snapshot.collected);
  in.get("loose", snapshot.loose);
  for (const std::string& one : in.list("files")) {
    EL_TRY(JsonIn entry, JsonIn::parse(one));
    StateFile& file = snapshot.files.emplace_back();
    entry.get("path", file.path);
    entry.get("size", file.size);
    entry.get("pieces", file.pieces);
    EL_CHECK(finish(entry, what));
    const std::uint64_t pieces = (file.size + kPieceBytes - 1) / kPieceBytes;
    if (!may_stand_in_a_state(file.path) || file.pieces.size() != pieces ||
        !std::all_of(file.pieces.begin(), file.pieces.end(), is_sha256))
      return fail(Code::Damaged, fmt::format("{}: file {} of {} bytes in {} pieces", what, quoted(file.path), file.size,
                                             file.pieces.size()));
    if (snapshot.files.size() > 1 && (snapshot.files.end() - 2)->path >= file.path)
      return fail(Code::Damaged, fmt::format("{}: file {} out of order", what, quoted(file.path)));
  }
  EL_CHECK(finish(in, what));
  return snapshot;
}

std::string StateHead::to_json() const {
  return JsonOut{}
      .put("format", kFormat)
      .put("version", kVersion)
      .put("snapshot", snapshot)
      .put("sha256", sha256)
      .put("at", at)
      .put("by", by)
      .put("earlier", earlier)
      .text();
}

Result<StateHead> StateHead::from_json(std::string_view text) {
  const std::string what = "head of a state";
  EL_TRY(JsonIn in, open_document(text, what));
  StateHead head;
  in.get("snapshot", head.snapshot);
  in.get("sha256", head.sha256);
  in.get("at", head.at);
  in.get("by", head.by);
  in.get("earlier", head.earlier);
  EL_CHECK(finish(in, what));
  if (!is_sha256(head.sha256) || !std::all_of(head.earlier.begin(), head.earlier.end(), is_sha256) ||
      head.snapshot <= std::ssize(head.earlier))
    return fail(Code::Damaged, fmt::format("{}: snapshot {} {}, {} earlier ones", what, head.snapshot,
                                           quoted(head.sha256), head.earlier.size()));
  return head;
}

std::string piece_name(const std::string& sha256) { return fmt::format("objects/{}/{}", sha256.substr(0, 2), sha256); }

std::string snapshot_name(std::int64_t number, const std::string& sha256) {
  return fmt::format("snapshots/{:08}-{}.json", number, sha256);
}

Result<StateFile> cut_file(Fs& fs, const std::string& directory, const std::string& path,
                           const std::function<Result<void>(const std::string&, std::string_view)>& piece) {
  EL_TRY(const auto file, fs.open(directory + "/" + path));
  StateFile cut{.path = path, .size = file->size(), .pieces = {}};
  std::string bytes;
  for (std::uint64_t begin = 0; begin < cut.size; begin += kPieceBytes) {
    bytes.resize(std::min(kPieceBytes, cut.size - begin));
    for (std::size_t filled = 0; filled < bytes.size();) {
      EL_TRY(const std::size_t n, file->read_at(begin + filled, std::span{bytes}.subspan(filled)));
      if (n == 0) return fail(Code::Storage, fmt::format("{}/{}: became shorter while it was read", directory, path));
      filled += n;
    }
    const std::string& sha256 = cut.pieces.emplace_back(sha256_hex(bytes));
    EL_CHECK(piece(sha256, bytes));
  }
  return cut;
}

Result<std::vector<std::string>> state_paths(Fs& fs, const std::string& directory) {
  std::vector<std::string> paths, waiting{""};
  while (!waiting.empty()) {
    const std::string folder = waiting.back();
    waiting.pop_back();
    EL_TRY(const auto entries, fs.list(directory + "/" + folder));
    for (const DirectoryEntry& entry : entries) {
      const std::string path = folder + entry.name;
      if (of_this_machine(path)) continue;
      if (entry.is_directory)
        waiting.push_back(path + "/");
      else
        paths.push_back(path);
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace everlearn
