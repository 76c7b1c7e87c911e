#include "core/sim_fs.hpp"

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "core/system_error.hpp"

namespace everlearn {
namespace {

constexpr std::size_t kSector = 512;
constexpr std::uint64_t kUnlimited = 1ull << 50;

std::string_view verb(FsOperation kind) {
  switch (kind) {
    case FsOperation::Create:
      return "create";
    case FsOperation::OpenAppend:
      return "open for appending";
    case FsOperation::Open:
      return "open";
    case FsOperation::Append:
      return "append to";
    case FsOperation::Sync:
      return "sync";
    case FsOperation::Close:
      return "close";
    case FsOperation::ReadAt:
      return "read";
    case FsOperation::Rename:
      return "rename";
    case FsOperation::Link:
      return "link";
    case FsOperation::Remove:
      return "remove";
    case FsOperation::MakeDirectory:
      return "make directory";
    case FsOperation::SyncDirectory:
      return "sync directory";
    case FsOperation::List:
      return "list";
    case FsOperation::FreeBytes:
      return "free bytes of";
  }
  return "use";
}

tl::unexpected<Error> sim_error(FsOperation kind, const std::string& subject, int error) {
  return system_error(verb(kind), subject, error);
}

int error_of(FsFault fault) { return fault == FsFault::NoSpace ? ENOSPC : EIO; }

std::string arrow(const std::string& from, const std::string& to) { return from + " -> " + to; }

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, slash - at);
    if (!name.empty() && name != ".") names.push_back(name);
    at = slash + 1;
  }
  return names;
}

}  // namespace

struct SimFs::Node {
  struct Write {
    std::size_t begin;
    std::size_t end;
    bool lost;  // by a failed sync
  };
  bool is_directory = false;
  // Of a file: what is read now, which parts of it the disk may not hold, and how far the disk's size reaches.
  std::string bytes;
  std::vector<Write> unsynced;
  std::size_t synced_size = 0;
  // Of a directory: both planes.
  std::map<std::string, NodePtr> names;
  std::map<std::string, NodePtr> durable_names;
};

/// The name `to` (if any) becomes `node`, and the name `from` (if any) goes, in one step.
struct SimFs::NameChange {
  NodePtr from_directory;
  std::string from;
  NodePtr to_directory;
  std::string to;
  NodePtr node;

  bool touches(const Node* directory) const {
    return from_directory.get() == directory || to_directory.get() == directory;
  }
  void apply(std::map<std::string, NodePtr> Node::*plane) const {
    if (from_directory) (from_directory.get()->*plane).erase(from);
    if (to_directory) (to_directory.get()->*plane)[to] = node;
  }
};

/// Where a path leads: its directory (none for the root), its last name, and what is there, if anything.
struct SimFs::Place {
  NodePtr directory;
  std::string name;
  NodePtr node;
};

class SimFs::Writer final : public WritableFile {
 public:
  Writer(SimFs& fs, NodePtr node, std::string path)
      : fs_{fs}, node_{std::move(node)}, path_{std::move(path)}, boot_{fs.boots_} {}

  Result<void> append(std::string_view bytes) override {
    EL_CHECK(usable(FsOperation::Append));
    auto done = fs_.append(*node_, bytes, path_);
    broken_ = !done;
    return done;
  }

  Result<void> sync() override {
    EL_CHECK(usable(FsOperation::Sync));
    auto done = fs_.sync(*node_, path_);
    broken_ = !done;
    return done;
  }

  Result<void> close() override {
    if (std::exchange(closed_, true)) return {};
    return fs_.begin(FsOperation::Close, path_);
  }

 private:
  Result<void> usable(FsOperation kind) const {
    if (boot_ != fs_.boots_) {
      return fail(Code::Storage, fmt::format("{} {}: opened before the crash", verb(kind), path_));
    }
    if (broken_) return fail(Code::Storage, fmt::format("{} {}: an earlier operation failed", verb(kind), path_));
    if (closed_) return fail(Code::Internal, fmt::format("{} {}: the file is closed", verb(kind), path_));
    return {};
  }

