// A daemon is spoken to through a Unix socket in its data directory: one line in, one line out, then the connection
// ends. Only processes of the same user are heard (mode 0600, and the kernel says who calls). A caller that is slow or
// says too much is hung up on; nothing a caller does holds the daemon up.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/system_clock.hpp"
#include "core/system_fd.hpp"
#include "core/time.hpp"

namespace everlearn {

/// One owner thread, which also runs the answers.
class ControlSocket {
 public:
  static constexpr std::size_t kLongestRequest = 64 << 10;
  static constexpr std::size_t kMostCallers = 16;
  static constexpr Duration kDeadline = Duration::seconds(5);  // of a connection, from first to last byte

  using Answer = std::function<std::string(std::string_view request)>;

  /// Makes `path`. What lies there is taken for the leftover of a process that died: hold the directory's lock.
  /// The path may be longer than a socket's name. Errors: Storage, Unsupported.
  static Result<std::unique_ptr<ControlSocket>> listen(const std::string& path);
  /// Removes the path.
  ~ControlSocket();

  /// Waits until a request was answered, `also` (a descriptor) is readable, or `longest` is over.
  /// `answer` gets the line without its end and gives one line. Errors: Storage.
  Result<void> wait(Duration longest, int also, const Answer& answer);

 private:
  struct Caller {
    Fd fd;
    std::string said, answer;
    std::size_t sent = 0;
    Stopwatch since;
    bool answered = false;
  };
  ControlSocket(Fd directory, std::string name, Fd fd);
  void accept_callers();
  /// False: this caller is done with.
  bool listen_to(Caller& caller, const Answer& answer);
  static bool speak_to(Caller& caller);

  Fd directory_;
  const std::string name_;
  Fd fd_;
  std::vector<std::unique_ptr<Caller>> callers_;
};

/// Says one line to the daemon at `path` and returns its line. Errors: NotFound if nobody listens there; Unsupported
/// for a daemon of another user; Storage if it does not answer within `deadline`.
Result<std::string> ask_daemon(const std::string& path, std::string_view request, Duration deadline);

}  // namespace everlearn
