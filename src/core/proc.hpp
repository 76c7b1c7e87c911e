// Starting other programs, as a port. Children are spawned, never forked with our state (OpenMP, SQLite).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

struct ProcessLimits {
  std::optional<std::uint64_t> memory_bytes = {};  // address space
  std::optional<Duration> cpu = {};
  std::optional<Duration> wall = {};
  int nice = 0;  // 0..19
};

struct ProcessSpec {
  std::vector<std::string> argv = {};         // argv[0] is the path of the program
  std::vector<std::string> environment = {};  // "NAME=value"; nothing else is inherited
  std::string stderr_path = {};               // where the child's stderr goes; empty: discarded
  ProcessLimits limits = {};
};

struct ProcessExit {
  int code = 0;            // exit status; meaningful when `signal` is 0
  int signal = 0;          // the signal that ended it
  bool timed_out = false;  // we killed it at its wall limit
  bool ok() const { return code == 0 && signal == 0 && !timed_out; }
};

class Child {
 public:
  /// Destroying a running child kills and reaps it.
  virtual ~Child() = default;
  /// Empty while it runs. Enforces the wall limit.
  virtual Result<std::optional<ProcessExit>> poll() = 0;
  virtual Result<ProcessExit> wait() = 0;
};

class Proc {
 public:
  virtual ~Proc() = default;
  virtual Result<std::unique_ptr<Child>> start(const ProcessSpec& spec) = 0;
};

}  // namespace everlearn