  SimFs& fs_;
  const NodePtr node_;
  const std::string path_;
  const std::uint64_t boot_;
  bool broken_ = false;
  bool closed_ = false;
};

class SimFs::Reader final : public ReadableFile {
 public:
  Reader(SimFs& fs, NodePtr node, std::string path)
      : fs_{fs}, node_{std::move(node)}, path_{std::move(path)}, size_{node_->bytes.size()}, boot_{fs.boots_} {}

  std::uint64_t size() const override { return size_; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<char> into) override {
    if (boot_ != fs_.boots_) return fail(Code::Storage, fmt::format("read {}: opened before the crash", path_));
    EL_CHECK(fs_.begin(FsOperation::ReadAt, path_));
    if (offset >= node_->bytes.size()) return std::size_t{0};
    return node_->bytes.copy(into.data(), into.size(), offset);
  }

 private:
  SimFs& fs_;
  const NodePtr node_;
  const std::string path_;
  const std::uint64_t size_;
  const std::uint64_t boot_;
};

SimFs::SimFs(std::uint64_t seed) : root_{std::make_shared<Node>()}, rng_{Rng::named(seed, "sim_fs")} {
  root_->is_directory = true;
}

SimFs::~SimFs() = default;

// Counting, faults

Result<std::optional<FsFault>> SimFs::step(FsOperation kind, const std::string& subject) {
  ++operations_;
  ++by_kind_[static_cast<std::size_t>(kind)];
  if (power_cut_at_ && operations_ >= *power_cut_at_) {
    return fail(Code::Storage, fmt::format("{} {}: the power is off", verb(kind), subject));
  }
  for (FaultRule& rule : faults_) {
    if (rule.times == 0) continue;
    if (rule.operation && *rule.operation != operations_) continue;
    if (rule.kind && *rule.kind != kind) continue;
    if (subject.find(rule.path_contains) == std::string::npos) continue;
    --rule.times;
    return std::optional{rule.fault};
  }
  return std::optional<FsFault>{};
}

Result<void> SimFs::begin(FsOperation kind, const std::string& subject) {
  EL_TRY(const auto fault, step(kind, subject));
  if (fault) return sim_error(kind, subject, error_of(*fault));
  return {};
}

// Bytes

Result<void> SimFs::append(Node& node, std::string_view bytes, const std::string& path) {
  EL_TRY(const auto fault, step(FsOperation::Append, path));
  std::size_t fits = bytes.size();
  int error = 0;
  if (capacity_) {
    const std::uint64_t used = used_bytes();
    const std::uint64_t room = *capacity_ > used ? *capacity_ - used : 0;
    if (room < fits) {
      fits = static_cast<std::size_t>(room);
      error = ENOSPC;
    }
  }
  if (fault) {
    fits = *fault == FsFault::IoError || fits == 0 ? 0 : static_cast<std::size_t>(rng_.below(fits));
    error = error_of(*fault);
  }
  if (fits > 0) {
    node.unsynced.push_back({node.bytes.size(), node.bytes.size() + fits, false});
    node.bytes.append(bytes.substr(0, fits));
  }
  if (error != 0) return sim_error(FsOperation::Append, path, error);
  return {};
}

Result<void> SimFs::sync(Node& node, const std::string& path) {
  EL_TRY(const auto fault, step(FsOperation::Sync, path));
  if (fault) {
    for (Node::Write& write : node.unsynced) write.lost = true;
    return sim_error(FsOperation::Sync, path, error_of(*fault));
  }
  std::erase_if(node.unsynced, [](const Node::Write& write) { return !write.lost; });
  node.synced_size = node.bytes.size();
  return {};
}

std::uint64_t SimFs::used_bytes() const {
  std::set<const Node*> counted;
  std::vector<const Node*> waiting{root_.get()};
  std::uint64_t used = 0;
  while (!waiting.empty()) {
    const Node* node = waiting.back();
    waiting.pop_back();
    if (!counted.insert(node).second) continue;  // another hard link
    used += node->bytes.size();
    for (const auto& [name, below] : node->names) waiting.push_back(below.get());
  }
  return used;
}

