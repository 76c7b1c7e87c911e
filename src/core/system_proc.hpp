// Real child processes (Linux).
//
// Limits must stand before the program's first instruction, and the engine must never be forked: fork() would copy its
// page tables and run the fork handlers of OpenMP and others on a half-copied state. posix_spawn() cannot set limits,
// and prlimit() from outside comes after the program has started. So start() does what posix_spawn() itself does inside
// libc: vfork(), then only async-signal-safe calls, then execve(). The child borrows our memory for those few
// microseconds while the calling thread waits, with all signals blocked so that no handler of ours runs in it.
#pragma once

#include "core/proc.hpp"

namespace everlearn {

/// A child gets: its own process group; exactly the given arguments and environment; /dev/null as stdin and stdout; a
/// fresh file (or /dev/null) as stderr; no other descriptor; default signal dispositions; no core dumps; the limits.
/// When it ends, whatever it left running in its group is killed. It dies with us: more exactly, with the *thread* that
/// called start() (PR_SET_PDEATHSIG), so start children from a thread that outlives them.
/// Errors of start(): Usage (no absolute or relative path in argv[0], a NUL in a text), OutOfRange (a limit), NotFound
/// (no such program), Storage (stderr_path), Unsupported (the system refuses the program or the process).
/// Any thread may call it; a Child belongs to one thread.
class SystemProc final : public Proc {
 public:
  Result<std::unique_ptr<Child>> start(const ProcessSpec& spec) override;
};

}  // namespace everlearn
