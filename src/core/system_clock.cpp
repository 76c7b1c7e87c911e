#include "core/system_clock.hpp"

namespace everlearn {

Timestamp SystemClock::now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return Timestamp{std::chrono::floor<std::chrono::microseconds>(since_epoch).count()};
}

Stopwatch::Stopwatch() : start_{std::chrono::steady_clock::now()} {}

double Stopwatch::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Stopwatch::restart() { start_ = std::chrono::steady_clock::now(); }

}  // namespace everlearn
