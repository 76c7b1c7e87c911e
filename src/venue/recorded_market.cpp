#include "venue/recorded_market.hpp"

namespace everlearn::venue {
namespace {

template <class T>
void earliest(const std::vector<T>& items, Timestamp after, std::optional<Timestamp>& found) {
  const auto last = last_at(items, after);
  const std::size_t next = last ? *last + 1 : 0;
  if (next < items.size() && (!found || items[next].at < *found)) found = items[next].at;
}

}  // namespace

std::optional<Price> RecordedMarket::price(Timestamp at) const {
  const auto last = last_at(points, at);
  return last ? std::optional{points[*last].price} : std::nullopt;
}

std::optional<Price> RecordedMarket::fresh_price(Timestamp at) const {
  const auto last = last_at(points, at);
  if (!last || at - points[*last].at > hold) return std::nullopt;
  return points[*last].price;
}

Price RecordedMarket::tick(Timestamp at) const {
  Price tick = ticks.front().tick;
  for (const TickAt& change : ticks)
    if (change.from <= at) tick = change.tick;
  return tick;
}

const TopAt* RecordedMarket::top(Timestamp at) const {
  const auto last = last_at(tops, at);
  return last ? &tops[*last] : nullptr;
}

VolumeAt RecordedMarket::volume(Timestamp at) const {
  const auto last = last_at(volumes, at);
  return volumes[last.value_or(0)];
}

std::optional<Book> RecordedMarket::recorded_book(Timestamp at) const {
  const auto last = last_at(words, at);
  if (!last) return std::nullopt;
  std::size_t from = *last;
  while (!words[from].snapshot && from > 0) --from;
  if (!words[from].snapshot) return std::nullopt;
  Book book = words[from].levels;
  for (std::size_t i = from + 1; i <= *last; ++i)
    for (const LevelChange& change : words[i].changed) book.set(change.bid, change.price, change.size);
  // Trades were not recorded: a level that one took may stand until the next snapshot, across the other side.
  while (!book.bids.empty() && !book.asks.empty() && book.bids.front().price >= book.asks.front().price) {
    book.bids.erase(book.bids.begin());
    if (!book.asks.empty()) book.asks.erase(book.asks.begin());
  }
  return book;
}

std::optional<Timestamp> RecordedMarket::next_word(Timestamp after) const {
  std::optional<Timestamp> found;
  if (words.empty()) earliest(points, after, found);
  earliest(tops, after, found);
  earliest(words, after, found);
  for (const TickAt& change : ticks)
    if (change.from > after && (!found || change.from < *found)) found = change.from;
  return found;
}

}  // namespace everlearn::venue
