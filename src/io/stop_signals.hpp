#pragma once

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

/// SIGTERM and SIGINT as something that can be waited for: from now on they end no process, they only make requested()
/// true. One object a process, made before any thread; destroying it lets them kill again.
class StopSignals {
 public:
  /// Errors: Unsupported if the system refuses.
  static Result<StopSignals> take();
  StopSignals(StopSignals&& other) noexcept;
  StopSignals& operator=(StopSignals&&) = delete;
  ~StopSignals();

  /// True from the first signal on.
  bool requested();
  /// Until a signal comes, at most so long; true: one came.
  bool wait(Duration at_most);
  /// Readable once a signal came; for poll().
  int fd() const { return fd_; }

 private:
  explicit StopSignals(int fd) : fd_{fd} {}
  int fd_;
  bool requested_ = false;
};

}  // namespace everlearn
