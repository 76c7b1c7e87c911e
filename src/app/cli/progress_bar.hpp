#pragma once

#include <string>

#include "app/progress.hpp"
#include "core/system_clock.hpp"

namespace everlearn::cli {

/// Shows a run on stderr: a bar that redraws itself on a terminal, a plain line now and then elsewhere.
class ProgressBar {
 public:
  ProgressBar();
  ~ProgressBar();
  void show(const Progress& progress);

 private:
  bool terminal_;
  bool drawn_ = false;
  double shown_at_ = -1e9;
  Stopwatch stopwatch_;
};

}  // namespace everlearn::cli
