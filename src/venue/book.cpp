#include "venue/book.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace everlearn::venue {
namespace {

std::vector<Level>::iterator place(std::vector<Level>& levels, bool bid, Price price) {
  return std::lower_bound(levels.begin(), levels.end(), price,
                          [bid](const Level& l, Price p) { return bid ? l.price > p : l.price < p; });
}

void side_changes(bool bid, const std::vector<Level>& before, const std::vector<Level>& after,
                  std::vector<LevelChange>& out) {
  const auto better = [bid](Price a, Price b) { return bid ? a > b : a < b; };
  std::size_t i = 0, k = 0;
  while (i < before.size() || k < after.size()) {
    if (k == after.size() || (i < before.size() && better(before[i].price, after[k].price))) {
      out.push_back({.bid = bid, .price = before[i++].price, .size = {}});
    } else if (i == before.size() || better(after[k].price, before[i].price)) {
      out.push_back({.bid = bid, .price = after[k].price, .size = after[k].size});
      ++k;
    } else {
      if (before[i].size != after[k].size) out.push_back({.bid = bid, .price = after[k].price, .size = after[k].size});
      ++i;
      ++k;
    }
  }
}

}  // namespace

void Book::set(bool bid, Price price, Quantity size) {
  std::vector<Level>& levels = bid ? bids : asks;
  const auto at = place(levels, bid, price);
  const bool there = at != levels.end() && at->price == price;
  if (size <= Quantity{}) {
    if (there) levels.erase(at);
  } else if (there) {
    at->size = size;
  } else {
    levels.insert(at, {.price = price, .size = size});
  }
}

void Book::add(bool bid, Price price, std::int64_t micros) {
  std::vector<Level>& levels = bid ? bids : asks;
  const auto at = place(levels, bid, price);
  const std::int64_t had = at != levels.end() && at->price == price ? at->size.micros() : 0;
  set(bid, price, Quantity::from_micros(std::max<std::int64_t>(0, had + micros)));
}

Book mirrored(const Book& book) {
  Book other;
  other.bids.reserve(book.asks.size());
  other.asks.reserve(book.bids.size());
  for (const Level& level : book.asks) other.bids.push_back({.price = complement(level.price), .size = level.size});
  for (const Level& level : book.bids) other.asks.push_back({.price = complement(level.price), .size = level.size});
  return other;
}

std::vector<LevelChange> changes(const Book& before, const Book& after) {
  std::vector<LevelChange> out;
  side_changes(true, before.bids, after.bids, out);
  side_changes(false, before.asks, after.asks, out);
  return out;
}

std::optional<Price> middle(const Book& book) {
  if (book.empty()) return std::nullopt;
  const std::int64_t bid = book.bids.empty() ? 0 : book.bids.front().price.nanos();
  const std::int64_t ask = book.asks.empty() ? Price::kScale : book.asks.front().price.nanos();
  return Price::from_nanos((bid + ask) / 2);
}

std::string levels_json(const std::vector<Level>& best_first) {
  std::string json = "[";
  for (auto level = best_first.rbegin(); level != best_first.rend(); ++level) {
    if (json.size() > 1) json += ',';
    fmt::format_to(std::back_inserter(json), R"({{"price":"{}","size":"{}"}})", level->price.text(),
                   level->size.text());
  }
  json += ']';
  return json;
}

}  // namespace everlearn::venue