// Names

int SimFs::locate(const std::string& path, Place& place) const {
  if (path.empty()) return ENOENT;
  place = Place{nullptr, "", root_};
  for (std::string& name : names_in(path)) {
    if (name == "..") return EINVAL;
    if (!place.node) return ENOENT;
    if (!place.node->is_directory) return ENOTDIR;
    place.directory = std::move(place.node);
    const auto found = place.directory->names.find(name);
    place.node = found == place.directory->names.end() ? nullptr : found->second;
    place.name = std::move(name);
  }
  return 0;
}

void SimFs::apply(NameChange change) {
  change.apply(&Node::names);
  unsynced_names_.push_back(std::move(change));
}

SimFs::NodePtr SimFs::add(const Place& place, bool is_directory) {
  auto node = std::make_shared<Node>();
  node->is_directory = is_directory;
  apply({nullptr, "", place.directory, place.name, node});
  return node;
}

Result<std::unique_ptr<WritableFile>> SimFs::create(const std::string& path) {
  EL_CHECK(begin(FsOperation::Create, path));
  Place place;
  if (const int error = locate(path, place); error != 0) return sim_error(FsOperation::Create, path, error);
  if (place.node) return sim_error(FsOperation::Create, path, EEXIST);
  return std::make_unique<Writer>(*this, add(place, false), path);
}

Result<std::unique_ptr<WritableFile>> SimFs::open_append(const std::string& path) {
  EL_CHECK(begin(FsOperation::OpenAppend, path));
  Place place;
  if (const int error = locate(path, place); error != 0) return sim_error(FsOperation::OpenAppend, path, error);
  if (!place.node) place.node = add(place, false);
  if (place.node->is_directory) return sim_error(FsOperation::OpenAppend, path, EISDIR);
  return std::make_unique<Writer>(*this, place.node, path);
}

Result<std::unique_ptr<ReadableFile>> SimFs::open(const std::string& path) {
  EL_CHECK(begin(FsOperation::Open, path));
  Place place;
  int error = locate(path, place);
  if (error == 0 && !place.node) error = ENOENT;
  if (error == 0 && place.node->is_directory) error = EISDIR;
  if (error != 0) return sim_error(FsOperation::Open, path, error);
  return std::make_unique<Reader>(*this, place.node, path);
}

Result<void> SimFs::rename(const std::string& from, const std::string& to) { return move(from, to, true); }
Result<void> SimFs::rename_no_replace(const std::string& from, const std::string& to) { return move(from, to, false); }

Result<void> SimFs::move(const std::string& from, const std::string& to, bool replace) {
  const std::string subject = arrow(from, to);
  EL_CHECK(begin(FsOperation::Rename, subject));
  Place old_place;
  Place new_place;
  int error = locate(from, old_place);
  if (error == 0 && !old_place.node) error = ENOENT;
  if (error == 0) error = locate(to, new_place);
  if (error == 0 && (!old_place.directory || !new_place.directory)) error = EBUSY;  // the root
  if (error != 0) return sim_error(FsOperation::Rename, subject, error);

  const NodePtr& moved = old_place.node;
  const NodePtr& there = new_place.node;
  if (moved->is_directory) {
    const auto from_names = names_in(from);
    const auto to_names = names_in(to);
    const bool into_itself =
        to_names.size() > from_names.size() && std::equal(from_names.begin(), from_names.end(), to_names.begin());
    if (into_itself) return sim_error(FsOperation::Rename, subject, EINVAL);
  }
  if (there) {
    if (!replace) return sim_error(FsOperation::Rename, subject, EEXIST);
    if (there == moved) return {};
    if (moved->is_directory && !there->is_directory) error = ENOTDIR;
    if (!moved->is_directory && there->is_directory) error = EISDIR;
    if (moved->is_directory && there->is_directory && !there->names.empty()) error = ENOTEMPTY;
    if (error != 0) return sim_error(FsOperation::Rename, subject, error);
  }
  apply({old_place.directory, old_place.name, new_place.directory, new_place.name, moved});
  return {};
}

