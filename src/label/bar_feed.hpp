// What counts as a bar, per instrument: a Bar, or a PricePoint while the instrument has had no Bar; each later than the
// one before.
#pragma once

#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "market/event.hpp"

namespace everlearn {

struct ClosedBar {
  Timestamp open_time, event_time, known_at;
  Price high, low, close;
};

class BarFeed {
 public:
  /// Empty where the event is no bar.
  std::optional<ClosedBar> bar(const Event& event);

  void encode(ByteWriter& out) const;
  void decode(ByteReader& in);

 private:
  struct Stream {
    bool has_bars = false;
    Timestamp last = Timestamp::min();
  };
  std::vector<Stream> streams_;
};

}  // namespace everlearn
