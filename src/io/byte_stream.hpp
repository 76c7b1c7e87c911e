// A file's bytes from first to last, unpacked if they are gzip. What a file is, its first bytes say, never its name.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "core/fs.hpp"

namespace everlearn {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  /// Fills `into` as far as possible; returns how many, 0 at the end.
  /// Errors: Storage; BadData for gzip data that contradict themselves.
  virtual Result<std::size_t> read(std::span<char> into) = 0;
  /// The gzip data ended too early; what came before is good. Known once read() has returned 0.
  virtual bool cut_short() const = 0;
};

Result<std::unique_ptr<ByteStream>> open_bytes(Fs& fs, const std::string& path);

}  // namespace everlearn
