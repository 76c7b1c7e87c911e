#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "io/byte_stream.hpp"
#include "io/refusal.hpp"

namespace everlearn {

struct TextLine {
  std::int64_t number = 0;         // from 1
  std::string_view text;           // without the line end; of a line that is too long, its beginning
  std::optional<Refusal> refusal;  // too long
};

/// A stream of bytes as lines of at most 16 MiB (a venue's frames reach several MiB). Blank lines are skipped.
class LineSplitter {
 public:
  explicit LineSplitter(std::unique_ptr<ByteStream> bytes) : bytes_{std::move(bytes)} {}
  /// False at the end. Errors: those of the stream.
  Result<bool> next(TextLine& line);
  bool cut_short() const { return bytes_->cut_short(); }

 private:
  Result<bool> fill();
  Result<void> skip_rest();

  const std::unique_ptr<ByteStream> bytes_;
  std::string buffer_;
  std::size_t begin_ = 0;
  std::int64_t number_ = 0;
  std::string shown_;
};

}  // namespace everlearn
