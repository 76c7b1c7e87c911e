// The price levels of a market. One book serves both outcomes: a bid for the first at p is an offer of the second at
// 1 - p. Kept in the first outcome's prices, best level first.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/price.hpp"

namespace everlearn::venue {

constexpr Price complement(Price price) { return Price::from_nanos(Price::kScale - price.nanos()); }

struct Level {
  Price price;
  Quantity size;
  bool operator==(const Level&) const = default;
};

struct Book {
  std::vector<Level> bids, asks;
  bool operator==(const Book&) const = default;

  std::optional<Price> best_bid() const { return bids.empty() ? std::nullopt : std::optional{bids.front().price}; }
  std::optional<Price> best_ask() const { return asks.empty() ? std::nullopt : std::optional{asks.front().price}; }
  bool empty() const { return bids.empty() && asks.empty(); }
  /// The new size of a level; 0 removes it.
  void set(bool bid, Price price, Quantity size);
  /// Adds to a level (or takes from it, never below nothing).
  void add(bool bid, Price price, std::int64_t micros);
};

/// As the other outcome's token sees it.
Book mirrored(const Book& book);

struct LevelChange {
  bool bid = false;
  Price price;
  Quantity size;  // the new one; 0: gone
};
/// What turns `before` into `after`.
std::vector<LevelChange> changes(const Book& before, const Book& after);

/// The mid of a two-sided book; of a one-sided one halfway to the end of the scale; absent without levels.
std::optional<Price> middle(const Book& book);

/// [{"price":"0.48","size":"10"},...], best level last, as the exchange sends them.
std::string levels_json(const std::vector<Level>& best_first);

}  // namespace everlearn::venue
