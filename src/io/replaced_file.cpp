#include "io/replaced_file.hpp"

namespace everlearn {

Result<ReplacedFile> ReplacedFile::create(Fs& fs, const std::string& path) {
  const std::string temporary = path + ".tmp";
  if (fs.exists(temporary)) EL_CHECK(fs.remove(temporary));  // left behind by a crash
  EL_TRY(auto file, fs.create(temporary));
  return ReplacedFile{fs, path, std::move(file)};
}

ReplacedFile::~ReplacedFile() {
  if (!file_) return;
  file_.reset();
  (void)fs_.remove(path_ + ".tmp");  // whoever left it unfinished has told why
}

Result<void> ReplacedFile::finish() {
  EL_CHECK(file_->sync());
  EL_CHECK(file_->close());
  EL_CHECK(fs_.rename(path_ + ".tmp", path_));
  file_.reset();
  return fs_.sync_directory(parent_directory(path_));
}

}  // namespace everlearn