Result<void> SimFs::link(const std::string& from, const std::string& to) {
  const std::string subject = arrow(from, to);
  EL_CHECK(begin(FsOperation::Link, subject));
  Place old_place;
  Place new_place;
  int error = locate(from, old_place);
  if (error == 0 && !old_place.node) error = ENOENT;
  if (error == 0) error = locate(to, new_place);
  if (error == 0 && new_place.node) error = EEXIST;
  if (error == 0 && old_place.node->is_directory) error = EPERM;
  if (error != 0) return sim_error(FsOperation::Link, subject, error);
  apply({nullptr, "", new_place.directory, new_place.name, old_place.node});
  return {};
}

Result<void> SimFs::remove(const std::string& path) {
  EL_CHECK(begin(FsOperation::Remove, path));
  Place place;
  int error = locate(path, place);
  if (error == 0 && !place.node) error = ENOENT;
  if (error == 0 && place.node->is_directory) error = EISDIR;
  if (error != 0) return sim_error(FsOperation::Remove, path, error);
  apply({place.directory, place.name, nullptr, "", nullptr});
  return {};
}

Result<void> SimFs::remove_below(const NodePtr& directory, const std::string& path) {
  while (!directory->names.empty()) {
    const auto [name, node] = *directory->names.begin();
    const std::string below = fmt::format("{}/{}", path, name);
    if (node->is_directory) EL_CHECK(remove_below(node, below));
    EL_CHECK(begin(FsOperation::Remove, below));
    apply({directory, name, nullptr, "", nullptr});
  }
  return {};
}

Result<void> SimFs::remove_tree(const std::string& path) {
  Place place;
  int error = locate(path, place);
  if (error == 0 && !place.node) error = ENOENT;
  if (error == 0 && !place.node->is_directory) error = ENOTDIR;
  if (error == 0 && !place.directory) error = EBUSY;  // the root
  if (error == 0) EL_CHECK(remove_below(place.node, path));
  EL_CHECK(begin(FsOperation::Remove, path));
  if (error == ENOENT) return {};
  if (error != 0) return sim_error(FsOperation::Remove, path, error);
  apply({place.directory, place.name, nullptr, "", nullptr});
  return {};
}

Result<void> SimFs::make_directories(const std::string& path) {
  Place place;
  int error = locate(path, place);
  if (error == 0 && place.node && place.node->is_directory) return {};
  const std::string parent = parent_directory(path);
  if (parent != path && parent != ".") EL_CHECK(make_directories(parent));
  EL_CHECK(begin(FsOperation::MakeDirectory, path));
  error = locate(path, place);
  if (error == 0 && place.node) error = EEXIST;
  if (error != 0) return sim_error(FsOperation::MakeDirectory, path, error);
  add(place, true);
  return sync_directory(parent);
}

Result<void> SimFs::sync_directory(const std::string& path) {
  EL_CHECK(begin(FsOperation::SyncDirectory, path));
  Place place;
  int error = locate(path, place);
  if (error == 0 && !place.node) error = ENOENT;
  if (error == 0 && !place.node->is_directory) error = ENOTDIR;
  if (error != 0) return sim_error(FsOperation::SyncDirectory, path, error);

  // A rename out of another directory takes along what happened there before it: no journal splits the two.
  std::set<const Node*> directories{place.node.get()};
  std::vector<bool> reaches_disk(unsynced_names_.size());
  for (std::size_t i = unsynced_names_.size(); i-- > 0;) {
    const NameChange& change = unsynced_names_[i];
    const auto touches = [&](const Node* directory) { return change.touches(directory); };
    reaches_disk[i] = std::ranges::any_of(directories, touches);
    if (!reaches_disk[i]) continue;
    if (change.from_directory) directories.insert(change.from_directory.get());
    if (change.to_directory) directories.insert(change.to_directory.get());
  }
  std::vector<NameChange> rest;
  for (std::size_t i = 0; i < unsynced_names_.size(); ++i) {
    if (reaches_disk[i]) {
      unsynced_names_[i].apply(&Node::durable_names);
    } else {
      rest.push_back(std::move(unsynced_names_[i]));
    }
  }
  unsynced_names_ = std::move(rest);
  return {};
}

