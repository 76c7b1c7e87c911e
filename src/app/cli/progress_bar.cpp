#include "app/cli/progress_bar.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace everlearn::cli {
namespace {

constexpr double kRedrawSeconds = 0.1, kLineSeconds = 5;
constexpr int kBarWidth = 30;

}  // namespace

ProgressBar::ProgressBar() : terminal_{::isatty(STDERR_FILENO) == 1} {}

ProgressBar::~ProgressBar() {
  if (drawn_) std::fputc('\n', stderr);
}

void ProgressBar::show(const Progress& progress) {
  const double now = stopwatch_.seconds();
  const bool last = progress.finished;
  if (!last && now - shown_at_ < (terminal_ ? kRedrawSeconds : kLineSeconds)) return;
  shown_at_ = now;
  const double fraction = progress.fraction.value_or(0);
  const std::string at = progress.last_cycle ? progress.last_cycle->date() : "";
  const std::string what =
      fmt::format("{:3.0f}%  {}  {} examples  {} trainings, {} promoted  learning {}", 100 * fraction, at,
                  progress.examples, progress.trainings, progress.promoted, progress.learning);
  if (!terminal_) {
    fmt::print(stderr, "{}\n", what);
    return;
  }
  const int filled = static_cast<int>(fraction * kBarWidth);
  fmt::print(stderr, "\r\x1b[2K[{:#<{}}{:.<{}}] {}", "", filled, "", kBarWidth - filled, what);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace everlearn::cli
