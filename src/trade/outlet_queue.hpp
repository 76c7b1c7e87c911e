// Intents on their way to a program of the user's own: to a file, each once, and to an address, at least once and never
// after their expiry. Kept as one text in the store, in the transactions of what it tells about, so that a restart goes
// on where the last process stopped.
//
// No clock, no thread, no input or output: `now` is told. Decision thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "core/time.hpp"

namespace everlearn {

struct OutletIntent {
  std::int64_t number = 0;  // of the intent in its directory
  std::string id;           // tells it apart from intents of other directories too
  std::string body;         // JSON, one line
  Timestamp expires;
  bool to_file = false, to_url = false;  // still to do
  int attempts = 0;                      // at the address
  Timestamp next_try;
};

/// What an address said of an intent.
enum class OutletAnswer : std::uint8_t {
  Taken,
  Later,    // not taken, or nobody knows
  Refused,  // it will never be taken
};

/// Why an intent never reached the address.
struct OutletLoss {
  std::int64_t number = 0;
  std::string why;
};

class OutletQueue {
 public:
  /// Errors: BadData.
  static Result<OutletQueue> from_json(std::string_view text);
  std::string to_json() const;

  void add(OutletIntent intent) { queue_.push_back(std::move(intent)); }
  bool empty() const { return queue_.empty(); }
  std::size_t waiting() const { return queue_.size(); }

  /// What a setting that is gone would have got is done. True: there was some.
  bool keep_for(bool file, bool url);

  /// Those that are not in the file yet, in order.
  std::vector<OutletIntent> for_file() const;
  void in_file(const std::vector<OutletIntent>& written);

  /// What to send now, if nothing is under way: the earliest that may be tried. Its attempt is counted. What expired
  /// goes, but for the one under way, whose answer may still come.
  std::optional<OutletIntent> next(Timestamp now, std::optional<std::int64_t> under_way);
  /// `again_after`: the address's own wish. `detail`: in words, why not.
  void answered(std::int64_t number, OutletAnswer answer, std::optional<Duration> again_after,
                const std::string& detail, Timestamp now);
  /// When next() may give something; none: nothing waits for the clock alone.
  std::optional<Timestamp> due() const;
  std::vector<OutletLoss> take_losses() { return std::exchange(losses_, {}); }

 private:
  OutletIntent* find(std::int64_t number);
  void drop_done();

  std::vector<OutletIntent> queue_;
  std::vector<OutletLoss> losses_;
};

}  // namespace everlearn