Result<std::vector<DirectoryEntry>> SimFs::list(const std::string& path) {
  EL_CHECK(begin(FsOperation::List, path));
  Place place;
  int error = locate(path, place);
  if (error == 0 && !place.node) error = ENOENT;
  if (error == 0 && !place.node->is_directory) error = ENOTDIR;
  if (error != 0) return sim_error(FsOperation::List, path, error);
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, node] : place.node->names) entries.push_back({name, node->is_directory, node->bytes.size()});
  return entries;
}

bool SimFs::exists(const std::string& path) {
  Place place;
  return locate(path, place) == 0 && place.node;
}

Result<std::uint64_t> SimFs::free_bytes(const std::string& path) {
  EL_CHECK(begin(FsOperation::FreeBytes, path));
  if (!exists(path)) return sim_error(FsOperation::FreeBytes, path, ENOENT);
  const std::uint64_t used = used_bytes();
  const std::uint64_t capacity = capacity_.value_or(kUnlimited);
  return capacity > used ? capacity - used : 0;
}

// Crash

bool SimFs::drops(Unsynced unsynced) {
  return unsynced == Unsynced::Random ? rng_.below(2) == 0 : unsynced == Unsynced::Dropped;
}

void SimFs::settle_names(Unsynced unsynced) {
  std::set<std::pair<const Node*, std::string>> dropped;
  for (const NameChange& change : unsynced_names_) {
    const std::pair from{static_cast<const Node*>(change.from_directory.get()), change.from};
    const std::pair to{static_cast<const Node*>(change.to_directory.get()), change.to};
    const bool after_dropped = (from.first && dropped.contains(from)) || (to.first && dropped.contains(to));
    if (after_dropped || drops(unsynced)) {
      dropped.insert(from);
      dropped.insert(to);
    } else {
      change.apply(&Node::durable_names);
    }
  }
  unsynced_names_.clear();
}

void SimFs::settle_bytes(Node& node, Unsynced unsynced) {
  std::size_t size = node.synced_size;
  for (const Node::Write& write : node.unsynced) {
    std::size_t kept = write.end;
    if (write.lost || drops(unsynced)) {
      kept = write.begin;
      const std::size_t first_boundary = (write.begin / kSector + 1) * kSector;
      if (!write.lost && unsynced == Unsynced::Random && first_boundary < write.end && rng_.below(2) == 0) {
        kept = first_boundary + kSector * rng_.below((write.end - 1 - first_boundary) / kSector + 1);
      }
    }
    std::fill(node.bytes.begin() + static_cast<std::ptrdiff_t>(kept),
              node.bytes.begin() + static_cast<std::ptrdiff_t>(write.end), '\0');
    if (kept > write.begin) size = std::max(size, kept);
  }
  node.bytes.resize(size);
  node.unsynced.clear();
  node.synced_size = size;
}

void SimFs::crash(Unsynced unsynced) {
  settle_names(unsynced);
  std::set<const Node*> settled;
  std::vector<NodePtr> waiting{root_};
  while (!waiting.empty()) {
    const NodePtr node = std::move(waiting.back());
    waiting.pop_back();
    if (!settled.insert(node.get()).second) continue;
    settle_bytes(*node, unsynced);
    node->names = node->durable_names;
    for (const auto& [name, below] : node->names) waiting.push_back(below);
  }
  power_cut_at_.reset();
  ++boots_;
}

Result<void> SimFs::damage(const std::string& path, std::uint64_t offset, std::uint8_t xor_mask) {
  Place place;
  int error = locate(path, place);
  if (error == 0 && !place.node) error = ENOENT;
  if (error != 0) return system_error("damage", path, error);
  if (offset >= place.node->bytes.size()) {
    return fail(Code::OutOfRange,
                fmt::format("damage {}: offset {} not below the size of {}", path, offset, place.node->bytes.size()));
  }
  char& byte = place.node->bytes[static_cast<std::size_t>(offset)];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ xor_mask);
  return {};
}

}  // namespace everlearn
