// The recent prices of one instrument, by event_time: what a label price is taken from.
#pragma once

#include <deque>
#include <optional>

#include "core/bytes.hpp"
#include "market/event.hpp"

namespace everlearn {

struct SeenPrice {
  Timestamp event_time, known_at;
  Price price;
};

class PriceWindow {
 public:
  /// Prices may come late; of two with the same event_time the later observed one stays. Forgets what no question about
  /// a time after `settled` can need: all but the last price up to it.
  void add(const SeenPrice& seen, Timestamp settled);
  /// The last price in (at - tolerance, at].
  std::optional<SeenPrice> last_in(Timestamp at, Duration tolerance) const;

  void encode(ByteWriter& out) const;
  void decode(ByteReader& in);

 private:
  std::deque<SeenPrice> prices_;  // ascending event_time
};

/// The price an event brings, if it brings one.
std::optional<Price> price_of(const Event& event);

}  // namespace everlearn
