// Named byte strings that outlive a machine: a directory (a network share, a cache between runs) or an S3 bucket.
// Enough for a state that several machines take turns with, and no more.
//
// An object is written either always by put(), and then the same name always means the same bytes, or always under a
// condition, and then one of several writers wins and the others are told.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/fs.hpp"
#include "core/result.hpp"

namespace everlearn {

struct StoredObject {
  std::string bytes;
  std::string tag;  // names this version of it, for put_if_match()
};

/// Names are of a-z, A-Z, 0-9, '.', '-', '_' and '/' between parts. One thread. Errors of every call: Storage (a disk),
/// Unavailable (a server that does not answer now), Config (access refused, no such bucket).
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;
  /// Empty: there is none of that name.
  virtual Result<std::optional<StoredObject>> get(const std::string& name) = 0;
  virtual Result<void> put(const std::string& name, std::string_view bytes) = 0;
  /// Return the new tag. Errors: InUse: there is one already; there is another version now. Who wrote the very same
  /// bytes before has won.
  virtual Result<std::string> put_if_absent(const std::string& name, std::string_view bytes) = 0;
  virtual Result<std::string> put_if_match(const std::string& name, const std::string& tag, std::string_view bytes) = 0;
  /// Of what put() wrote. Nothing there is no error.
  virtual Result<void> remove(const std::string& name) = 0;
  /// Names of what put() wrote that begin with `prefix`, sorted; with ".tmp/": what a killed writer left behind.
  virtual Result<std::vector<std::string>> list(const std::string& prefix) = 0;
  /// For people: "s3://bucket/prefix", or the directory. No secret in it.
  virtual std::string place() const = 0;
};

/// Makes the directory with the first put. `writer` tells this process from others that write there at the same time.
std::unique_ptr<ObjectStore> open_directory_store(Fs& fs, const std::string& directory, const std::string& writer);

/// 32 hexadecimal digits that no other process has: from the kernel.
std::string unique_token();

}  // namespace everlearn
