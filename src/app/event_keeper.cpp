#include "app/event_keeper.hpp"

#include <algorithm>

#include "market/event_codec.hpp"

namespace everlearn {
namespace {

const Price* price_of(const Event& event) {
  if (const auto* point = std::get_if<PricePoint>(&event.what)) return &point->price;
  if (const auto* bar = std::get_if<Bar>(&event.what)) return &bar->close;
  return nullptr;
}

}  // namespace

Result<std::uint32_t> EventKeeper::revision_of(const Event& event) const {
  if (event.revision != kAsStored) return event.revision;
  std::uint32_t revision = 0;
  const TimeRange moment{event.event_time, event.event_time + Duration{1}};
  if (price_of(event) != nullptr) {
    EL_CHECK(store_.scan_prices(moment, [&](const PriceRow& row) {
      if (row.instrument == event.instrument) revision = 1;
      return revision == 0;
    }));
  }
  EL_CHECK(store_.scan_events(moment, [&](const EventRow& row) {
    if (row.instrument == event.instrument && row.kind == event_kind(event.what))
      revision = std::max(revision, row.ordinal + 1);
    return true;
  }));
  return revision;
}

Result<void> EventKeeper::keep(const Event& event) {
  if (event.revision > 0)  // the first word stands under the key; a correction is kept beside it, with its own known_at
    return store_.append(EventRow{event.instrument, event.event_time, event.known_at,
                                  std::string{event_kind(event.what)}, event.revision, encode_event(event.what)});
  if (const Price* price = price_of(event); price != nullptr && keep_prices_) {
    PriceRow row{
        .instrument = event.instrument, .event_time = event.event_time, .known_at = event.known_at, .price = *price};
    if (const auto* point = std::get_if<PricePoint>(&event.what)) {
      row.bid = point->bid;
      row.ask = point->ask;
    }
    EL_CHECK(store_.append(row));
  }
  if (!keep_events_ || std::holds_alternative<PricePoint>(event.what)) return {};
  const bool same = last_.instrument == event.instrument && last_.event_time == event.event_time &&
                    last_.kind == event_kind(event.what);
  last_ = {event.instrument,
           event.event_time,
           event.known_at,
           std::string{event_kind(event.what)},
           same ? last_.ordinal + 1 : 0,
           encode_event(event.what)};
  return store_.append(last_);
}

void EventKeeper::encode(ByteWriter& out) const {
  out.u32(static_cast<std::uint32_t>(last_.instrument));
  out.time(last_.event_time);
  out.text(last_.kind);
  out.u32(last_.ordinal);
}

void EventKeeper::decode(ByteReader& in) {
  last_.instrument = InstrumentId{in.u32()};
  last_.event_time = in.time();
  last_.kind = in.text();
  last_.ordinal = in.u32();
}

void note_coverage(Coverage& coverage, const Profile& profile, const Calendar& calendar, const CycleGrid& grid,
                   const Event& event) {
  if (price_of(event) == nullptr && !std::holds_alternative<Fields>(event.what)) return;
  const StreamCoverage* seen = nullptr;
  const auto& streams = coverage.streams();
  if (index(event.instrument) < streams.size()) seen = &streams[index(event.instrument)];
  // What an import has brought is not counted again.
  if (seen != nullptr && seen->last && event.event_time >= *seen->first && event.event_time <= *seen->last) return;
  const Timestamp last = seen != nullptr && seen->last ? *seen->last : event.event_time;
  Duration silence, expected;
  if (profile.cycle.us() == 0 && profile.gap_after.us() == 0) {
    silence =
        Duration::days(calendar.next(event.event_time - Duration{1}).index - calendar.next(last - Duration{1}).index);
    expected = Duration::days(1);
  } else {
    silence = grid.open_time(last, event.event_time);
    const Duration step = profile.sample.us() > 0 ? profile.sample : profile.cycle;
    expected = profile.gap_after.us() > 0 ? profile.gap_after : Duration{step.us() * 5 / 2};
  }
  coverage.add(event.instrument, event.event_time, silence, expected);
}

}  // namespace everlearn
