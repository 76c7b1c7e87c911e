// What a directory keeps of the market, once more in the order in which it became known: prices, and the bars, trades
// and books of a profile that keeps them. For what is computed later and must know no more than the engine did then.
#pragma once

#include <functional>
#include <optional>
#include <queue>
#include <vector>

#include "market/event.hpp"
#include "store/store.hpp"

namespace everlearn {

class StoredMarket {
 public:
  struct Item {
    Event event;
    bool is_price = false;     // a row of the prices: a point, a bar's close, or a dense price
    bool of_the_past = false;  // asked for later: known long after its time
  };

  /// `with_events` false: prices alone. The store outlives it.
  StoredMarket(const Store& store, bool with_events) : store_{store}, with_events_{with_events} {}

  /// The next item known by `until`; empty: none. Errors: of the store; Damaged for a body that cannot be read.
  Result<std::optional<Item>> next(Timestamp until);

 private:
  struct Later {
    bool operator()(const std::pair<Item, std::int64_t>& a, const std::pair<Item, std::int64_t>& b) const;
  };
  Result<void> begin();
  Result<void> read_up_to(Timestamp until);

  const Store& store_;
  const bool with_events_;
  std::optional<Timestamp> read_until_;  // event time: what is earlier has been read
  Timestamp end_ = Timestamp::min();     // of the last row
  std::int64_t read_ = 0;
  std::priority_queue<std::pair<Item, std::int64_t>, std::vector<std::pair<Item, std::int64_t>>, Later> waiting_;
};

}  // namespace everlearn
