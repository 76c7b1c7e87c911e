#include "app/trainer_process.hpp"

#include <fmt/format.h>

namespace everlearn {
namespace {

std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  const std::size_t newline = text.rfind('\n');
  return std::string{newline == std::string_view::npos ? text : text.substr(newline + 1)};
}

}  // namespace

ProcessSpec trainer_process(const std::string& trainer, const std::string& directory, int threads,
                            std::uint64_t memory_bytes, Duration wall) {
  ProcessSpec process;
  process.argv = {trainer, directory};
  process.environment = {"OMP_WAIT_POLICY=passive", fmt::format("OMP_NUM_THREADS={}", threads), "LC_ALL=C"};
  process.stderr_path = directory + "/trainer.log";
  process.limits.memory_bytes = memory_bytes;
  process.limits.cpu = wall * threads;
  process.limits.wall = wall;
  process.limits.nice = 19;  // beside cycles on the same cores
  return process;
}

std::string why_trainer_ended(Fs& fs, const std::string& directory, const ProcessExit& exit, Duration wall) {
  if (exit.timed_out) return fmt::format("trainer killed after {}", wall.text());
  if (exit.signal != 0) return fmt::format("trainer ended by signal {}", exit.signal);
  const auto log = read_file(fs, directory + "/trainer.log", 1 << 20);
  return fmt::format("trainer exited with {}: {}", exit.code, log ? last_line(*log) : "");
}

}  // namespace everlearn
