// The network side of a venue that is watched live: market sockets, each with some of the followed assets, and the REST
// endpoints, on threads of its own. What came is stamped and queued as it came; nothing here reads prices.
//
//   sockets      one network thread; whether what should come comes is judged per asset (venue_shards.hpp)
//   books        snapshots that were asked for, and books of assets that no socket tells
//   listing      the market list every venue.refresh; then how followed markets stand whose end has passed or that
//                went silent, since their resolution may never be told
//   quotes       prices of the second tier, shortly before each grid time
//   history      prices of the past, for holes
//   trades       what a lost connection may have missed, once it is there again
//
// The queue has a limit. Beyond it market frames are dropped, never waited for, and their assets are doubted and read
// anew; answers of REST are never dropped.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/result.hpp"
#include "io/received.hpp"
#include "io/venue_options.hpp"

namespace everlearn {

struct Following;  // io/venue_interpreter.hpp

struct FeedSettings {
  VenueOptions venue;
  Duration dense_every = Duration::minutes(15);  // resolution of prices of the past
  Duration poll_every = Duration::seconds(10);   // between two reads of a book that no socket tells
  double speed = 1;                              // waits that follow market time are divided by it
  std::uint64_t seed = 1;                        // of what is drawn: waits before another try
  std::size_t most_queued = 200'000;             // Received
  std::size_t most_queued_bytes = 256u << 20;
  std::string authorities = {};  // file of certificates; empty: the system's
};

/// A hole in the dense history of a token: prices of (from, to] are wanted.
struct TokenHole {
  std::string token;
  Timestamp from, to;
};

struct ShardHealth {
  bool open = false;
  std::size_t assets = 0, waiting = 0;  // waiting: for their first event
  std::int64_t reconnects = 0, frames = 0;
  std::string last_error;
};

struct FeedHealth {
  std::vector<ShardHealth> shards;
  std::size_t polled = 0;  // assets whose books are read by REST, since no socket tells them
  std::size_t queued = 0;  // Received that nobody took yet
  std::int64_t received = 0, dropped = 0, malformed = 0;
  std::map<std::string, std::int64_t> requests;  // by group of endpoints, since the start
  std::map<std::string, std::int64_t> failed;    // of them without a good answer
  std::string rest_error;                        // of the last request, where it failed
  std::int64_t listings = 0;                     // whole ones

  // No socket is open and REST does not answer either, for venue.silence already: nothing is known of the venue now.
  bool blind = false;

  /// For people, one idea a line.
  std::vector<std::string> lines() const;
};

class VenueFeed {
 public:
  /// Connects in the background; `clock` outlives it and may be read by any thread. Errors: Config for addresses.
  static Result<std::unique_ptr<VenueFeed>> start(const FeedSettings& settings, Clock& clock);
  ~VenueFeed();
  VenueFeed(const VenueFeed&) = delete;
  VenueFeed& operator=(const VenueFeed&) = delete;

  // All of this: decision thread.
  std::optional<Received> take();
  /// Everything stamped up to then has been taken; what comes is stamped later.
  Timestamp told_until(Timestamp now);
  void follow(const Following& following);
  void resync(std::vector<std::string> tokens);
  /// Each is answered by one Received of "history".
  void ask_history(std::vector<TokenHole> holes);
  FeedHealth health();
  /// Ends all threads and connections at once; what is queued can still be taken.
  void stop();

 private:
  struct Inside;
  explicit VenueFeed(std::unique_ptr<Inside> inside);
  std::unique_ptr<Inside> inside_;
};

}  // namespace everlearn
