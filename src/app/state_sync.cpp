#include "app/state_sync.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/hash.hpp"
#include "io/replaced_file.hpp"

namespace everlearn {
namespace {

const std::string kHead = "head.json";
const std::string kMarker = "state.json";  // in the directory: the snapshot that it was last equal to
const std::string kDatabase = "everlearn.db";
constexpr Duration kLooseFor = Duration::days(1);

Result<void> nothing(const std::string&, std::string_view) { return {}; }

// Commits that are not in the database's own file yet.
bool has_log(Fs& fs, const std::string& directory) {
  const auto log = fs.open(directory + "/" + kDatabase + "-wal");
  return log && (*log)->size() > 0;
}

}  // namespace

Result<Snapshot> StateSync::read_snapshot(std::int64_t number, const std::string& sha256) {
  const std::string name = snapshot_name(number, sha256);
  EL_TRY(const auto object, store_.get(name));
  if (!object)
    return fail(Code::Damaged, fmt::format("{}: snapshot {} is named and not there", store_.place(), number));
  if (sha256_hex(object->bytes) != sha256)
    return fail(Code::Damaged, fmt::format("{}: {} holds other bytes than were written", store_.place(), name));
  EL_TRY(Snapshot snapshot, Snapshot::from_json(object->bytes));
  if (snapshot.number != number)
    return fail(Code::Damaged, fmt::format("{}: {} calls itself {}", store_.place(), name, snapshot.number));
  return snapshot;
}

Result<std::string> StateSync::read_piece(const std::string& sha256) {
  EL_TRY(auto object, store_.get(piece_name(sha256)));
  if (!object) return fail(Code::Damaged, fmt::format("{}: {} is not there", store_.place(), piece_name(sha256)));
  if (sha256_hex(object->bytes) != sha256)
    return fail(Code::Damaged,
                fmt::format("{}: {} holds other bytes than were written", store_.place(), piece_name(sha256)));
  return std::move(object->bytes);
}

Result<PullReport> StateSync::pull(const std::string& directory, std::optional<std::int64_t> number) {
  PullReport report;
  EL_TRY(const auto object, store_.get(kHead));
  if (!object) {
    if (number) return fail(Code::NotFound, fmt::format("{}: no snapshot {}: it is empty", store_.place(), *number));
    return report;
  }
  auto head = StateHead::from_json(object->bytes);
  if (!head) return fail(head.error(), store_.place());
  EL_TRY(newest_, read_snapshot(head->snapshot, head->sha256));
  Snapshot older;
  const std::int64_t back = number ? head->snapshot - *number : 0;
  if (back < 0 || back > std::ssize(head->earlier))
    return fail(Code::NotFound, fmt::format("{}: no snapshot {}: there are {} to {}", store_.place(), *number,
                                            head->snapshot - std::ssize(head->earlier), head->snapshot));
  if (back > 0) {
    EL_TRY(older, read_snapshot(*number, head->earlier[static_cast<std::size_t>(back - 1)]));
  }
  const Snapshot& wanted = back > 0 ? older : newest_;
  report.snapshot = wanted.number;
  report.at = wanted.at;
  report.by = wanted.by;
  report.files = std::ssize(wanted.files);
  EL_CHECK(make_equal(directory, wanted, report));
  head_ = std::move(*head);
  head_tag_ = object->tag;
  return report;
}

Result<void> StateSync::make_equal(const std::string& directory, const Snapshot& snapshot, PullReport& report) {
  EL_CHECK(fs_.make_directories(directory));
  // What the directory was last equal to is in a snapshot and may be replaced; anything else is somebody's work.
  Snapshot before;
  if (const auto marker = read_file(fs_, directory + "/" + kMarker)) {
    if (auto read = Snapshot::from_json(*marker)) before = std::move(*read);
  }
  EL_TRY(std::vector<std::string> paths, state_paths(fs_, directory));
  // A directory without its database is no data: it goes first and comes last, so that one that is half replaced is
  // never taken for a whole one.
  std::stable_partition(paths.begin(), paths.end(), [](const std::string& path) { return path == kDatabase; });
  const bool log = has_log(fs_, directory);
  std::set<std::string> there;
  const std::string aside = fmt::format("{}/quarantine/before-pull/{}", directory, clock_.now().us());
  const auto set_aside = [&](const std::string& path) -> Result<void> {
    EL_CHECK(fs_.make_directories(parent_directory(aside + "/" + path)));
    ++report.set_aside;
    return fs_.rename(directory + "/" + path, aside + "/" + path);
  };
  for (const std::string& path : paths) {
    EL_TRY(const StateFile here, cut_file(fs_, directory, path, nothing));
    const bool whole = path != kDatabase || !log;
    const StateFile *wanted = snapshot.find(path), *known = before.find(path);
    if (whole && wanted && here == *wanted) {
      there.insert(path);
    } else if (whole && known && here == *known) {
      EL_CHECK(fs_.remove(directory + "/" + path));
    } else {
      EL_CHECK(set_aside(path));
      if (path == kDatabase && log) EL_CHECK(set_aside(kDatabase + "-wal"));
    }
  }
  for (const char* left : {"-wal", "-shm"})
    if (fs_.exists(directory + "/" + kDatabase + left)) EL_CHECK(fs_.remove(directory + "/" + kDatabase + left));
  EL_CHECK(fs_.sync_directory(directory));
  for (const StateFile& file : snapshot.files)
    if (file.path != kDatabase && !there.contains(file.path)) EL_CHECK(fetch(directory, file, report));
  const StateFile* database = snapshot.find(kDatabase);
  if (database && !there.contains(kDatabase)) EL_CHECK(fetch(directory, *database, report));
  return remember(directory, snapshot);
}

Result<void> StateSync::fetch(const std::string& directory, const StateFile& file, PullReport& report) {
  const std::string path = directory + "/" + file.path;
  EL_CHECK(fs_.make_directories(parent_directory(path)));
  EL_TRY(ReplacedFile written, ReplacedFile::create(fs_, path));
  std::uint64_t size = 0;
  for (const std::string& sha256 : file.pieces) {
    EL_TRY(const std::string bytes, read_piece(sha256));
    EL_CHECK(written.append(bytes));
    size += bytes.size();
  }
  if (size != file.size)
    return fail(Code::Damaged,
                fmt::format("{}: the pieces of {} are {} bytes, not {}", store_.place(), file.path, size, file.size));
  ++report.fetched;
  report.fetched_bytes += size;
  return written.finish();
}

Result<void> StateSync::remember(const std::string& directory, const Snapshot& snapshot) {
  return replace_file(fs_, directory + "/" + kMarker, snapshot.to_json());
}

Result<PushReport> StateSync::push(const std::string& directory) {
  if (has_log(fs_, directory))
    return fail(Code::InUse, fmt::format("{}/{} is open, or its log is not folded into it", directory, kDatabase));
  PushReport report;
  std::set<std::string> known;
  for (const StateFile& file : newest_.files) known.insert(file.pieces.begin(), file.pieces.end());
  Snapshot next{.number = newest_.number + 1,
                .at = clock_.now(),
                .by = by_,
                .files = {},
                .collected = head_ ? newest_.collected : clock_.now(),
                .loose = newest_.loose};
  EL_TRY(const std::vector<std::string> paths, state_paths(fs_, directory));
  for (const std::string& path : paths) {
    EL_TRY(next.files.emplace_back(),
           cut_file(fs_, directory, path, [&](const std::string& sha256, std::string_view bytes) -> Result<void> {
             if (!known.insert(sha256).second) return {};
             ++report.sent;
             report.sent_bytes += bytes.size();
             return store_.put(piece_name(sha256), bytes);
           }));
  }
  report.files = std::ssize(next.files);
  if (next.files == newest_.files) {
    report.snapshot = newest_.number;
    report.unchanged = true;
    return report;
  }
  StateHead head{.snapshot = next.number, .sha256 = {}, .at = next.at, .by = by_, .earlier = {}};
  std::vector<std::string> doomed;
  if (head_) {
    head.earlier = head_->earlier;
    head.earlier.insert(head.earlier.begin(), head_->sha256);
    for (std::int64_t number = next.number - std::ssize(head.earlier); std::ssize(head.earlier) >= keep_; ++number) {
      doomed.push_back(snapshot_name(number, head.earlier.back()));
      head.earlier.pop_back();
      ++report.dropped;
    }
    EL_TRY(const auto loose, look_for_loose(next, head));
    report.collected = std::ssize(loose);
    doomed.insert(doomed.end(), loose.begin(), loose.end());
  }

  const std::string text = next.to_json();
  head.sha256 = sha256_hex(text);
  EL_CHECK(store_.put(snapshot_name(next.number, head.sha256), text));
  const auto named =
      head_ ? store_.put_if_match(kHead, head_tag_, head.to_json()) : store_.put_if_absent(kHead, head.to_json());
  if (!named && named.error().code == Code::InUse)
    return fail(Code::InUse, fmt::format("{}: another run has pushed after snapshot {}, on which this one stands: "
                                         "nothing was overwritten, and what this run did is in {} alone",
                                         store_.place(), newest_.number, directory));
  if (!named) return tl::unexpected<Error>(named.error());
  report.snapshot = next.number;
  EL_CHECK(remember(directory, next));
  // The new snapshot stands. What cannot be removed now is found again another day.
  for (const std::string& name : doomed)
    if (const auto removed = store_.remove(name); !removed) {
      report.uncollected = removed.error().message;
      break;
    }
  newest_ = std::move(next);
  head_ = std::move(head);
  head_tag_ = *named;
  return report;
}

// Objects to remove: loose a day ago, and still. Writes down in `next` those that are loose now.
Result<std::vector<std::string>> StateSync::look_for_loose(Snapshot& next, const StateHead& head) {
  if (next.at - next.collected < kLooseFor) return std::vector<std::string>{};
  std::set<std::string> named;
  const auto refer = [&](const Snapshot& snapshot) {
    for (const StateFile& file : snapshot.files)
      for (const std::string& sha256 : file.pieces) named.insert(piece_name(sha256));
  };
  refer(next);
  for (std::size_t i = 0; i < head.earlier.size(); ++i) {
    const std::int64_t number = next.number - 1 - static_cast<std::int64_t>(i);
    named.insert(snapshot_name(number, head.earlier[i]));
    const auto snapshot = read_snapshot(number, head.earlier[i]);
    if (!snapshot) return std::vector<std::string>{};  // what it refers to is not known: nothing is removed
    refer(*snapshot);
  }
  std::vector<std::string> loose, doomed;
  for (const char* prefix : {"objects/", "snapshots/", ".tmp/"}) {
    EL_TRY(const auto names, store_.list(prefix));
    for (const std::string& name : names) {
      if (named.contains(name)) continue;
      const bool before = std::find(next.loose.begin(), next.loose.end(), name) != next.loose.end();
      (before ? doomed : loose).push_back(name);
    }
  }
  next.loose = std::move(loose);
  next.collected = next.at;
  return doomed;
}

}  // namespace everlearn
