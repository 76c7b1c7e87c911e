// What is written under a condition stands under a name with its version, NAME@17: the highest is the object. The next
// version takes its name only if nobody else has, which every file system can promise; a writer that was asleep so long
// that the names after his are gone already finds a higher one and steps back.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "core/quoted.hpp"
#include "io/object_store.hpp"

namespace everlearn {
namespace {

constexpr int kTries = 10;  // of a read that another writer's next version overtook
const std::string kTemporary = ".tmp";

std::string joined(const std::string& directory, const std::string& name) { return directory + "/" + name; }

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1) return std::nullopt;
  return value;
}

class DirectoryStore final : public ObjectStore {
 public:
  DirectoryStore(Fs& fs, std::string directory, std::string writer)
      : fs_{fs}, directory_{std::move(directory)}, writer_{std::move(writer)} {}

  Result<std::optional<StoredObject>> get(const std::string& name) override {
    for (int left = kTries; left > 0; --left) {
      std::int64_t version = 0;
      std::string path = joined(directory_, name);
      if (!fs_.exists(path)) {
        EL_TRY(version, newest(name));
        if (version == 0) return std::optional<StoredObject>{};
        path += fmt::format("@{}", version);
      }
      auto bytes = read_file(fs_, path);
      if (bytes) return std::optional{StoredObject{std::move(*bytes), std::to_string(version)}};
      if (bytes.error().code != Code::NotFound) return tl::unexpected<Error>(bytes.error());
    }
    return fail(Code::Storage,
                fmt::format("{}: replaced {} times while it was read", joined(directory_, name), kTries));
  }

  Result<void> put(const std::string& name, std::string_view bytes) override {
    EL_TRY(const std::string written, write(bytes));
    EL_CHECK(fs_.make_directories(parent_directory(joined(directory_, name))));
    EL_CHECK(fs_.rename(written, joined(directory_, name)));
    return fs_.sync_directory(parent_directory(joined(directory_, name)));
  }

  Result<std::string> put_if_absent(const std::string& name, std::string_view bytes) override {
    EL_TRY(const std::int64_t there, newest(name));
    if (there > 0) return taken(name, there, bytes);
    return put_version(name, 1, bytes);
  }

  Result<std::string> put_if_match(const std::string& name, const std::string& tag, std::string_view bytes) override {
    const auto expected = number(tag);
    if (!expected) return fail(Code::Internal, fmt::format("{}: {} is no version", name, quoted(tag)));
    EL_TRY(const std::int64_t there, newest(name));
    if (there != *expected) return taken(name, there, bytes);
    return put_version(name, there + 1, bytes);
  }

  Result<void> remove(const std::string& name) override {
    const auto removed = fs_.remove(joined(directory_, name));
    if (!removed && removed.error().code == Code::NotFound) return {};
    return removed;
  }

  Result<std::vector<std::string>> list(const std::string& prefix) override {
    std::vector<std::string> found, waiting{prefix.substr(0, prefix.rfind('/') + 1)};
    while (!waiting.empty()) {
      const std::string folder = waiting.back();
      waiting.pop_back();
      const auto entries = fs_.list(joined(directory_, folder));
      if (!entries && entries.error().code == Code::NotFound) continue;
      if (!entries) return tl::unexpected<Error>(entries.error());
      for (const DirectoryEntry& entry : *entries) {
        const std::string name = folder + entry.name;
        if (entry.is_directory && (folder + entry.name + "/").starts_with(prefix)) waiting.push_back(name + "/");
        if (!entry.is_directory && name.starts_with(prefix)) found.push_back(name);
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  std::string place() const override { return directory_; }

 private:
  // The highest version of an object; 0: none.
  Result<std::int64_t> newest(const std::string& name) {
    const std::string path = joined(directory_, name);
    const std::string prefix = path.substr(path.rfind('/') + 1) + "@";
    const auto entries = fs_.list(parent_directory(path));
    if (!entries && entries.error().code == Code::NotFound) return 0;
    if (!entries) return tl::unexpected<Error>(entries.error());
    std::int64_t highest = 0;
    for (const DirectoryEntry& entry : *entries)
      if (entry.name.starts_with(prefix))
        highest = std::max(highest, number(std::string_view{entry.name}.substr(prefix.size())).value_or(0));
    return highest;
  }

  // Under a name of our own, on the disk.
  Result<std::string> write(std::string_view bytes) {
    const std::string folder = joined(directory_, kTemporary);
    const std::string path = fmt::format("{}/{}-{}", folder, writer_, ++written_);
    EL_CHECK(fs_.make_directories(folder));
    EL_TRY(const auto file, fs_.create(path));
    EL_CHECK(file->append(bytes));
    EL_CHECK(file->sync());
    EL_CHECK(file->close());
    return path;
  }

  Result<std::string> put_version(const std::string& name, std::int64_t version, std::string_view bytes) {
    EL_TRY(const std::string written, write(bytes));
    const std::string path = fmt::format("{}@{}", joined(directory_, name), version);
    EL_CHECK(fs_.make_directories(parent_directory(path)));
    if (const auto named = fs_.rename_no_replace(written, path); !named) {
      if (named.error().code != Code::InUse) return tl::unexpected<Error>(named.error());
      EL_CHECK(fs_.remove(written));
      return taken(name, version, bytes);
    }
    EL_CHECK(fs_.sync_directory(parent_directory(path)));
    EL_TRY(const std::int64_t there, newest(name));
    if (there != version) {
      EL_CHECK(fs_.remove(path));
      return taken(name, there, bytes);
    }
    // One version back stays: who read the directory a moment ago finds a file.
    const std::string old = fmt::format("{}@{}", joined(directory_, name), version - 2);
    if (version > 2 && fs_.exists(old)) EL_CHECK(fs_.remove(old));
    return std::to_string(version);
  }

  Result<std::string> taken(const std::string& name, std::int64_t version, std::string_view bytes) {
    EL_TRY(const auto there, get(name));
    if (there && there->bytes == bytes) return there->tag;
    return fail(Code::InUse,
                fmt::format("{}: another process has written version {}", joined(directory_, name), version));
  }

  Fs& fs_;
  const std::string directory_, writer_;
  std::int64_t written_ = 0;
};

}  // namespace

std::unique_ptr<ObjectStore> open_directory_store(Fs& fs, const std::string& directory, const std::string& writer) {
  return std::make_unique<DirectoryStore>(fs, directory, writer);
}

std::string unique_token() {
  std::random_device kernel;
  std::string token;
  for (int i = 0; i < 4; ++i) token += fmt::format("{:08x}", kernel());
  return token;
}

}  // namespace everlearn
