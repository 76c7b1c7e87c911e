#include "app/stored_market.hpp"

#include <algorithm>
#include <set>

#include "market/event_codec.hpp"

namespace everlearn {
namespace {

constexpr Duration kStretch = Duration::days(1);  // read at once
// A row is known after its time, but for clocks that differ: so much earlier at most.
constexpr Duration kClocksDiffer = Duration::hours(1);

}  // namespace

bool StoredMarket::Later::operator()(const std::pair<Item, std::int64_t>& a,
                                     const std::pair<Item, std::int64_t>& b) const {
  const auto key = [](const std::pair<Item, std::int64_t>& item) {
    return std::tuple{item.first.event.known_at, item.first.event.event_time, item.second};
  };
  return key(a) > key(b);
}

Result<void> StoredMarket::begin() {
  Timestamp first = Timestamp::max();
  EL_TRY(const auto stats, store_.stats());
  for (const DatasetStats& one : stats) {
    if (one.dataset != Dataset::Prices && (one.dataset != Dataset::Events || !with_events_)) continue;
    first = std::min(first, one.first_event.value_or(first));
    end_ = std::max(end_, one.last_event.value_or(end_));
  }
  read_until_ = first;
  return {};
}

Result<void> StoredMarket::read_up_to(Timestamp until) {
  if (!read_until_) EL_CHECK(begin());
  while (*read_until_ <= end_ && *read_until_ <= until + kClocksDiffer) {
    const TimeRange range{*read_until_, *read_until_ + kStretch};
    std::set<std::pair<InstrumentId, Timestamp>> bars;  // whose close is a price too
    std::string wrong;
    if (with_events_) {
      EL_CHECK(store_.scan_events(range, [&](const EventRow& row) {
        auto body = decode_event(row.kind, row.payload);
        if (!body) wrong = body.error().message;
        if (!body) return false;
        Event event{row.instrument, row.event_time, row.known_at, std::move(*body)};
        if (std::holds_alternative<Bar>(event.what)) {
          bars.emplace(row.instrument, row.event_time);
          event.revision = row.ordinal;
        }
        waiting_.emplace(Item{std::move(event)}, read_++);
        return true;
      }));
    }
    if (!wrong.empty()) return fail(Code::Damaged, "events: " + wrong);
    EL_CHECK(store_.scan_prices(range, [&](const PriceRow& row) {
      if (bars.contains({row.instrument, row.event_time})) return true;
      waiting_.emplace(Item{{row.instrument, row.event_time, row.known_at, PricePoint{row.price, row.bid, row.ask}},
                            true,
                            row.origin == Origin::Backfill},
                       read_++);
      return true;
    }));
    read_until_ = range.to;
  }
  return {};
}

Result<std::optional<StoredMarket::Item>> StoredMarket::next(Timestamp until) {
  EL_CHECK(read_up_to(until));
  if (waiting_.empty() || waiting_.top().first.event.known_at > until) return std::nullopt;
  Item item = waiting_.top().first;
  waiting_.pop();
  return item;
}

}  // namespace everlearn
