#pragma once

#include <string>

#include <unistd.h>

#include "core/assert.hpp"
#include "core/system_fs.hpp"

namespace everlearn {

/// For tests that need the real disk: a fresh directory, removed with all below it at the end.
class TestDirectory {
 public:
  TestDirectory() {
    const std::string prefix = "/tmp/everlearn-test-" + std::to_string(::getpid()) + "-";
    for (int n = 0; path_.empty() || fs_.exists(path_); ++n) path_ = prefix + std::to_string(n);
    EL_ASSERT(fs_.make_directories(path_).has_value(), "no directory for the test");
  }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;
  ~TestDirectory() { (void)fs_.remove_tree(path_); }

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  SystemFs fs_;
  std::string path_;
};

}  // namespace everlearn
