// Which market sockets there are, what each is subscribed to, and whether what each asset should tell still comes.
// Pure: what happened and the time go in, orders come out; sockets and threads are the feed's.
//
// A socket that is connected and answers PING proves nothing: above some number of assets the first book never comes,
// and a connection can freeze while it still answers. So the first event of each asset has a deadline, and what follows
// a missed one is a ladder, a step each time: subscribe again, a new socket, reading the asset's book by REST (while
// it stays subscribed, and is subscribed again now and then). A socket that told nothing of its own assets for
// `silence` is checked against REST: where a book has moved without a word, the connection is frozen and is replaced;
// where nothing has moved, the market is quiet.
//
// Whatever may have been missed is doubted, asset by asset, and read anew.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.hpp"
#include "core/time.hpp"

namespace everlearn {

struct ShardRules {
  std::size_t assets_per_socket = 200;
  Duration first_event = Duration::seconds(15);
  Duration silence = Duration::seconds(30);
  Duration settle = Duration::seconds(2);       // after opening, then what has told nothing yet is read by REST
  Duration first_retry = Duration::seconds(1);  // of a lost connection; doubled each time, half to all of it by chance
  Duration most_retry = Duration::minutes(1);
};

/// That a frame or an answer told something of an asset.
struct HeardAsset {
  std::string asset;
  std::string hash;  // of its book after that; empty: not told
  bool operator==(const HeardAsset&) const = default;
};

struct Doubt {
  std::vector<std::string> assets;
  std::string reason;
};

/// What is to be done now. Sockets are named by the number of their shard.
struct ShardOrders {
  std::vector<std::uint32_t> close, open;                   // in this order
  std::vector<std::pair<std::uint32_t, std::string>> send;  // then this
  std::vector<Doubt> doubts;
  std::vector<std::string> books;      // assets to be read by REST once
  std::vector<std::string> missed;     // assets of which trades may have been missed, now that they tell again
  std::vector<std::string> questions;  // assets whose market may have ended
};

struct ShardState {
  bool open = false;
  std::size_t assets = 0, waiting = 0;
  std::int64_t reconnects = 0, frames = 0;
  std::string last_error;
};

/// `now`: on a clock that never jumps. One thread.
class VenueShards {
 public:
  VenueShards(const ShardRules& rules, std::uint64_t seed) : rules_{rules}, rng_{Rng::named(seed, "shards")} {}

  void follow(const std::vector<std::string>& assets, Duration now);
  void opened(std::uint32_t shard, Duration now);
  /// A good frame. Assets that are not of this shard say nothing about it.
  void heard(std::uint32_t shard, const std::vector<HeardAsset>& assets, Duration now);
  /// A frame that cannot be read: something of any of its assets was missed. Several of them end the connection.
  void malformed(std::uint32_t shard, Duration now);
  /// A frame that was read and thrown away.
  void dropped(const std::vector<HeardAsset>& assets);
  void closed(std::uint32_t shard, const std::string& why, Duration now);
  /// What REST says of books: asked for by orders().books or polled().
  void read_by_rest(const std::vector<HeardAsset>& books, Duration now);
  void tick(Duration now);

  ShardOrders take_orders();
  /// Assets whose books are to be read by REST regularly.
  std::vector<std::string> polled(Duration now) const;
  std::vector<ShardState> states() const;

 private:
  enum class Step : std::uint8_t { Subscribed, Again, Moved, Polled };
  struct Asset {
    std::uint32_t shard = 0;
    Step step = Step::Subscribed;
    bool live = false;  // told something on this connection
    Duration since;     // of the step
    std::string hash;
  };
  struct Shard {
    enum class Link : std::uint8_t { Lost, Opening, Open };
    std::set<std::string> assets;
    Link link = Link::Lost;
    Duration retry_at, down_since, opened_at, last_event, checked_at;
    bool settled = false, checking = false;
    int failures = 0, malformed = 0;
    std::int64_t reconnects = 0, frames = 0;
    std::string last_error;
  };

  void lose(std::uint32_t number, Shard& shard, const std::string& why, Duration now);
  void watch_first_events(std::uint32_t number, Shard& shard, Duration now);
  void watch_silence(std::uint32_t number, Shard& shard, Duration now);
  void place(const std::vector<std::string>& assets, Step step, bool apart, Duration now);
  void doubt(const std::vector<std::string>& assets, const std::string& reason);
  Duration retry_after(int failures);

  const ShardRules rules_;
  Rng rng_;
  std::map<std::string, Asset> assets_;
  std::map<std::uint32_t, Shard> shards_;
  std::uint32_t next_ = 0;
  ShardOrders orders_;
};

}  // namespace everlearn
