#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/fs.hpp"

namespace everlearn {

/// A file written piece by piece that takes its name only when it is whole.
class ReplacedFile {
 public:
  static Result<ReplacedFile> create(Fs& fs, const std::string& path);
  ReplacedFile(ReplacedFile&&) noexcept = default;
  ReplacedFile& operator=(ReplacedFile&&) = delete;
  /// Without finish() nothing stays.
  ~ReplacedFile();

  Result<void> append(std::string_view bytes) { return file_->append(bytes); }
  /// Sync, close, rename, sync of the directory.
  Result<void> finish();

 private:
  ReplacedFile(Fs& fs, std::string path, std::unique_ptr<WritableFile> file)
      : fs_{fs}, path_{std::move(path)}, file_{std::move(file)} {}

  Fs& fs_;
  std::string path_;
  std::unique_ptr<WritableFile> file_;  // empty once finished, or moved from
};

}  // namespace everlearn
